package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"fmt"

	"github.com/cloudflare/circl/sign/ed448"

	"github.com/vitrine-tls/vitrine/iana"
)

// A keyKind is the algorithm that a certificate names for its key. There are two for RSA:
// rsaEncryption allows any use, RSASSA-PSS only signatures of that kind.
type keyKind uint8

const (
	keyUnknown keyKind = iota
	keyRSA
	keyPSS
	keyECDSA
	keyEd25519
	keyEd448
)

func (k keyKind) String() string {
	return [...]string{"unknown", "RSA", "RSASSA-PSS", "ECDSA", "Ed25519", "Ed448"}[k]
}

// minRSABits is the shortest RSA key that crypto/rsa computes with, and that a verified peer may
// have; maxRSABits bounds the cost of a public-key operation with a peer's key.
const minRSABits, maxRSABits = 1024, 8192

// keyWords names a key, an RSA key with its length.
func keyWords(pub crypto.PublicKey) string {
	if k := rsaKey(pub); k != nil {
		return fmt.Sprintf("%d-bit %v", k.N.BitLen(), kindOf(pub))
	}
	return kindOf(pub).String()
}

func kindOf(pub crypto.PublicKey) keyKind {
	switch pub.(type) {
	case *rsa.PublicKey:
		return keyRSA
	case *PSSPublicKey:
		return keyPSS
	case *ecdsa.PublicKey:
		if groupOf(pub) != 0 {
			return keyECDSA
		}
	case ed25519.PublicKey:
		return keyEd25519
	case ed448.PublicKey:
		return keyEd448
	}
	return keyUnknown
}

// groupOf returns the group of an ECDSA key, and 0 for any other key.
func groupOf(pub crypto.PublicKey) iana.Group {
	if k, ok := pub.(*ecdsa.PublicKey); ok {
		switch k.Curve {
		case elliptic.P256():
			return iana.Secp256r1
		case elliptic.P384():
			return iana.Secp384r1
		case elliptic.P521():
			return iana.Secp521r1
		}
	}
	return 0
}

// rsaKey returns the RSA key of a public key, or nil.
func rsaKey(pub crypto.PublicKey) *rsa.PublicKey {
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		return pub
	case *PSSPublicKey:
		return pub.PublicKey
	}
	return nil
}
