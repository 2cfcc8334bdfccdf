package pki

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	tag "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/vitrine-tls/vitrine/iana"
)

var (
	oidSHA1RSA     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 5}
	oidSHA1RSAOld  = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 29} // OIW's name for it
	oidSHA224RSA   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 14}
	oidSHA1ECDSA   = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 1}
	oidSHA224ECDSA = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 1}
)

// certSignatures are the signatures on certificates that crypto/x509 does not compute, by the OID
// of their AlgorithmIdentifier. RSASSA-PSS, whose hash is a parameter, is read by pssSignature.
// Those with SHA-1 and SHA-224 are weak; MD5 is left out, because no policy accepts it. See RFC
// 3279 §2.2, RFC 4055 §5, RFC 5758 §3.2 and RFC 8410 §6.
var certSignatures = []struct {
	oid  asn1.ObjectIdentifier
	key  keyKind
	hash crypto.Hash
	weak bool
	as   iana.SignatureScheme // what stands for it in signature_algorithms_cert
	name string
}{
	{oidSHA1RSA, keyRSA, crypto.SHA1, true, iana.RSA_PKCS1_SHA1, "sha1WithRSAEncryption"},
	{oidSHA1RSAOld, keyRSA, crypto.SHA1, true, iana.RSA_PKCS1_SHA1, "sha1WithRSAEncryption"},
	{oidSHA224RSA, keyRSA, crypto.SHA224, true, iana.RSA_PKCS1_SHA224, "sha224WithRSAEncryption"},
	{oidSHA1ECDSA, keyECDSA, crypto.SHA1, true, iana.ECDSA_SHA1, "ecdsa-with-SHA1"},
	{oidSHA224ECDSA, keyECDSA, crypto.SHA224, true, iana.ECDSA_SHA224, "ecdsa-with-SHA224"},
	{oidEd448, keyEd448, 0, false, iana.ED448, "id-Ed448"},
}

// foreignSignature reports whether crypto/x509 does not compute a certificate's signature because
// of its algorithm, whatever the issuer's key.
func foreignSignature(c *x509.Certificate) bool {
	switch c.SignatureAlgorithm {
	case x509.UnknownSignatureAlgorithm, x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1:
		return true
	}
	return false
}

// A WeakError reports that a chain was refused because a certificate is signed with MD5, SHA-1 or
// SHA-224.
type WeakError struct {
	Cert      *x509.Certificate
	Signature string // see WeakSignature
	Err       error  // crypto/x509's, which found no path
}

func (e *WeakError) Error() string {
	return fmt.Sprintf("got a certificate (%q) signed with %s, expected SHA-256 or better: %v",
		e.Cert.Subject, e.Signature, e.Err)
}

// Unwrap returns the error of crypto/x509.
func (e *WeakError) Unwrap() error { return e.Err }

// WeakSignature returns the name of a certificate's signature, "sha1WithRSAEncryption" for example,
// if only Trust.Weak or, as with MD5, nothing accepts it. It returns an empty string for any other
// signature, and for a self-issued certificate, whose signature is not needed.
func WeakSignature(c *x509.Certificate) string {
	if selfIssued(c) {
		return ""
	}
	if c.SignatureAlgorithm == x509.MD5WithRSA {
		return "md5WithRSAEncryption"
	}
	oid, _, _ := signatureAlgorithm(c.Raw)
	for _, s := range certSignatures {
		if s.weak && s.oid.Equal(oid) {
			return s.name
		}
	}
	return ""
}

// signedBy verifies the signature on child with parent's key, and nothing else. ours reports that
// crypto/x509 would not have computed it, because of its algorithm or because the key is an
// RSASSA-PSS or Ed448 key. weak allows SHA-1 and SHA-224.
func signedBy(parent, child *x509.Certificate, weak bool) (ours, ok bool) {
	pub := parent.PublicKey
	if pub != nil && !foreignSignature(child) {
		return false, parent.CheckSignature(child.SignatureAlgorithm, child.RawTBSCertificate,
			child.Signature) == nil
	}
	if pub == nil {
		var err error
		if pub, err = parseSPKI(parent.RawSubjectPublicKeyInfo); err != nil {
			return true, false
		}
	}
	oid, params, ok := signatureAlgorithm(child.Raw)
	if !ok {
		return true, false
	}
	if oid.Equal(oidRSAPSS) {
		return true, pssSignature(pub, params, child, weak)
	}
	for _, s := range certSignatures {
		if s.oid.Equal(oid) && s.key == kindOf(pub) && (weak || !s.weak) {
			row := scheme{Key: s.key, Hash: s.hash}
			digest := row.digest(child.RawTBSCertificate)
			return true, row.verify(pub, digest, child.Signature) == nil
		}
	}
	return true, false
}

// pssSignature verifies an RSASSA-PSS signature of an rsaEncryption or RSASSA-PSS key. The salt may
// be longer than the hash, as OpenSSL makes it by default, but not shorter. See RFC 4055 §3.
func pssSignature(pub crypto.PublicKey, params cryptobyte.String, child *x509.Certificate,
	weak bool) bool {
	hash, salt, err := parsePSSParams(params)
	if err != nil || salt < hash.Size() || hash == crypto.SHA1 && !weak {
		return false
	}
	var key *rsa.PublicKey
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		key = pub
	case *PSSPublicKey:
		if pub.Hash != 0 && (pub.Hash != hash || salt < pub.Salt) {
			return false
		}
		key = pub.PublicKey
	default:
		return false
	}
	if key.N.BitLen() > maxRSABits {
		return false
	}
	h := hash.New()
	h.Write(child.RawTBSCertificate)
	opts := &rsa.PSSOptions{SaltLength: salt, Hash: hash}
	return rsa.VerifyPSS(key, hash, h.Sum(nil), child.Signature, opts) == nil
}

// foreignSchemes are the code points of a signature that crypto/x509 has no name for.
func foreignSchemes(c *x509.Certificate) []iana.SignatureScheme {
	oid, params, ok := signatureAlgorithm(c.Raw)
	if !ok {
		return nil
	}
	for _, s := range certSignatures {
		if s.oid.Equal(oid) {
			return []iana.SignatureScheme{s.as}
		}
	}
	if !oid.Equal(oidRSAPSS) {
		return nil
	}
	hash, _, _ := parsePSSParams(params)
	return pssSchemes(hash)
}

// signatureAlgorithm returns the AlgorithmIdentifier of a certificate's signature. crypto/x509 has
// checked that the signed one is the same. See RFC 5280 §4.1.1.2.
func signatureAlgorithm(der []byte) (oid asn1.ObjectIdentifier, params cryptobyte.String, ok bool) {
	input := cryptobyte.String(der)
	var cert, algorithm cryptobyte.String
	ok = input.ReadASN1(&cert, tag.SEQUENCE) && cert.SkipASN1(tag.SEQUENCE) &&
		cert.ReadASN1(&algorithm, tag.SEQUENCE) && algorithm.ReadASN1ObjectIdentifier(&oid)
	return oid, algorithm, ok
}

func selfIssued(c *x509.Certificate) bool { return slices.Equal(c.RawSubject, c.RawIssuer) }

// signatureSchemes returns the code points for a certificate's signature. An X.509 signature has no
// group, and whether a PSS signature is rsae or pss depends on a key that may not be in the chain,
// so several may stand for one.
func signatureSchemes(c *x509.Certificate) []iana.SignatureScheme {
	switch c.SignatureAlgorithm {
	case x509.MD5WithRSA:
		return []iana.SignatureScheme{0x0101}
	case x509.SHA1WithRSA:
		return []iana.SignatureScheme{iana.RSA_PKCS1_SHA1}
	case x509.SHA256WithRSA:
		return []iana.SignatureScheme{iana.RSA_PKCS1_SHA256}
	case x509.SHA384WithRSA:
		return []iana.SignatureScheme{iana.RSA_PKCS1_SHA384}
	case x509.SHA512WithRSA:
		return []iana.SignatureScheme{iana.RSA_PKCS1_SHA512}
	case x509.SHA256WithRSAPSS:
		return pssSchemes(crypto.SHA256)
	case x509.SHA384WithRSAPSS:
		return pssSchemes(crypto.SHA384)
	case x509.SHA512WithRSAPSS:
		return pssSchemes(crypto.SHA512)
	case x509.ECDSAWithSHA1:
		return []iana.SignatureScheme{iana.ECDSA_SHA1}
	case x509.ECDSAWithSHA256:
		return []iana.SignatureScheme{iana.ECDSA_SECP256R1_SHA256}
	case x509.ECDSAWithSHA384:
		return []iana.SignatureScheme{iana.ECDSA_SECP384R1_SHA384}
	case x509.ECDSAWithSHA512:
		return []iana.SignatureScheme{iana.ECDSA_SECP521R1_SHA512}
	case x509.PureEd25519:
		return []iana.SignatureScheme{iana.ED25519}
	}
	return foreignSchemes(c)
}

// pssSchemes returns the two schemes of RSASSA-PSS with a hash, or nil: the key of the one is a
// plain RSA key, that of the other a key for PSS alone.
func pssSchemes(h crypto.Hash) []iana.SignatureScheme {
	switch h {
	case crypto.SHA256:
		return []iana.SignatureScheme{iana.RSA_PSS_RSAE_SHA256, iana.RSA_PSS_PSS_SHA256}
	case crypto.SHA384:
		return []iana.SignatureScheme{iana.RSA_PSS_RSAE_SHA384, iana.RSA_PSS_PSS_SHA384}
	case crypto.SHA512:
		return []iana.SignatureScheme{iana.RSA_PSS_RSAE_SHA512, iana.RSA_PSS_PSS_SHA512}
	}
	return nil
}
