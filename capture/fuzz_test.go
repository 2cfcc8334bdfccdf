package capture

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// FuzzReader reads anything as a capture and reassembles its connections: it must not panic, return
// no error but io.EOF and described damage, and no more bytes than the file has.
func FuzzReader(f *testing.F) {
	for _, c := range index(f) {
		if b, err := os.ReadFile(filepath.Join(c.dir, c.File)); err == nil && len(b) < 8000 {
			f.Add(b)
		}
	}
	for _, c := range damaged() {
		f.Add([]byte(c.in))
	}
	for _, b := range everyBlock() {
		f.Add(b)
		for _, spoilt := range testkit.Spoil(b, 14) {
			f.Add(spoilt)
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
			if in.MayHoldSecrets() && packets == 0 && len(b) < 8 {
				t.Fatal("secrets in no bytes")
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

// everyBlock returns a pcapng file with every kind of block, and a pcap file of every kind, as they
// are and compressed, and a packet too long for the reader's buffer.
func everyBlock() (all [][]byte) {
	for _, order := range orders {
		g := &file{ByteOrder: order, AppendByteOrder: order}
		g.section()
		g.netif(1, 3, g.sub().option(2, "lo").option(1, "an interface"))
		g.netif(228, 0, g.sub().option(optTSResol, "\x83").option(optTSOffset,
			string(g.AppendUint64(nil, 10))))
		g.block(blockEnhancedPacket, g.sub().u32(0, 0, 7, 5, 60).raw("hello\x00\x00\x00").
			option(1, "a packet").option(0, ""))
		g.block(blockPacket, g.sub().u16(1, 9).u32(0, 17, 2, 2).raw("yz"))
		g.block(blockSimplePacket, g.sub().u32(9).raw("abc"))
		g.block(blockSecrets, g.sub().u32(0x544C534B, 3).raw("key\x00").option(1, "secrets"))
		g.block(0xBAD, g.sub().raw("something new"))
		all = append(all, g.b)
		for _, magic := range []uint32{0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34} {
			p := &file{ByteOrder: order, AppendByteOrder: order}
			p.u32(magic).u16(2, 4).u32(0, 0, 65535, 1).u32(1, 2, 3, 3)
			if magic == 0xA1B2CD34 {
				p.u32(0, 0)
			}
			all = append(all, p.raw("abc").b)
		}
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write(all[0])
	z.Close()
	long := &file{ByteOrder: orders[0], AppendByteOrder: orders[0]}
	long.u32(0xA1B2C3D4).u16(2, 4).u32(0, 0, 1<<18, 1).u32(0, 0, 70000, 70000)
	long.b = append(long.b, make([]byte, 70000)...)
	return append(all, packed.Bytes(), long.b)
}

type measure struct{ n *int }

func (m measure) Bytes(_ iana.Side, _ time.Time, b []byte) { *m.n += len(b) }
func (m measure) Gap(_ iana.Side, n int64) {
	if n <= 0 {
		panic("a gap of nothing")
	}
}
func (m measure) End() {}

// FuzzAssembler plays segments that the input chooses on two connections, and checks that each byte
// that is passed on tells its own place.
func FuzzAssembler(f *testing.F) {
	f.Add([]byte("\x02\x00\x00\x10\x00\x10\x05\x10\x00\x10\x08"))
	f.Add([]byte("\x10\x05\x03\x10\x00\x05\x11\x00\x04\x01\x09\x00\x02\x40\x00\x10\x41\x02"))
	for seed := range 90 { // any order of any segments; of some, no connection begins or ends
		moves, r := make([]byte, 3*(4+seed)), testkit.Rand(fmt.Sprint(seed))
		io.ReadFull(r, moves)
		for i := 0; i < len(moves) && seed%3 > 0; i += 3 {
			moves[i] &= []byte{0xF0, 0xF8}[seed%2] | byte(seed>>2&7)
		}
		f.Add(moves)
	}
	f.Fuzz(func(t *testing.T, moves []byte) {
		other, err := netip.ParseAddrPort([]string{"10.0.0.1:443", "10.0.0.1:50001"}[len(moves)&1])
		if err != nil {
			t.Fatal(err)
		}
		wires := []wire{newWire(), {newConversation(nil, 2, other,
			netip.MustParseAddrPort("10.0.0.2:443"))}}
		var sent []*ledger
		a := Assembler{New: func(*Connection) Handler {
			if len(sent)%5 == 4 {
				return nil
			}
			sent = append(sent, &ledger{})
			return sent[len(sent)-1]
		}, Limits: Limits{Connections: 1 + len(moves)>>1&1, Connection: 300, Waiting: 400}}
		for ; len(moves) >= 3; moves = moves[3:] {
			from, flags := iana.Side(moves[0]>>7), uint8(moves[0]&0x17)
			at := uint32(moves[1]) - 100 // wraps in the middle of the first hundred
			data := make([]byte, moves[2]%40)
			for i := range data {
				data[i] = byte(at) + byte(i) // a byte has its place as its value
			}
			if flags&flagSYN != 0 {
				for i := range data {
					data[i]++
				}
			}
			a.Add(wires[moves[0]>>5&1].packet(from, flags, at, uint32(moves[2])-100,
				string(data)).cutTo(40 + int(moves[0]>>3&15)))
		}
		a.Close()
		if a.waiting != 0 || a.holes.n != 0 || a.open.n+a.closing.n != 0 {
			t.Fatalf("%d bytes wait in %d lanes after the end", a.waiting, a.holes.n)
		}
		for _, l := range sent {
			if l.wrong {
				t.Fatal("bytes are out of place")
			}
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
func (l *ledger) Again(_ iana.Side, back int64, b []byte) {
	l.wrong = l.wrong || back <= 0 || len(b) == 0
}
func (l *ledger) End() { *l = ledger{wrong: l.wrong} }
