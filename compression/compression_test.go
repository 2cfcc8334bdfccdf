package compression_test

import (
	"bytes"
	"crypto/sha256"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/andybalholm/brotli"

	_ "github.com/vitrine-tls/vitrine/compression"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/compress"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

var algorithms = []iana.CertificateCompressionAlgorithm{iana.Zlib, iana.Brotli, iana.Zstd}

// text is n bytes that compress about as certificates do.
func text(n int) []byte {
	var b []byte
	r := rand.New(rand.NewPCG(1, uint64(n)))
	for i := 0; len(b) < n; i++ {
		sum := sha256.Sum256([]byte{byte(r.IntN(40))})
		b = append(append(b, "a name in a certificate, "...), sum[:r.IntN(33)]...)
	}
	return b[:n]
}

func TestWhatIsPackedIsExpanded(t *testing.T) {
	for _, a := range algorithms {
		for _, n := range []int{1, 2, 100, 3000, compress.MaxLen - 1, compress.MaxLen} {
			want := text(n)
			packed, err := compress.Pack(a, want)
			if err != nil {
				t.Fatal(err)
			}
			got, err := compress.Expand(a, packed, n)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%v, %d bytes: %v", a, n, err)
			}
			if n == 3000 {
				t.Logf("%v: %d of %d bytes", a, len(packed), n)
			}
		}
	}
}

// What does not expand to exactly the claimed length is refused: RFC 8879 §4.
func TestWrongLengthsAndStreamsAreRefused(t *testing.T) {
	want := text(5000)
	for _, a := range algorithms {
		packed, err := compress.Pack(a, want)
		if err != nil {
			t.Fatal(err)
		}
		flipped := bytes.Clone(packed)
		flipped[len(flipped)/2] ^= 0x55
		for what, c := range map[string]struct {
			packed []byte
			n      int
		}{
			"less than it claims": {packed, 5001}, "more than it claims": {packed, 4999},
			"nothing claimed":          {packed, 0},
			"more than may be claimed": {packed, compress.MaxLen + 1},
			"cut":                      {packed[:len(packed)-3], 5000}, "empty": {nil, 5000},
			"bytes follow":           {append(bytes.Clone(packed), 0), 5000},
			"another stream follows": {append(bytes.Clone(packed), packed...), 5000},
			"no stream":              {text(100), 5000},
		} {
			if _, err := compress.Expand(a, c.packed, c.n); err == nil {
				t.Errorf("%v: %s: no error", a, what)
			}
		}
		if got, err := compress.Expand(a, flipped, 5000); err == nil && bytes.Equal(got, want) {
			t.Errorf("%v: a flipped bit changes nothing", a)
		}
	}
	if _, err := compress.Expand(4, want, 5000); err == nil {
		t.Error("an unknown algorithm: no error")
	}
	if _, err := compress.Pack(4, want); err == nil {
		t.Error("packing with an unknown algorithm: no error")
	}
}

// Every window that brotli has gives the same: the decoder's memory does not depend on it.
func TestBrotliWindowsAreNarrowed(t *testing.T) {
	want := text(compress.MaxLen)
	for bits := 10; bits <= 24; bits++ {
		var packed bytes.Buffer
		w := brotli.NewWriterOptions(&packed, brotli.WriterOptions{Quality: 5, LGWin: bits})
		w.Write(want)
		w.Close()
		if got, err := compress.Expand(iana.Brotli, packed.Bytes(), compress.MaxLen); err != nil ||
			!bytes.Equal(got, want) {
			t.Errorf("a window of 2^%d bytes: %v", bits, err)
		}
	}
}

// The memory that an expansion costs is bounded by constants, whatever is claimed inside.
func TestBombsAreBounded(t *testing.T) {
	const most = 2 << 20 // brotli's tables, which a stream may ask for, among it
	zeros := make([]byte, 8<<20)
	bombs := map[string]struct {
		iana.CertificateCompressionAlgorithm
		packed []byte
	}{}
	for _, a := range algorithms {
		packed, err := compress.Pack(a, zeros)
		if err != nil {
			t.Fatal(err)
		}
		bombs[a.String()] = struct {
			iana.CertificateCompressionAlgorithm
			packed []byte
		}{a, packed}
	}
	var wide bytes.Buffer
	w := brotli.NewWriterOptions(&wide, brotli.WriterOptions{Quality: 2, LGWin: 24})
	w.Write(zeros)
	w.Close()
	bombs["brotli, window of 16 MiB"] = struct {
		iana.CertificateCompressionAlgorithm
		packed []byte
	}{iana.Brotli, wide.Bytes()}
	for what, b := range bombs {
		for _, n := range []int{1, 5000, compress.MaxLen} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := compress.Expand(b.CertificateCompressionAlgorithm, b.packed, n)
			runtime.ReadMemStats(&after)
			if err == nil {
				t.Errorf("%s, %d bytes: no error", what, n)
			}
			if got := after.TotalAlloc - before.TotalAlloc; got > most {
				t.Errorf("%s, %d bytes: %d bytes of memory for %d", what, n, got, len(b.packed))
			}
		}
	}
}

func FuzzExpand(f *testing.F) {
	for _, a := range algorithms {
		packed, err := compress.Pack(a, text(200))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint16(a), packed, 200)
		for _, spoilt := range testkit.Spoil(packed, 40) {
			f.Add(uint16(a), spoilt, 200)
		}
	}
	f.Fuzz(func(t *testing.T, a uint16, packed []byte, n int) {
		b, err := compress.Expand(iana.CertificateCompressionAlgorithm(a), packed, n)
		if err == nil && len(b) != n {
			t.Errorf("got %d bytes, expected %d", len(b), n)
		}
	})
}

func BenchmarkCompress(b *testing.B) {
	want := text(3000)
	for _, a := range algorithms {
		packed, err := compress.Pack(a, want)
		if err != nil {
			b.Fatal(err)
		}
		b.Run("pack/"+a.String(), func(b *testing.B) {
			for b.Loop() {
				compress.Pack(a, want)
			}
		})
		b.Run("expand/"+a.String(), func(b *testing.B) {
			for b.Loop() {
				compress.Expand(a, packed, len(want))
			}
		})
	}
}
