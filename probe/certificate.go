package probe

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"slices"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/diagnose"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/pki"
)

// isSCTList reports whether x is a list of signed certificate timestamps. See RFC 6962 §3.3.
func isSCTList(x pkix.Extension) bool {
	return x.Id.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2})
}

// keyOf describes the public key of a certificate.
func keyOf(c *x509.Certificate) Key {
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return Key{"RSA", k.N.BitLen()}
	case *ecdsa.PublicKey:
		return Key{"ECDSA", k.Curve.Params().BitSize}
	case ed25519.PublicKey:
		return Key{"Ed25519", 256}
	}
	return Key{Type: "other"}
}

// chain notes a chain that the server sent, once for each leaf.
func (p *prober) chain(raw [][]byte, stapled, scts bool) {
	if len(raw) == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.report.Chains {
		if old := &p.report.Chains[i]; string(old.raw[0]) == string(raw[0]) {
			old.Stapled = old.Stapled || stapled
			if scts {
				old.SCTs = Yes
			}
			return
		}
	}
	if len(p.report.Chains) == maxChains {
		return
	}
	p.report.Chains = append(p.report.Chains, p.judge(raw, stapled, scts))
}

const maxChains = 16 // of one server: a hostile one could send a different one in each answer

// judge describes a chain and checks it.
func (p *prober) judge(raw [][]byte, stapled, scts bool) Chain {
	c := Chain{raw: raw, Length: len(raw), Stapled: stapled, Trusted: NotTold, SCTs: NotTold,
		Names: []string{}}
	leaf, err := pki.ReadCertificate(raw[0])
	if err != nil {
		c.Trusted, c.Trust = No, "it cannot be read: "+alert.Escape(err.Error())
		return c
	}
	c.Subject, c.Issuer = bounded(leaf.Subject.String()), bounded(leaf.Issuer.String())
	c.NotBefore, c.NotAfter = leaf.NotBefore, leaf.NotAfter
	c.Signed, c.Key = leaf.SignatureAlgorithm.String(), keyOf(leaf)
	c.Must, c.Pin = pki.MustStaple(leaf), pki.PinText(leaf.RawSubjectPublicKeyInfo)
	for _, name := range diagnose.Names(leaf) {
		if len(c.Names) == 100 {
			break
		}
		c.Names = append(c.Names, bounded(name))
	}
	c.SCTs = No
	if scts || slices.ContainsFunc(leaf.Extensions, isSCTList) {
		c.SCTs = Yes
	}
	p.verify(&c, leaf)
	return c
}

// verify checks the chain against the roots, for the name that was asked for.
func (p *prober) verify(c *Chain, leaf *x509.Certificate) {
	chain, err := pki.ReadChain(c.raw)
	if err == nil {
		_, err = chain.Verify(iana.Server, pki.Trust{Roots: p.roots, Listed: p.listed,
			Name: p.name, Now: p.report.At})
	}
	if err == nil {
		c.Trusted = Yes
		return
	}
	c.Trusted = No
	var certs []*x509.Certificate
	if chain != nil {
		certs = chain.Certs
	}
	if cause, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		err = cause.Err
	}
	c.Trust = bounded(diagnose.Distrust(err, certs, p.report.At))
}
