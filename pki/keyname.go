package pki

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"fmt"

	"github.com/cloudflare/circl/sign/ed448"
	"golang.org/x/crypto/cryptobyte"
)

// KeyName returns the kind and the size of a certificate's public key, such as "RSA 2048", "ECDSA
// P-256" and "Ed448", also of keys that crypto/x509 does not read.
func KeyName(c *x509.Certificate) string {
	pub := c.PublicKey
	if pub == nil {
		pub, _ = parseSPKI(c.RawSubjectPublicKeyInfo)
	}
	switch k := pub.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	case *PSSPublicKey:
		return fmt.Sprintf("RSA-PSS %d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + k.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	case ed448.PublicKey:
		return "Ed448"
	}
	oid, params, _, ok := splitSPKI(c.RawSubjectPublicKeyInfo)
	switch {
	case !ok:
		return "a key that cannot be read"
	case oid.Equal(oidECDSA):
		return "ECDSA " + curveName(params)
	}
	if name, known := keyKinds[oid.String()]; known {
		return name
	}
	return "a key of the kind " + oid.String()
}

// curveName returns the name of a curve from the parameters of a key. See RFC 5480 §2.1.1.
func curveName(params cryptobyte.String) string {
	var curve asn1.ObjectIdentifier
	if !params.ReadASN1ObjectIdentifier(&curve) {
		return "on a curve that is written out instead of named"
	}
	if name, ok := curves[curve.String()]; ok {
		return name
	}
	return "on the curve " + curve.String()
}

var oidECDSA = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}

// curves are the names of curves that keys of certificates are on.
var curves = map[string]string{
	"1.2.840.10045.3.1.1": "secp192r1", "1.3.132.0.33": "secp224r1", "1.3.132.0.10": "secp256k1",
	"1.2.840.10045.3.1.7": "P-256", "1.3.132.0.34": "P-384", "1.3.132.0.35": "P-521",
	"1.3.36.3.3.2.8.1.1.7": "brainpoolP256r1", "1.3.36.3.3.2.8.1.1.11": "brainpoolP384r1",
	"1.3.36.3.3.2.8.1.1.13": "brainpoolP512r1",
}

// keyKinds are kinds of public keys that no suite of Vitrine uses.
var keyKinds = map[string]string{
	"1.2.840.10040.4.1": "DSA", "1.3.101.110": "X25519", "1.3.101.111": "X448",
	"1.2.840.10046.2.1": "Diffie-Hellman", "2.16.840.1.101.3.4.3.17": "ML-DSA-44",
	"2.16.840.1.101.3.4.3.18": "ML-DSA-65", "2.16.840.1.101.3.4.3.19": "ML-DSA-87",
	"1.2.643.7.1.1.1.1": "GOST R 34.10-2012, 256 bits",
	"1.2.643.7.1.1.1.2": "GOST R 34.10-2012, 512 bits",
}
