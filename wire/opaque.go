package wire

import "strconv"

// Fixed reads or writes an opaque field of len(v) bytes without a length prefix.
func Fixed(c *Codec, name string, v []byte) {
	if !c.reading {
		c.room(len(v))
		c.out = append(c.out, v...)
		return
	}
	start := c.at
	copy(v, c.take(name, len(v)))
	c.leaf(name, start, "")
}

// Rest reads or writes an opaque field that extends to the end of the innermost length.
func Rest(c *Codec, name string, v *[]byte) { rest(c, name, v, nil) }

func rest(c *Codec, name string, v *[]byte, show func([]byte) string) {
	if !c.reading {
		c.room(len(*v))
		c.out = append(c.out, *v...)
		return
	}
	start := c.at
	*v = c.take(name, c.left())
	if c.annotated != nil && show != nil {
		c.leaf(name, start, show(*v))
	} else {
		c.leaf(name, start, "")
	}
}

// Opaque8 reads or writes opaque name<min..max> with a length of one byte.
func Opaque8(c *Codec, name string, v *[]byte, min, max int) {
	opaque(c, name, 1, v, min, max, nil)
}

// Opaque16 reads or writes opaque name<min..max> with a length of two bytes.
func Opaque16(c *Codec, name string, v *[]byte, min, max int) {
	opaque(c, name, 2, v, min, max, nil)
}

// Opaque24 reads or writes opaque name<min..max> with a length of three bytes.
func Opaque24(c *Codec, name string, v *[]byte, min, max int) {
	opaque(c, name, 3, v, min, max, nil)
}

// Text8 is like Opaque8, but annotations show the field as quoted text.
func Text8(c *Codec, name string, v *[]byte, min, max int) {
	opaque(c, name, 1, v, min, max, quoted)
}

// Text16 is like Opaque16, but annotations show the field as quoted text.
func Text16(c *Codec, name string, v *[]byte, min, max int) {
	opaque(c, name, 2, v, min, max, quoted)
}

// quoted escapes control characters, which come from the peer and could command a terminal.
func quoted(b []byte) string { return strconv.QuoteToASCII(string(b)) }

// opaque has two short ways for what is in order and is not annotated: most fields are opaque.
func opaque(c *Codec, name string, size int, v *[]byte, min, max int, show func([]byte) string) {
	switch n := len(*v); {
	case c.has(size):
		start := c.at + size
		n = bigEndian(c.in[c.at:start])
		if end := start + n; min <= n && n <= max && end <= c.limit {
			*v = c.in[start:end:end]
			c.field, c.at = start, end
			return
		}
	case !c.reading && c.err == nil && min <= n && n <= max:
		c.room(size + n)
		c.field = len(c.out) + size
		c.out = append(appendInt(c.out, size, n), *v...)
		return
	}
	if before, ok := c.open(name, size, min, max); ok {
		rest(c, name, v, show)
		c.close(before, size, min, max)
	}
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
		inner := &Codec{reading: true, in: c.in, at: c.at, limit: c.limit, field: c.at,
			path: c.path, annotated: c.annotated}
		first := len(*c.annotated)
		layout(inner)
		inner.end()
		inner.tile(first, c.at, c.limit)
		*v = c.take(name, c.left())
	})
}
