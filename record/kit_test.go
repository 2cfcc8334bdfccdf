package record

import (
	"crypto/cipher"
	stdhmac "crypto/hmac"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// protections are all that TLS 1.2 can protect a record with, by the names that traces show.
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
	for _, c := range []*Cipher{AES_128_GCM, AES_256_GCM, AES_128_CCM, AES_256_CCM, AES_128_CCM_8,
		AES_256_CCM_8, CHACHA20_POLY1305} {
		all = append(all, row{c, nil, false})
	}
	return all
}()

// A row is one protection.
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

// pattern returns n bytes that repeat only after 251.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i%251 + 1)
	}
	return b
}

// sealed returns plain as record number seq of p: its header and its fragment.
func sealed(t testing.TB, p Protection, seq uint64, plain []byte) (Header, []byte) {
	t.Helper()
	record, err := p.Seal(nil, seq, Header{Type: iana.RecordApplicationData, Version: iana.TLS12},
		plain)
	if err != nil {
		t.Fatal(err)
	}
	h, err := ParseHeader(record)
	if err != nil || h.Length != len(record)-HeaderLen {
		t.Fatalf("got header %+v, %v of a record of %d bytes", h, err, len(record))
	}
	return h, record[HeaderLen:]
}

// refused fails the test unless Open returned bad_record_mac and wiped the fragment.
func refused(t testing.TB, what string, plain, fragment []byte, err error) {
	t.Helper()
	if plain != nil || alert.Of(err) != alert.BadRecordMAC ||
		!slices.Contains([]error{errBadMAC, errBadCBC, errBadTag, errBadRecord13}, err) {
		t.Fatalf("%s: got %d bytes of plaintext and %v, expected bad_record_mac", what, len(plain),
			err)
	}
	if slices.Max(append(fragment, 0)) != 0 {
		t.Fatalf("%s: bytes that did not authenticate were left in the buffer", what)
	}
}

// reference seals CBC records step by step as the RFCs describe it, with a given number of bytes of
// padding. Seal and Open are compared with it. Unlike the package under test it uses crypto/hmac.
type reference struct {
	row
	v        iana.Version
	mac, key []byte
}

func (r reference) fragment(t testing.TB, seq uint64, h Header, iv, plain, padding []byte) []byte {
	t.Helper()
	block, err := r.cipher.block(r.key)
	if err != nil {
		t.Fatal(err)
	}
	body := slices.Clone(plain)
	if !r.etm {
		body = append(body, r.sum(seq, h, plain)...)
	}
	body = append(body, padding...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(body, body)
	if r.v > iana.TLS10 {
		body = slices.Concat(iv, body)
	}
	if r.etm {
		body = append(body, r.sum(seq, h, body)...)
	}
	return body
}

func (r reference) sum(seq uint64, h Header, content []byte) []byte {
	m := stdhmac.New(r.row.mac.hash, r.mac)
	binary.Write(m, binary.BigEndian, seq)
	binary.Write(m, binary.BigEndian, struct {
		T    iana.ContentType
		V, N uint16
	}{h.Type, uint16(h.Version), uint16(len(content))})
	m.Write(content)
	return m.Sum(nil)
}

// padding is n bytes, all n-1.
func padding(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(n - 1)
	}
	return b
}
