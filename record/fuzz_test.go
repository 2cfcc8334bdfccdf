package record

import (
	"bytes"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
)

// FuzzOpen opens fragments that were never sealed, under any protection: all must be rejected.
func FuzzOpen(f *testing.F) {
	for i := range protections {
		f.Add(uint8(i), uint8(2), uint64(0), uint8(23), make([]byte, 64))
	}
	f.Fuzz(func(t *testing.T, which, version uint8, seq uint64, typ uint8, fragment []byte) {
		r, v := protections[int(which)%len(protections)], versions[int(version)%len(versions)]
		p := r.new(t, v)
		plain, err := p.Open(seq, Header{iana.ContentType(typ), v, len(fragment)}, fragment)
		refused(t, p.Traits().Name, plain, fragment, err)
	})
}

// FuzzTamper changes a sealed record, which must open if and only if nothing was changed.
func FuzzTamper(f *testing.F) {
	for i := range protections {
		f.Add(uint8(i), uint64(1), []byte("attack at dawn"), []byte{0, 0, 0, 1}, 0)
		f.Add(uint8(i), uint64(1<<40), []byte("attack at dawn"), []byte{}, 0)
		f.Add(uint8(i), uint64(0), make([]byte, 300), []byte{}, -16)
	}
	f.Fuzz(func(t *testing.T, which uint8, seq uint64, plain, xor []byte, length int) {
		r := protections[int(which)%len(protections)]
		p := r.new(t, iana.TLS12)
		h, fragment := sealed(t, p, seq, plain[:min(len(plain), MaxPlaintext)])
		bad := slices.Clone(fragment)
		for i := range min(len(xor), len(bad)) {
			bad[len(bad)-1-i] ^= xor[i]
		}
		if length < 0 {
			bad = bad[:max(0, len(bad)+max(length, -len(bad)))]
		} else {
			bad = append(bad, make([]byte, length%300)...)
		}
		same := bytes.Equal(bad, fragment)
		got, err := p.Open(seq, h, bad)
		if same {
			if err != nil || !bytes.Equal(got, plain[:len(got)]) {
				t.Fatalf("the record as it was: got %x, %v", got, err)
			}
			return
		}
		refused(t, p.Traits().Name, got, bad, err)
	})
}

func FuzzParseHeader(f *testing.F) {
	f.Add([]byte{22, 3, 1, 0, 170})
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := ParseHeader(b)
		if err != nil {
			return
		}
		again := make([]byte, HeaderLen)
		h.put(again, h.Length)
		if !bytes.Equal(again, b[:HeaderLen]) {
			t.Errorf("got %x of %x", again, b)
		}
	})
}
