package pki

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
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
			for how := range byte(4) {
				f.Add(c.Certificate[0], c.Certificate[len(c.Certificate)-1], []byte{}, how)
			}
		}
	}
	for _, file := range legacyChains(f) {
		f.Add(file[0], file[len(file)-1], []byte{}, byte(3))
	}
	keep := testkit.SampleSeeds(11)
	for _, c := range slices.Concat(signatureCases(f), weakCases(f), mixedCases(f)) {
		leaf, root := c.chain[0].cert.Raw, []byte{}
		if len(c.roots) > 0 {
			root = c.roots[0].cert.Raw
		}
		for how := range byte(16) {
			if keep() {
				last := c.chain[len(c.chain)-1].cert.Raw
				f.Add(leaf, last, root, how)
				f.Add(leaf, last, last, how)
			}
		}
		for _, spoilt := range testkit.Spoil(leaf, 7) {
			f.Add(spoilt, c.chain[len(c.chain)-1].cert.Raw, root, byte(1))
		}
	}
	f.Add([]byte{}, []byte{}, []byte{}, byte(0))
	roots := ca.Pool()
	f.Fuzz(func(t *testing.T, leaf, issuer, root []byte, how byte) {
		c, err := ReadChain([][]byte{leaf, issuer})
		if err != nil {
			return
		}
		trust := Trust{Roots: roots, Name: "vitrine.test", Now: throwaway.Epoch.Add(time.Hour),
			Weak: how&1 != 0}
		if how&2 != 0 {
			trust.Listed = []*x509.Certificate{c.Certs[1]}
		}
		if own, err := x509.ParseCertificate(root); err == nil {
			trust.Now, trust.Name = now, "a.test"
			if how&2 == 0 {
				trust.Listed = append(trust.Listed, own)
			}
			trust.Roots = x509.NewCertPool()
			trust.Roots.AddCert(own)
		}
		if how&8 != 0 {
			if _, err := c.Verify(iana.Server, Trust{Roots: roots, Now: now}); err == nil {
				t.Fatal("a server is believed without a name")
			}
			c.Verify(iana.Client, trust)
			if _, err := new(Chain).Verify(iana.Client, trust); err == nil {
				t.Fatal("an empty chain is believed")
			}
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
		_, theirs := c.Leaf().Verify(x509.VerifyOptions{Roots: trust.Roots, Intermediates: between,
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
		for _, spoilt := range testkit.Spoil(der[:min(len(der), 40)], 40) {
			f.Add(append(spoilt, der[min(len(der), 40):]...))
		}
		f.Add(bytes.Replace(der, []byte{0x2b, 0x65}, []byte{0x2b, 0x66}, 1))
		f.Add(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
		f.Add(append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}),
			pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...))
		f.Add(append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Cert.Raw}),
			pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...))
		f.Add(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der[:9]}))
		switch k := c.PrivateKey.(type) {
		case *rsa.PrivateKey:
			f.Add(x509.MarshalPKCS1PrivateKey(k))
		case *ecdsa.PrivateKey:
			if der, err := x509.MarshalECPrivateKey(k); err == nil {
				f.Add(der)
			}
		}
	}
	x25519, err := ecdh.X25519().NewPrivateKey(make([]byte, 32))
	if err != nil {
		f.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(x25519) // crypto/x509 reads it; it signs nothing
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	f.Fuzz(func(t *testing.T, der []byte) {
		if pair, err := KeyPair(der, der); err == nil { // a file may hold both
			if _, err := FromTLS(&pair); err != nil || pair.Leaf == nil {
				t.Fatalf("a pair without a leaf, or that is none: %v", err)
			}
		}
		ours, err := ParsePrivateKey(der)
		if err == nil {
			signer, signs := ours.(crypto.Signer)
			if _, agrees := ours.(*ecdh.PrivateKey); !agrees && (!signs || signer.Public() == nil) {
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
