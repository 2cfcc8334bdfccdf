// Package wire implements the presentation language of RFC 5246 §4: numbers, opaque vectors and
// lists with length prefixes.
//
// A structure is described once, by a layout: a function that names its fields in order. A layout
// can be run in three ways. Decode fills the fields from bytes, Encode writes them, and Annotate
// says what each byte of a message means. The first error is kept and stops the reading, so a
// layout needs no error handling of its own.
//
// Memory use follows the bytes received, not the lengths that they claim: opaque fields are slices
// of the input, and a list grows as its elements are read, up to maxElements.
//
// Left out: select (§4.6.1), since a layout is Go code and can use switch, and the cryptographic
// attributes (§4.7): what is signed or encrypted is opaque here.
//
// It has no compatibility promise, except for what Vitrine's API refers to.
package wire

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Codec is one run of a layout.
type Codec struct {
	reading   bool
	in        []byte // reading: what is left inside the innermost length
	at        int    // reading: the offset of in[0] in the message
	out       []byte // writing
	scratch   []byte // empty, with an array for out
	field     int    // the offset in the message of the field that was read or written last
	path      []string
	err       error
	annotated *[]Field // annotating

	// The array behind path. It is deep enough for a hello, so naming fields allocates nothing.
	deep [8]string
}

// Error describes where and why a structure could not be read or written.
type Error struct {
	Path   string // such as "client_hello.body.extensions"
	Offset int    // in bytes from the start of the message
	What   string
}

func (e *Error) Error() string { return fmt.Sprintf("%s, byte %d: %s", e.Path, e.Offset, e.What) }

// Decode reads a structure, called name in errors, from b. It is an error if bytes are left over.
// Opaque fields become slices of b. Any error is an *Error.
func Decode(b []byte, name string, layout func(*Codec)) error {
	c := codecs.Get().(*Codec)
	c.reading, c.in = true, b
	c.path = append(c.deep[:0], name)
	layout(c)
	c.end()
	return c.done()
}

// codecs reuses Codecs. A handshake needs about fifty, each for a moment, and they escape to the
// heap because layouts are function values.
var codecs = sync.Pool{New: func() any { return new(Codec) }}

// done returns c's error and makes c available for reuse. After a panic c is not reused. The names
// in deep stay: they are constants.
func (c *Codec) done() error {
	err := c.err
	c.reading, c.in, c.at, c.out, c.field = false, nil, 0, nil, 0
	c.path, c.err, c.annotated = nil, nil, nil
	codecs.Put(c)
	return err
}

// maxScratch is the maximum number of bytes that an unused Codec keeps. Messages without
// certificates fit.
const maxScratch = 2048

// Encode returns the structure, called name in errors. If a value does not fit its field, it
// returns an *Error.
func Encode(name string, layout func(*Codec)) ([]byte, error) {
	return Append([]byte{}, name, layout)
}

// Append is Encode, and appends what it returns to b.
func Append(b []byte, name string, layout func(*Codec)) ([]byte, error) {
	c := codecs.Get().(*Codec)
	c.out = c.scratch
	c.path = append(c.deep[:0], name)
	layout(c)
	raw := append(b, c.out...)
	c.wipe()
	if err := c.done(); err != nil {
		return nil, err
	}
	return raw, nil
}

// room makes room for n more bytes. What is outgrown is cleared, since it may hold a part of a
// secret, which append would leave behind.
func (c *Codec) room(n int) {
	if cap(c.out)-len(c.out) >= n {
		return
	}
	grown := make([]byte, len(c.out), max(64, 2*cap(c.out))+n)
	copy(grown, c.out)
	clear(c.out)
	c.out = grown
}

// wipe clears the written bytes, which may be secrets of a session, and keeps the array.
func (c *Codec) wipe() {
	clear(c.scratch[:min(len(c.out), cap(c.scratch))])
	clear(c.out)
	if cap(c.out) <= maxScratch {
		c.scratch = c.out[:0]
	}
}

// Failf records an error at the field read or written last, or at the current part if none of its
// fields has been. It does nothing if an error was recorded before.
func (c *Codec) Failf(format string, args ...any) { c.failAt(c.field, "", format, args...) }

// failAt records an error at an offset, in the field name of the current part, or in the part
// itself if name is empty.
func (c *Codec) failAt(at int, name, format string, args ...any) {
	if c.err != nil {
		return
	}
	path := strings.Join(c.path, ".")
	if name != "" {
		path += "." + name
	}
	c.err = &Error{path, at, fmt.Sprintf(format, args...)}
}

// Reading reports whether fields are being read rather than written.
func (c *Codec) Reading() bool { return c.reading }

// Tail reports whether an optional last part is present: when reading, whether bytes are left; when
// writing, have.
func (c *Codec) Tail(have bool) bool {
	if c.reading {
		return c.More()
	}
	return have
}

// More reports whether bytes are left inside the innermost length. It is for reading only.
func (c *Codec) More() bool { return c.err == nil && len(c.in) > 0 }

// Span runs a layout and sets *raw to the bytes that it covered, since a signature must be checked
// over the bytes that were sent.
func Span(c *Codec, raw *[]byte, layout func(*Codec)) {
	if !c.reading {
		start := len(c.out)
		layout(c)
		*raw = bytes.Clone(c.out[start:])
		return
	}
	before := c.in
	layout(c)
	if n := len(before) - len(c.in); c.err == nil {
		*raw = before[:n:n]
	}
}

// take reads n bytes. On an error it returns nil.
func (c *Codec) take(name string, n int) []byte {
	if c.err != nil {
		return nil
	}
	if len(c.in) < n {
		c.failAt(c.at, name, "got %d bytes, expected %d", len(c.in), n)
		return nil
	}
	b := c.in[:n:n]
	c.field, c.in, c.at = c.at, c.in[n:], c.at+n
	return b
}

// end records an error if bytes are left over.
func (c *Codec) end() {
	if len(c.in) > 0 {
		c.failAt(c.at, "", "got %d bytes more, expected the end", len(c.in))
	}
}

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
