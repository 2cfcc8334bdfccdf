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
	plain     bool   // reading, without annotating, and no error so far
	in        []byte // reading: the message
	at, limit int    // reading: what is left inside the innermost length is in[at:limit]
	out       []byte // writing
	scratch   []byte // empty, with an array for out
	field     int    // the offset in the message of the field that was read or written last
	path      []string
	err       error
	annotated *[]Field // annotating
	nodes     []int    // annotating: where in annotated the parts are whose end is not known

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
	c.reading, c.plain, c.in, c.limit = true, true, b, len(b)
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
	c.reading, c.plain, c.in, c.at, c.limit, c.out, c.field = false, false, nil, 0, 0, nil, 0
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

// room makes room for n more bytes.
func (c *Codec) room(n int) {
	if cap(c.out)-len(c.out) < n {
		c.grow(n)
	}
}

// grow makes the array longer. What is outgrown is cleared, since it may hold a part of a secret,
// which append would leave behind.
func (c *Codec) grow(n int) {
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
	c.plain = false
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
func (c *Codec) More() bool { return c.err == nil && c.at < c.limit }

// Span runs a layout and sets *raw to the bytes that it covered, since a signature must be checked
// over the bytes that were sent.
func Span(c *Codec, raw *[]byte, layout func(*Codec)) {
	if !c.reading {
		start := len(c.out)
		layout(c)
		*raw = bytes.Clone(c.out[start:])
		return
	}
	start := c.at
	layout(c)
	if c.err == nil {
		*raw = c.in[start:c.at:c.at]
	}
}

// left returns how many bytes are left inside the innermost length.
func (c *Codec) left() int { return c.limit - c.at }

// has reports whether n bytes can be read at once: they are there, no error came before, and
// nothing is annotated.
func (c *Codec) has(n int) bool { return c.plain && c.left() >= n }

// take reads n bytes. On an error it returns nil.
func (c *Codec) take(name string, n int) []byte {
	if c.err != nil {
		return nil
	}
	if c.left() < n {
		c.failAt(c.at, name, "got %d bytes, expected %d", c.left(), n)
		return nil
	}
	c.field = c.at
	c.at += n
	return c.in[c.field:c.at:c.at]
}

// end records an error if bytes are left over.
func (c *Codec) end() {
	if c.left() > 0 {
		c.failAt(c.at, "", "got %d bytes more, expected the end", c.left())
	}
}
