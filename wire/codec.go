// Package wire is the presentation language of RFC 5246 §4: numbers, opaque vectors and lists with length prefixes.
//
// A structure is described once, by a layout: a function that names its fields in order. The layout has three readings.
// Decode fills the fields from bytes, Encode writes them, and Annotate tells what each byte of a message is. The first
// error sticks: a layout needs no error handling of its own.
//
// A length on the wire bounds what is read and never sizes an allocation: opaque fields are slices of the input.
package wire

import (
	"fmt"
	"strings"
)

// Codec is one reading of a layout.
type Codec struct {
	reading   bool
	in        []byte // reading: what is left inside the innermost length
	at        int    // reading: the offset of in[0] in the message
	out       []byte // writing
	path      []string
	err       error
	annotated *[]Field // annotating
}

// Error says where a structure could not be read or written.
type Error struct {
	Path   string // "client_hello.extensions.server_name"
	Offset int    // in the message, from 0
	What   string
}

func (e *Error) Error() string { return fmt.Sprintf("%s, byte %d: %s", e.Path, e.Offset, e.What) }

// Decode reads all of b, whose structure is called name. Opaque fields become slices of b.
func Decode(b []byte, name string, layout func(*Codec)) error {
	c := &Codec{reading: true, in: b, path: []string{name}}
	layout(c)
	c.end()
	return c.err
}

// Encode appends the structure to dst. It fails where a value does not fit its field.
func Encode(dst []byte, name string, layout func(*Codec)) ([]byte, error) {
	c := &Codec{out: dst, path: []string{name}}
	layout(c)
	return c.out, c.err
}

// Failf makes the reading fail, unless it failed before.
func (c *Codec) Failf(format string, args ...any) {
	if c.err == nil {
		c.err = &Error{strings.Join(c.path, "."), c.at, fmt.Sprintf(format, args...)}
	}
}

// Reading tells a layout that fields are being filled, and not written.
func (c *Codec) Reading() bool { return c.reading }

// Tail tells whether an optional last part is there: bytes are left, or, when writing, have holds.
func (c *Codec) Tail(have bool) bool {
	if c.reading {
		return c.err == nil && len(c.in) > 0
	}
	return have
}

// More tells whether bytes are left inside the innermost length. It is for reading only.
func (c *Codec) More() bool { return c.err == nil && len(c.in) > 0 }

// Span runs a layout and keeps the bytes that it covered: what a signature is computed over must be what was sent.
func Span(c *Codec, raw *[]byte, layout func(*Codec)) {
	if !c.reading {
		start := len(c.out)
		layout(c)
		*raw = c.out[start:len(c.out):len(c.out)]
		return
	}
	before := c.in
	layout(c)
	if n := len(before) - len(c.in); c.err == nil {
		*raw = before[:n:n]
	}
}

// take reads n bytes, or fails.
func (c *Codec) take(name string, n int) []byte {
	if c.err != nil {
		return nil
	}
	if len(c.in) < n {
		c.path = append(c.path, name)
		c.Failf("%d bytes are left, %d were needed", len(c.in), n)
		return nil
	}
	b := c.in[:n:n]
	c.in, c.at = c.in[n:], c.at+n
	return b
}

// end fails if bytes are left over.
func (c *Codec) end() {
	if len(c.in) > 0 {
		c.Failf("%d bytes are left over", len(c.in))
	}
}

// number reads or writes an unsigned integer of size bytes.
func (c *Codec) number(name string, size int, v uint64) uint64 {
	if !c.reading {
		if v>>(8*size) != 0 {
			c.Failf("%s: %d does not fit %d bytes", name, v, size)
		}
		for i := size - 1; i >= 0; i-- {
			c.out = append(c.out, byte(v>>(8*i)))
		}
		return v
	}
	v = 0
	for _, b := range c.take(name, size) {
		v = v<<8 | uint64(b)
	}
	return v
}

// Uint8 is a uint8 or an enum of one byte.
func Uint8[T ~uint8](c *Codec, name string, v *T) { number(c, name, 1, v) }

// Uint16 is a uint16 or an enum of two bytes.
func Uint16[T ~uint16](c *Codec, name string, v *T) { number(c, name, 2, v) }

// Uint32 is a uint32.
func Uint32[T ~uint32](c *Codec, name string, v *T) { number(c, name, 4, v) }

func number[T ~uint8 | ~uint16 | ~uint32](c *Codec, name string, size int, v *T) {
	start := c.at
	if n := c.number(name, size, uint64(*v)); c.err == nil {
		*v = T(n)
	}
	if c.annotated != nil {
		c.leaf(name, start, shown(*v))
	}
}

// Fixed is an opaque field whose length the structure knows: opaque name[len(v)].
func Fixed(c *Codec, name string, v []byte) {
	if !c.reading {
		c.out = append(c.out, v...)
		return
	}
	start := c.at
	copy(v, c.take(name, len(v)))
	c.leaf(name, start, "")
}

// Rest is everything up to the end of the innermost length.
func Rest(c *Codec, name string, v *[]byte) {
	if !c.reading {
		c.out = append(c.out, *v...)
		return
	}
	start := c.at
	*v = c.take(name, len(c.in))
	c.leaf(name, start, "")
}

// Opaque8 is opaque name<min..max> with a length of one byte.
func Opaque8(c *Codec, name string, v *[]byte, min, max int) { opaque(c, name, 1, v, min, max) }

// Opaque16 is opaque name<min..max> with a length of two bytes.
func Opaque16(c *Codec, name string, v *[]byte, min, max int) { opaque(c, name, 2, v, min, max) }

// Opaque24 is opaque name<min..max> with a length of three bytes.
func Opaque24(c *Codec, name string, v *[]byte, min, max int) { opaque(c, name, 3, v, min, max) }

func opaque(c *Codec, name string, size int, v *[]byte, min, max int) {
	prefixed(c, name, size, min, max, func(c *Codec) { Rest(c, name, v) })
}

// Vector8 is a list of elements, min to max bytes in all, with a length of one byte.
func Vector8[T any](c *Codec, name string, v *[]T, min, max int, elem func(*Codec, *T)) {
	vector(c, name, 1, v, min, max, elem)
}

// Vector16 is a list of elements, min to max bytes in all, with a length of two bytes.
func Vector16[T any](c *Codec, name string, v *[]T, min, max int, elem func(*Codec, *T)) {
	vector(c, name, 2, v, min, max, elem)
}

// Vector24 is a list of elements, min to max bytes in all, with a length of three bytes.
func Vector24[T any](c *Codec, name string, v *[]T, min, max int, elem func(*Codec, *T)) {
	vector(c, name, 3, v, min, max, elem)
}

func vector[T any](c *Codec, name string, size int, v *[]T, min, max int, elem func(*Codec, *T)) {
	prefixed(c, name, size, min, max, func(c *Codec) {
		if !c.reading {
			for i := range *v {
				elem(c, &(*v)[i])
			}
			return
		}
		list := make([]T, 0, 8)
		for c.More() {
			var e T
			elem(c, &e)
			list = append(list, e)
		}
		*v = list
	})
}

// prefixed is a part of min to max bytes behind its length of size bytes.
func prefixed(c *Codec, name string, size, min, max int, inside func(*Codec)) {
	c.path = append(c.path, name)
	node := c.open(name)
	if c.reading {
		start := c.at
		n := int(c.number("length", size, 0))
		c.leaf("length", start, fmt.Sprint(n))
		if c.err == nil && (n < min || n > max) {
			c.Failf("a length of %d, allowed are %d to %d", n, min, max)
		}
		if area := c.take("content", n); c.err == nil {
			outer, after := c.in, c.at
			c.in, c.at = area, after-n
			inside(c)
			c.end()
			if c.err == nil {
				c.in, c.at = outer, after
			}
		}
	} else {
		start := len(c.out)
		c.out = append(c.out, make([]byte, size)...)
		inside(c)
		n := len(c.out) - start - size
		if c.err == nil && (n < min || n > max) {
			c.Failf("%d bytes to write, allowed are %d to %d", n, min, max)
		}
		for i := range size {
			c.out[start+i] = byte(n >> (8 * (size - 1 - i)))
		}
	}
	c.close(node)
	if c.err == nil {
		c.path = c.path[:len(c.path)-1]
	}
}

// Length24 is a part with a length of three bytes around a layout, such as the body of a handshake message.
func Length24(c *Codec, name string, layout func(*Codec)) { prefixed(c, name, 3, 0, 1<<24-1, layout) }

// Struct names a part for errors and annotations.
func Struct(c *Codec, name string, layout func(*Codec)) {
	c.path = append(c.path, name)
	node := c.open(name)
	layout(c)
	c.close(node)
	if c.err == nil {
		c.path = c.path[:len(c.path)-1]
	}
}
