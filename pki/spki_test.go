package pki

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/cloudflare/circl/sign/ed448"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

func readSPKI(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(b)
	return block.Bytes
}

// Keys that OpenSSL made: RFC 4055 §3.1, and §3.3 on what a certificate's parameters ask of a
// signature.
func TestRSASSAPSSParametersRestrictTheSchemes(t *testing.T) {
	for _, c := range []struct {
		file string
		hash crypto.Hash
		salt int
		want []iana.SignatureScheme
	}{
		{"unrestricted.pem", 0, 0,
			[]iana.SignatureScheme{iana.RSA_PSS_PSS_SHA256, iana.RSA_PSS_PSS_SHA384,
				iana.RSA_PSS_PSS_SHA512}},
		{"sha256-salt32.pem", crypto.SHA256, 32, []iana.SignatureScheme{iana.RSA_PSS_PSS_SHA256}},
		// 20 is the least, 48 is more
		{"sha384-salt20.pem", crypto.SHA384, 20, []iana.SignatureScheme{iana.RSA_PSS_PSS_SHA384}},
		// TLS salts have 64 bytes
		{"sha512-salt100.pem", crypto.SHA512, 100, nil},
		// all by default: no such scheme
		{"sha1-salt20.pem", crypto.SHA1, 20, nil},
	} {
		der := readSPKI(t, c.file)
		pub, err := parseSPKI(der)
		if err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		pss := pub.(*PSSPublicKey)
		if pss.Hash != c.hash || pss.Salt != c.salt || pss.N.BitLen() != 2048 || pss.E != 65537 {
			t.Errorf("%s: got %v, %d, %d bits", c.file, pss.Hash, pss.Salt, pss.N.BitLen())
		}
		if got := Schemes(pub); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, expected %v", c.file, got, c.want)
		}
	}
	if _, err := parseSPKI(readSPKI(t, "sha256-mgf1sha1.pem")); !errors.Is(err, errKeyType) {
		t.Errorf("SHA-256 with MGF1 of SHA-1: got %v, expected %v", err, errKeyType)
	}
}

func TestEd448KeysAreRead(t *testing.T) {
	der := readSPKI(t, "ed448.pem")
	pub, err := parseSPKI(der)
	if k, ok := pub.(ed448.PublicKey); !ok || err != nil || len(k) != 57 {
		t.Errorf("got %v, %v", pub, err)
	}
}

func TestMalformedPublicKeysAreRefused(t *testing.T) {
	pss := func(params string) []byte { // one byte of length each: short enough
		p := testkit.Unhex(t, params)
		key := testkit.Unhex(t, "030900 3006 020125 020103") // RSAPublicKey {37, 3}
		algorithm := slices.Concat([]byte{0x30, byte(11 + len(p))},
			testkit.Unhex(t, "06092a864886f70d01010a"), p)
		return slices.Concat([]byte{0x30, byte(len(algorithm) + len(key))}, algorithm, key)
	}
	const sha256, mgf1sha256 = "a00f300d06096086480165030402010500",
		"a11c301a06092a864886f70d010108300d06096086480165030402010500"
	// the malformed ones are near it
	if _, err := parseSPKI(pss("3034" + sha256 + mgf1sha256 + "a203020120")); err != nil {
		t.Fatalf("the well-formed neighbour: %v", err)
	}
	cases := map[string][]byte{
		"nothing":           nil,
		"not a sequence":    {2, 1, 0},
		"trailing bytes":    append(readSPKI(t, "ed448.pem"), 0),
		"half of it":        readSPKI(t, "unrestricted.pem")[:150],
		"a short Ed448 key": testkit.Unhex(t, "300b 3005 06032b6571 0302 0001"),
		"Ed448 with parameters": testkit.Unhex(t,
			"3045 3007 06032b6571 0500 033a00"+hexZeros(57)),
		"parameters that are no list": pss("0500"),
		"a salt below zero":           pss("3034" + sha256 + mgf1sha256 + "a2030201ff"),
		"a salt of two numbers":       pss("3037" + sha256 + mgf1sha256 + "a206020120020120"),
		"another trailer": pss("3039" + sha256 + mgf1sha256 + "a203020120" +
			"a303020102"),
		"a fifth field": pss("3039" + sha256 + mgf1sha256 + "a203020120" +
			"a403020101"),
		"an unknown hash":            pss("3011" + "a00f300d06096086480165030402080500"),
		"a hash with odd parameters": pss("3012" + "a010300e0609608648016503040201050100"),
		"a mask that is not MGF1": pss("302f" + sha256 +
			"a11c301a06092a864886f70d010109300d06096086480165030402010500"),
		"bytes after the parameters": pss("3034" + sha256 + mgf1sha256 + "a203020120" + "0500"),
		"an algorithm nobody knows":  testkit.Unhex(t, "300b 3005 06032b6572 0302 0001"),
		"a key that is not RSA's": slices.Concat(testkit.Unhex(t,
			"3011 300b 06092a864886f70d01010a"), testkit.Unhex(t, "0302 0000")),
		"a bit string of seven bits": testkit.Unhex(t, "300b 3005 06032b6571 0302 0100"),
		"a salt beyond all arithmetic": pss("3043" + sha256 + mgf1sha256 + "a2120210" +
			"7fffffffffffffffffffffffffffffff"),
	}
	for name, der := range cases {
		if pub, err := parseSPKI(der); err == nil {
			t.Errorf("%s: got %v", name, pub)
		}
	}
	t.Logf("%d malformed keys are refused", len(cases))
}

func hexZeros(n int) string { return string(slices.Repeat([]byte("00"), n)) }

// A certificate with each of the two kinds, as crypto/x509 leaves it.
func TestTheKeyOfACertificateIsReadWhereCryptoX509HasNone(t *testing.T) {
	for _, kind := range []throwaway.Kind{throwaway.RSAPSS, throwaway.Ed448} {
		c := one()[kind]
		if c.Chain.Leaf().PublicKey != nil ||
			c.Chain.Leaf().PublicKeyAlgorithm != x509.UnknownPublicKeyAlgorithm {
			t.Errorf("%s: crypto/x509 reads it now: the own parser can go", kind)
		}
		if k, err := c.Chain.PublicKey(); err != nil ||
			!sameKey(k, c.Key.(crypto.Signer).Public()) {
			t.Errorf("%s: got %v, %v", kind, k, err)
		}
	}
}
