package vitrine

import (
	"crypto"
	"errors"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
)

// RawPublicKey returns a Certificate without certificates: the public half of key stands for
// itself. Among a Config's Certificates it is for peers that accept raw public keys and know this
// one; where a peer accepts both, the order of Certificates decides. A limit may be set in
// SupportedSignatureAlgorithms. crypto/tls cannot use it. See RFC 7250.
func RawPublicKey(key crypto.Signer) Certificate {
	return Certificate{PrivateKey: pki.RawPrivateKey{Signer: key}}
}

// RawKeyPin returns the digest of a public key for Config.RawKeyPins: the SHA-256 of its
// SubjectPublicKeyInfo. It returns an error for a kind of key that cannot be encoded. See RFC 7469
// §2.4.
func RawKeyPin(pub crypto.PublicKey) ([32]byte, error) {
	spki, err := pki.MarshalPublicKey(pub)
	if err != nil {
		return [32]byte{}, fmt.Errorf("vitrine: %w", err)
	}
	return pki.Pin(spki), nil
}

// errUnpinned is returned for a Config that would accept any raw public key.
var errUnpinned = errors.New("vitrine: Config.PeerCertificateTypes has RawPublicKey, but " +
	"neither RawKeyPins nor VerifyRawPublicKey is set to say which keys to accept")

// rawKeys adds to t which raw public keys this side accepts. If verify is set, each key must be
// accepted by a pin or the callback.
func (c *Config) rawKeys(t *negotiation.Trust, verify bool) error {
	for _, list := range [][]iana.CertificateType{c.CertificateTypes, c.PeerCertificateTypes} {
		for i, typ := range list {
			if typ != iana.X509 && typ != iana.RawPublicKey || slices.Contains(list[:i], typ) {
				return fmt.Errorf("vitrine: Config has the certificate type %v, expected X509 and "+
					"RawPublicKey, each once", typ)
			}
		}
	}
	t.PeerTypes = c.PeerCertificateTypes
	accepts := slices.Contains(t.PeerTypes, iana.RawPublicKey)
	switch known := c.RawKeyPins != nil || c.VerifyRawPublicKey != nil; {
	case known && !accepts:
		return errors.New("vitrine: Config has RawKeyPins or VerifyRawPublicKey, but " +
			"PeerCertificateTypes lacks RawPublicKey")
	case known:
		t.VerifyRawKey = c.verifyRawKey
	case accepts && verify:
		return errUnpinned
	}
	return nil
}

// verifyRawKey checks a raw public key against RawKeyPins and then calls VerifyRawPublicKey.
func (c *Config) verifyRawKey(spki []byte) error {
	pin := pki.Pin(spki)
	if c.RawKeyPins != nil && !slices.Contains(c.RawKeyPins, pin) {
		return fmt.Errorf("its SHA-256, %x, is not one of the %d in Config.RawKeyPins", pin,
			len(c.RawKeyPins))
	}
	if c.VerifyRawPublicKey != nil {
		return c.VerifyRawPublicKey(spki)
	}
	return nil
}

// namesPeer reports whether a client can see from a certificate whether it is the server's.
func (c *Config) namesPeer() bool {
	return c.PeerCertificateTypes == nil || slices.Contains(c.PeerCertificateTypes, iana.X509)
}

// rawKeyOf returns the SubjectPublicKeyInfo of a raw public key, or nil for certificates.
func rawKeyOf(c *pki.Chain) []byte {
	if c.Type() != iana.RawPublicKey {
		return nil
	}
	return c.SPKI()
}
