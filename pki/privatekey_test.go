package pki

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"testing"

	"github.com/cloudflare/circl/sign/ed448"

	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

func TestEveryKindOfPrivateKeyIsRead(t *testing.T) {
	ca := newCA(t, "private keys")
	for _, kind := range throwaway.Kinds() {
		cert, err := ca.Issue(kind, []string{"localhost"})
		if err != nil {
			t.Fatal(err)
		}
		der, err := throwaway.PKCS8(cert)
		if err != nil {
			t.Fatal(err)
		}
		key, err := ParsePrivateKey(der)
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		cert.PrivateKey = key
		cred, err := FromTLS(&cert)
		if err != nil {
			t.Errorf("%s: it is not the certificate's: %v", kind, err)
			continue
		}
		pub := publicKey(t, cred)
		id := Schemes(pub)[0]
		signature, err := Sign(nil, key.(crypto.Signer), id, []byte("message"))
		if err != nil || Verify(pub, id, []byte("message"), signature) != nil {
			t.Errorf("%s: signing: %v", kind, err)
		}
		block := func(typ string, der []byte) []byte {
			return pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der})
		}
		var chain []byte
		for _, c := range cert.Certificate {
			chain = append(chain, block("CERTIFICATE", c)...)
		}
		pair, err := KeyPair(
			chain,
			append(slices.Clone(chain), block("PRIVATE KEY", der)...),
		) // one file may hold both
		if err != nil || len(pair.Certificate) != len(cert.Certificate) || pair.Leaf == nil {
			t.Errorf("%s: as a pair of files: %v", kind, err)
		}
		if _, err := KeyPair(chain, nil); err == nil {
			t.Errorf("%s: a pair without a key", kind)
		}
		for i := range der { // none of it is cut short without notice, and nothing panics
			if k, err := ParsePrivateKey(der[:i]); err == nil {
				t.Errorf("%s: %d of %d bytes are a %T", kind, i, len(der), k)
			}
		}
	}
}

// RFC 8410 §7: the key is an OCTET STRING of 57 bytes inside the other, and has no parameters.
func TestMalformedEd448KeysAreRefused(t *testing.T) {
	seed := bytes.Repeat([]byte{7}, ed448.SeedSize)
	good := slices.Concat(
		[]byte{0x30, 0x47, 2, 1, 0, 0x30, 5, 6, 3, 0x2B, 0x65, 0x71, 4, 0x3B, 4, 0x39},
		seed,
	)
	if k, err := ParsePrivateKey(
		good,
	); err != nil ||
		!k.(ed448.PrivateKey).Equal(ed448.NewKeyFromSeed(seed)) {
		t.Fatalf("got %T, %v", k, err)
	}
	for what, change := range map[string]func([]byte) []byte{
		"version 2":          func(b []byte) []byte { b[4] = 2; return b },
		"X448":               func(b []byte) []byte { b[11] = 0x6F; return b },
		"no inner string":    func(b []byte) []byte { b[14] = 5; return b },
		"a byte behind":      func(b []byte) []byte { return append(b, 0) },
		"a byte less inside": func(b []byte) []byte { b[15] = 0x38; return b },
	} {
		if _, err := ParsePrivateKey(change(bytes.Clone(good))); err == nil {
			t.Errorf("%s: it is read", what)
		}
	}
}

// A key of our own that is too short is refused when it is configured, and that is the reason.
func TestACredentialWithAShortKeyIsRefusedForIt(t *testing.T) {
	text := func(name string) (cert, key []byte) {
		der, k := refused(t, name)
		private, err := x509.MarshalPKCS8PrivateKey(k)
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(
				&pem.Block{Type: "CERTIFICATE", Bytes: der},
			), pem.EncodeToMemory(
				&pem.Block{Type: "PRIVATE KEY", Bytes: private},
			)
	}
	for name, word := range map[string]string{
		"rsa512": "RSA key of 512 bits", "neg-serial": "negative serial",
	} {
		_, err := KeyPair(text(name))
		wantAlert(t, err, 42, word)
	}
}
