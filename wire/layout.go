package wire

import (
	"encoding/binary"
	"slices"
	"strconv"
)

// Uint8 reads or writes a uint8 or an enum of one byte.
func Uint8[T ~uint8](c *Codec, name string, v *T) {
	switch {
	case c.has(1):
		c.field = c.at
		*v = T(c.in[c.at])
		c.at++
	case !c.reading:
		c.room(1)
		c.field = len(c.out)
		c.out = append(c.out, byte(*v))
	default:
		number(c, name, 1, v)
	}
}

// Uint16 reads or writes a uint16 or an enum of two bytes.
func Uint16[T ~uint16](c *Codec, name string, v *T) {
	switch {
	case c.has(2):
		c.field = c.at
		*v = T(binary.BigEndian.Uint16(c.in[c.at:]))
		c.at += 2
	case !c.reading:
		c.room(2)
		c.field = len(c.out)
		c.out = binary.BigEndian.AppendUint16(c.out, uint16(*v))
	default:
		number(c, name, 2, v)
	}
}

// Uint32 reads or writes a uint32.
func Uint32[T ~uint32](c *Codec, name string, v *T) { number(c, name, 4, v) }

func number[T ~uint8 | ~uint16 | ~uint32](c *Codec, name string, size int, v *T) {
	if !c.reading {
		c.field = len(c.out)
		c.write(size, int(*v))
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

// write writes a number of size bytes.
func (c *Codec) write(size, n int) {
	c.room(size)
	c.out = appendInt(c.out, size, n)
}

func appendInt(b []byte, size, n int) []byte {
	for shift := 8 * (size - 1); shift >= 0; shift -= 8 {
		b = append(b, byte(n>>shift))
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
	before, ok := c.open(name, 2, min, max)
	if !ok {
		return
	}
	if n := c.left(); c.plain && n%2 == 0 {
		list := make([]T, n/2) // no larger than the bytes received
		for i, b := 0, c.take(name, n); i < len(list); i++ {
			list[i] = T(b[2*i])<<8 | T(b[2*i+1])
		}
		*v = list
	} else {
		elements(c, v, func(c *Codec, v *T) { Uint16(c, elem, v) })
	}
	c.close(before, 2, min, max)
}

// maxElements bounds the number of elements in a list, read or written. A list with a length of two
// bytes cannot hold more. Without the bound, 16 MiB of a list with a length of three bytes could
// become four million slice headers, six times the memory that the peer spent.
const maxElements = 1<<16 - 1

func vector[T any](c *Codec, name string, size int, v *[]T, least, most int,
	elem func(*Codec, *T)) {
	if before, ok := c.open(name, size, least, most); ok {
		elements(c, v, elem)
		c.close(before, size, least, most)
	}
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
	list := make([]T, 0, min((c.left()+3)/4, 16))
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
	if before, ok := c.open(name, size, min, max); ok {
		inside(c)
		c.close(before, size, min, max)
	}
}

// open begins a part with a length of size bytes, which must be min to max. If it returns true,
// what the length covers is read or written next, and then close is called with the same values and
// with before: the limit of the part around it, or when writing where the length is.
func (c *Codec) open(name string, size, min, max int) (before int, ok bool) {
	if c.err != nil {
		return 0, false
	}
	c.push(name)
	if !c.reading {
		before = len(c.out)
		c.write(size, 0)
		c.field = len(c.out)
		return before, true
	}
	start := c.at
	n := bigEndian(c.take("length", size))
	switch {
	case c.err != nil:
		return 0, false
	case n < min || n > max:
		c.failAt(start, "", "got a length of %d, expected %d to %d", n, min, max)
	case n > c.left():
		c.failAt(start, "", "got a length of %d, expected at most the %d bytes that are left",
			n, c.left())
	}
	if c.annotated != nil {
		c.leaf("length", start, strconv.Itoa(n))
	}
	if c.err != nil {
		return 0, false
	}
	before, c.field, c.limit = c.limit, c.at, c.at+n
	return before, true
}

// close ends a part. Of what is read nothing may be left; what was written gets its length.
func (c *Codec) close(before, size, min, max int) {
	if c.reading {
		if c.end(); c.err == nil {
			c.limit = before
		}
	} else {
		n := len(c.out) - before - size
		if n < min || n > max {
			c.failAt(before, "", "got %d bytes to write, expected %d to %d", n, min, max)
		}
		appendInt(c.out[:before], size, n)
	}
	c.pop()
}

// Struct gives a part a name for errors and annotations.
func Struct(c *Codec, name string, layout func(*Codec)) {
	if c.err != nil {
		return
	}
	c.push(name)
	layout(c)
	c.pop()
}

// push begins a part.
func (c *Codec) push(name string) {
	c.path = append(c.path, name)
	if c.annotated != nil {
		c.begin(name)
	}
}

// pop ends a part. After an error it stays on the path, and the end of its node is not known.
func (c *Codec) pop() {
	if c.err != nil {
		return
	}
	c.path = c.path[:len(c.path)-1]
	if c.annotated != nil {
		c.finish()
	}
}
