package pki

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"errors"

	"github.com/cloudflare/circl/sign/ed448"
	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"
)

// PSSPublicKey is an RSA key that may only make RSASSA-PSS signatures. See RFC 4055 §1.2.
type PSSPublicKey struct {
	*rsa.PublicKey
	Hash crypto.Hash // the only hash, also of MGF1; 0: any
	Salt int         // the shortest salt, in bytes; it means nothing without Hash
}

var (
	oidRSAPSS = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidMGF1   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8}
	oidEd448  = asn1.ObjectIdentifier{1, 3, 101, 113}
	oidSHA1   = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidSHA256 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidSHA384 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	oidSHA512 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}
)

var (
	errSPKI    = errors.New("malformed SubjectPublicKeyInfo")
	errKeyType = errors.New("unknown kind of public key")
)

// parseSPKI reads the public keys that crypto/x509 leaves unread: RSASSA-PSS and Ed448.
func parseSPKI(der []byte) (crypto.PublicKey, error) {
	oid, params, bits, ok := splitSPKI(der)
	if !ok {
		return nil, errSPKI
	}
	switch {
	case oid.Equal(oidEd448): // RFC 8410 §3: parameters MUST be absent
		if len(params) != 0 || len(bits) != ed448.PublicKeySize {
			return nil, errSPKI
		}
		return ed448.PublicKey(bits), nil
	case oid.Equal(oidRSAPSS):
		return parsePSS(params, bits)
	}
	return nil, errKeyType
}

// splitSPKI returns the parts of a SubjectPublicKeyInfo: algorithm, its parameters (DER, or empty)
// and the key's bits. See RFC 5280 §4.1.
func splitSPKI(der []byte) (
	oid asn1.ObjectIdentifier, params cryptobyte.String, bits []byte, ok bool) {
	input := cryptobyte.String(der)
	var info, algorithm cryptobyte.String
	ok = input.ReadASN1(&info, tag.SEQUENCE) && input.Empty() &&
		info.ReadASN1(&algorithm, tag.SEQUENCE) && algorithm.ReadASN1ObjectIdentifier(&oid) &&
		info.ReadASN1BitStringAsBytes(&bits) && info.Empty()
	return oid, algorithm, bits, ok
}

func parsePSS(params cryptobyte.String, bits []byte) (crypto.PublicKey, error) {
	key, err := x509.ParsePKCS1PublicKey(bits)
	if err != nil {
		return nil, err
	}
	pub := &PSSPublicKey{PublicKey: key}
	if len(params) == 0 {
		return pub, nil
	}
	if pub.Hash, pub.Salt, err = parsePSSParams(params); err != nil {
		return nil, err
	}
	return pub, nil
}

// parsePSSParams parses RSASSA-PSS-params. MGF1 must use the same hash, because no TLS scheme mixes
// two. An absent part stands for SHA-1. See RFC 4055 §3.1.
func parsePSSParams(der cryptobyte.String) (hash crypto.Hash, salt int, err error) {
	var fields, hashID, mgf, saltLen, trailer cryptobyte.String
	var hasHash, hasMGF, hasSalt, hasTrailer bool
	if !der.ReadASN1(&fields, tag.SEQUENCE) || !der.Empty() ||
		!fields.ReadOptionalASN1(&hashID, &hasHash, tag.Tag(0).Constructed().ContextSpecific()) ||
		!fields.ReadOptionalASN1(&mgf, &hasMGF, tag.Tag(1).Constructed().ContextSpecific()) ||
		!fields.ReadOptionalASN1(&saltLen, &hasSalt, tag.Tag(2).Constructed().ContextSpecific()) ||
		!fields.ReadOptionalASN1(&trailer, &hasTrailer,
			tag.Tag(3).Constructed().ContextSpecific()) || !fields.Empty() {
		return 0, 0, errSPKI
	}
	hash, mgfHash, salt := crypto.SHA1, crypto.SHA1, 20
	if hasHash && !readHash(&hashID, &hash) || hasMGF && !readMGF1(&mgf, &mgfHash) {
		return 0, 0, errSPKI
	}
	if hasSalt && (!saltLen.ReadASN1Integer(&salt) || !saltLen.Empty() || salt < 0) {
		return 0, 0, errSPKI
	}
	if n := 1; hasTrailer && (!trailer.ReadASN1Integer(&n) || !trailer.Empty() || n != 1) {
		return 0, 0, errSPKI
	}
	if hash != mgfHash {
		return 0, 0, errKeyType
	}
	return hash, salt, nil
}

func readMGF1(s *cryptobyte.String, hash *crypto.Hash) bool {
	var algorithm cryptobyte.String
	var oid asn1.ObjectIdentifier
	return s.ReadASN1(&algorithm, tag.SEQUENCE) && s.Empty() &&
		algorithm.ReadASN1ObjectIdentifier(&oid) && oid.Equal(oidMGF1) &&
		readHash(&algorithm, hash)
}

// readHash reads a hash's AlgorithmIdentifier, whose parameters are NULL or absent (RFC 4055 §2.1).
func readHash(s *cryptobyte.String, hash *crypto.Hash) bool {
	var algorithm, null cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !s.ReadASN1(&algorithm, tag.SEQUENCE) || !s.Empty() ||
		!algorithm.ReadASN1ObjectIdentifier(&oid) ||
		!algorithm.Empty() &&
			(!algorithm.ReadASN1(&null, tag.NULL) || !null.Empty() || !algorithm.Empty()) {
		return false
	}
	switch {
	case oid.Equal(oidSHA1):
		*hash = crypto.SHA1
	case oid.Equal(oidSHA256):
		*hash = crypto.SHA256
	case oid.Equal(oidSHA384):
		*hash = crypto.SHA384
	case oid.Equal(oidSHA512):
		*hash = crypto.SHA512
	default:
		return false
	}
	return true
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
