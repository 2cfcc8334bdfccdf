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
// The files can be read in this order, each after those that it builds on; a test holds that none
// refers to a later one:
//
//	field.go codec.go annotate.go    a run of a layout, and what it says about each byte
//	layout.go opaque.go set.go       numbers, lists, structures; bytes; sets
//
// It has no compatibility promise, except for what Vitrine's API refers to.
package wire

import (
	"bytes"
	"fmt"
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
