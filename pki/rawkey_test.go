package pki

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

func spkiOf(t testing.TB, key crypto.PublicKey) []byte {
	t.Helper()
	der, err := MarshalPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// compressed returns a point in its short form, of an uncompressed one. See SEC 1 §2.3.3.
func compressed(point []byte) []byte {
	n := len(point) / 2
	return append([]byte{2 | point[2*n]&1}, point[1:1+n]...)
}

// rekeyed is the SubjectPublicKeyInfo of these parameters and bits.
func rekeyed(id asn1.ObjectIdentifier, params, bits []byte) []byte {
	a := pkix.AlgorithmIdentifier{Algorithm: id}
	a.Parameters.FullBytes = params
	der, _ := asn1.Marshal(struct {
		A pkix.AlgorithmIdentifier
		K asn1.BitString
	}{a, asn1.BitString{Bytes: bits, BitLength: 8 * len(bits)}})
	return der
}

// RFC 7250 §3: what is no SubjectPublicKeyInfo in DER, or no key that signs, is refused before any
// pin is asked. A pin is of the bytes: another encoding of a key is another key.
func TestRawPublicKeysInUnusualEncodingsAreOtherKeysOrNone(t *testing.T) {
	point := forgeKeys().ecdsa[0].PublicKey
	p256 := []byte{6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7}
	good := spkiOf(t, &point)
	bits, err := point.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	off := bytes.Clone(bits)
	off[len(off)-1] ^= 1
	rsaKey := &forgeKeys().rsa[0].PublicKey
	pkcs1 := x509.MarshalPKCS1PublicKey(rsaKey)
	longer := append([]byte{0x30, 0x81, good[1]}, good[2:]...)
	refusedKey, _ := refused(t, "rsa512")
	short, _ := ReadCertificate(refusedKey)
	const none = alert.Description(255)
	for _, tt := range []struct {
		name  string
		spki  []byte
		alert alert.Description
	}{
		{"as it should be", good, none},
		{"bytes behind it", append(bytes.Clone(good), 0), alert.DecodeError},
		{"cut", good[:len(good)-1], alert.DecodeError},
		{"nothing", nil, alert.DecodeError},
		{"a length in more bytes than it needs, X.690 §10.1", longer, alert.DecodeError},
		{"a certificate", issue(t, newCA(t, "raw"), throwaway.ECDSA, "a.test").Chain.Leaf().Raw,
			alert.DecodeError},
		{"a compressed point, RFC 5480 §2.2", rekeyed(oidEC, p256,
			compressed(bits)), alert.UnsupportedCertificate},
		{"a point that is not on the curve", rekeyed(oidEC, p256, off),
			alert.UnsupportedCertificate},
		{"no curve", rekeyed(oidEC, nil, bits), alert.UnsupportedCertificate},
		{"RSA without parameters, RFC 3279 §2.3.1", rekeyed(oidRSA, nil, pkcs1),
			alert.UnsupportedCertificate},
		{"an unknown algorithm", rekeyed(asn1.ObjectIdentifier{1, 3, 9}, nil, bits),
			alert.UnsupportedCertificate},
		{"an RSA key of 512 bits", short.RawSubjectPublicKeyInfo, alert.BadCertificate},
	} {
		chain, err := ReadRawKey(tt.spki)
		if err == nil {
			err = chain.Sound()
		}
		if got := alert.Of(
			err,
		); err != nil && got != tt.alert ||
			(err == nil) != (tt.alert == none) {
			t.Errorf("%s: got %v (%v), expected %v", tt.name, err, got, tt.alert)
		}
		if err == nil && Pin(chain.SPKI()) != Pin(tt.spki) {
			t.Errorf("%s: another pin", tt.name)
		}
	}
}

// A raw public key is not a chain, and has no path to any root. See RFC 7250 §4.2.
func TestARawPublicKeyIsNeverAVerifiedChain(t *testing.T) {
	root := chainOf{t: t, sig: sha256RSA}.root()
	chain, err := ReadRawKey(spkiOf(t, forgeKeys().rsa[0].Public())) // the root's own
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range []iana.Side{iana.Client, iana.Server} {
		if _, err := chain.Verify(from, trusting("a.test", root.cert)); err == nil {
			t.Errorf("from a %v: it holds", from)
		}
	}
}
