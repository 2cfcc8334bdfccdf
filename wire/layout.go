package wire

import (
	"slices"
	"strconv"
)

// Uint8 reads or writes a uint8 or an enum of one byte.
func Uint8[T ~uint8](c *Codec, name string, v *T) { number(c, name, 1, v) }

// Uint16 reads or writes a uint16 or an enum of two bytes.
func Uint16[T ~uint16](c *Codec, name string, v *T) { number(c, name, 2, v) }

// Uint32 reads or writes a uint32.
func Uint32[T ~uint32](c *Codec, name string, v *T) { number(c, name, 4, v) }

func number[T ~uint8 | ~uint16 | ~uint32](c *Codec, name string, size int, v *T) {
	if !c.reading {
		c.field = len(c.out)
		c.room(size)
		c.out = appendInt(c.out, size, int(*v))
		return
	}
	start := c.at
	if b := c.take(name, size); b != nil {
		*v = T(bigEndian(b))
	}
	if c.annotated != nil {
		c.leaf(name, start, shown(*v, size))
	}
}

func bigEndian(b []byte) (n int) {
	for _, x := range b {
		n = n<<8 | int(x)
	}
	return n
}

func appendInt(b []byte, size, n int) []byte {
	for i := size - 1; i >= 0; i-- {
		b = append(b, byte(n>>(8*i)))
	}
	return b
}

// Vector8 reads or writes a list of elements, min to max bytes in all, with a length of one byte.
func Vector8[T any](c *Codec, name string, v *[]T, min, max int, elem func(*Codec, *T)) {
	vector(c, name, 1, v, min, max, elem)
}

// Vector16 reads or writes a list of elements, min to max bytes in all, with a length of two bytes.
func Vector16[T any](c *Codec, name string, v *[]T, min, max int, elem func(*Codec, *T)) {
	vector(c, name, 2, v, min, max, elem)
}

// Vector24 reads or writes a list of elements, min to max bytes in all, with a length of three
// bytes.
func Vector24[T any](c *Codec, name string, v *[]T, min, max int, elem func(*Codec, *T)) {
	vector(c, name, 3, v, min, max, elem)
}

// Uint16s reads or writes a list of uint16 or enums of two bytes, min to max bytes in all, with a
// length of two bytes. It does what Vector16 does with Uint16, but reads in a loop without calls: a
// hello may have tens of thousands of them.
func Uint16s[T ~uint16](c *Codec, name, elem string, v *[]T, min, max int) {
	prefixed(c, name, 2, min, max, func(c *Codec) {
		if !c.reading || c.annotated != nil || len(c.in)%2 != 0 {
			elements(c, v, func(c *Codec, v *T) { Uint16(c, elem, v) })
			return
		}
		list := make([]T, len(c.in)/2) // no larger than the bytes received
		for i := range list {
			list[i] = T(c.in[2*i])<<8 | T(c.in[2*i+1])
		}
		c.take(name, len(c.in))
		*v = list
	})
}

// maxElements bounds the number of elements in a list, read or written. A list with a length of two
// bytes cannot hold more. Without the bound, 16 MiB of a list with a length of three bytes could
// become four million slice headers, six times the memory that the peer spent.
const maxElements = 1<<16 - 1

func vector[T any](c *Codec, name string, size int, v *[]T, least, most int,
	elem func(*Codec, *T)) {
	prefixed(c, name, size, least, most, func(c *Codec) { elements(c, v, elem) })
}

// elements reads or writes the elements of a list.
func elements[T any](c *Codec, v *[]T, elem func(*Codec, *T)) {
	if !c.reading {
		if len(*v) > maxElements { // which could not be read
			c.failAt(c.at, "", "got %d elements, expected at most %d", len(*v), maxElements)
			return
		}
		for i := range *v {
			elem(c, &(*v)[i])
		}
		return
	}
	var empty T
	// Never nil: a list that is present and empty differs from an absent one. Most elements are
	// structures, of about four bytes at least.
	list := make([]T, 0, min((len(c.in)+3)/4, 16))
	for c.More() {
		if len(list) == maxElements {
			c.failAt(c.at, "", "got more elements, expected at most %d", maxElements)
			return
		}
		if len(list) == cap(list) {
			// append grows long slices by a quarter at a time, which would copy this one too often
			list = slices.Grow(list, len(list))
		}
		list = append(list, empty)
		elem(c, &list[len(list)-1])
	}
	*v = list
}

// Length24 puts a length of three bytes before what layout describes, such as the body of a
// handshake message.
func Length24(c *Codec, name string, layout func(*Codec)) {
	prefixed(c, name, 3, 0, 1<<24-1, layout)
}

// prefixed puts a length of size bytes, which must be min to max, before what inside describes.
func prefixed(c *Codec, name string, size, min, max int, inside func(*Codec)) {
	Struct(c, name, func(c *Codec) {
		if c.reading {
			c.enclosed(size, min, max, inside)
		} else {
			c.enclose(size, min, max, inside)
		}
	})
}

// enclosed reads a length and then exactly the bytes that it covers.
func (c *Codec) enclosed(size, min, max int, inside func(*Codec)) {
	start := c.at
	n := bigEndian(c.take("length", size))
	switch {
	case c.err != nil:
		return
	case n < min || n > max:
		c.failAt(start, "", "got a length of %d, expected %d to %d", n, min, max)
	case n > len(c.in):
		c.failAt(start, "", "got a length of %d, expected at most the %d bytes that are left",
			n, len(c.in))
	}
	if c.annotated != nil {
		c.leaf("length", start, strconv.Itoa(n))
	}
	if c.err != nil {
		return
	}
	after := c.in[n:]
	c.field, c.in = c.at, c.in[:n:n]
	inside(c)
	c.end()
	if c.err == nil {
		c.in = after
	}
}

// enclose writes a part and then its length in the space reserved before it.
func (c *Codec) enclose(size, min, max int, inside func(*Codec)) {
	start := len(c.out)
	c.room(size)
	c.out = appendInt(c.out, size, 0)
	c.field = len(c.out)
	inside(c)
	n := len(c.out) - start - size
	if n < min || n > max {
		c.failAt(start, "", "got %d bytes to write, expected %d to %d", n, min, max)
	}
	appendInt(c.out[:start], size, n)
}

// Struct gives a part a name for errors and annotations.
func Struct(c *Codec, name string, layout func(*Codec)) {
	if c.err != nil {
		return
	}
	c.path = append(c.path, name)
	if c.annotated != nil {
		c.annotate(name, layout)
	} else {
		layout(c)
	}
	if c.err == nil {
		c.path = c.path[:len(c.path)-1]
	}
}
