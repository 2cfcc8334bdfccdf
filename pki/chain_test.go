package pki

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

func TestAChainToATrustedRootVerifies(t *testing.T) {
	root := newCA(t, "verifies")
	sub, err := root.Intermediate()
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range throwaway.Kinds() {
		c := issue(t, sub, kind, "localhost")
		paths, err := c.Chain.Verify(iana.Server,
			Trust{Roots: root.Pool(), Name: "localhost", Now: now})
		if err != nil {
			t.Errorf("%s: %v", kind, err)
		} else if len(paths) != 1 || len(paths[0]) != 3 || !paths[0][1].Equal(sub.Cert) ||
			!paths[0][2].Equal(root.Cert) {
			t.Errorf("%s: got %d paths, expected one of leaf, intermediate and root", kind,
				len(paths))
		}
		client := issue(t, sub, kind, "a client", throwaway.ForClient)
		if _, err := client.Chain.Verify(iana.Client,
			Trust{Roots: root.Pool(), Now: now}); err != nil {
			t.Errorf("%s for a client: %v", kind, err)
		}
		if !reflect.DeepEqual(c.Chain.Raw(), [][]byte{c.Chain.Leaf().Raw, sub.Cert.Raw}) {
			t.Errorf("%s: the chain is not written as it was read", kind)
		}
	}
}

func TestARefusedChainHasItsAlert(t *testing.T) {
	root := newCA(t, "refused")
	sub, err := root.Intermediate()
	if err != nil {
		t.Fatal(err)
	}
	trust := Trust{Roots: root.Pool(), Name: "localhost", Now: now}
	stranger := newCA(t, "stranger")
	plain := issue(t, root, throwaway.ECDSA, "localhost")
	with := func(edit func(*x509.Certificate)) *Chain {
		return issue(t, root, throwaway.ECDSA, "localhost", edit).Chain
	}
	trustAt := func(d time.Duration) Trust {
		return Trust{Roots: trust.Roots, Name: trust.Name, Now: at(d)}
	}
	sha1 := with(func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 })
	forged := forge(t, plain.Chain)
	oldRoot := &Chain{Certs: []*x509.Certificate{plain.Chain.Leaf(), selfSignedSHA1(t)}}
	usage := func(u ...x509.ExtKeyUsage) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.ExtKeyUsage = u }
	}
	for _, c := range []struct {
		name  string
		chain *Chain
		from  iana.Side
		trust Trust
		alert alert.Description
		word  string
	}{
		{"expired", plain.Chain, iana.Server, trustAt(91 * 24 * time.Hour),
			alert.CertificateExpired, "expired"},
		{"not yet valid", plain.Chain, iana.Server, trustAt(-2 * time.Hour),
			alert.CertificateExpired, "not yet valid"},
		{"another name", plain.Chain, iana.Server,
			Trust{Roots: trust.Roots, Name: "example.com", Now: now}, alert.BadCertificate,
			"not example.com"},
		{"an address that it lacks", plain.Chain, iana.Server,
			Trust{Roots: trust.Roots, Name: "127.0.0.1", Now: now}, alert.BadCertificate,
			"127.0.0.1"},
		{"no name to check", plain.Chain, iana.Server,
			Trust{Roots: trust.Roots, Name: "", Now: now}, alert.InternalError, "no name"},
		{"unknown CA", plain.Chain, iana.Server,
			Trust{Roots: stranger.Pool(), Name: "localhost", Now: now}, alert.UnknownCA,
			"unknown authority"},
		{"intermediate missing",
			&Chain{Certs: issue(t, sub, throwaway.ECDSA, "localhost").Chain.Certs[:1]}, iana.Server,
			trust, alert.UnknownCA, "unknown authority"},
		{"a broken signature", forged, iana.Server, trust, alert.UnknownCA, "unknown authority"},
		{"an issuer that is no CA", imposter(t, plain), iana.Server, trust, alert.UnknownCA, ""},
		{"a client's certificate for a server", with(throwaway.ForClient), iana.Server, trust,
			alert.UnsupportedCertificate, "usage"},
		{"a server's certificate for a client", plain.Chain, iana.Client, trust,
			alert.UnsupportedCertificate, "usage"},
		{"a certificate for e-mail", with(usage(x509.ExtKeyUsageEmailProtection)), iana.Server,
			trust, alert.UnsupportedCertificate, "usage"},
		{"an unknown critical extension", with(func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions,
				pkix.Extension{Id: []int{1, 2, 3}, Critical: true, Value: []byte{5, 0}})
		}), iana.Server, trust, alert.UnsupportedCertificate, "critical"},
		{"a leaf signed with SHA-1", sha1, iana.Server, trust, alert.BadCertificate,
			"ecdsa-with-SHA1"},
		{"a root signed with SHA-1, which matters to nobody", oldRoot, iana.Server,
			Trust{Roots: stranger.Pool(), Name: "localhost", Now: now}, alert.UnknownCA,
			"unknown authority"},
		{"an empty chain", new(Chain), iana.Server, trust, alert.BadCertificate, "empty"},
	} {
		paths, err := c.chain.Verify(c.from, c.trust)
		t.Logf("%-40s %v: %v", c.name, alert.Of(err), err)
		wantAlert(t, err, c.alert, c.word)
		if paths != nil {
			t.Errorf("%s: got paths although it was refused", c.name)
		}
	}
}

func TestTheCauseIsCryptoTLSs(t *testing.T) {
	c := issue(t, newCA(t, "cause"), throwaway.ECDSA, "localhost")
	_, err := c.Chain.Verify(iana.Server,
		Trust{Roots: x509.NewCertPool(), Name: "localhost", Now: now})
	v, ok := errors.AsType[*tls.CertificateVerificationError](err)
	if !ok || len(v.UnverifiedCertificates) != 1 {
		t.Fatalf("got %v, expected a tls.CertificateVerificationError inside", err)
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); !ok {
		t.Errorf("got %v, expected an x509.UnknownAuthorityError inside", err)
	}
}

func selfSignedSHA1(t *testing.T) *x509.Certificate {
	template := &x509.Certificate{SerialNumber: big.NewInt(1),
		SignatureAlgorithm: x509.ECDSAWithSHA1}
	key := one()[throwaway.ECDSA].Key.(crypto.Signer)
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// forge changes the last byte of the leaf, which is in its signature.
func forge(t *testing.T, c *Chain) *Chain {
	raw := slices.Clone(c.Leaf().Raw)
	raw[len(raw)-1] ^= 1
	forged, err := ParseChain([][]byte{raw})
	if err != nil {
		t.Fatal(err)
	}
	return forged
}

// imposter has a leaf signed by another leaf.
func imposter(t *testing.T, issuer *Credential) *Chain {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := *issuer.Chain.Leaf()
	template.SerialNumber = big.NewInt(99)
	der, err := x509.CreateCertificate(rand.Reader, &template, issuer.Chain.Leaf(), key.Public(),
		issuer.Key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseChain([][]byte{der, issuer.Chain.Leaf().Raw})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestMalformedCertificatesAreBadCertificate(t *testing.T) {
	good := one()[throwaway.ECDSA].Chain.Leaf().Raw
	for _, raw := range [][][]byte{{nil}, {{0x30}}, {good, good[:len(good)-1]},
		{append(slices.Clone(good), 0)}, {good[1:]}} {
		_, err := ParseChain(raw)
		wantAlert(t, err, alert.BadCertificate, "certificate ")
	}
	if c, err := ParseChain(nil); err != nil || c.Leaf() != nil || len(c.Raw()) != 0 {
		t.Errorf("an empty chain: got %v, %v; a client may send one (RFC 5246 §7.4.6)", c, err)
	}
}

func TestAHugeRSAKeyIsRefusedBeforeItCostsAnything(t *testing.T) {
	huge := &rsa.PublicKey{N: new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), maxRSABits),
		big.NewInt(1)), E: 65537}
	ca := newCA(t, "huge")
	cert, err := ca.Certify(publicOnly{huge}, []string{"localhost"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = ParseChain([][]byte{one()[throwaway.ECDSA].Chain.Leaf().Raw, cert.Certificate[0]})
	wantAlert(t, err, alert.BadCertificate, "8193 bits")

	spki, err := x509.MarshalPKIXPublicKey(huge)
	if err != nil {
		t.Fatal(err)
	}
	leaf := *one()[throwaway.RSAPSS].Chain.Leaf()
	rsaEncryption, null, pss := []byte{42, 134, 72, 134, 247, 13, 1, 1, 1}, []byte{5, 0},
		[]byte{42, 134, 72, 134, 247, 13, 1, 1, 10}
	i := bytes.Index(spki, rsaEncryption) // and NULL after it, which is left out: two bytes less
	leaf.RawSubjectPublicKeyInfo = slices.Concat(spki[:2],
		[]byte{spki[2], spki[3] - 2, 0x30, 11, 6, 9}, pss, spki[i+len(rsaEncryption)+len(null):])
	_, err = (&Chain{Certs: []*x509.Certificate{&leaf}}).PublicKey()
	wantAlert(t, err, alert.BadCertificate, "8193 bits")
}

// A chain costs no more to read than its bound: RFC 5246 §7.4.2 has none.
func TestLongChainsAreRefused(t *testing.T) {
	leaf := one()[throwaway.ECDSA].Chain.Leaf().Raw
	for _, read := range []func([][]byte) (*Chain, error){ParseChain, ReadChain} {
		if c, err := read(slices.Repeat([][]byte{leaf}, maxCertificates)); err != nil ||
			len(c.Certs) != maxCertificates {
			t.Errorf("%d certificates: %v", maxCertificates, err)
		}
		_, err := read(slices.Repeat([][]byte{{0}}, maxCertificates+1))
		wantAlert(t, err, alert.BadCertificate, "expected at most 64")
	}
}

type publicOnly struct{ crypto.PublicKey }

func (p publicOnly) Public() crypto.PublicKey { return p.PublicKey }
func (publicOnly) Sign(_ io.Reader, _ []byte, _ crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("no private key")
}

func TestAKeyThatTLSDoesNotKnowIsUnsupported(t *testing.T) {
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := newCA(t, "p224").Certify(p224, []string{"localhost"})
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseChain(cert.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.PublicKey()
	wantAlert(t, err, alert.UnsupportedCertificate, "ECDSA")
	wantAlert(t, c.Fits(iana.AuthECDSA, iana.KexECDHE, false), alert.UnsupportedCertificate, "")
	_, err = new(Chain).PublicKey()
	wantAlert(t, err, alert.BadCertificate, "empty")
}

// RFC 5246 §7.4.2 and RFC 8422 §2: which key carries which suite. A dot is a misfit.
func TestALeafFitsTheSuitesOfItsKey(t *testing.T) {
	suites := []struct {
		auth iana.Authentication
		kex  iana.KeyExchange
	}{{iana.AuthRSA, iana.KexRSA}, {iana.AuthRSA, iana.KexDHE}, {iana.AuthRSA, iana.KexECDHE},
		{iana.AuthECDSA, iana.KexECDHE}, {iana.AuthNone, iana.KexNone}}
	n := 0
	for kind, want := range map[throwaway.Kind]string{
		throwaway.RSA: "xxx.x", throwaway.RSAPSS: ".xx.x", throwaway.ECDSA: "...xx",
		throwaway.ECDSAP384: "...xx",
		throwaway.ECDSAP521: "...xx", throwaway.Ed25519: "...xx", throwaway.Ed448: "...xx",
	} {
		for i, s := range suites {
			n++
			err := one()[kind].Chain.Fits(s.auth, s.kex, false)
			if want[i] == 'x' && err != nil {
				t.Errorf("%s with %v_%v: %v", kind, s.kex, s.auth, err)
			} else if want[i] == '.' {
				wantAlert(t, err, alert.IllegalParameter, "expected one for")
			}
		}
	}
	t.Logf("%d combinations", n)
}

func TestKeyUsageIsEnforced(t *testing.T) {
	ca := newCA(t, "key usage")
	for _, c := range []struct {
		usage x509.KeyUsage
		kex   iana.KeyExchange
		word  string // of the refusal
		lax   string // the same where crypto/tls, curl and OpenSSL set the rule
	}{
		{x509.KeyUsageDigitalSignature, iana.KexRSA, "keyEncipherment", ""},
		{x509.KeyUsageKeyEncipherment, iana.KexECDHE, "digitalSignature", ""},
		{x509.KeyUsageKeyEncipherment, iana.KexDHE, "digitalSignature", ""},
		{x509.KeyUsageKeyAgreement, iana.KexRSA, "keyEncipherment", ""},
		{x509.KeyUsageCRLSign, iana.KexRSA, "keyEncipherment", "keyEncipherment"},
		{x509.KeyUsageCertSign, iana.KexECDHE, "digitalSignature", "digitalSignature"},
		{x509.KeyUsageKeyEncipherment, iana.KexRSA, "", ""},
		{x509.KeyUsageDigitalSignature, iana.KexECDHE, "", ""},
		{0, iana.KexRSA, "", ""}, // no extension, no restriction: RFC 5280 §4.2.1.3
		{0, iana.KexECDHE, "", ""},
	} {
		chain := issue(t, ca, throwaway.RSA, "localhost",
			func(t *x509.Certificate) { t.KeyUsage = c.usage }).Chain
		for lax, word := range map[bool]string{false: c.word, true: c.lax} {
			err := chain.Fits(iana.AuthRSA, c.kex, lax)
			if word == "" && err != nil {
				t.Errorf("%#x for %v, lax %v: %v", c.usage, c.kex, lax, err)
			} else if word != "" {
				wantAlert(t, err, alert.IllegalParameter, word)
			}
		}
	}
	agreeing := func(t *x509.Certificate) { t.KeyUsage = x509.KeyUsageKeyAgreement }
	ecdsa := issue(t, ca, throwaway.ECDSA, "localhost", agreeing).Chain
	wantAlert(t, ecdsa.Fits(iana.AuthECDSA, iana.KexECDHE, true), alert.IllegalParameter,
		"digitalSignature")
	client := issue(t, ca, throwaway.ECDSA, "a client", throwaway.ForClient,
		func(t *x509.Certificate) { t.KeyUsage = x509.KeyUsageKeyAgreement }).Chain
	wantAlert(t, client.Fits(iana.AuthNone, iana.KexNone, true), alert.IllegalParameter,
		"digitalSignature")
}

func TestAnECDSAKeyMustBeInASupportedGroup(t *testing.T) {
	p384 := one()[throwaway.ECDSAP384].Chain
	for _, groups := range [][]iana.Group{nil, {iana.X25519, iana.Secp384r1}} {
		if err := p384.FitsGroups(groups); err != nil {
			t.Errorf("%v: %v", groups, err)
		}
	}
	for _, groups := range [][]iana.Group{{}, {iana.X25519, iana.Secp256r1}} {
		wantAlert(t, p384.FitsGroups(groups), alert.IllegalParameter, "secp384r1")
	}
	// RFC 8422 §5.1: no group of theirs
	for _, kind := range []throwaway.Kind{throwaway.RSA, throwaway.Ed25519, throwaway.Ed448} {
		if err := one()[kind].Chain.FitsGroups([]iana.Group{iana.FFDHE2048}); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestEveryCertificateIsSignedWithAnAcceptedScheme(t *testing.T) {
	rsaCA, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	leafKey := one()[throwaway.ECDSA].Key.(crypto.Signer).Public()
	for algorithm, s := range map[x509.SignatureAlgorithm]iana.SignatureScheme{
		x509.SHA1WithRSA: iana.RSA_PKCS1_SHA1, x509.SHA256WithRSA: iana.RSA_PKCS1_SHA256,
		x509.SHA384WithRSA: iana.RSA_PKCS1_SHA384,
		x509.SHA512WithRSA: iana.RSA_PKCS1_SHA512, x509.SHA256WithRSAPSS: iana.RSA_PSS_RSAE_SHA256,
		x509.SHA384WithRSAPSS: iana.RSA_PSS_PSS_SHA384,
		x509.SHA512WithRSAPSS: iana.RSA_PSS_RSAE_SHA512,
		x509.ECDSAWithSHA1:    iana.ECDSA_SHA1, x509.ECDSAWithSHA256: iana.ECDSA_SECP256R1_SHA256,
		x509.ECDSAWithSHA384: iana.ECDSA_SECP384R1_SHA384,
		x509.ECDSAWithSHA512: iana.ECDSA_SECP521R1_SHA512,
		x509.PureEd25519:     iana.ED25519,
	} {
		var signer crypto.Signer = rsaCA
		switch kindOfScheme(s) {
		case keyECDSA:
			signer = one()[throwaway.ECDSA].Key.(crypto.Signer)
		case keyEd25519:
			signer = one()[throwaway.Ed25519].Key.(crypto.Signer)
		}
		parent := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true,
			BasicConstraintsValid: true}
		parent.Subject.CommonName = "issuer"
		leaf := &x509.Certificate{SerialNumber: big.NewInt(2), SignatureAlgorithm: algorithm}
		der, err := x509.CreateCertificate(rand.Reader, leaf, parent, leafKey, signer)
		if err != nil {
			t.Fatalf("%v: %v", algorithm, err)
		}
		c, err := ParseChain([][]byte{der})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Satisfies([]iana.SignatureScheme{iana.ED448, s}); err != nil {
			t.Errorf("%v: %v", algorithm, err)
		}
		others := slices.DeleteFunc(slices.Clone(every),
			func(o iana.SignatureScheme) bool {
				return slices.Contains(signatureSchemes(c.Leaf()), o)
			})
		wantAlert(t, c.Satisfies(others), alert.UnsupportedCertificate, algorithm.String())
	}
}

func TestASelfSignedRootIsExemptFromTheAcceptedSchemes(t *testing.T) {
	root := newCA(t, "exempt")
	alone := &Chain{Certs: []*x509.Certificate{root.Cert}}
	if err := alone.Satisfies([]iana.SignatureScheme{iana.ED448}); err != nil {
		t.Error(err)
	}
	sub, err := root.Intermediate()
	if err != nil {
		t.Fatal(err)
	}
	chain := &Chain{Certs: []*x509.Certificate{sub.Cert, root.Cert}}
	wantAlert(t, chain.Satisfies([]iana.SignatureScheme{iana.ED448}), alert.UnsupportedCertificate,
		"certificate 1 of 2")
}
