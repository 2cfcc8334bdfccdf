package negotiation

import (
	"bytes"
	"context"
	"crypto"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// Which of a server's keys an identity names: a key for import is never used directly, nor a plain
// key imported, and an imported key has the context and the hash of its identity. See RFC 9258
// §5.1.
func TestKeysForImportAreKeptApart(t *testing.T) {
	name := []byte("gardener")
	imported := func(of string, kdf iana.KDF) []byte {
		b, err := (&message.ImportedIdentity{External: name, Context: []byte(of),
			Protocol: iana.TLS13, KDF: kdf}).Encode()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	const garden = "garden"
	plain := &PSK{Identity: name, Key: make([]byte, 32), Context: []byte(garden)}
	toImport := &PSK{Identity: name, Key: make([]byte, 32), Import: true, Context: []byte(garden)}
	for _, c := range []struct {
		what     string
		identity []byte
		key      *PSK
		want     crypto.Hash // of the key that is found; 0: none
	}{
		{"a plain key", name, plain, crypto.SHA256},
		{"a key for import, used directly", name, toImport, 0},
		{"an imported key", imported(garden, iana.HKDFSHA256), toImport, crypto.SHA256},
		{"an imported key of SHA-384", imported(garden, iana.HKDFSHA384), toImport, crypto.SHA384},
		{"another context", imported("orchard", iana.HKDFSHA256), toImport, 0},
		{"a KDF that is not known", imported(garden, 99), toImport, 0},
		{"a plain key, imported", imported(garden, iana.HKDFSHA256), plain, 0},
	} {
		config := &Config{}
		config.FindKey = func(_ context.Context, r KeyRequest) (*PSK, error) {
			if !bytes.Equal(r.Identity, name) {
				return nil, nil
			}
			return c.key, nil
		}
		k, err := config.External(context.Background(), c.identity)
		if err != nil || (k != nil) != (c.want != 0) || k != nil && k.Hash != c.want {
			t.Errorf("%s: %v, %v", c.what, k.What(), err)
		}
	}
}
