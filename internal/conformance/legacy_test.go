package conformance_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/rig"
)

// A camera of 2008: 1024-bit RSA, and an authority that signs with SHA-1.
func TestASHA1ChainHoldsUnderPolicyLegacyOnly(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	issue := func(name string, parent *x509.Certificate) *x509.Certificate {
		c := &x509.Certificate{SerialNumber: big.NewInt(int64(len(name))),
			Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			BasicConstraintsValid: true, IsCA: parent == nil,
			SignatureAlgorithm: x509.SHA1WithRSA,
			KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment |
				x509.KeyUsageCertSign}
		if parent == nil {
			parent = c
		}
		der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		if c, err = x509.ParseCertificate(der); err != nil {
			t.Fatal(err)
		}
		return c
	}
	root := issue("an old authority", nil)
	leaf := issue("camera.test", root)
	server := &vitrine.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw},
		PrivateKey: key}}, Policy: vitrine.Legacy}
	for _, p := range vitrine.Policies() {
		client := &vitrine.Config{ServerName: "camera.test", RootCAs: x509.NewCertPool(),
			LegacyRoots: []*x509.Certificate{root}, Policy: p,
			ClientSessionCache: vitrine.NewLRUClientSessionCache(0)}
		client.RootCAs.AddCert(root)
		for range 2 { // full, and resumed
			c, _, err := rig.Connect(t, client, server)
			if (err == nil) != (p == vitrine.Legacy) {
				t.Fatalf("policy %s: got %v", p.Name(), err)
			}
			if err == nil && len(c.VerifiedChains) != 1 {
				t.Errorf("policy %s: %d chains", p.Name(), len(c.VerifiedChains))
			}
		}
	}
}
