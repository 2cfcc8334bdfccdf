package capture

import (
	"bytes"
	"encoding/binary"
	"io"
	"net/netip"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
)

// transfer is a capture of one connection that moves 64 MiB, and, if swap is set, has every tenth
// pair of segments swapped.
func transfer(b *testing.B, swap bool) []byte {
	b.Helper()
	w := newWire()
	out := (&file{ByteOrder: binary.LittleEndian,
		AppendByteOrder: binary.LittleEndian}).u32(0xA1B2C3D4).u16(2, 4).u32(0, 0, 65535, 101)
	put := func(p Packet) {
		out.u32(1, 0, uint32(len(p.Data)), uint32(p.Length)).raw(string(p.Data))
	}
	put(w.packet(client, flagSYN, 99, 0, ""))
	put(w.packet(server, flagSYN|flagACK, 499, 100, ""))
	chunk := string(make([]byte, 1448))
	for i := range 64 << 20 / 1448 {
		n := i
		if swap && i%20 < 2 {
			n = i ^ 1
		}
		put(w.packet(server, flagACK, 500+uint32(n*1448), 100, chunk))
		if i%2 == 1 {
			put(w.packet(client, flagACK, 100, 500+uint32(i*1448), ""))
		}
	}
	return out.b
}

func BenchmarkLargeTransfer(b *testing.B) {
	for _, c := range []struct {
		name string
		swap bool
	}{{"in order", false}, {"every tenth pair swapped", true}} {
		b.Run(c.name, func(b *testing.B) {
			capture := transfer(b, c.swap)
			b.SetBytes(int64(len(capture)))
			b.ReportAllocs()
			for b.Loop() {
				n := 0
				in, err := Open(bytes.NewReader(capture))
				if err != nil {
					b.Fatal(err)
				}
				a := Assembler{New: func(*Connection) Handler { return measure{&n} }}
				for {
					p, err := in.Next()
					if err == io.EOF {
						break
					}
					if err != nil {
						b.Fatal(err)
					}
					a.Add(p)
				}
				a.Close()
				if n != 64<<20/1448*1448 {
					b.Fatalf("%d bytes", n)
				}
			}
		})
	}
}

func BenchmarkShortConnections(b *testing.B) {
	w := newWire()
	a := Assembler{New: func(*Connection) Handler { n := 0; return measure{&n} }}
	hello := string(make([]byte, 500))
	packets := []Packet{w.packet(client, flagSYN, 99, 0, ""),
		w.packet(server, flagSYN|flagACK, 499, 100, ""), w.packet(client, flagACK, 100, 500, hello),
		w.packet(server, flagACK, 500, 600, hello),
		w.packet(client, flagACK|flagFIN, 600, 1000, ""),
		w.packet(server, flagACK|flagFIN, 1000, 601, "")}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		for j, p := range packets { // they alternate: so does the place of the client's address
			binary.BigEndian.PutUint32(p.Data[12+j%2*4:], uint32(i))
			a.Add(p)
		}
	}
}

func BenchmarkWriter(b *testing.B) {
	w := NewWriter(io.Discard, WriterOptions{})
	c := w.Connection(netip.AddrPort{}, netip.AddrPort{})
	chunk := make([]byte, 16<<10)
	b.SetBytes(int64(len(chunk)))
	b.ReportAllocs()
	for b.Loop() {
		c.Send(iana.Server, time.Unix(1, 0), chunk)
	}
}
