package message_test

import (
	"bytes"
	"runtime"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// The messages in which a peer gets the most structure for its bytes.
var dense = []struct {
	what    string
	raw     []byte
	refused bool
	factor  int // memory, garbage included, that a byte may cost
}{
	{"a hello of 16,383 empty extensions", hello(everyExtension(16383)), false, 50},
	{"a hello of 32,767 suites",
		framed(iana.ClientHello,
			append(append(append(make([]byte, 35), 0xFF, 0xFE), make([]byte, 0xFFFE)...), 1,
				0)), false, 8},
	{"65,535 certificates of one byte", chain(65535), false, 40},
	{"4,194,302 certificates of one byte", chain(4194302), true, 1},
}

func hello(extensions []byte) []byte {
	n := len(extensions)
	body := append(make([]byte, 35), 0, 2, 0, 1, 1, 0, byte(n>>8), byte(n))
	return framed(iana.ClientHello, append(body, extensions...))
}

func everyExtension(n int) (b []byte) {
	for i := range n {
		b = append(b, byte(i>>8), byte(i), 0, 0)
	}
	return b
}

func chain(n int) []byte {
	list := bytes.Repeat([]byte{0, 0, 1, 0x30}, n)
	return framed(iana.Certificate,
		append([]byte{byte(len(list) >> 16), byte(len(list) >> 8), byte(len(list))}, list...))
}

func TestMemoryIsBoundedByTheBytesReceived(t *testing.T) {
	for _, c := range dense {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := dialect.Parse(c.raw)
		runtime.ReadMemStats(&after)
		if (err != nil) != c.refused {
			t.Errorf("%s: %v", c.what, err)
		}
		got := int(after.TotalAlloc-before.TotalAlloc) / len(c.raw)
		t.Logf("%s, %d bytes: %d bytes of memory for each", c.what, len(c.raw), got)
		if got > c.factor {
			t.Errorf("%s: %d bytes of memory for each, expected at most %d", c.what, got, c.factor)
		}
	}
	claims := framed(iana.Certificate, []byte{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF})
	if got := testing.AllocsPerRun(10, func() { _, _ = dialect.Parse(claims) }); got > 12 {
		t.Errorf("a length that is only claimed costs %v allocations", got)
	}
}

func BenchmarkParseDenseHello(b *testing.B) { benchmarkParse(b, dense[0].raw) }

func BenchmarkParseClientHello(b *testing.B) {
	for _, name := range []string{"openssl-tls12", "openssl", "chromium"} {
		b.Run(name, func(b *testing.B) { benchmarkParse(b, hellos(b)[name]) })
	}
}

func benchmarkParse(b *testing.B, raw []byte) {
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, err := dialect.Parse(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeClientHello(b *testing.B) {
	m, err := dialect.Parse(hellos(b)["openssl-tls12"])
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := dialect.Encode(m); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadExtension(b *testing.B) {
	m, err := dialect.Parse(hellos(b)["openssl-tls12"])
	if err != nil {
		b.Fatal(err)
	}
	x := m.(*message.ClientHello).Extensions
	b.ReportAllocs()
	for b.Loop() {
		var groups message.SupportedGroups
		if _, err := x.Read(iana.ExtSupportedGroups, &groups); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAnnotateClientHello(b *testing.B) {
	raw := hellos(b)["openssl"]
	b.ReportAllocs()
	for b.Loop() {
		dialect.Annotate(raw)
	}
}
