package record

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/iotest"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

var versions = []iana.Version{iana.TLS10, iana.TLS11, iana.TLS12}

// each runs f for all protections; those that are older than TLS 1.2 in all versions.
func each(t *testing.T, f func(t *testing.T, r row, v iana.Version)) {
	for _, r := range protections {
		for _, v := range versions {
			if r.cipher.AEAD() && v < iana.TLS12 {
				continue
			}
			t.Run(fmt.Sprintf("%s, %v", r.name(t), v), func(t *testing.T) { f(t, r, v) })
		}
	}
}

func TestSealedRecordsOpen(t *testing.T) {
	each(t, func(t *testing.T, r row, v iana.Version) {
		out, in := r.new(t, v), r.new(t, v)
		for seq, n := range []int{0, 1, 2, 15, 16, 17, 31, 100, 255, 256, 511, 512, 513, 1024, 4096,
			MaxPlaintext} {
			plain := pattern(n)
			h, fragment := sealed(t, out, uint64(seq), plain)
			if over := HeaderLen + len(fragment) - n; over > out.Traits().Overhead {
				t.Errorf("%d bytes: overhead %d, expected at most %d", n, over,
					out.Traits().Overhead)
			}
			if got, err := in.Open(uint64(seq), h, fragment); err != nil ||
				!bytes.Equal(got, plain) {
				t.Fatalf("%d bytes: got %d bytes and %v", n, len(got), err)
			}
		}
	})
}

// RFC 5246 §6.2.3: "The cipher and MAC functions … detect modifications". Every bit is modified.
func TestAnyFlippedBitIsRefused(t *testing.T) {
	each(t, func(t *testing.T, r row, v iana.Version) {
		plain := pattern(37)
		h, fragment := sealed(t, r.new(t, v), 5, plain)
		in := r.new(t, v)
		ran := 0
		for bit := range 8 * len(fragment) {
			bad := slices.Clone(fragment)
			bad[bit/8] ^= 1 << (bit % 8)
			got, err := in.Open(5, h, bad)
			refused(t, fmt.Sprintf("bit %d of the fragment", bit), got, bad, err)
			in = r.fresh(t, v, in)
			ran++
		}
		for bit := range 24 { // type and version; the length is the fragment's
			h := h
			if bit < 8 {
				h.Type ^= 1 << bit
			} else {
				h.Version ^= 1 << (bit - 8)
			}
			bad := slices.Clone(fragment)
			got, err := in.Open(5, h, bad)
			refused(t, fmt.Sprintf("bit %d of the header", bit), got, bad, err)
			in = r.fresh(t, v, in)
			ran++
		}
		if got, err := in.Open(5, h, fragment); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("the record as it was: got %x, %v", got, err)
		}
		t.Logf("%d bits flipped", ran)
	})
}

// fresh returns in, or in TLS 1.0 a new protection, since there a failed record breaks the chain.
func (r row) fresh(t *testing.T, v iana.Version, in Protection) Protection {
	if r.cipher.CBC() && v == iana.TLS10 {
		return r.new(t, v)
	}
	return in
}

func TestReplayedDroppedAndReorderedRecordsAreRefused(t *testing.T) {
	each(t, func(t *testing.T, r row, v iana.Version) {
		var out Half
		out.Protect(r.new(t, v))
		var hd [3]Header
		var fragments [3][]byte
		for i := range fragments {
			// the same plaintext each time
			record, err := out.Seal(nil, iana.RecordApplicationData, v, pattern(40))
			if err != nil {
				t.Fatal(err)
			}
			hd[i], _ = ParseHeader(record)
			fragments[i] = record[HeaderLen:]
		}
		for _, c := range []struct {
			name  string
			order []int // the last is refused
		}{
			{"replayed", []int{0, 0}}, {"replayed later", []int{0, 1, 0}}, {"dropped", []int{1}},
			{"dropped later", []int{0, 2}},
			{"reordered", []int{0, 2, 1}[:2]}, {"in order, then again", []int{0, 1, 2, 2}},
		} {
			var in Half
			in.Protect(r.new(t, v))
			for k, i := range c.order {
				f := slices.Clone(fragments[i])
				_, got, err := in.Open(hd[i], f)
				if k < len(c.order)-1 {
					if err != nil {
						t.Fatalf("%s: record %d: %v", c.name, k, err)
					}
					continue
				}
				refused(t, c.name, got, f, err)
			}
		}
	})
}

func TestTruncatedAndExtendedRecordsAreRefused(t *testing.T) {
	each(t, func(t *testing.T, r row, v iana.Version) {
		h, fragment := sealed(t, r.new(t, v), 0, pattern(300))
		for n := range len(fragment) {
			for _, bad := range [][]byte{slices.Clone(fragment[:n]),
				slices.Clone(fragment[len(fragment)-n:])} {
				got, err := r.new(t, v).Open(0, h, bad)
				refused(t, fmt.Sprintf("%d of %d bytes", n, len(fragment)), got, bad, err)
			}
		}
		for n := range 34 {
			for _, bad := range [][]byte{append(slices.Clone(fragment), make([]byte, n+1)...),
				append(make([]byte, n+1), fragment...)} {
				got, err := r.new(t, v).Open(0, h, bad)
				refused(t, fmt.Sprintf("%d bytes more", n+1), got, bad, err)
			}
		}
	})
}

func TestNewRejectsMismatchedAlgorithmsAndKeys(t *testing.T) {
	good := func() Params {
		return Params{Version: iana.TLS12, Keys: Keys{MAC: make([]byte, 20), Key: make([]byte, 16)}}
	}
	for _, c := range []struct {
		name   string
		cipher *Cipher
		mac    *MAC
		change func(*Params)
	}{
		{"CBC without a MAC", AES_128_CBC, nil, func(p *Params) { p.Keys.MAC = nil }},
		{"an AEAD with a MAC", AES_128_GCM, HMAC_SHA1,
			func(p *Params) { p.Keys.IV = make([]byte, 4) }},
		{"NULL without a MAC", NULL, nil, func(p *Params) { p.Keys = Keys{} }},
		{"encrypt-then-MAC with an AEAD, RFC 7366 §3", AES_128_GCM, nil, func(p *Params) {
			p.EncryptThenMAC, p.Keys = true, Keys{Key: make([]byte, 16), IV: make([]byte, 4)}
		}},
		{"encrypt-then-MAC with NULL", NULL, HMAC_SHA1,
			func(p *Params) { p.EncryptThenMAC, p.Keys.Key = true, nil }},
		{"a short key", AES_128_CBC, HMAC_SHA1, func(p *Params) { p.Keys.Key = p.Keys.Key[1:] }},
		{"a key for AES-256", AES_128_CBC, HMAC_SHA1,
			func(p *Params) { p.Keys.Key = make([]byte, 32) }},
		{"a short MAC key", AES_128_CBC, HMAC_SHA1,
			func(p *Params) { p.Keys.MAC = p.Keys.MAC[1:] }},
		{"an IV for CBC in TLS 1.2", AES_128_CBC, HMAC_SHA1,
			func(p *Params) { p.Keys.IV = make([]byte, 16) }},
		{"no IV for CBC in TLS 1.0", AES_128_CBC, HMAC_SHA1,
			func(p *Params) { p.Version = iana.TLS10 }},
		{"SSL 3.0", AES_128_CBC, HMAC_SHA1, func(p *Params) { p.Version = iana.SSL30 }},
		{"TLS 1.3", AES_128_CBC, HMAC_SHA1, func(p *Params) { p.Version = iana.TLS13 }},
	} {
		p := good()
		c.change(&p)
		if got, err := New(c.cipher, c.mac, p); got != nil || alert.Of(err) != alert.InternalError {
			t.Errorf("%s: got %v, %v", c.name, got, err)
		}
	}
	if _, err := New(AES_128_CBC, HMAC_SHA1, good()); err != nil {
		t.Error(err)
	}
}

func TestEveryCBCRecordHasAnIVOfItsOwn(t *testing.T) {
	p := row{AES_128_CBC, HMAC_SHA256, false}.new(t, iana.TLS12)
	seen := map[string]bool{}
	for before := []byte(nil); len(seen) < 100; {
		_, fragment := sealed(t, p, 0, []byte("the same"))
		iv := fragment[:16]
		if seen[string(iv)] || bytes.HasSuffix(before, iv) || bytes.Equal(iv, make([]byte, 16)) {
			t.Fatalf("record %d has an IV that could be foreseen", len(seen))
		}
		seen[string(iv)], before = true, fragment
	}
}

func TestNothingIsSealedWithoutRandomness(t *testing.T) {
	broken := errors.New("no entropy")
	p, err := New(AES_128_CBC, HMAC_SHA1, Params{
		Version: iana.TLS12, Keys: Keys{MAC: make([]byte, 20), Key: make([]byte, 16)},
		Rand: iotest.ErrReader(broken),
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Seal([]byte("x"), 0, Header{}, []byte("secret"))
	if len(got) != 1 || !errors.Is(err, broken) || alert.Of(err) != alert.InternalError {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
}

// RFC 5288 §3: the explicit part of the nonce may be the sequence number; no nonce may be used
// twice.
func TestNoncesAreSequenceNumbers(t *testing.T) {
	for _, c := range []*Cipher{AES_128_GCM, AES_256_CCM_8} {
		_, fragment := sealed(t, row{cipher: c}.new(t, iana.TLS12), 0x0102030405060708, nil)
		if got := fragment[:8]; !bytes.Equal(got, []byte{1, 2, 3, 4, 5, 6, 7, 8}) {
			t.Errorf("%s: got explicit nonce %x", c.Name, got)
		}
	}
}

// A peer may choose its explicit nonces as it likes.
func TestExplicitNonceIsReadFromTheRecord(t *testing.T) {
	a := row{cipher: AES_128_GCM}.new(t, iana.TLS12).(*aead)
	h := Header{Type: iana.RecordAlert, Version: iana.TLS12}
	explicit := []byte("whatever")
	fragment := a.aead.Seal(slices.Clone(explicit), append(pattern(4), explicit...), []byte{1, 0},
		a.prefix.put(9, h, 2))
	if got, err := a.Open(9, h, fragment); err != nil || !bytes.Equal(got, []byte{1, 0}) {
		t.Errorf("got %x, %v", got, err)
	}
}

func TestRecordsAllocateNothing(t *testing.T) {
	if testkit.RaceEnabled {
		t.Skip("under the race detector the pool of HMACs drops some of what it is given")
	}
	each(t, func(t *testing.T, r row, v iana.Version) {
		plain := pattern(2*MaxPlaintext + 100)
		var out, in Half
		out.Protect(r.new(t, v))
		in.Protect(r.new(t, v))
		wire := make([]byte, 0, out.SealedLen(len(plain)))
		if n := testing.AllocsPerRun(3, func() {
			records, err := out.Seal(wire, iana.RecordApplicationData, v, plain)
			if err != nil {
				t.Fatal(err)
			}
			for len(records) > 0 {
				h, err := ParseHeader(records)
				if err != nil {
					t.Fatal(err)
				}
				if _, _, err := in.Open(h, records[HeaderLen:][:h.Length]); err != nil {
					t.Fatal(err)
				}
				records = records[HeaderLen+h.Length:]
			}
		}); n != 0 {
			t.Errorf("three records sealed and opened: %v allocations", n)
		}
	})
}
