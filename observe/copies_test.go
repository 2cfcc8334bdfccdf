package observe_test

import (
	"bytes"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/observe"
)

// playCopies lets an observer read a tape of which one segment comes with other bytes first, and
// with its own later segments afterwards, or the other way around.
func playCopies(all *tape, source observe.Source, at, later int, other []byte, wrongFirst bool) (
	h observed, c *observe.Connection) {
	var s observe.Stream
	s.New = func() *observe.Connection {
		c = observe.New(source, nil)
		c.Repeats = true
		c.Data = func(from iana.Side, b []byte) { h.plain[from] = append(h.plain[from], b...) }
		return c
	}
	back := int64(0)
	first, second := (*all)[at].b, other
	if wrongFirst {
		first, second = second, first
	}
	for i, x := range *all {
		switch {
		case i == at:
			s.Bytes(x.from, bytes.Clone(first))
			back = int64(len(x.b))
		default:
			s.Bytes(x.from, bytes.Clone(x.b))
			if i > at && x.from == (*all)[at].from {
				back += int64(len(x.b))
			}
		}
		if i == at+later {
			s.Again((*all)[at].from, back, second)
		}
	}
	s.End()
	h.Report = s.Report()
	return h, c
}

// Of two copies of a segment the one that authenticates is read, whichever comes first.
func TestTheCopyThatAuthenticatesWins(t *testing.T) {
	plays := 0
	for _, id := range []string{ephemeral, modern, "snet/tls_AES256-SHA256", "snet/ssl3_0",
		"generated/ossl-tls12-ipv6-dhe-chacha"} {
		all, source := recorded(t, id)
		whole := play(all, source, nil)
		for at, x := range *all {
			if x.b[0] != byte(iana.RecordApplicationData) {
				continue
			}
			flipped := bytes.Clone(x.b)
			flipped[len(flipped)-1] ^= 1
			for name, other := range map[string][]byte{"zeros": make([]byte, len(x.b)),
				"a bit": flipped, "text": bytes.Repeat([]byte("x"), len(x.b))} {
				for _, wrongFirst := range []bool{true, false} {
					for _, later := range []int{0, 1, 3} {
						if at+later >= len(*all) {
							continue
						}
						plays++
						h, _ := playCopies(all, source, at, later, other, wrongFirst)
						if !h.Decrypted || !bytes.Equal(h.plain[0], whole.plain[0]) ||
							!bytes.Equal(h.plain[1], whole.plain[1]) {
							t.Errorf("%s, segment %d, %s, wrong first %v, after %d: %v", id, at,
								name, wrongFirst, later, h.Reason)
						}
					}
				}
			}
		}
	}
	if plays < 50 {
		t.Errorf("only %d plays", plays)
	}
	t.Logf("%d plays", plays)
}

// A handshake's segment may be the one whose first copy is not TLS at all.
func TestAHelloIsFoundInItsOtherCopy(t *testing.T) {
	all, source := recorded(t, ephemeral)
	whole := play(all, source, nil)
	for at := range 3 {
		h, _ := playCopies(all, source, at, 0, make([]byte, len((*all)[at].b)), true)
		if !h.Decrypted || !bytes.Equal(h.plain[0], whole.plain[0]) {
			t.Errorf("segment %d: %v", at, h.Reason)
		}
	}
}

// Copies without end, and records that never authenticate, cost a known amount of memory and work.
func TestCopiesAreBounded(t *testing.T) {
	all, source := recorded(t, ephemeral)
	c := observe.New(source, nil)
	c.Repeats = true
	s := observe.Stream{New: func() *observe.Connection { return c }}
	for _, x := range *all {
		s.Bytes(x.from, bytes.Clone(x.b))
	}
	record := append([]byte{23, 3, 3, 0x40, 0}, make([]byte, 0x4000)...)
	s.Bytes(iana.Client, record)
	for i := range 1000 {
		record[9], record[10] = byte(i), byte(i>>8)
		s.Again(iana.Client, int64(len(record)), record)
	}
	if n := c.Buffered(); n > 2*len(record) {
		t.Errorf("%d bytes wait", n)
	}
	if n := c.Copied(iana.Client); n > 256<<10 {
		t.Errorf("%d bytes of copies are kept", n)
	}
	for range 100 {
		s.Bytes(iana.Client, record)
	}
	if n := c.Buffered(); n > 320<<10 {
		t.Errorf("%d bytes wait behind a record that does not authenticate", n)
	}
}

// A segment has up to 64 KiB where the network card cuts it, and its records continue in the next.
func TestALargeSegmentIsFoundInItsOtherCopy(t *testing.T) {
	const size = 65483 // of Linux's loopback
	for _, x := range longConnections(t) {
		want, whole, _ := x.read(1, size, hurt{})
		for at := 0; at < 5*size; at += size {
			got, about, _ := x.read(1, size, hurt{
				change: func(data []byte) {
					for i := range data[at : at+size] {
						data[at+i] ^= byte(7 + i%11)
					}
				},
				again: func([]byte) (int, int) { return at, size }})
			if got != want || !about.Decrypted || !whole.Decrypted {
				t.Errorf("%s, segment at %d: %v", x.name, at, about.Reason)
			}
		}
	}
}
