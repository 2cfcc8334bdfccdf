package probe

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
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
