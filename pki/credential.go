package pki

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/vitrine-tls/vitrine/iana"
)

// A Credential is an identity that one side can prove: a chain, its private key, and the OCSP
// response and timestamps that are sent with it.
type Credential struct {
	Chain *Chain
	// a crypto.Signer, a crypto.Decrypter, or both; it may live in hardware
	Key    crypto.PrivateKey
	Staple []byte   // an OCSP response for the leaf, DER, or nil
	SCTs   [][]byte // SignedCertificateTimestamps, RFC 6962 §3.3, or nil
	// the schemes that the key may be used with; nil: all of its kind
	Schemes []iana.SignatureScheme

	packed *sync.Map // see Packed; nil remembers nothing
}

// Packed returns what pack makes of a Certificate's body, once for each algorithm and length of
// body: what a handshake sends of one credential rarely changes, and compressing it costs more than
// the signature. The result must not be changed.
func (c *Credential) Packed(algorithm uint16, body []byte,
	pack func() ([]byte, error)) ([]byte, error) {
	type key struct {
		algorithm uint16
		length    int
	}
	type entry struct{ body, packed []byte }
	k := key{algorithm, len(body)}
	if c.packed == nil {
		return pack()
	}
	if e, ok := c.packed.Load(k); ok && bytes.Equal(e.(*entry).body, body) {
		return e.(*entry).packed, nil
	}
	packed, err := pack()
	if err == nil {
		c.packed.Store(k, &entry{bytes.Clone(body), packed})
	}
	return packed, err
}

// FromTLS converts a tls.Certificate. It returns an error if the key is not the leaf's. One with a
// RawPrivateKey stands for a raw public key: RFC 7250.
func FromTLS(c *tls.Certificate) (*Credential, error) {
	if raw, ok := c.PrivateKey.(RawPrivateKey); ok {
		return rawCredential(c, raw.Signer)
	}
	chain, err := ParseChain(c.Certificate)
	if err != nil {
		return nil, err
	}
	pub, err := chain.PublicKey()
	if err != nil {
		return nil, err
	}
	key, ok := c.PrivateKey.(interface{ Public() crypto.PublicKey })
	if !ok {
		return nil, fmt.Errorf("pki: got a private key of type %T, expected a crypto.Signer or a "+
			"crypto.Decrypter", c.PrivateKey)
	}
	if !sameKey(pub, key.Public()) {
		return nil, errors.New("pki: the private key is not the certificate's")
	}
	cred := &Credential{Chain: chain, Key: c.PrivateKey, Staple: c.OCSPStaple,
		SCTs: c.SignedCertificateTimestamps, packed: new(sync.Map)}
	cred.limit(c)
	return cred, nil
}

// limit applies the SupportedSignatureAlgorithms of a tls.Certificate.
func (c *Credential) limit(from *tls.Certificate) {
	for _, s := range from.SupportedSignatureAlgorithms {
		c.Schemes = append(c.Schemes, iana.SignatureScheme(s))
	}
}

// sameKey reports whether the public half of a private key, which does not know RSASSA-PSS, is a
// certificate's key.
func sameKey(leaf, key crypto.PublicKey) bool {
	if pss, ok := leaf.(*PSSPublicKey); ok {
		leaf = pss.PublicKey
	}
	k, ok := leaf.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(key)
}

// scheme chooses how to sign for a peer that accepts theirs, under a policy that allows allowed.
func (c *Credential) scheme(theirs, allowed []iana.SignatureScheme,
	tls13 bool) (iana.SignatureScheme, error) {
	if _, ok := c.Key.(crypto.Signer); !ok {
		return 0, errors.New("its private key cannot sign")
	}
	pub, err := c.Chain.PublicKey()
	if err != nil {
		return 0, err
	}
	if c.Schemes != nil {
		allowed = slices.DeleteFunc(slices.Clone(allowed),
			func(s iana.SignatureScheme) bool { return !slices.Contains(c.Schemes, s) })
	}
	if tls13 {
		allowed = slices.DeleteFunc(slices.Clone(allowed),
			func(s iana.SignatureScheme) bool { return !Signs13(pub, s) })
	}
	return ChooseScheme(pub, theirs, allowed)
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
