package wire

import (
	"fmt"
	"strings"
)

// Field is a part of a message: either a leaf, or a node whose parts are the fields after it with a
// greater depth. Every byte of the message belongs to exactly one leaf. Every leaf but "unparsed"
// has at least one byte. A node covers exactly its parts.
type Field struct {
	Name   string
	Value  string // what the bytes mean, if that is more than the bytes themselves
	Offset int    // in bytes from the start of the message
	Len    int
	Depth  int // 0 for the message, and one more for each level below it
	Leaf   bool
}

// Annotate returns the fields of b. If b does not fit the layout, the fields end with a leaf named
// "unparsed", whose value is the error and which covers the rest of b, even if that is empty.
func Annotate(b []byte, name string, layout func(*Codec)) []Field {
	var fields []Field
	c := &Codec{reading: true, in: b, annotated: &fields}
	c.path = append(c.deep[:0], name)
	c.annotate(name, func(c *Codec) { layout(c); c.end() })
	c.tile(0, 0, len(b))
	return fields
}

// Inner annotates the content of an opaque field that is kept as bytes, such as extension_data. If
// the content does not fit layout, it ends with an "unparsed" leaf as in Annotate, and annotating
// goes on after the field. Decode and Encode treat the field as an Opaque16 of min to max bytes and
// never call layout.
func Inner(c *Codec, name string, v *[]byte, min, max int, layout func(*Codec)) {
	if c.annotated == nil {
		opaque(c, name, 2, v, min, max, nil)
		return
	}
	prefixed(c, name, 2, min, max, func(c *Codec) {
		inner := &Codec{reading: true, in: c.in, at: c.at, field: c.at, path: c.path,
			annotated: c.annotated}
		first := len(*c.annotated)
		layout(inner)
		inner.end()
		inner.tile(first, c.at, c.at+len(c.in))
		*v = c.take(name, len(c.in))
	})
}

// unclosed is the length of a node whose end has not been reached.
const unclosed = -1

// annotate makes a node of what layout describes. After an error its end is not known.
func (c *Codec) annotate(name string, layout func(*Codec)) {
	node := len(*c.annotated)
	*c.annotated = append(*c.annotated,
		Field{Name: name, Offset: c.at, Len: unclosed, Depth: len(c.path) - 1})
	layout(c)
	if c.err == nil {
		f := &(*c.annotated)[node]
		f.Len = c.at - f.Offset
	}
}

// leaf appends a leaf for the bytes read since start. A length that is out of range is a leaf, too.
func (c *Codec) leaf(name string, start int, value string) {
	if c.annotated != nil && c.at > start {
		*c.annotated = append(*c.annotated,
			Field{name, value, start, c.at - start, len(c.path), true})
	}
}

// tile completes the annotation of the bytes from start to end after an error; first is the index
// of the first of their fields. Nodes that are still open reach to the end, and what has not been
// read becomes an "unparsed" leaf.
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

// shown formats a number, with its name first if it is a known code point. Unknown code points
// already print as their number.
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
