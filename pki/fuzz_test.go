package pki

import (
	"bytes"
	"crypto"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// Whatever stands in a chain, reading it ends in a chain that is written as it was, or in
// bad_certificate; and every question that can be asked of it has an answer.
func FuzzParseChain(f *testing.F) {
	for _, c := range one() {
		f.Add(c.Chain.Leaf().Raw, []byte{})
		f.Add(c.Chain.Leaf().Raw, c.Chain.Leaf().Raw)
	}
	f.Add([]byte{}, []byte{0x30, 0})
	roots := newCA(f, "fuzz").Pool()
	f.Fuzz(func(t *testing.T, leaf, issuer []byte) {
		raw := [][]byte{leaf, issuer}[:1+min(1, len(issuer))]
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

func FuzzPublicKey(f *testing.F) {
	for _, name := range []string{"unrestricted.pem", "sha256-salt32.pem", "sha384-salt20.pem",
		"sha512-salt100.pem", "sha1-salt20.pem",
		"sha256-mgf1sha1.pem", "ed448.pem"} {
		f.Add(readSPKI(f, name))
	}
	f.Fuzz(func(t *testing.T, der []byte) {
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
	f.Fuzz(func(t *testing.T, response []byte) {
		err := CheckStaple(response, cert.Leaf, ca.Cert, now)
		if err == nil && len(response) > 0 && !containsSigned(response, good) {
			t.Fatalf("a response that nobody signed is good: %x", response)
		}
		if d := alert.Of(err); err != nil && d != alert.BadCertificateStatusResponse {
			t.Fatalf("got %v: %v", d, err)
		}
	})
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
