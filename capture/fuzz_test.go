package capture

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
)

// FuzzReader reads anything as a capture and reassembles its connections: it must not panic, return
// no error but io.EOF and described damage, and no more bytes than the file has.
func FuzzReader(f *testing.F) {
	for _, c := range index(f) {
		if b, err := os.ReadFile(filepath.Join(c.dir, c.File)); err == nil && len(b) < 8000 {
			f.Add(b)
		}
	}
	for _, order := range orders {
		g := &file{ByteOrder: order, AppendByteOrder: order}
		g.section().netif(101, 0, g.sub().option(optTSResol, "\x83"))
		g.block(blockSimplePacket, g.sub().u32(45).raw(string(frame(f, "$4"))))
		g.block(blockSecrets, g.sub().u32(1, 3).raw("key"))
		f.Add(g.b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		in, err := Open(bytes.NewReader(b))
		if err != nil {
			return
		}
		in.Secrets, in.Comment = func(SecretsType, []byte) {}, func(string) {}
		total, packets := 0, 0
		a := Assembler{New: func(*Connection) Handler { return measure{&total} }}
		for {
			p, err := in.Next()
			if err != nil {
				break
			}
			if packets++; len(p.Data) > p.Length || len(p.Data) > maxPacket {
				t.Fatalf("packet %d has %d of %d bytes", packets, len(p.Data), p.Length)
			}
			a.Add(p)
		}
		a.Close()
		if compressed := len(b) > 1 && b[0] == 0x1F; total > len(b) && !compressed {
			t.Fatalf("%d bytes were passed on from a file of %d", total, len(b))
		}
		if a.waiting != 0 || a.holes.n != 0 {
			t.Fatalf("%d bytes wait in %d lanes after the end", a.waiting, a.holes.n)
		}
	})
}

type measure struct{ n *int }

func (m measure) Bytes(_ iana.Side, _ time.Time, b []byte) { *m.n += len(b) }
func (m measure) Gap(_ iana.Side, n int64) {
	if n <= 0 {
		panic("a gap of nothing")
	}
}
func (m measure) End() {}

// FuzzAssembler plays segments that the input chooses on two connections, and compares the result
// with a map of first copies: each byte must be one that a segment had at that place.
func FuzzAssembler(f *testing.F) {
	f.Add([]byte("\x02\x00\x00\x10\x00\x10\x05\x10\x00\x10\x08"))
	f.Add([]byte("\x10\x05\x03\x10\x00\x05\x11\x00\x04\x01\x09\x00\x02\x40\x00\x10\x41\x02"))
	f.Fuzz(func(t *testing.T, moves []byte) {
		w := newWire()
		sent := &ledger{}
		a := Assembler{New: func(*Connection) Handler { return sent },
			Limits: Limits{Connection: 300, Waiting: 400}}
		for ; len(moves) >= 3; moves = moves[3:] {
			from, flags := iana.Side(moves[0]>>7), uint8(moves[0]&0x17)
			at := uint32(moves[1]) - 100 // wraps in the middle of the first hundred
			data := make([]byte, moves[2]%40)
			for i := range data {
				data[i] = byte(at) + byte(i) // a byte tells its own place
			}
			if flags&flagSYN != 0 {
				for i := range data {
					data[i]++
				}
			}
			a.Add(w.packet(from, flags, at, uint32(moves[2])-100, string(data)).cutTo(40 +
				int(moves[0]>>3&15)))
		}
		a.Close()
		if a.waiting != 0 || a.holes.n != 0 || a.open.n+a.closing.n != 0 {
			t.Fatalf("%d bytes wait in %d lanes after the end", a.waiting, a.holes.n)
		}
		if sent.wrong {
			t.Fatal("bytes are out of place")
		}
	})
}

// ledger checks the position in each direction: bytes count up by one, also over gaps.
type ledger struct {
	at    [2]byte
	known [2]bool
	wrong bool
}

func (l *ledger) Bytes(from iana.Side, _ time.Time, b []byte) {
	for _, c := range b {
		if l.known[from] && l.at[from] != c {
			l.wrong = true
		}
		l.at[from], l.known[from] = c+1, true
	}
}
func (l *ledger) Gap(from iana.Side, n int64) { l.at[from] += byte(n) }
func (l *ledger) End()                        { *l = ledger{wrong: l.wrong} }
