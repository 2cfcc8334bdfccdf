package record

import (
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
)

// protections are all that TLS 1.2 can put on a record, by the names that traces show.
var protections = func() (all []row) {
	macs := []*MAC{HMAC_SHA1, HMAC_SHA256, HMAC_SHA384}
	for _, m := range macs {
		all = append(all, row{NULL, m, false})
	}
	for _, c := range []*Cipher{DES_EDE3_CBC, AES_128_CBC, AES_256_CBC} {
		for _, m := range macs {
			all = append(all, row{c, m, false}, row{c, m, true})
		}
	}
	for _, c := range []*Cipher{AES_128_GCM, AES_256_GCM, AES_128_CCM, AES_256_CCM, AES_128_CCM_8, AES_256_CCM_8, CHACHA20_POLY1305} {
		all = append(all, row{c, nil, false})
	}
	return all
}()

// row is one of them.
type row struct {
	cipher *Cipher
	mac    *MAC
	etm    bool
}

func (p row) new(t testing.TB, v iana.Version) Protection {
	t.Helper()
	k := Keys{Key: pattern(p.cipher.KeyLen), IV: pattern(p.cipher.IVLen(v))}
	if p.mac != nil {
		k.MAC = pattern(p.mac.Len)
	}
	protection, err := New(p.cipher, p.mac, Params{Version: v, EncryptThenMAC: p.etm, Keys: k})
	if err != nil {
		t.Fatal(err)
	}
	return protection
}

func (p row) name(t testing.TB) string { return p.new(t, iana.TLS12).Traits().Name }

// pattern is n bytes that repeat only after 251.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i%251 + 1)
	}
	return b
}

func BenchmarkSeal(b *testing.B) {
	for _, p := range protections {
		b.Run(p.name(b), func(b *testing.B) {
			var h Half
			h.Protect(p.new(b, iana.TLS12))
			plain := pattern(MaxPlaintext)
			dst := make([]byte, 0, h.SealedLen(len(plain)))
			b.SetBytes(int64(len(plain)))
			b.ReportAllocs()
			for b.Loop() {
				h.seq = 0 // keys are for the bin, and 3DES would use its own up
				if _, err := h.Seal(dst, iana.RecordApplicationData, iana.TLS12, plain); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	for _, p := range protections {
		b.Run(p.name(b), func(b *testing.B) {
			var h Half
			h.Protect(p.new(b, iana.TLS12))
			plain := pattern(MaxPlaintext)
			record, err := h.Seal(nil, iana.RecordApplicationData, iana.TLS12, plain)
			if err != nil {
				b.Fatal(err)
			}
			hd, _ := ParseHeader(record)
			sealed := slices.Clone(record[HeaderLen:])
			b.SetBytes(int64(len(plain)))
			b.ReportAllocs()
			for b.Loop() {
				h.seq = 0
				copy(record[HeaderLen:], sealed) // costs less than 2 % of the fastest
				if _, err := h.Open(hd, record[HeaderLen:]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
