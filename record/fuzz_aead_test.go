package record

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"testing"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/vitrine-tls/vitrine/iana"
)

// FuzzAEAD: what is sealed for TLS 1.3 opens with the standard library's AEAD and x/crypto's, and
// what they seal opens here. See RFC 8446 §5.2 and §5.3.
func FuzzAEAD(f *testing.F) {
	for which := range byte(3) {
		f.Add(which, uint64(0), []byte("attack at dawn"), make([]byte, 32))
		f.Add(which, uint64(1<<40), []byte{}, bytes.Repeat([]byte{7}, 32))
	}
	f.Fuzz(func(t *testing.T, which byte, seq uint64, plain []byte, secret []byte) {
		key := make([]byte, 32)
		copy(key, secret)
		if len(plain) > MaxPlaintext || seq == 1<<64-1 {
			return
		}
		c := []*Cipher{AES_128_GCM, AES_256_GCM, CHACHA20_POLY1305}[which%3]
		key = key[:c.KeyLen]
		var other cipher.AEAD
		var err error
		if c == CHACHA20_POLY1305 {
			other, err = chacha20poly1305.New(key)
		} else {
			block, blockErr := aes.NewCipher(key)
			if blockErr != nil {
				t.Fatal(blockErr)
			}
			other, err = cipher.NewGCM(block)
		}
		if err != nil {
			t.Fatal(err)
		}
		iv := bytes.Repeat([]byte{9}, 12)
		p, err := New(c, nil, Params{Version: iana.TLS13, Keys: Keys{Key: key, IV: iv}})
		if err != nil {
			t.Fatal(err)
		}
		nonce := bytes.Clone(iv)
		binary.BigEndian.PutUint64(nonce[4:], binary.BigEndian.Uint64(nonce[4:])^seq)
		header := func(n int) []byte { return []byte{23, 3, 3, byte(n >> 8), byte(n)} }
		theirs := other.Seal(nil, nonce, plain, header(len(plain)+16))
		got, err := p.Open(seq, Header{iana.RecordApplicationData, iana.TLS12, len(theirs)},
			bytes.Clone(theirs))
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("opened %x, %v, expected %x", got, err, plain)
		}
		if len(plain) >= MaxPlaintext {
			return
		}
		inner := append(bytes.Clone(plain), byte(iana.RecordApplicationData))
		want := other.Seal(nil, nonce, inner, header(len(inner)+16))
		theirs[len(theirs)-1] ^= 1
		if _, err := p.Open(seq, Header{iana.RecordApplicationData, iana.TLS12, len(theirs)},
			theirs); err == nil {
			t.Fatal("a record with another tag opens")
		}
		if _, ours := sealed(t, p, seq, plain); !bytes.Equal(ours, want) {
			t.Fatalf("sealed %x, expected %x", ours, want)
		}
	})
}
