package pki_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/pki"
)

// old is an authority of the kind that old devices have: 1024-bit RSA or ECDSA, and SHA-1.
type old struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func (o *old) issue(t *testing.T, key crypto.Signer, edit func(*x509.Certificate)) *old {
	t.Helper()
	c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "an old device"}, DNSNames: []string{"old.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageCertSign}
	if edit != nil {
		edit(c)
	}
	parent, signer := c, key
	if o != nil {
		parent, signer = o.cert, o.key
	}
	if c.SignatureAlgorithm = x509.SHA1WithRSA; signer != nil {
		if _, ok := signer.(*ecdsa.PrivateKey); ok {
			c.SignatureAlgorithm = x509.ECDSAWithSHA1
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return &old{c, key}
}

func authority(c *x509.Certificate) {
	c.IsCA, c.DNSNames, c.Subject.CommonName = true, nil, "an old authority"
}

func between(c *x509.Certificate) { authority(c); c.Subject.CommonName = "between" }

func TestALegacyChainIsWalkedAndNothingElse(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var none *old
	root, other := none.issue(t, key, authority), none.issue(t, curve, authority)
	middle := root.issue(t, key, between)
	leaf := root.issue(t, key, nil)
	for _, tt := range []struct {
		name  string
		chain []*old
		roots []*old
		want  string // server name
		ok    bool
	}{
		{"RSA, SHA-1", []*old{leaf}, []*old{root}, "old.test", true},
		{"ECDSA, SHA-1", []*old{other.issue(t, curve, nil)}, []*old{other}, "old.test", true},
		{"with an intermediate", []*old{middle.issue(t, key, nil), middle}, []*old{root}, "old.test", true},
		{"in any order, with others between", []*old{middle.issue(t, key, nil), other, root, middle}, []*old{root}, "old.test", true},
		{"another name", []*old{leaf}, []*old{root}, "new.test", false},
		{"another authority of the same name", []*old{leaf}, []*old{other}, "old.test", false},
		{"no root", []*old{leaf, root}, nil, "old.test", false},
		{"signed by no authority", []*old{leaf.issue(t, key, nil), leaf}, []*old{root}, "old.test", false},
		{"an authority that may not sign", []*old{root.issue(t, key, func(c *x509.Certificate) { between(c); c.KeyUsage = x509.KeyUsageCRLSign }).issue(t, key, nil)},
			[]*old{root}, "old.test", false},
		{"expired", []*old{root.issue(t, key, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })}, []*old{root}, "old.test", false},
		{"an intermediate that expired", func() []*old {
			m := root.issue(t, key, func(c *x509.Certificate) { between(c); c.NotAfter = time.Now().Add(-time.Minute) })
			return []*old{m.issue(t, key, nil), m}
		}(), []*old{root}, "old.test", false},
		{"for clients", []*old{root.issue(t, key, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })}, []*old{root}, "old.test", false},
		{"too many authorities below", func() []*old {
			r := none.issue(t, key, func(c *x509.Certificate) { authority(c); c.MaxPathLenZero = true; c.Subject.CommonName = "no more" })
			m := r.issue(t, key, between)
			return []*old{m.issue(t, key, nil), m, r}
		}(), nil, "old.test", false},
		{"names constrained", func() []*old {
			m := root.issue(t, key, func(c *x509.Certificate) { between(c); c.PermittedDNSDomains = []string{"elsewhere.test"} })
			return []*old{m.issue(t, key, nil), m}
		}(), []*old{root}, "old.test", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			chain, pool := &pki.Chain{}, x509.NewCertPool()
			for _, c := range tt.chain {
				chain.Certs = append(chain.Certs, c.cert)
			}
			var roots []*x509.Certificate
			for _, r := range tt.roots {
				roots = append(roots, r.cert)
				pool.AddCert(r.cert)
			}
			trust := pki.Trust{Roots: pool, Name: tt.want}
			paths, err := chain.VerifyLegacy(iana.Server, trust, roots)
			if ok := err == nil && len(paths) == 1; ok != tt.ok {
				t.Errorf("got %d paths and %v, expected it to hold: %v", len(paths), err, tt.ok)
			}
			if _, err := chain.Verify(iana.Server, trust); err == nil {
				t.Error("it holds without the walk, too: the case proves nothing")
			} else if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok && tt.want == "old.test" {
				t.Errorf("got %v", err)
			}
			if tt.ok { // a root that is in the pool and in the chain needs no list
				if chain.Certs = append(chain.Certs, roots...); true {
					if _, err := chain.VerifyLegacy(iana.Server, trust, nil); err != nil {
						t.Errorf("with the root in the chain: %v", err)
					}
				}
				bad := *chain.Certs[0]
				bad.Signature = append([]byte{}, bad.Signature...)
				bad.Signature[len(bad.Signature)-1] ^= 1
				chain.Certs[0] = &bad
				if _, err := chain.VerifyLegacy(iana.Server, trust, roots); err == nil {
					t.Error("a flipped bit of the signature was not noticed")
				}
			}
		})
	}
}
