package capture

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// orders are both byte orders. A file is written with AppendByteOrder and read with ByteOrder.
var orders = []interface {
	binary.ByteOrder
	binary.AppendByteOrder
}{binary.LittleEndian, binary.BigEndian}

// file builds capture files by hand, so that the reader is not tested by the writer.
type file struct {
	binary.ByteOrder
	binary.AppendByteOrder
	b []byte
}

func (f *file) u16(v ...uint16) *file {
	for _, v := range v {
		f.b = f.AppendUint16(f.b, v)
	}
	return f
}

func (f *file) u32(v ...uint32) *file {
	for _, v := range v {
		f.b = f.AppendUint32(f.b, v)
	}
	return f
}

func (f *file) raw(s string) *file {
	f.b = append(f.b, s...)
	return f
}

// block appends a pcapng block with this body, padded.
func (f *file) block(typ uint32, body *file) *file {
	b := body.b
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	n := uint32(len(b) + 12)
	return f.u32(typ, n).raw(string(b)).u32(n)
}

func (f *file) sub() *file {
	return &file{ByteOrder: f.ByteOrder, AppendByteOrder: f.AppendByteOrder}
}

func (f *file) option(code uint16, value string) *file {
	f.u16(code, uint16(len(value))).raw(value)
	for len(f.b)%4 != 0 {
		f.raw("\x00")
	}
	return f
}

func (f *file) section() *file {
	return f.block(blockSection,
		f.sub().u32(byteOrderMagic).u16(1, 0).u32(math.MaxUint32, math.MaxUint32).option(1,
			"a section").option(0, ""))
}

func (f *file) netif(link uint16, snap uint32, options *file) *file {
	return f.block(blockInterface,
		f.sub().u16(link, 0).u32(snap).raw(string(options.b)).option(0, ""))
}

// listing is what a Reader gives, in words, with the error at the end.
func listing(r io.Reader) (out []string) {
	in, err := Open(r)
	if err != nil {
		return []string{err.Error()}
	}
	in.Comment = func(s string) { out = append(out, "comment "+s) }
	in.Secrets = func(t SecretsType,
		b []byte) {
		out = append(out, fmt.Sprintf("secrets %x %s", uint32(t), b))
	}
	for {
		p, err := in.Next()
		if err != nil {
			if err != io.EOF {
				out = append(out, err.Error())
			}
			if _, again := in.Next(); again != err {
				out = append(out, "the error did not stay")
			}
			return out
		}
		at := "no time"
		if !p.Time.IsZero() {
			at = p.Time.Format("05.999999999")
		}
		out = append(out, fmt.Sprintf("%d %s %v %q/%d", p.Number, at, p.Link, p.Data, p.Length))
	}
}

func TestPcapngBlocksAreRead(t *testing.T) {
	f := &file{}
	// two sections: the interfaces of the first do not exist in the second
	for _, order := range orders {
		f.ByteOrder, f.AppendByteOrder = order, order
		f.section()
		f.netif(1, 3, f.sub().option(2, "lo").option(1, "an interface"))
		f.netif(101, 0, f.sub().option(optTSResol, "\x09"))
		// eighths
		f.netif(228, 0,
			f.sub().option(optTSResol, "\x83").option(optTSOffset, string(f.AppendUint64(nil, 10))))
		f.block(blockEnhancedPacket,
			f.sub().u32(0, 0, 2_000_007, 5, 60).raw("hello\x00\x00\x00").option(1,
				"a packet").option(0, ""))
		f.block(blockEnhancedPacket, f.sub().u32(1, 1, 7, 1, 1).raw("x"))
		f.block(0xBAD, f.sub().raw("something new"))
		f.block(blockPacket, f.sub().u16(2, 9).u32(0, 17, 2, 2).raw("yz"))
		f.block(blockSimplePacket, f.sub().u32(3).raw("abc"))
		f.block(blockSimplePacket, f.sub().u32(9).raw("abc")) // the interface's limit
		f.block(blockSecrets, f.sub().u32(0x544C534B, 3).raw("key\x00").option(1, "secrets"))
	}
	half := []string{"comment a section", "comment an interface", "comment a packet",
		`1 02.000007 ETHERNET "hello"/60`, `2 04.294967303 RAW "x"/1`, `3 12.125 IPV4 "yz"/2`,
		`4 no time ETHERNET "abc"/3`, `5 no time ETHERNET "abc"/9`, "secrets 544c534b key",
		"comment secrets"}
	want := slices.Clone(half)
	for _, l := range half {
		if n := l[0] - '0'; n < 9 {
			l = fmt.Sprint(n+5) + l[1:]
		}
		want = append(want, l)
	}
	if got := listing(bytes.NewReader(f.b)); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nexpected\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for size := range len(f.b) { // cut anywhere, what came before is given
		got := listing(bytes.NewReader(f.b[:size]))
		if size > 4 &&
			(len(got) > len(want) || !slices.Equal(got[:len(got)-1], want[:len(got)-1])) {
			t.Fatalf("cut at %d: got %q", size, got)
		}
	}
}

func TestTimeStampsOfEveryResolutionAreRead(t *testing.T) {
	for _, c := range []struct {
		resol byte
		stamp uint64
		want  time.Time
	}{
		{0, 3, time.Unix(3, 0)},
		{3, 1500, time.Unix(1, 5e8)},
		{6, 1<<50 + 1, time.Unix(1125899906, 842625000)},
		{9, 1<<62 + 1, time.Unix(4611686018, 427387905)},
		{12, 1_000_000_000_001, time.Unix(1, 0)},
		{19, 25e18 / 2, time.Unix(1, 25e7)},
		{20, math.MaxUint64, time.Unix(0, 0)},
		{0x80 | 1, 3, time.Unix(1, 5e8)},
		{0x80 | 63, 3 << 62, time.Unix(1, 5e8)},
		{0x80 | 64, math.MaxUint64, time.Unix(0, 0)},
		{0xFF, 1, time.Unix(0, 0)},
	} {
		i := netInterface{ticks: ticks(c.resol)}
		if got := i.time(uint32(c.stamp>>32), uint32(c.stamp)); !got.Equal(c.want) {
			t.Errorf("if_tsresol %#x, %d: got %v, expected %v", c.resol, c.stamp, got, c.want)
		}
	}
}

// A damaged file, and the error for it.
type damage struct {
	name, in, want string
}

// damaged are files that are no captures, or not whole ones.
func damaged() []damage {
	le := func() *file { return &file{ByteOrder: orders[0], AppendByteOrder: orders[0]} }
	pcap := func() *file { return le().u32(0xA1B2C3D4).u16(2, 4).u32(0, 0, 65535, 1) }
	ng := func() *file { return le().section() }
	return []damage{
		{"empty", "", "0 bytes are too few for a capture"},
		{"bytes", "GET \x00\x01",
			"neither pcap nor pcapng: the file begins with 47455420"},
		{"xz", "\xFD7zXZ\x00\x00\x04", "xz -d"},
		{"bzip2", "BZh91AY&SY", "bzip2 -d"},
		{"zip", "PK\x03\x04\x14\x00\x00\x00", "a zip archive"},
		{"DOS's Sniffer", "TRSNIFF data    \x1a", "editcap"},
		{"tar", strings.Repeat("x", 257) + "ustar\x0000", "tar -xf FILE"},
		{"LANalyzer", "\x01\x10\x4C\x00\x00\x00", "editcap"},
		{"LANalyzer, cyclic", "\x07\x10\x4C\x00\x00\x00", "editcap"},
		{"iptrace", "iptrace 2.0\x00\x00", "a capture of AIX's iptrace"},
		{"NetXRay", "VL\x00\x00\x00\x00", "a capture of NetXRay"},
		{"K12", "+---------+---------------+----------+\n", "editcap -T ether"},
		{"CommView NCF", "6\x006\x00\x00\xE7\x07\x0B\x0E\x16\x0D\x14\x00", "a capture of CommView"},
		{"CommView NCFX", "6\x00\x00\x00\xE7\x07\x0B\x0E\x16\x0D\x14\x00\x00",
			"a capture of CommView"},
		{"no CommView: month 13", "6\x00\x00\x00\xE7\x07\x0D\x0E\x16\x0D\x14\x00\x00",
			"neither pcap nor pcapng"},
		{"7z", "7z\xBC\xAF\x27\x1C", "7z x"},
		{"nettl", "TR\x00\x64\x00\x00", "nettl"},
		{"Observer", "ObserverPktBufferVersion=15.00", "Observer"},
		{"a key log", "# \nCLIENT_RANDOM 00 00\n", "a key log, not a capture"},
		{"a private key", "-----BEGIN PRIVATE KEY-----\n", "a private key, not"},
		{"a hex dump", "0000  45 00\n0010  00 00\n", "text2pcap"},
		{"text", "hello, world\n", "it is text, not a capture"},
		{"snoop", "snoop\x00\x00\x00\x00\x00\x00\x02", "editcap"},
		{"netmon", "GMBU\x03\x02\x01\x00", "Network Monitor 2"},
		{"JSON", "{\"log\": {}}", "HAR"},
		{"zstd", "\x28\xB5\x2F\xFD....", "zstd -d"},
		{"gzip of nothing known", "\x1F\x8B\x08garbage", "gzip"},
		{"a pcap of nothing", string(pcap().b[:20]), "cut short"},
		{"a packet that is too long", string(pcap().u32(0, 0, 1<<30, 1).b),
			"byte 24, after packet 0: got a packet of 1073741824 bytes"},
		{"a cut header", string(pcap().u32(0, 0).b), "byte 24, after packet 0: cut short"},
		{"a cut packet",
			string(pcap().u32(0, 0, 1, 1).raw("x").u32(0, 0, 9, 9).raw("12345678").b),
			"byte 41, after packet 1: cut short"},
		{"a block length of 13", string(ng().u32(7, 13).b), "a block of 13 bytes"},
		{"a block length of 8", string(ng().u32(6, 8).b), "a block of 8 bytes"},
		{"a packet block of 1 GiB", string(ng().u32(6, 1<<30).b),
			"a block of 1073741824 bytes"},
		{"an unknown block of 1 GiB", string(ng().u32(77, 1<<30, 1).b), "cut short"},
		{"a block whose end differs", string(ng().u32(6, 16, 0, 20).b),
			"a block of 16 bytes that ends with the length 20"},
		{"a packet of no interface",
			string(ng().block(6, ng().sub().u32(0, 0, 0, 0, 0)).b),
			"interface 0, but only 0 are described"},
		{"a simple packet of no interface", string(ng().block(3, ng().sub().u32(0)).b),
			"interface 0, but only 0 are described"},
		{"an interface of the section before",
			string(append(ng().netif(1, 0, le()).b,
				ng().block(6,
					ng().sub().u32(0, 0, 0, 0, 0)).b...)), "interface 0, but only 0 are described"},
		{"a packet longer than its block",
			string(ng().netif(1, 0, le()).block(6,
				ng().sub().u32(0, 0, 0, 5, 5).raw("abcd")).b),
			"a packet of 5 bytes in a block of 36"},
		{"secrets longer than their block",
			string(ng().block(10, ng().sub().u32(1, math.MaxUint32).raw("abcd")).b),
			"secrets of 4294967295 bytes"},
		{"an empty secrets block", string(ng().block(10, le()).b), "too short"},
		{"an empty interface", string(ng().block(1, le()).b), "too short"},
		{"an empty packet", string(ng().netif(1, 0, le()).block(6, le()).b), "too short"},
		{"an empty section", string(le().block(blockSection, le().u32(byteOrderMagic)).b),
			"too short"},
		{"a section of no byte order",
			string(le().u32(blockSection, 28, 0, 0, 0, 0, 28).b), "byte-order magic"},
		{"version 2",
			string(le().block(blockSection,
				le().u32(byteOrderMagic).u16(2, 0).u32(0, 0)).b), "version 2"},
	}
}

func TestDamageIsReported(t *testing.T) {
	for _, c := range damaged() {
		got := listing(strings.NewReader(c.in))
		if len(got) == 0 || !strings.Contains(got[len(got)-1], c.want) ||
			!strings.HasPrefix(got[len(got)-1], "capture: ") {
			t.Errorf("%s: got %.300q, expected %q", c.name, got, c.want)
		}
		if c.name == "a cut packet" && len(got) != 2 {
			t.Errorf("%s: the packet before it is lost: %q", c.name, got)
		}
	}
	le := &file{ByteOrder: orders[0], AppendByteOrder: orders[0]}
	le.u32(0xA1B2C3D4).u16(2, 4).u32(0, 0, 65535, 1).u32(0)
	in, err := Open(bytes.NewReader(le.b))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Next(); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a cut file: %v, expected io.ErrUnexpectedEOF inside", err)
	}
}

func TestAStreamIsReadAsItComes(t *testing.T) {
	r, w := io.Pipe()
	f := &file{ByteOrder: orders[0], AppendByteOrder: orders[0]}
	go w.Write(f.u32(0xA1B2C3D4).u16(2, 4).u32(0, 0, 65535, 1).u32(0, 0, 3, 3).raw("abc").b)
	in, err := Open(r)
	if err != nil {
		t.Fatal(err)
	}
	// The pipe stays open: Next must not wait for more than it needs.
	if p, err := in.Next(); err != nil || string(p.Data) != "abc" {
		t.Errorf("got %q, %v", p.Data, err)
	}
	go w.Write((&file{ByteOrder: orders[0], AppendByteOrder: orders[0]}).u32(0, 0, 300_000, 3).b)
	if _, err := in.Next(); err == nil || !strings.Contains(err.Error(), "300000") {
		t.Errorf("got %v", err)
	}
}

func TestAGzipBombIsReadInConstantMemory(t *testing.T) {
	size := 128 << 20
	if testing.Short() {
		size = 32 << 20
	}
	r, w := io.Pipe()
	go func() {
		z := gzip.NewWriter(w)
		z.Write((&file{ByteOrder: orders[0], AppendByteOrder: orders[0]}).u32(0xA1B2C3D4).u16(2,
			4).u32(0, 0, 65535, 101).b)
		zeros := make([]byte, 1<<20)
		for range size / len(zeros) {
			z.Write(zeros)
		}
		z.Close()
		w.Close()
	}()
	in, err := Open(r)
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	a := Assembler{}
	n := 0
	for p, err := in.Next(); err != io.EOF; p, err = in.Next() {
		if err != nil {
			t.Fatal(err)
		}
		a.Add(p)
		n++
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if n != size/16 || after.HeapAlloc > before.HeapAlloc+4<<20 || a.streams != 0 {
		t.Errorf("%d packets, %d connections, %d bytes more than before", n, a.streams,
			after.HeapAlloc-before.HeapAlloc)
	}
}

// A few bytes of gzip can stand for a block that takes long to skip: a done context ends that.
func TestCancellationEndsSkipping(t *testing.T) {
	const long = 64 << 20
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	f := file{binary.LittleEndian, binary.LittleEndian, nil}
	f.u32(blockSection, 40, byteOrderMagic).u16(1, 0).u32(0xFFFFFFFF, 0xFFFFFFFF)
	f.u16(optComment, 4).raw("bomb").u16(optEnd, 0).u32(40)
	f.u32(0x0BAD, long)
	z.Write(f.b)
	io.CopyN(z, zeros{}, long-8)
	z.Close()
	for _, interrupted := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		r, err := OpenContext(ctx, bytes.NewReader(packed.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		r.Comment = func(string) {
			if interrupted {
				cancel()
			}
		}
		_, err = r.Next()
		want := io.EOF
		if interrupted {
			want = context.Canceled
		}
		if !errors.Is(err, want) {
			t.Errorf("got %v, expected %v", err, want)
		}
	}
}

// zeros reads as zeros without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
