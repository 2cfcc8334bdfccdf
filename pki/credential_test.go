package pki

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

func TestACredentialCarriesWhatCryptoTLSsCertificateHas(t *testing.T) {
	cert, err := newCA(t, "carries").Issue(throwaway.RSA, []string{"localhost"})
	if err != nil {
		t.Fatal(err)
	}
	cert.OCSPStaple, cert.SignedCertificateTimestamps = []byte{1}, [][]byte{{2}, {3}}
	cert.SupportedSignatureAlgorithms = []tls.SignatureScheme{tls.PKCS1WithSHA256}
	cert.Leaf = nil // it may be missing
	c, err := FromTLS(&cert)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(c.Staple, []byte{1}) || len(c.SCTs) != 2 ||
		!slices.Equal(c.Schemes, []iana.SignatureScheme{iana.RSA_PKCS1_SHA256}) {
		t.Errorf("got %v", c)
	}
	// the limit holds when a scheme is chosen: hardware that cannot do PSS
	if s, err := c.Serves(iana.AuthRSA, iana.KexECDHE, Hello{Schemes: modern},
		Rules{Schemes: modern}); s != iana.RSA_PKCS1_SHA256 || err != nil {
		t.Errorf("got %v, %v, expected rsa_pkcs1_sha256", s, err)
	}
}

func TestAKeyMustBelongToItsCertificate(t *testing.T) {
	n := 0
	for kind, c := range one() {
		for other, o := range one() {
			_, err := FromTLS(&tls.Certificate{Certificate: c.Chain.Raw(), PrivateKey: o.Key})
			if (err == nil) != (kind == other) {
				t.Errorf("%s certificate with %s key: %v", kind, other, err)
			}
			n++
		}
	}
	t.Logf("%d combinations", n)
	raw := one()[throwaway.ECDSA].Chain.Raw()
	for name, c := range map[string]tls.Certificate{
		"no key":      {Certificate: raw},
		"no chain":    {PrivateKey: one()[throwaway.ECDSA].Key},
		"half a leaf": {Certificate: [][]byte{raw[0][:99]}, PrivateKey: one()[throwaway.ECDSA].Key},
	} {
		if _, err := FromTLS(&c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func with(c *Credential, key crypto.PrivateKey) *Credential {
	return &Credential{Chain: c.Chain, Key: key}
}

func TestWhatAServerCanDoDependsOnItsKey(t *testing.T) {
	rsaCred := one()[throwaway.RSA]
	key := rsaCred.Key.(*rsa.PrivateKey)
	ec := one()[throwaway.ECDSA]
	hello := Hello{Schemes: modern}
	for _, c := range []struct {
		name  string
		cred  *Credential
		auth  iana.Authentication
		kex   iana.KeyExchange
		hello Hello
		word  string // of the refusal
	}{
		{"RSA key exchange", rsaCred, iana.AuthRSA, iana.KexRSA, hello, ""},
		{"RSA key exchange for a client without schemes", rsaCred, iana.AuthRSA, iana.KexRSA,
			Hello{}, ""},
		{"RSA key exchange in hardware", with(rsaCred, opaqueDecrypter{key}), iana.AuthRSA,
			iana.KexRSA, hello, ""},
		{"RSA key exchange with a key that only signs", with(rsaCred, opaqueSigner{key}),
			iana.AuthRSA, iana.KexRSA, hello, "cannot decrypt"},
		{"ECDHE with a key that only signs", with(rsaCred, opaqueSigner{key}), iana.AuthRSA,
			iana.KexECDHE, hello, ""},
		{"ECDHE with a key that only decrypts", with(rsaCred, opaqueDecrypter{key}), iana.AuthRSA,
			iana.KexECDHE, hello, "cannot sign"},
		{"ECDHE_ECDSA", ec, iana.AuthECDSA, iana.KexECDHE, hello, ""},
		{"ECDHE_ECDSA in the client's group", ec, iana.AuthECDSA, iana.KexECDHE,
			Hello{Schemes: modern, Groups: []iana.Group{iana.Secp256r1}}, ""},
		{"ECDHE_ECDSA in another group", ec, iana.AuthECDSA, iana.KexECDHE,
			Hello{Schemes: modern, Groups: []iana.Group{iana.X25519}}, "secp256r1"},
		{"ECDHE_ECDSA with Ed25519 and only X25519", one()[throwaway.Ed25519], iana.AuthECDSA,
			iana.KexECDHE, Hello{Schemes: modern, Groups: []iana.Group{iana.X25519}}, ""},
		{"ECDHE_ECDSA with an RSA key", rsaCred, iana.AuthECDSA, iana.KexECDHE, hello, "RSA key"},
		{"no common scheme", ec, iana.AuthECDSA, iana.KexECDHE,
			Hello{Schemes: []iana.SignatureScheme{iana.ED25519}}, "accepts only"},
	} {
		_, err := c.cred.Serves(c.auth, c.kex, c.hello, Rules{Schemes: modern})
		if c.word == "" && err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if c.word != "" && (err == nil || !strings.Contains(err.Error(), c.word)) {
			t.Errorf("%s: got %v, expected %q", c.name, err, c.word)
		}
	}
}

func TestAServerChoosesByNameThenBySignatures(t *testing.T) {
	ca := newCA(t, "server's choice")
	a := issue(t, ca, throwaway.ECDSA, "a.example")
	b := issue(t, ca, throwaway.ECDSA, "*.b.example")
	rsaB := issue(t, ca, throwaway.RSA, "www.b.example")
	c384 := issue(t, ca, throwaway.ECDSA, "c.example",
		func(t *x509.Certificate) { t.SignatureAlgorithm = x509.ECDSAWithSHA384 })
	creds := []*Credential{c384, a, b, rsaB}
	for _, c := range []struct {
		name  string
		auth  iana.Authentication
		hello Hello
		want  *Credential
		why   string
	}{
		{"the name", iana.AuthECDSA, Hello{Name: "a.example", Schemes: modern}, a,
			`certificate 2 of 4 ("CN=a.example") is for "a.example"`},
		{"a wildcard", iana.AuthECDSA, Hello{Name: "www.b.example", Schemes: modern}, b,
			`is for "www.b.example"`},
		{"the name, among the keys of the suite", iana.AuthRSA,
			Hello{Name: "www.b.example", Schemes: modern}, rsaB, `is for "www.b.example"`},
		{"no name", iana.AuthECDSA, Hello{Schemes: modern}, c384, "named no server"},
		{"a name that nobody has", iana.AuthECDSA, Hello{Name: "z.example", Schemes: modern}, c384,
			`is not for "z.example"`},
		{"signatures that the client knows", iana.AuthECDSA,
			Hello{Schemes: modern,
				CertSchemes: []iana.SignatureScheme{iana.ECDSA_SECP256R1_SHA256}},
			a, "accepts all its signatures"},
		{"the name before the signatures", iana.AuthECDSA,
			Hello{Name: "a.example", Schemes: modern,
				CertSchemes: []iana.SignatureScheme{iana.ECDSA_SECP384R1_SHA384}},
			a, "did not say that it accepts"},
		{"no key for the schemes", iana.AuthECDSA,
			Hello{Schemes: []iana.SignatureScheme{iana.ED448}}, nil,
			"no certificate fits: certificate 1 of 4"},
	} {
		got := ChooseServer(creds, c.auth, iana.KexECDHE, c.hello, Rules{Schemes: modern})
		if got.Credential != c.want || !strings.Contains(got.Why(), c.why) {
			t.Errorf("%s: got %q, expected %q", c.name, got.Why(), c.why)
		}
		if got.Credential != nil && got.Scheme == 0 {
			t.Errorf("%s: no scheme", c.name)
		}
	}
	if got := ChooseServer(nil, iana.AuthRSA, iana.KexRSA, Hello{},
		Rules{Schemes: modern}); got.Credential != nil ||
		!strings.Contains(got.Why(), "no certificate to choose from") {
		t.Errorf("got %v", got)
	}
}

func TestAClientChoosesByTypeAuthorityAndScheme(t *testing.T) {
	root, other := newCA(t, "client's choice"), newCA(t, "another")
	sub, err := root.Intermediate()
	if err != nil {
		t.Fatal(err)
	}
	rsaCred := issue(t, sub, throwaway.RSA, "rsa", throwaway.ForClient)
	ec := issue(t, sub, throwaway.ECDSA, "ecdsa", throwaway.ForClient)
	ed := issue(t, other, throwaway.Ed448, "ed448", throwaway.ForClient)
	pss := issue(t, other, throwaway.RSAPSS, "pss", throwaway.ForClient)
	mute := issue(t, root, throwaway.ECDSA, "mute", throwaway.ForClient,
		func(t *x509.Certificate) { t.KeyUsage = x509.KeyUsageKeyAgreement })
	all := []*Credential{rsaCred, ec, ed, pss}
	both := []iana.ClientCertificateType{iana.RSASign, iana.ECDSASign}
	rsaOnly, ecOnly := both[:1], both[1:]
	rootDN, subDN, strangeDN := root.Cert.RawSubject, sub.Cert.RawSubject, []byte{0x30, 0}
	for _, c := range []struct {
		name   string
		creds  []*Credential
		r      Request
		want   *Credential
		scheme iana.SignatureScheme
		why    string
	}{
		{"the first that fits", all, Request{Types: both, Schemes: modern, Authorities: nil},
			rsaCred, iana.RSA_PSS_RSAE_SHA256, "names no certificate_authorities"},
		{"by type", all, Request{Types: ecOnly, Schemes: modern, Authorities: nil}, ec,
			iana.ECDSA_SECP256R1_SHA256, "of type ecdsa_sign"},
		// RFC 8422 §5.5
		{"EdDSA counts as ecdsa_sign", []*Credential{ed},
			Request{Types: ecOnly, Schemes: modern, Authorities: nil}, ed, iana.ED448,
			"ecdsa_sign"},
		{"PSS counts as rsa_sign", []*Credential{ed, pss},
			Request{Types: rsaOnly, Schemes: modern, Authorities: nil}, pss,
			iana.RSA_PSS_PSS_SHA256, "rsa_sign"},
		{"by scheme", all,
			Request{Types: both, Schemes: []iana.SignatureScheme{iana.ED448}, Authorities: nil}, ed,
			iana.ED448, "signs with ed448"},
		{"by the leaf's issuer", []*Credential{ed, ec},
			Request{Types: both, Schemes: modern, Authorities: [][]byte{strangeDN, subDN}}, ec,
			iana.ECDSA_SECP256R1_SHA256, `was issued by "CN=Vitrine demo intermediate CA`},
		{"by an issuer further up", all,
			Request{Types: ecOnly, Schemes: modern, Authorities: [][]byte{rootDN}}, ec,
			iana.ECDSA_SECP256R1_SHA256, `has a chain that leads to "CN=Vitrine demo CA`},
		{"an authority that issued none", all,
			Request{Types: both, Schemes: modern, Authorities: [][]byte{strangeDN}}, nil, 0,
			"none of the server's certificate_authorities (1) issued it"},
		{"a type that none has", []*Credential{rsaCred},
			Request{Types: ecOnly, Schemes: modern, Authorities: nil}, nil, 0,
			"the server asks for [ecdsa_sign]"},
		{"a scheme that none has", []*Credential{rsaCred},
			Request{Types: both, Schemes: []iana.SignatureScheme{0x0202}, Authorities: nil}, nil, 0,
			"dsa_sha1"},
		{"SHA-1 under a modern policy", []*Credential{rsaCred},
			Request{Types: both, Schemes: Implied(iana.TLS12)}, nil, 0, "rsa_pkcs1_sha1"},
		{"a KeyUsage without digitalSignature", []*Credential{mute},
			Request{Types: both, Schemes: modern, Authorities: nil}, nil, 0, "digitalSignature"},
		{"a key that only decrypts",
			[]*Credential{with(rsaCred, opaqueDecrypter{rsaCred.Key.(*rsa.PrivateKey)})},
			Request{Types: both, Schemes: modern, Authorities: nil}, nil, 0, "cannot sign"},
		{"no certificate at all", nil, Request{Types: both, Schemes: modern, Authorities: nil}, nil,
			0, "no certificate to choose from"},
	} {
		got := ChooseClient(c.creds, c.r, modern)
		if got.Credential != c.want || got.Scheme != c.scheme ||
			!strings.Contains(got.Why(), c.why) {
			t.Errorf("%s: got %v by %q, expected %v by %q", c.name, got.Scheme, got.Why(), c.scheme,
				c.why)
		}
	}
	t.Log(ChooseClient(all, Request{Types: both, Schemes: modern, Authorities: [][]byte{subDN}},
		modern).Why())
	t.Log(ChooseClient(all, Request{Types: both, Schemes: modern, Authorities: [][]byte{strangeDN}},
		modern).Why())
}

// The leaf's own key, in a chain that verifies, signed by that key: the whole proof, as a client
// checks it.
func TestACredentialProvesItself(t *testing.T) {
	ca := newCA(t, "whole proof")
	for _, kind := range throwaway.Kinds() {
		c := issue(t, ca, kind, "localhost")
		signed := ServerParams([32]byte{1}, [32]byte{2}, []byte("params"))
		choice := ChooseServer([]*Credential{c}, iana.AuthNone, iana.KexECDHE,
			Hello{Schemes: modern}, Rules{Schemes: modern})
		signature, err := Sign(nil, c.Key.(crypto.Signer), choice.Scheme, signed)
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		theirs, err := ParseChain(c.Chain.Raw())
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		if _, err := theirs.Verify(iana.Server,
			Trust{Roots: ca.Pool(), Name: "localhost", Now: now}); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if err := Verify(publicKey(t, &Credential{Chain: theirs}), choice.Scheme, signed,
			signature); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		signed[0] ^= 1
		if err := Verify(publicKey(t, c), choice.Scheme, signed,
			signature); alert.Of(err) != alert.DecryptError {
			t.Errorf("%s: got %v, expected decrypt_error", kind, err)
		}
	}
}
