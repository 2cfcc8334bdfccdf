package message_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"runtime"
	"testing"

	_ "github.com/vitrine-tls/vitrine/compression"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/compress"
	"github.com/vitrine-tls/vitrine/message"
)

// The size of a decompressed certificate is bounded by the length that the message claims, and that
// by 128 KiB. See RFC 8879 §4.
func TestCompressedCertificatesAreBounded(t *testing.T) {
	const most = 128 << 10
	body := func(n int) []byte { // a Certificate of TLS 1.3 of n bytes, with one certificate
		b := []byte{0, 0, byte((n - 4) >> 16), byte((n - 4) >> 8), byte(n - 4)}
		b = append(b[1:], byte((n-9)>>16), byte((n-9)>>8), byte(n-9))
		return append(append(b, make([]byte, n-9)...), 0, 0)
	}
	for _, c := range []struct {
		what string
		size int
		says int
		ok   bool
	}{
		{"a chain", 5000, 5000, true}, {"the longest", most, most, true},
		{"too long", most + 1, most + 1, false}, {"a bomb", 16 << 20, 1<<24 - 1, false},
		{"a bomb that says little", 16 << 20, 5000, false},
		{"less than it says", 5000, 5001, false},
		{"more than it says", 5000, 4999, false}, {"nothing", 5000, 0, false},
	} {
		var packed bytes.Buffer
		z := zlib.NewWriter(&packed)
		z.Write(body(c.size))
		z.Close()
		m := message.CompressedCertificate{Algorithm: 1, Data: packed.Bytes(),
			Uncompressed: binary.BigEndian.AppendUint32(nil, uint32(c.says))[1:]}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		inside := m.Certificate()
		runtime.ReadMemStats(&after)
		if (inside != nil) != c.ok ||
			inside != nil && (len(inside.Chain) != 1 || len(inside.Chain[0]) != c.size-9) {
			t.Errorf("%s: got a certificate: %v, expected %v", c.what, inside != nil, c.ok)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 8*most {
			t.Errorf("%s: %d bytes of memory", c.what, n)
		}
	}
	if (&message.CompressedCertificate{Algorithm: 4, Uncompressed: make([]byte,
		3)}).Certificate() != nil {
		t.Error("an unknown algorithm was read")
	}
}

// A Certificate comes back from each algorithm as it was: RFC 8879 §4.
func TestCompressedCertificatesComeBack(t *testing.T) {
	m := &message.Certificate{Context: []byte{1, 2}, Chain: [][]byte{bytes.Repeat([]byte("leaf"),
		300), []byte("root")}, Extensions: []message.Extensions{nil, nil}}
	dialect := message.Dialect{Version: iana.TLS13}
	want, err := dialect.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []iana.CertificateCompressionAlgorithm{iana.Zlib, iana.Brotli, iana.Zstd} {
		packed, err := message.Compress(m, a,
			func(b []byte) ([]byte, error) { return compress.Pack(a, b) })
		if err != nil {
			t.Fatal(err)
		}
		raw, err := dialect.Encode(packed)
		if err != nil {
			t.Fatal(err)
		}
		read, err := dialect.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		inside, err := read.(*message.CompressedCertificate).Expand()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := dialect.Encode(inside); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%v: got %x, %v", a, got, err)
		}
	}
}
