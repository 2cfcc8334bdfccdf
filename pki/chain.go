package pki

import (
	"crypto"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"fmt"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// maxCertificates bounds how many certificates of a peer are parsed. What fits into a message would
// be 500 small ones. The longest paths of public authorities have five.
const maxCertificates = 64

// A Chain is a certificate_list, the leaf first, or a raw public key in place of one, which has no
// leaf: see ReadRawKey. See RFC 5246 §7.4.2.
type Chain struct {
	Certs  []*x509.Certificate
	raw    *rawKey
	faults []*Fault
}

// A Fault is why a certificate is refused if it is checked at all: crypto/x509 cannot parse it, its
// key is too short, or its KeyUsage does not allow what it is used for.
type Fault struct {
	Index, Of int // which certificate, from 0, and of how many
	Err       error
}

func (f *Fault) Error() string {
	return fmt.Sprintf("certificate %d of %d: %v", f.Index+1, f.Of, f.Err)
}

// Unwrap returns the reason.
func (f *Fault) Unwrap() error { return f.Err }

// rawKey is the content of a Chain without certificates.
type rawKey struct {
	spki []byte // DER
	pub  crypto.PublicKey
}

// ParseChain parses the certificates of a Certificate message, each in DER. For malformed ones, and
// for a leaf with an RSA key of less than 1024 bits, the error is bad_certificate. An empty chain
// is no error: a client may send one. See RFC 5246 §7.4.6.
func ParseChain(raw [][]byte) (*Chain, error) {
	c, err := ReadChain(raw)
	if err == nil {
		err = c.Sound()
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

// ReadChain is ParseChain for a peer whose certificates are not checked. A certificate that
// crypto/x509 refuses, for a negative serial number or a malformed name for example, is read by
// ReadCertificate, and an RSA key may have less than 1024 bits. Sound and Verify refuse such a
// chain. More than maxCertificates are bad_certificate for both.
func ReadChain(raw [][]byte) (*Chain, error) {
	if len(raw) > maxCertificates {
		return nil, alert.Fail(alert.BadCertificate, "RFC 5246 §7.4.2, RFC 8446 §4.4.2",
			"got %d certificates, expected at most %d", len(raw), maxCertificates)
	}
	c := new(Chain)
	for i, der := range raw {
		cert, err := ReadCertificate(der)
		if err != nil {
			c.faults = append(c.faults, &Fault{i, len(raw), err})
		}
		if k, ok := cert.PublicKey.(*rsa.PublicKey); ok && k.N.BitLen() > maxRSABits {
			return nil, tooLong(k)
		}
		c.Certs = append(c.Certs, cert)
	}
	if len(c.Certs) == 0 {
		return c, nil
	}
	pub := c.Certs[0].PublicKey
	if pub == nil {
		pub, _ = parseSPKI(c.Certs[0].RawSubjectPublicKeyInfo)
	}
	if k := rsaKey(pub); k != nil {
		c.checkRSA(k, len(raw))
	}
	return c, nil
}

// checkRSA adds a Fault for an RSA key of the peer, in the first of n certificates, that is too
// short.
func (c *Chain) checkRSA(k *rsa.PublicKey, n int) {
	if k.N.BitLen() < minRSABits {
		c.faults = append(c.faults, &Fault{0, n, fmt.Errorf("got an RSA key of %d bits, "+
			"expected at least %d", k.N.BitLen(), minRSABits)})
	}
}

func tooLong(k *rsa.PublicKey) error {
	return alert.Fail(alert.BadCertificate, "RFC 5246 §7.4.2, RFC 8446 §4.4.2",
		"got a certificate with an RSA key of %d bits, expected at most %d",
		k.N.BitLen(), maxRSABits)
}

// Leaf returns the certificate of the peer itself, or nil for an empty chain and a raw public key.
func (c *Chain) Leaf() *x509.Certificate {
	if len(c.Certs) == 0 {
		return nil
	}
	return c.Certs[0]
}

// Raw returns the chain in the form of a Certificate message.
func (c *Chain) Raw() [][]byte {
	if c.raw != nil {
		return [][]byte{c.raw.spki}
	}
	raw := make([][]byte, len(c.Certs))
	for i, cert := range c.Certs {
		raw[i] = cert.Raw
	}
	return raw
}

// PublicKey returns the leaf's key: an *rsa.PublicKey, *PSSPublicKey, *ecdsa.PublicKey,
// ed25519.PublicKey or circl's ed448.PublicKey. For any other the error is unsupported_certificate.
func (c *Chain) PublicKey() (crypto.PublicKey, error) {
	if c.raw != nil {
		return c.raw.pub, nil
	}
	leaf := c.Leaf()
	if leaf == nil {
		return nil, alert.Fail(alert.BadCertificate, "RFC 5246 §7.4.2, RFC 8446 §4.4.2",
			"got an empty certificate chain, expected a leaf")
	}
	pub := leaf.PublicKey
	if pub == nil {
		if leaf.RawSubjectPublicKeyInfo == nil {
			return nil, c.Sound() // the key could not be read either
		}
		var err error
		if pub, err = parseSPKI(leaf.RawSubjectPublicKeyInfo); err != nil {
			if len(c.faults) > 0 && c.faults[0].Index == 0 {
				err = c.faults[0].Err // the better reason
			}
			return nil, alert.Fail(alert.UnsupportedCertificate, "RFC 5280 §4.1.2.7",
				"the certificate's public key: %w", err)
		}
		if k, ok := pub.(*PSSPublicKey); ok && k.N.BitLen() > maxRSABits {
			return nil, tooLong(k.PublicKey)
		}
	}
	if kindOf(pub) == keyUnknown {
		return nil, alert.Fail(alert.UnsupportedCertificate, "RFC 5246 §7.4.2, RFC 8446 §4.4.2.2",
			"got a certificate whose key (%v, %T) cannot sign in TLS", leaf.PublicKeyAlgorithm, pub)
	}
	return pub, nil
}

// Faults returns what is wrong with certificates of the chain. It is empty for a chain that
// ParseChain accepts.
func (c *Chain) Faults() []error {
	var all []error
	for _, f := range c.faults {
		all = append(all, f)
	}
	return all
}

// Sound returns an error, bad_certificate, for a chain that has a Fault. The error's cause is a
// *tls.CertificateVerificationError.
func (c *Chain) Sound() error {
	if len(c.faults) == 0 {
		return nil
	}
	f := c.faults[0]
	return &alert.Error{Alert: alert.BadCertificate, Ref: "RFC 5246 §7.4.2", Reason: f.Error(),
		Cause: &tls.CertificateVerificationError{UnverifiedCertificates: c.Certs, Err: f}}
}

// Type returns what the chain is made of.
func (c *Chain) Type() iana.CertificateType {
	if c.raw != nil {
		return iana.RawPublicKey
	}
	return iana.X509
}

// SPKI returns the SubjectPublicKeyInfo of the peer, DER: of the leaf, or the raw public key.
func (c *Chain) SPKI() []byte {
	switch {
	case c.raw != nil:
		return c.raw.spki
	case c.Leaf() != nil:
		return c.Leaf().RawSubjectPublicKeyInfo
	}
	return nil
}

// Subject returns the owner of the leaf's key as text: the leaf's subject, or for a raw public key
// its Pin.
func (c *Chain) Subject() string {
	if c.raw != nil {
		return fmt.Sprintf("raw public key %x", Pin(c.raw.spki))
	}
	if leaf := c.Leaf(); leaf != nil {
		return leaf.Subject.String()
	}
	return ""
}
