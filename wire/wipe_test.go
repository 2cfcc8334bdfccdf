package wire

import (
	"bytes"
	"testing"
)

// A structure with a secret leaves nothing of it in the arrays that it outgrew while it was
// written.
func TestOutgrownArraysAreCleared(t *testing.T) {
	secret := bytes.Repeat([]byte{0x5E}, 48)
	long := bytes.Repeat([]byte{0x5E}, 3*maxScratch)
	for name, write := range map[string]func(*Codec){
		"Fixed": func(c *Codec) { Fixed(c, "x", secret); Fixed(c, "y", long) },
		"Opaque16": func(c *Codec) {
			Opaque16(c, "x", &secret, 0, 1<<16-1)
			Opaque16(c, "y", &long, 0, 1<<16-1)
		},
		"Rest": func(c *Codec) { Fixed(c, "x", secret); Rest(c, "y", &long) },
		"Uint32": func(c *Codec) {
			Fixed(c, "x", secret)
			for n := uint32(0x5E5E5E5E); len(c.out) < cap(c.out)+1 && len(c.out) < 1<<10; {
				Uint32(c, "y", &n)
			}
		},
		"Vector16": func(c *Codec) {
			Fixed(c, "x", secret)
			list := make([]uint8, 1<<10)
			Vector16(c, "y", &list, 0, 1<<16-1, func(c *Codec, v *uint8) { Uint8(c, "z", v) })
		},
	} {
		first := make([]byte, 0, len(secret)+4)
		c := &Codec{out: first}
		write(c)
		if c.err != nil || len(c.out) <= cap(first) {
			t.Fatalf("%s: %d bytes, %v: nothing was outgrown", name, len(c.out), c.err)
		}
		if !bytes.Equal(first[:cap(first)], make([]byte, cap(first))) {
			t.Errorf("%s: the first array still has %x", name, first[:cap(first)])
		}
		last := c.out
		c.wipe()
		if !bytes.Equal(last, make([]byte, len(last))) {
			t.Errorf("%s: the last array is not cleared", name)
		}
	}
}
