package pki

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/cloudflare/circl/sign/ed448"
	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

var errPrivateKey = errors.New("pki: malformed private key")

// ParsePrivateKey reads a private key in PKCS #8, PKCS #1 or SEC 1, DER. Besides those that
// crypto/x509 reads these are RSASSA-PSS keys, which become an *rsa.PrivateKey (RFC 4055 §1.2), and
// Ed448 keys, which become circl's ed448.PrivateKey (RFC 8410 §7).
func ParsePrivateKey(der []byte) (crypto.PrivateKey, error) {
	if k, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return k, nil
	}
	if k, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return k, nil
	}
	if k, err := x509.ParseECPrivateKey(der); err == nil {
		return k, nil
	}
	return parsePKCS8(der)
}

// parsePKCS8 reads the keys in OneAsymmetricKey that crypto/x509 does not. See RFC 5958 §2.
func parsePKCS8(der []byte) (crypto.PrivateKey, error) {
	input := cryptobyte.String(der)
	var info, algorithm, key cryptobyte.String
	var version int
	var oid asn1.ObjectIdentifier
	if !input.ReadASN1(&info, tag.SEQUENCE) || !input.Empty() ||
		!info.ReadASN1Integer(&version) || version < 0 || version > 1 ||
		!info.ReadASN1(&algorithm, tag.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&oid) ||
		!info.ReadASN1(&key, tag.OCTET_STRING) {
		return nil, errPrivateKey
	}
	switch {
	case oid.Equal(oidEd448):
		var seed cryptobyte.String
		if !algorithm.Empty() || !key.ReadASN1(&seed, tag.OCTET_STRING) || !key.Empty() ||
			len(seed) != ed448.SeedSize {
			return nil, errPrivateKey
		}
		return ed448.NewKeyFromSeed(seed), nil
	case oid.Equal(oidRSAPSS):
		k, err := x509.ParsePKCS1PrivateKey(key)
		if err != nil {
			return nil, errPrivateKey
		}
		return k, nil
	}
	return nil, fmt.Errorf("pki: a private key of an unknown kind (OID %v)", oid)
}

// KeyPair is tls.X509KeyPair for every kind of key that ParsePrivateKey reads.
func KeyPair(certPEM, keyPEM []byte) (tls.Certificate, error) {
	var c tls.Certificate
	for b, rest := pem.Decode(certPEM); b != nil; b, rest = pem.Decode(rest) {
		if b.Type == "CERTIFICATE" {
			c.Certificate = append(c.Certificate, b.Bytes)
		}
	}
	for b, rest := pem.Decode(keyPEM); b != nil && c.PrivateKey == nil; b, rest = pem.Decode(rest) {
		switch b.Type {
		case "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY":
			var err error
			if c.PrivateKey, err = ParsePrivateKey(b.Bytes); err != nil {
				return tls.Certificate{}, err
			}
		}
	}
	if len(c.Certificate) == 0 || c.PrivateKey == nil {
		return tls.Certificate{},
			fmt.Errorf("pki: got %d certificates and a private key of type %T, "+
				"expected both", len(c.Certificate), c.PrivateKey)
	}
	cred, err := FromTLS(&c)
	if err != nil {
		return tls.Certificate{}, err
	}
	c.Leaf = cred.Chain.Leaf()
	return c, nil
}
