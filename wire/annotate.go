package wire

import (
	"fmt"
	"strings"
)

// Field is a part of a message: a leaf, or a node with the parts that follow it at a greater depth. The leaves of a
// message tile it: each byte belongs to exactly one.
type Field struct {
	Name   string
	Value  string // what the bytes mean, where that is more than the bytes themselves
	Offset int    // from the first byte of the message
	Len    int
	Depth  int
	Leaf   bool
}

// Annotate tells what each byte of b is. A message that breaks its layout is told as far as it holds; the rest is one
// field named "unparsed", whose value is the error.
func Annotate(b []byte, name string, layout func(*Codec)) []Field {
	var fields []Field
	c := &Codec{reading: true, in: b, path: []string{name}, annotated: &fields}
	node := c.open(name)
	layout(c)
	c.end()
	return c.settle(node, len(b))
}

// Inner annotates the content of an opaque field that is kept as bytes, such as extension_data. For the other two
// readings it is Opaque16.
func Inner(c *Codec, name string, v *[]byte, max int, layout func(*Codec)) {
	if c.annotated == nil || layout == nil {
		opaque(c, name, 2, v, 0, max)
		return
	}
	prefixed(c, name, 2, 0, max, func(c *Codec) {
		inner := &Codec{reading: true, in: c.in, at: c.at, path: c.path, annotated: c.annotated}
		start := len(*c.annotated)
		layout(inner)
		inner.end()
		inner.tile(start, c.at, c.at+len(c.in))
		*v = c.take(name, len(c.in))
	})
}

// open begins a node; close gives it its length.
func (c *Codec) open(name string) int {
	if c.annotated == nil {
		return 0
	}
	*c.annotated = append(*c.annotated, Field{Name: name, Offset: c.at, Depth: c.depth()})
	return len(*c.annotated) - 1
}

func (c *Codec) close(node int) {
	if c.annotated != nil && c.err == nil {
		f := &(*c.annotated)[node]
		f.Len = c.at - f.Offset
	}
}

func (c *Codec) leaf(name string, start int, value string) {
	if c.annotated != nil && c.err == nil && (c.at > start) {
		*c.annotated = append(*c.annotated, Field{name, value, start, c.at - start, c.depth() + 1, true})
	}
}

// depth counts from 0 for the message itself. A node is opened after its name was put on the path.
func (c *Codec) depth() int { return len(c.path) - 1 }

// settle ends an annotation: nodes that an error left open reach to the end, and what was not read is a field as well.
func (c *Codec) settle(node, end int) []Field {
	c.tile(node, 0, end)
	f := *c.annotated
	f[node].Len = end
	return f
}

// tile covers what an error left unread between the last leaf since field number first and end.
func (c *Codec) tile(first, start, end int) {
	read := start
	for _, f := range (*c.annotated)[first:] {
		if f.Leaf {
			read = f.Offset + f.Len
		}
	}
	if c.err == nil {
		return
	}
	for i := range (*c.annotated)[first:] {
		if f := &(*c.annotated)[first+i]; !f.Leaf && f.Len == 0 {
			f.Len = end - f.Offset
		}
	}
	if read < end {
		*c.annotated = append(*c.annotated, Field{"unparsed", c.err.Error(), read, end - read, len(c.path), true})
	}
}

// shown is a number with its name, if it has one.
func shown(v any) string {
	name := fmt.Sprint(v)
	if _, ok := v.(fmt.Stringer); !ok {
		return name
	}
	hex := strings.ToUpper(fmt.Sprintf("%x", numeric(v)))
	if strings.Contains(strings.ToUpper(name), hex) && strings.HasPrefix(name, "0x") {
		return name
	}
	return fmt.Sprintf("%s (%d)", name, numeric(v))
}

// numeric strips the methods of a code point.
func numeric(v any) uint64 {
	var n uint64
	_, _ = fmt.Sscanf(fmt.Sprintf("%d", v), "%d", &n)
	return n
}
