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
	"encoding/asn1"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"golang.org/x/crypto/ocsp"
)

// Whatever stands in a chain, reading it ends in a chain that is written as it was, or in
// bad_certificate; and every question that can be asked of it has an answer.
func FuzzParseChain(f *testing.F) {
	for _, c := range one() {
		f.Add(c.Chain.Leaf().Raw, []byte{})
		f.Add(c.Chain.Leaf().Raw, c.Chain.Leaf().Raw)
		for _, spoilt := range testkit.Spoil(c.Chain.Leaf().Raw, 30) {
			f.Add(spoilt, c.Chain.Leaf().Raw)
		}
	}
	for _, der := range rareCertificates(f) {
		f.Add(der, []byte{})
		f.Add(der, der)
	}
	f.Add([]byte{}, []byte{0x30, 0})
	f.Add([]byte{}, []byte{})
	f.Add(one()[throwaway.ECDSA].Chain.Leaf().Raw, []byte{maxCertificates + 1})
	roots := newCA(f, "fuzz").Pool()
	f.Fuzz(func(t *testing.T, leaf, issuer []byte) {
		raw := [][]byte{leaf, issuer}[:min(1, len(leaf))+min(1, len(issuer))]
		if len(issuer) == 1 { // as many as it says
			raw = slices.Repeat(raw[:1], int(issuer[0]))
		}
		if lenient, err := ReadChain(raw); err == nil {
			if pub, err := lenient.PublicKey(); (err == nil) != (kindOf(pub) != keyUnknown) {
				t.Fatalf("got %v, %v", pub, err)
			}
			if (lenient.Sound() == nil) != (len(lenient.Faults()) == 0) {
				t.Fatalf("faults %v, and %v", lenient.Faults(), lenient.Sound())
			}
			if err := lenient.Fits(iana.AuthRSA, iana.KexRSA, false); err != nil {
				if err := lenient.Excuse(err); err == nil && lenient.Sound() == nil {
					t.Fatal("what was excused is no fault")
				}
			}
		}
		c, err := ParseChain(raw)
		if err != nil {
			if alert.Of(err) != alert.BadCertificate {
				t.Fatalf("got %v: %v", alert.Of(err), err)
			}
			return
		}
		if !slices.EqualFunc(c.Raw(), raw, bytes.Equal) {
			t.Fatal("the chain is not written as it was read")
		}
		pub, err := c.PublicKey()
		if (err == nil) != (kindOf(pub) != keyUnknown) {
			t.Fatalf("got %v, %v", pub, err)
		}
		if len(c.Certs) == 0 {
			return
		}
		for _, s := range every {
			if err == nil && Verify(pub, s, leaf, issuer) == nil {
				t.Fatalf("a certificate is a signature with %v", s)
			}
		}
		c.Fits(iana.AuthNone, iana.KexNone, false)
		c.FitsGroups([]iana.Group{iana.Secp256r1})
		c.Satisfies(modern)
		MustStaple(c.Leaf())
		if paths, err := c.Verify(iana.Server,
			Trust{Roots: roots, Name: "localhost", Now: now}); err == nil {
			t.Fatalf("verified under a root that signed nothing: %v", paths)
		}
	})
}

// rareCertificates are those with keys of rarer kinds, or that crypto/x509 refuses.
func rareCertificates(f *testing.F) (all [][]byte) {
	for _, name := range refusedNames {
		der, _ := refused(f, name)
		all = append(all, der)
		all = append(all, testkit.Spoil(der, 60)...)
	}
	ca, keys := newCA(f, "fuzz rare"), forgeKeys()
	negative := field(1, []byte{2, 1, 0x80}).tbs
	late := func(fields []asn1.RawValue) []asn1.RawValue {
		fields[4] = asn1.RawValue{FullBytes: validity(0x18, "20060102150405Z", time.Hour)}
		return negative(fields)
	}
	for _, c := range []struct {
		key crypto.Signer
		form
	}{{keys.rsa[0], form{sig: sha256RSA, tbs: negative}},
		{keys.ecdsa[0], form{sig: sha256ECDSA, tbs: late}},
		{keys.ed448, form{sig: ed448Alg, tbs: negative}},
		{keys.rsa[1], form{sig: sha256RSA, pss: true, tbs: negative}}} {
		all = append(all, issue509(f, nil, c.key, c.form, nil).cert.Raw)
	}
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	huge := &rsa.PublicKey{N: new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), maxRSABits),
		big.NewInt(1)), E: 65537}
	for _, key := range []crypto.Signer{p224, publicOnly{huge}} {
		c, err := ca.Certify(key, []string{"localhost"})
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, c.Certificate[0], bytes.Replace(c.Certificate[0], []byte{2, 1, 2, 2},
			[]byte{2, 1, 3, 2}, 1))
	}
	for _, kind := range throwaway.Kinds() {
		c, err := ca.Issue(kind, []string{"localhost", "::1"})
		if err != nil {
			f.Fatal(err)
		}
		der := c.Certificate[0] // and of a kind that is not known, or of a version that is not
		all = append(all, der, bytes.Replace(der, []byte{0x2b, 0x65}, []byte{0x2b, 0x66}, -1),
			bytes.Replace(der, []byte{1, 1, 10}, []byte{1, 1, 99}, -1),
			bytes.Replace(der, []byte{2, 1, 2, 2}, []byte{2, 1, 9, 2}, 1))
	}
	return append(all, badURI(f))
}

// refusedNames are the files of testdata/refused.
var refusedNames = []string{"neg-serial", "san-nonascii", "san-ip-badlen", "explicit", "rsa512"}

func FuzzPublicKey(f *testing.F) {
	for _, name := range []string{"unrestricted.pem", "sha256-salt32.pem", "sha384-salt20.pem",
		"sha512-salt100.pem", "sha1-salt20.pem",
		"sha256-mgf1sha1.pem", "ed448.pem"} {
		spki := readSPKI(f, name)
		f.Add(append(bytes.Clone(spki), 0))
		f.Add(spki)
		for _, spoilt := range testkit.Spoil(spki[:min(len(spki), 90)], 60) {
			f.Add(append(spoilt, spki[min(len(spki), 90):]...))
		}
		for i := range min(len(spki), 90) { // each byte of what precedes the key
			for _, x := range []byte{1, 3, 0x80} {
				b := bytes.Clone(spki)
				b[i] ^= x
				f.Add(b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		if c, err := ReadRawKey(der); err == nil {
			if again := c.Raw(); len(again) != 1 || !bytes.Equal(again[0], der) ||
				c.Leaf() != nil ||
				c.Type() != iana.RawPublicKey ||
				!bytes.Equal(c.SPKI(), der) ||
				c.Subject() == "" {
				t.Fatalf("the key %x is %x, of type %v", der, again, c.Type())
			}
			if _, err := c.Verify(iana.Server, Trust{Name: "localhost"}); err == nil {
				t.Fatal("a raw key is a verified chain")
			}
		}
		pub, err := parseSPKI(der)
		if (err == nil) != (pub != nil) {
			t.Fatalf("got %v, %v", pub, err)
		}
		if pss, ok := pub.(*PSSPublicKey); ok &&
			(pss.PublicKey == nil || pss.Salt < 0 || pss.Hash == 0 && pss.Salt != 0) {
			t.Fatalf("got %v", pss)
		}
		for _, s := range Schemes(pub) {
			if alert.Of(Verify(pub, s, der, []byte{1})) != alert.DecryptError {
				t.Fatalf("%v verifies", s)
			}
		}
	})
}

func FuzzCheckStaple(f *testing.F) {
	ca := newCA(f, "fuzz staples")
	cert, err := ca.Issue(throwaway.ECDSA, []string{"localhost"})
	if err != nil {
		f.Fatal(err)
	}
	demanding, err := ca.Issue(throwaway.ECDSA, []string{"localhost"}, throwaway.MustStaple)
	if err != nil {
		f.Fatal(err)
	}
	good, err := ca.Staple(cert.Leaf)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	responder, err := ca.Issue(throwaway.RSA, nil)
	if err != nil {
		f.Fatal(err)
	}
	delegated, err := ca.StapleBy(responder, cert.Leaf)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(delegated)
	signer, err := ca.Issue(throwaway.ECDSA, []string{"responder"}, func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}
	})
	if err != nil {
		f.Fatal(err)
	}
	byDelegate, err := ca.StapleBy(signer, cert.Leaf)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(byDelegate)
	for _, b := range staples(f, ca, cert, delegated, good) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, response []byte) {
		if err := CheckStaple(
			response,
			demanding.Leaf,
			ca.Cert,
			now,
		); err == nil &&
			len(response) == 0 {
			t.Fatal("no response is good, where one is demanded")
		}
		for _, when := range []time.Time{now.Add(-48 * time.Hour), now.Add(480 * time.Hour)} {
			if len(response) > 0 && CheckStaple(response, cert.Leaf, ca.Cert, when) == nil {
				t.Fatalf("a response is good at %v: %x", when, response)
			}
		}
		err := CheckStaple(response, cert.Leaf, ca.Cert, now)
		if err == nil && len(response) > 0 && !containsSigned(response, good) &&
			!containsSigned(response, byDelegate) {
			t.Fatalf("a response that nobody signed is good: %x", response)
		}
		if d := alert.Of(err); err != nil && d != alert.BadCertificateStatusResponse &&
			d != alert.CertificateRevoked {
			t.Fatalf("got %v: %v", d, err)
		}
	})
}

// staples are responses with one fault each, and damaged ones.
func staples(f *testing.F, ca *throwaway.CA, cert tls.Certificate, valid ...[]byte) [][]byte {
	other := newCA(f, "fuzz other staples")
	var all [][]byte
	add := func(b []byte, err error) {
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, b)
	}
	for _, edit := range []func(*ocsp.Response){
		func(r *ocsp.Response) { r.NextUpdate = time.Time{} },
		func(r *ocsp.Response) { r.Status, r.RevokedAt = ocsp.Revoked, at(-time.Hour) },
		func(r *ocsp.Response) { r.Status = ocsp.Unknown },
		func(r *ocsp.Response) { r.SerialNumber = ca.Cert.SerialNumber },
		func(r *ocsp.Response) { r.ThisUpdate = at(time.Hour) },
		func(r *ocsp.Response) { r.NextUpdate = at(-time.Minute) },
		func(r *ocsp.Response) { r.Certificate = ca.Cert },
	} {
		add(ca.Staple(cert.Leaf, edit))
	}
	add(other.Staple(cert.Leaf))
	signing := func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}
	}
	for _, edit := range []func(*x509.Certificate){signing,
		func(c *x509.Certificate) { signing(c); expired(c) }} {
		for _, by := range []*throwaway.CA{ca, other} {
			responder, err := by.Issue(throwaway.ECDSA, []string{"responder"}, edit)
			if err != nil {
				f.Fatal(err)
			}
			add(ca.StapleBy(responder, cert.Leaf))
			add(other.StapleBy(responder, cert.Leaf))
		}
	}
	for _, b := range valid {
		all = append(all, testkit.Spoil(b, 60)...)
	}
	return append(all, nil, ocsp.TryLaterErrorResponse)
}

// containsSigned looks for what the only signer signed: what stands around it may vary.
func containsSigned(response, good []byte) bool {
	i := bytes.Index(good, []byte("\x18\x0f20260101000000Z")) // producedAt
	return bytes.Contains(response, good[i:i+60])
}

func BenchmarkSign(b *testing.B) {
	for _, kind := range throwaway.Kinds() {
		c := one()[kind]
		s := Schemes(publicKey(b, c))[0]
		b.Run(s.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Sign(nil, c.Key.(crypto.Signer), s, []byte("signed")); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, kind := range throwaway.Kinds() {
		c := one()[kind]
		pub := publicKey(b, c)
		s := Schemes(pub)[0]
		signature, err := Sign(nil, c.Key.(crypto.Signer), s, []byte("signed"))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(s.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := Verify(pub, s, []byte("signed"), signature); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkChain(b *testing.B) {
	ca := newCA(b, "bench")
	raw := issue(b, ca, throwaway.ECDSA, "localhost").Chain.Raw()
	trust := Trust{Roots: ca.Pool(), Name: "localhost", Now: now}
	b.Run("parse", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := ParseChain(raw); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parse, verify", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c, err := ParseChain(raw)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := c.Verify(iana.Server, trust); err != nil {
				b.Fatal(err)
			}
		}
	})
}
