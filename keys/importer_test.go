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
func TestImportedKeysAreThoseOfRFC9258(t *testing.T) {
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

// The binder of each kind of key is under a label of its own: RFC 8446 §7.1 and RFC 9258 §5.2,
// spelled out with HMAC-SHA-256 alone.
func TestBindersOfTheThreeKinds(t *testing.T) {
	mac := func(key []byte, parts ...[]byte) []byte {
		h := hmac.New(crypto.SHA256.New, key)
		for _, p := range parts {
			h.Write(p)
		}
		return h.Sum(nil)
	}
	label := func(secret []byte, name string, context []byte) []byte {
		info := append([]byte{0, 32, byte(len("tls13 " + name))}, "tls13 "+name...)
		return mac(secret, append(append(info, byte(len(context))), context...), []byte{1})
	}
	psk, transcript := []byte("a pre-shared key"), bytes.Repeat([]byte{7}, 32)
	early := mac(make([]byte, 32), psk)
	for kind, name := range map[PSKKind]string{ResumptionPSK: "res binder",
		ExternalPSK: "ext binder", ImportedPSK: "imp binder"} {
		key := label(early, name, crypto.SHA256.New().Sum(nil))
		want := mac(label(key, "finished", nil), transcript)
		got := HKDF{Hash: crypto.SHA256}.Early(psk).Binder(kind).VerifyData(transcript)
		if !bytes.Equal(got, want) {
			t.Errorf("%s: got %x, expected %x", name, got, want)
		}
	}
}
