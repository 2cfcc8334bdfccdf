package pki

import (
	"crypto"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"

	"github.com/cloudflare/circl/sign/ed448"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// Raw public keys: a SubjectPublicKeyInfo takes the place of a chain. It does not say who owns the
// key, so it can only be accepted by a peer that already knows the key. See RFC 7250.

// rawKey is the content of a Chain without certificates.
type rawKey struct {
	spki []byte // DER
	pub  crypto.PublicKey
}

// ReadRawKey returns the chain that stands for a raw public key, a DER SubjectPublicKeyInfo. The
// error for malformed ones is decode_error, for a key that cannot sign in TLS
// unsupported_certificate, and for an RSA key of more than 8192 bits bad_certificate. A shorter one
// than 1024 bits is a Fault. See RFC 7250 §3.
func ReadRawKey(spki []byte) (*Chain, error) {
	const ref = "RFC 7250 §3"
	pub, err := x509.ParsePKIXPublicKey(spki)
	if err != nil {
		pub, err = parseSPKI(spki)
	}
	switch {
	case errors.Is(err, errSPKI):
		return nil, alert.KindMalformed.Fail(alert.DecodeError, ref, "a raw public key: %w", err)
	case err != nil || kindOf(pub) == keyUnknown:
		return nil, alert.KindCertificateType.Fail(alert.UnsupportedCertificate, ref,
			"got a raw public key (%T) that cannot sign in TLS", pub)
	}
	c := &Chain{raw: &rawKey{spki, pub}}
	if k := rsaKey(pub); k != nil {
		if k.N.BitLen() > maxRSABits {
			return nil, tooLong(k)
		}
		c.checkRSA(k, 1)
	}
	return c, nil
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

// Pin returns the digest by which a public key is pinned: SHA-256 of its SubjectPublicKeyInfo. See
// RFC 7469 §2.4.
func Pin(spki []byte) [sha256.Size]byte { return sha256.Sum256(spki) }

// PinText returns the pin of a SubjectPublicKeyInfo as people write it: sha256/ and base64.
func PinText(spki []byte) string {
	pin := Pin(spki)
	return "sha256/" + base64.StdEncoding.EncodeToString(pin[:])
}

// MarshalPublicKey returns the SubjectPublicKeyInfo of a public key, DER. Besides those that
// crypto/x509 writes these are circl's Ed448 keys. See RFC 8410 §4.
func MarshalPublicKey(pub crypto.PublicKey) ([]byte, error) {
	k, ok := pub.(ed448.PublicKey)
	if !ok {
		return x509.MarshalPKIXPublicKey(pub)
	}
	return asn1.Marshal(struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}{pkix.AlgorithmIdentifier{Algorithm: oidEd448},
		asn1.BitString{Bytes: k, BitLength: 8 * len(k)}})
}

// RawPrivateKey marks the private key of a tls.Certificate that has no certificates and stands for
// a raw public key. Without the mark, a missing chain is an error.
type RawPrivateKey struct{ crypto.Signer }

// rawCredential returns the Credential of a tls.Certificate with a RawPrivateKey.
func rawCredential(c *tls.Certificate, key crypto.Signer) (*Credential, error) {
	if len(c.Certificate) > 0 || key == nil {
		return nil, fmt.Errorf("pki: got %d certificates and a private key of type %T, expected a "+
			"raw public key's alone", len(c.Certificate), key)
	}
	spki, err := MarshalPublicKey(key.Public())
	if err != nil {
		return nil, fmt.Errorf("pki: the raw public key: %w", err)
	}
	chain, err := ReadRawKey(spki)
	if err == nil {
		err = chain.Sound()
	}
	if err != nil {
		return nil, err
	}
	cred := &Credential{Chain: chain, Key: key, packed: new(sync.Map)}
	cred.limit(c)
	return cred, nil
}
