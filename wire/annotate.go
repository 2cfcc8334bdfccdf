package wire

import (
	"fmt"
	"strings"
)

// Field is a part of a message: a leaf, or a node with the parts that follow it at a greater depth.
// The leaves of a message tile it: each byte belongs to exactly one, and each but "unparsed" has
// bytes. A node covers exactly its parts.
type Field struct {
	Name   string
	Value  string // what the bytes mean, where that is more than the bytes themselves
	Offset int    // from the first byte of the message
	Len    int
	Depth  int // 0 for the message; a part's is one more than its node's
	Leaf   bool
}

// Annotate tells what each byte of b is. A message that breaks its layout is told as far as it
// holds; the rest, even if it has no bytes, is one leaf named "unparsed", whose value is the error.
func Annotate(b []byte, name string, layout func(*Codec)) []Field {
	var fields []Field
	c := &Codec{reading: true, in: b, annotated: &fields}
	c.path = append(c.deep[:0], name)
	node := c.open(name)
	layout(c)
	c.end()
	if c.err == nil {
		c.close(node)
	}
	c.tile(0, 0, len(b))
	return fields
}

// Inner annotates the content of an opaque field that is kept as bytes, such as extension_data. A
// content that breaks its layout is told as Annotate does, and what comes after it is read on. The
// other two readings take the field for Opaque16 and never call layout.
func Inner(c *Codec, name string, v *[]byte, max int, layout func(*Codec)) {
	if c.annotated == nil {
		opaque(c, name, 2, v, 0, max, nil)
		return
	}
	prefixed(c, name, 2, 0, max, func(c *Codec) {
		inner := &Codec{reading: true, in: c.in, at: c.at, field: c.at, path: c.path,
			annotated: c.annotated}
		first := len(*c.annotated)
		layout(inner)
		inner.end()
		inner.tile(first, c.at, c.at+len(c.in))
		*v = c.take(name, len(c.in))
	})
}

// unclosed is the length of a node whose end was not reached yet.
const unclosed = -1

// open begins a node; close gives it its length.
func (c *Codec) open(name string) int {
	if c.annotated == nil {
		return 0
	}
	*c.annotated = append(*c.annotated,
		Field{Name: name, Offset: c.at, Len: unclosed, Depth: len(c.path) - 1})
	return len(*c.annotated) - 1
}

func (c *Codec) close(node int) {
	if c.annotated != nil {
		f := &(*c.annotated)[node]
		f.Len = c.at - f.Offset
	}
}

// leaf is what was read since start. A length is a leaf even if it is the one that is wrong.
func (c *Codec) leaf(name string, start int, value string) {
	if c.annotated != nil && c.at > start {
		*c.annotated = append(*c.annotated,
			Field{name, value, start, c.at - start, len(c.path), true})
	}
}

// tile ends the annotation of the bytes from start to end, whose fields begin with number first.
// After an error, nodes that were left open reach to the end, and what was not read becomes a leaf
// of the innermost.
func (c *Codec) tile(first, start, end int) {
	if c.err == nil {
		return
	}
	read := start
	for i := range (*c.annotated)[first:] {
		f := &(*c.annotated)[first+i]
		if f.Leaf {
			read = f.Offset + f.Len
		} else if f.Len == unclosed {
			f.Len = end - f.Offset
		}
	}
	*c.annotated = append(*c.annotated,
		Field{"unparsed", c.err.Error(), read, end - read, len(c.path), true})
}

// shown is a number, and if it is a code point its name. Code points without a name print their
// number themselves.
func shown[T ~uint8 | ~uint16 | ~uint32](v T, size int) string {
	s, ok := any(v).(fmt.Stringer)
	if !ok {
		return fmt.Sprint(v)
	}
	name := s.String()
	if strings.Contains(name, "0x") {
		return name
	}
	if size == 1 {
		return fmt.Sprintf("%s (%d)", name, uint64(v))
	}
	return fmt.Sprintf("%s (0x%0*X)", name, 2*size, uint64(v))
}
