package kex

import (
	"bytes"
	"crypto/rsa"
	"errors"
	"math/big"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// FuzzRSA: whatever stands for an EncryptedPreMasterSecret, a server goes on with 48 bytes, which
// are those that were sent if all was right with them; an observer gets them, or is told that the
// key is another or the version is. math/big decides what was sent.
func FuzzRSA(f *testing.F) {
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		f.Fatal(err)
	}
	cert, err := ca.Issue(throwaway.RSA, []string{"vitrine.test"})
	if err != nil {
		f.Fatal(err)
	}
	key := cert.PrivateKey.(*rsa.PrivateKey)
	sealed := func(block []byte) []byte {
		c := new(big.Int).Exp(new(big.Int).SetBytes(block), big.NewInt(int64(key.E)), key.N)
		return c.FillBytes(make([]byte, key.Size()))
	}
	block := func(size int, version uint16) []byte {
		b := bytes.Repeat([]byte{7}, key.Size())
		b[0], b[1], b[len(b)-size-1] = 0, 2, 0
		if size > 1 {
			b[len(b)-size], b[len(b)-size+1] = byte(version>>8), byte(version)
		}
		return b
	}
	good := block(48, 0x303)
	f.Add(sealed(good))
	f.Add(sealed(block(48, 0x301)))
	for _, size := range []int{0, 1, 47, 49, 200} {
		f.Add(sealed(block(size, 0x303)))
	}
	for _, spoilt := range testkit.Spoil(good, 30) {
		f.Add(sealed(spoilt[:min(len(spoilt), key.Size()-1)]))
	}
	for _, spoilt := range testkit.Spoil(sealed(good), 14) {
		f.Add(spoilt)
	}
	f.Add(key.N.Bytes())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, encrypted []byte) {
		sent := sentPreMaster(key, encrypted)
		right := sent != nil && sent[0] == 3 && sent[1] == 3
		pre, err := DecryptPreMaster(testkit.Rand("instead"), key, encrypted, iana.TLS12)
		if err != nil || len(pre) != 48 || right != bytes.Equal(pre, sent) {
			t.Fatalf("a server goes on with %x, %v; %x was sent", pre, err, sent)
		}
		opened, err := OpenPreMaster(key, encrypted, iana.TLS12)
		switch {
		case right && (err != nil || !bytes.Equal(opened, sent)):
			t.Fatalf("an observer gets %x, %v; %x was sent", opened, err, sent)
		case sent != nil && !right && alert.Of(err) != alert.DecryptError,
			sent == nil && !errors.Is(err, ErrWrongPrivateKey):
			t.Fatalf("an observer is told %v; %x was sent", err, sent)
		}
	})
}

// sentPreMaster is the pre_master_secret in a block that math/big opens: RFC 8017 §7.2.2. It is nil
// if there is none.
func sentPreMaster(key *rsa.PrivateKey, encrypted []byte) []byte {
	c := new(big.Int).SetBytes(encrypted)
	if len(encrypted) != key.Size() || c.Cmp(key.N) >= 0 {
		return nil
	}
	b := c.Exp(c, key.D, key.N).FillBytes(make([]byte, key.Size()))
	end := bytes.IndexByte(b[2:], 0)
	if b[0] != 0 || b[1] != 2 || end < 8 || len(b)-2-end-1 != 48 {
		return nil
	}
	return b[2+end+1:]
}
