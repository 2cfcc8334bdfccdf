package pki

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	_ "crypto/sha256" // for crypto.Hash.New
	_ "crypto/sha512"
	"errors"
	"io"
	"slices"

	"github.com/cloudflare/circl/sign/ed448"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// A scheme is one way to sign.
type scheme struct {
	ID  iana.SignatureScheme
	Key keyKind
	// the padding of an RSA signature: PSS with a salt as long as the hash, or PKCS #1 v1.5
	PSS   bool
	Hash  crypto.Hash // 0: the algorithm hashes by itself
	Group iana.Group  // the key's group: binding in TLS 1.3, a preference before
}

// schemes is the table, best first for each kind of key. PSS comes before PKCS #1 v1.5 because it
// has a proof, SHA-256 first because more is not needed, and SHA-224, SHA-1 and MD5 last: they are
// for a legacy policy, and RFC 9155 forbids two of them.
var schemes = []scheme{
	{iana.ECDSA_SECP256R1_SHA256, keyECDSA, false, crypto.SHA256, iana.Secp256r1},
	{iana.ECDSA_SECP384R1_SHA384, keyECDSA, false, crypto.SHA384, iana.Secp384r1},
	{iana.ECDSA_SECP521R1_SHA512, keyECDSA, false, crypto.SHA512, iana.Secp521r1},
	{iana.ED25519, keyEd25519, false, 0, 0},
	{iana.ED448, keyEd448, false, 0, 0},
	{iana.RSA_PSS_PSS_SHA256, keyPSS, true, crypto.SHA256, 0},
	{iana.RSA_PSS_PSS_SHA384, keyPSS, true, crypto.SHA384, 0},
	{iana.RSA_PSS_PSS_SHA512, keyPSS, true, crypto.SHA512, 0},
	{iana.RSA_PSS_RSAE_SHA256, keyRSA, true, crypto.SHA256, 0},
	{iana.RSA_PSS_RSAE_SHA384, keyRSA, true, crypto.SHA384, 0},
	{iana.RSA_PSS_RSAE_SHA512, keyRSA, true, crypto.SHA512, 0},
	{iana.RSA_PKCS1_SHA256, keyRSA, false, crypto.SHA256, 0},
	{iana.RSA_PKCS1_SHA384, keyRSA, false, crypto.SHA384, 0},
	{iana.RSA_PKCS1_SHA512, keyRSA, false, crypto.SHA512, 0},
	{iana.ECDSA_SHA224, keyECDSA, false, crypto.SHA224, 0},
	{iana.RSA_PKCS1_SHA224, keyRSA, false, crypto.SHA224, 0},
	{iana.ECDSA_SHA1, keyECDSA, false, crypto.SHA1, 0},
	{iana.RSA_PKCS1_SHA1, keyRSA, false, crypto.SHA1, 0},
	{iana.MD5_SHA1, keyRSA, false, crypto.MD5SHA1, 0},
}

// NamesScheme reports whether the messages of a version name the scheme of a signature. Before TLS
// 1.2 the key and the version imply it. See RFC 5246 §7.4.1.4.1.
func NamesScheme(v iana.Version) bool { return v >= iana.TLS12 }

// Implied returns what a peer without signature_algorithms accepts: SHA-1 in TLS 1.2 (RFC 5246
// §7.4.1.4.1), and before it the one signature of each kind of key.
func Implied(v iana.Version) []iana.SignatureScheme {
	if !NamesScheme(v) {
		return []iana.SignatureScheme{iana.MD5_SHA1, iana.ECDSA_SHA1}
	}
	return []iana.SignatureScheme{iana.RSA_PKCS1_SHA1, iana.ECDSA_SHA1}
}

// KnownSchemes returns every scheme that a choice can depend on: those that a key here may sign
// with, and those that a certificate may be signed with. Other schemes in a peer's list have no
// effect.
func KnownSchemes() []iana.SignatureScheme { return knownSchemes }

var knownSchemes = func() []iana.SignatureScheme {
	known := []iana.SignatureScheme{rsaMD5}
	for _, s := range schemes {
		if s.ID != iana.MD5_SHA1 { // it is no code point
			known = append(known, s.ID)
		}
	}
	return known
}()

// Signs reports whether a scheme can be named in signature_algorithms and made or checked here.
func Signs(id iana.SignatureScheme) bool {
	return id != rsaMD5 && slices.Contains(knownSchemes, id)
}

// rsaMD5 is rsa with md5, which signs certificates only.
const rsaMD5 iana.SignatureScheme = 0x0101

// last returns 0 for the scheme of a curve, and 1 for the others.
func last(id iana.SignatureScheme, group iana.Group) int {
	if s, ok := lookup(id); ok && s.Group == group {
		return 0
	}
	return 1
}

// Schemes returns how pub's private key can sign, best first. It returns nothing for a key that TLS
// does not know.
func Schemes(pub crypto.PublicKey) []iana.SignatureScheme {
	var out []iana.SignatureScheme
	group := groupOf(pub)
	for _, s := range schemes {
		switch {
		case !s.fits(pub):
		case group != 0 && s.Group == group:
			out = slices.Insert(out, 0, s.ID)
		default:
			out = append(out, s.ID)
		}
	}
	return out
}

// Signs13 reports whether pub's private key may sign a handshake of TLS 1.3 with a scheme: no PKCS
// #1 v1.5, no SHA-1 or SHA-224, and ECDSA with the group that the scheme names. See RFC 8446
// §4.2.3.
func Signs13(pub crypto.PublicKey, id iana.SignatureScheme) bool {
	s, ok := lookup(id)
	switch {
	case !ok || !s.fits(pub):
		return false
	case s.Key == keyECDSA:
		return s.Group != 0 && s.Group == groupOf(pub)
	case s.Key == keyRSA || s.Key == keyPSS:
		return s.PSS
	}
	return true
}

// ChooseScheme returns the first scheme in allowed, our own list, that pub can sign with and that
// is in theirs, which the peer accepts. An ECDSA key prefers the scheme of its curve. The error is
// handshake_failure. See RFC 5246 §7.4.3.
func ChooseScheme(pub crypto.PublicKey, theirs,
	allowed []iana.SignatureScheme) (iana.SignatureScheme, error) {
	ours := slices.DeleteFunc(slices.Clone(allowed),
		func(id iana.SignatureScheme) bool { s, ok := lookup(id); return !ok || !s.fits(pub) })
	// an ECDSA key prefers the hash that belongs to its curve
	if group := groupOf(pub); group != 0 {
		slices.SortStableFunc(ours, func(a, b iana.SignatureScheme) int {
			return cmp.Compare(last(a, group), last(b, group))
		})
	}
	for _, s := range ours {
		if slices.Contains(theirs, s) {
			return s, nil
		}
	}
	return 0, alert.KindScheme.Fail(alert.HandshakeFailure, "RFC 5246 §7.4.1.4.1, RFC 8446 §4.2.3",
		"our %s key may sign with %v, but the peer accepts only %v", keyWords(pub), alert.Few(ours),
		alert.Few(theirs))
}

// Sign signs. Salts come from random; nil is crypto/rand.
//
// ECDSA nonces are made by the key: crypto/ecdsa mixes private key, message and fresh randomness,
// which is safe both with a bad generator and after a fault, and ignores the caller's reader. For
// reproducible handshakes, use a key that signs by RFC 6979.
func Sign(random io.Reader, key crypto.Signer, id iana.SignatureScheme,
	signed []byte) ([]byte, error) {
	s, ok := lookup(id)
	pub := key.Public()
	if k, rsaKey := pub.(*rsa.PublicKey); ok && rsaKey && s.Key == keyPSS {
		// a private key does not show which algorithm its certificate names
		pub = &PSSPublicKey{PublicKey: k}
	}
	if !ok || !s.fits(pub) {
		return nil, alert.Fail(alert.InternalError, "", "a %v key cannot sign with %v", kindOf(pub),
			id)
	}
	if random == nil {
		random = rand.Reader
	}
	var opts crypto.SignerOpts = s.Hash
	if s.PSS {
		opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: s.Hash}
	}
	signature, err := key.Sign(random, s.digest(signed), opts)
	if err != nil {
		return nil, alert.Fail(alert.InternalError, "", "signing with %v: %w", id, err)
	}
	return signature, nil
}

var errBadSignature = errors.New("pki: the signature does not verify")

// Verify verifies a signature. The error is illegal_parameter if pub cannot sign with the scheme,
// and decrypt_error if the signature is wrong. The caller must check that we offered the scheme:
// MD5_SHA1 is 0x0000 on the wire. See RFC 5246 §7.4.3 and §7.4.8.
func Verify(pub crypto.PublicKey, id iana.SignatureScheme, signed, signature []byte) error {
	s, ok := lookup(id)
	if !ok || !s.fits(pub) {
		return alert.KindScheme.Fail(alert.IllegalParameter,
			"RFC 5246 §7.4.1.4.1, RFC 8446 §4.2.3",
			"got a signature with %v, expected one that the certificate's %s key can make: %v",
			id, keyWords(pub), alert.Few(Schemes(pub)))
	}
	if err := s.verify(pub, s.digest(signed), signature); err != nil {
		return alert.KindSignature.Fail(alert.DecryptError, "RFC 5246 §7.4.3, RFC 8446 §4.4.3",
			"got a signature (%v, %d bytes) that the certificate's "+
				"%v key did not make over this handshake: %w", id, len(signature), kindOf(pub), err)
	}
	return nil
}

func (s scheme) verify(pub crypto.PublicKey, digest, signature []byte) error {
	valid := false
	switch pub := pub.(type) {
	case *PSSPublicKey:
		return s.verify(pub.PublicKey, digest, signature)
	case *rsa.PublicKey:
		if pub.N.BitLen() < minRSABits {
			valid = verifySmall(pub, s.Hash, s.PSS, digest, signature)
			break
		}
		if s.PSS {
			return rsa.VerifyPSS(pub, s.Hash, digest, signature,
				&rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		}
		return rsa.VerifyPKCS1v15(pub, s.Hash, digest, signature)
	case *ecdsa.PublicKey:
		valid = ecdsa.VerifyASN1(pub, digest, signature)
	case ed25519.PublicKey:
		valid = ed25519.Verify(pub, digest, signature)
	case ed448.PublicKey:
		valid = ed448.Verify(pub, digest, signature, "")
	}
	if !valid {
		return errBadSignature
	}
	return nil
}

// digest returns the input of the algorithm, which for EdDSA is the message itself.
func (s scheme) digest(signed []byte) []byte {
	switch s.Hash {
	case 0:
		return signed
	case crypto.MD5SHA1: // RFC 4346 §7.4.3: both, one after the other, and no DigestInfo
		m, h := md5.Sum(signed), sha1.Sum(signed)
		return append(m[:], h[:]...)
	}
	h := s.Hash.New()
	h.Write(signed)
	return h.Sum(nil)
}

// fits reports whether a key can sign with the scheme: by its kind, its size, and the restrictions
// in its certificate. A restricted salt length is a minimum (RFC 4055 §3.3), and in TLS the salt is
// as long as the hash.
func (s scheme) fits(pub crypto.PublicKey) bool {
	if s.Key != kindOf(pub) {
		return false
	}
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		return s.fitsRSA(pub)
	case *PSSPublicKey:
		return s.fitsRSA(pub.PublicKey) &&
			(pub.Hash == 0 || pub.Hash == s.Hash && pub.Salt <= s.Hash.Size())
	}
	return true
}

// fitsRSA reports whether a key is long enough. A PSS encoding holds hash, salt and two bytes in
// one bit less than the modulus, which keeps SHA-512 from 1024-bit keys (RFC 8017 §9.1.1); PKCS #1
// v1.5 holds a DigestInfo and eleven bytes, which keeps SHA-384 from 512-bit keys (§9.2).
func (s scheme) fitsRSA(pub *rsa.PublicKey) bool {
	if s.PSS {
		return (pub.N.BitLen()-1+7)/8 >= 2*s.Hash.Size()+2
	}
	return pub.Size() >= len(digestInfos[s.Hash])+s.Hash.Size()+11
}

func lookup(id iana.SignatureScheme) (scheme, bool) {
	i := slices.IndexFunc(schemes, func(s scheme) bool { return s.ID == id })
	if i < 0 {
		return scheme{}, false
	}
	return schemes[i], true
}
