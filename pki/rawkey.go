package pki

import (
	"crypto/x509"
	"errors"

	"github.com/vitrine-tls/vitrine/alert"
)

// Raw public keys: a SubjectPublicKeyInfo takes the place of a chain. It does not say who owns the
// key, so it can only be accepted by a peer that already knows the key. See RFC 7250.

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
