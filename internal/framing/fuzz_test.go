package framing

import (
	"bytes"
	"io"
	"net"
	"slices"
	"testing"
)

// FuzzSplitter: packets in any pieces give the records that they give in one piece, and never more
// bytes than came.
func FuzzSplitter(f *testing.F) {
	packet := TDS.Append(nil, []byte{22, 3, 3, 0, 1, 0}, true)
	f.Add(packet, byte(1))
	f.Add(slices.Concat(packet, packet, []byte{23, 3, 3, 0, 1, 1}), byte(3))
	f.Add([]byte{0x12, 1, 0, 4, 0, 0, 0, 0}, byte(7))
	f.Fuzz(func(t *testing.T, b []byte, step byte) {
		split := func(n int) (out []byte, ok bool) {
			s := &Splitter{Framing: TDS}
			for piece := range slices.Chunk(b, n) {
				if !s.Split(piece, func(p []byte) { out = append(out, p...) }) {
					return out, false
				}
			}
			return out, true
		}
		whole, ok := split(max(1, len(b)))
		pieces, also := split(1 + int(step))
		if ok != also || !bytes.Equal(whole, pieces) || len(whole) > len(b) {
			t.Errorf("%x (%v) in one piece, %x (%v) in pieces of %d", whole, ok, pieces, also,
				1+int(step))
		}
		for at := range min(len(b), 40) {
			if g, n := Before(b, at); g != nil && n < 0 {
				t.Errorf("%d bytes left at %d", n, at)
			}
		}
		read, err := io.ReadAll(New(replay{r: bytes.NewReader(b)}, TDS))
		if err == nil && !bytes.Equal(read, whole) {
			t.Errorf("a connection gives %x, a splitter %x", read, whole)
		}
	})
}

// replay is a connection from which bytes come.
type replay struct {
	net.Conn
	r io.Reader
}

func (r replay) Read(p []byte) (int, error) { return r.r.Read(p) }
