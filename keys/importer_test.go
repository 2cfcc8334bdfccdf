package keys

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"hash"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// RFC 9258 §5.1, spelled out with HMAC alone: HKDF-Extract and one or two blocks of HKDF-Expand.
func TestImportedKeys(t *testing.T) {
	epsk, identity := []byte("a key of another kind"), []byte("gardener")
	for _, tt := range []struct {
		hash, target crypto.Hash
		kdf          iana.KDF
	}{
		{crypto.SHA256, crypto.SHA256, iana.HKDFSHA256},
		{crypto.SHA256, crypto.SHA384, iana.HKDFSHA384}, // more than one block
		{crypto.SHA384, crypto.SHA256, iana.HKDFSHA256}, // less than one block
	} {
		encoded, err := (&message.ImportedIdentity{External: identity, Context: []byte("garden"),
			Protocol: iana.TLS13, KDF: tt.kdf}).Encode()
		if err != nil {
			t.Fatal(err)
		}
		plain := "\x00\x08gardener\x00\x06garden\x03\x04\x00" + string(rune(tt.kdf))
		if string(encoded) != plain {
			t.Errorf("the identity is %x, expected %x", encoded, plain)
		}
		mac := func(key []byte, parts ...[]byte) []byte {
			h := hmac.New(func() hash.Hash { return tt.hash.New() }, key)
			for _, p := range parts {
				h.Write(p)
			}
			return h.Sum(nil)
		}
		h := tt.hash.New()
		h.Write(encoded)
		epskx := mac(make([]byte, tt.hash.Size()), epsk)
		info := append([]byte{0, byte(tt.target.Size())}, "\x11tls13 derived psk"...)
		info = append(append(info, byte(tt.hash.Size())), h.Sum(nil)...)
		one := mac(epskx, info, []byte{1})
		two := mac(epskx, one, info, []byte{2})
		want := append(one, two...)[:tt.target.Size()]
		if got := (HKDF{Hash: tt.hash}).Import(epsk, encoded, tt.target); !bytes.Equal(got, want) {
			t.Errorf("from %v for %v: got %x, expected %x", tt.hash, tt.target, got, want)
		}
	}
}
