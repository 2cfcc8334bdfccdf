package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// FuzzVerify: whatever a chain is, it is judged; where crypto/x509 knows all of its signatures, as
// crypto/x509 judges it; and no chain with SHA-1 is accepted without Weak.
func FuzzVerify(f *testing.F) {
	ca := newCA(f, "fuzz verify")
	above, err := ca.Intermediate()
	if err != nil {
		f.Fatal(err)
	}
	foreign, err := throwaway.New(throwaway.Options{})
	if err != nil {
		f.Fatal(err)
	}
	for _, kind := range throwaway.Kinds() {
		for _, from := range []*throwaway.CA{ca, above, foreign} {
			c, err := from.Issue(kind, []string{"vitrine.test"})
			if err != nil {
				f.Fatal(err)
			}
			for weak := range byte(4) {
				f.Add(c.Certificate[0], c.Certificate[len(c.Certificate)-1], weak)
			}
		}
	}
	for _, file := range legacyChains(f) {
		f.Add(file[0], file[len(file)-1], byte(3))
	}
	roots := ca.Pool()
	f.Fuzz(func(t *testing.T, leaf, issuer []byte, how byte) {
		c, err := ReadChain([][]byte{leaf, issuer})
		if err != nil {
			return
		}
		trust := Trust{Roots: roots, Name: "vitrine.test", Now: throwaway.Epoch.Add(time.Hour),
			Weak: how&1 != 0}
		if how&2 != 0 {
			trust.Listed = []*x509.Certificate{c.Certs[1]}
		}
		paths, err := c.Verify(iana.Server, trust)
		if (err == nil) != (len(paths) > 0) {
			t.Fatalf("%d paths and %v", len(paths), err)
		}
		for _, p := range paths {
			for _, cert := range p[:len(p)-1] {
				if !trust.Weak && cert.SignatureAlgorithm == x509.SHA1WithRSA {
					t.Errorf("a path with SHA-1: %v", cert.Subject)
				}
			}
		}
		if c.Sound() != nil || c.foreign(trust) || trust.Listed != nil {
			return
		}
		between := x509.NewCertPool()
		between.AddCert(c.Certs[1])
		_, theirs := c.Leaf().Verify(x509.VerifyOptions{Roots: roots, Intermediates: between,
			CurrentTime: trust.Now, DNSName: trust.Name,
			KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
		if (theirs == nil) != (err == nil) {
			t.Errorf("crypto/x509 says %v, we say %v", theirs, err)
		}
	})
}

// legacyChains are chains that crypto/x509 does not verify.
func legacyChains(f *testing.F) (all [][][]byte) {
	for _, o := range []throwaway.Options{{PublicRSA: true}, {}} {
		ca, err := throwaway.New(o)
		if err != nil {
			f.Fatal(err)
		}
		c, err := ca.Issue(throwaway.RSAPSS, []string{"vitrine.test"})
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, [][]byte{c.Certificate[0], ca.Cert.Raw})
	}
	return all
}

// FuzzParsePrivateKey: what crypto/x509 reads in any of its forms is read, and the same key.
func FuzzParsePrivateKey(f *testing.F) {
	ca := newCA(f, "fuzz keys")
	for _, kind := range throwaway.Kinds() {
		c, err := ca.Issue(kind, []string{"vitrine.test"})
		if err != nil {
			f.Fatal(err)
		}
		der, err := throwaway.PKCS8(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(der)
		switch k := c.PrivateKey.(type) {
		case *rsa.PrivateKey:
			f.Add(x509.MarshalPKCS1PrivateKey(k))
		case *ecdsa.PrivateKey:
			if der, err := x509.MarshalECPrivateKey(k); err == nil {
				f.Add(der)
			}
		}
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		ours, err := ParsePrivateKey(der)
		if err == nil {
			if signer, ok := ours.(crypto.Signer); !ok || signer.Public() == nil {
				t.Fatalf("a key of type %T", ours)
			}
		}
		theirs := standardKey(der)
		if theirs == nil {
			return
		}
		pub := theirs.Public().(interface{ Equal(crypto.PublicKey) bool })
		if err != nil || !pub.Equal(ours.(crypto.Signer).Public()) {
			t.Errorf("crypto/x509 reads a %T, we: %v", theirs, err)
		}
	})
}

// standardKey is a key as crypto/x509 reads it; nil if it does not.
func standardKey(der []byte) crypto.Signer {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		if k, err := x509.ParsePKCS1PrivateKey(der); err == nil {
			return k
		}
		if k, err := x509.ParseECPrivateKey(der); err == nil {
			return k
		}
		return nil
	}
	switch k := key.(type) {
	case *rsa.PrivateKey:
		return k
	case *ecdsa.PrivateKey:
		return k
	case ed25519.PrivateKey:
		return k
	}
	return nil
}
