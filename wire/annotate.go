package wire

import (
	"fmt"
	"strings"
)

// Annotate returns the fields of b. If b does not fit the layout, the fields end with a leaf named
// "unparsed", whose value is the error and which covers the rest of b, even if that is empty.
func Annotate(b []byte, name string, layout func(*Codec)) []Field {
	var fields []Field
	c := &Codec{reading: true, in: b, limit: len(b), annotated: &fields}
	c.path = append(c.deep[:0], name)
	c.begin(name)
	layout(c)
	if c.end(); c.err == nil {
		c.finish()
	}
	c.tile(0, 0, len(b))
	return fields
}

// begin appends a node for the last part of the path. Its end is not known yet.
func (c *Codec) begin(name string) {
	c.nodes = append(c.nodes, len(*c.annotated))
	*c.annotated = append(*c.annotated,
		Field{Name: name, Offset: c.at, Len: unclosed, Depth: len(c.path) - 1})
}

// finish ends the node that began last.
func (c *Codec) finish() {
	last := len(c.nodes) - 1
	f := &(*c.annotated)[c.nodes[last]]
	f.Len, c.nodes = c.at-f.Offset, c.nodes[:last]
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
