package throwaway

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"time"

	"github.com/cloudflare/circl/sign/ed448"
	"golang.org/x/crypto/ocsp"
)

var (
	oidRSAPSS = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidEd448  = asn1.ObjectIdentifier{1, 3, 101, 113}
)

// sign makes a certificate. For the keys that crypto/x509 cannot encode it makes one with another
// key, which it then replaces. See RFC 4055 §1.2 and RFC 8410 §4.
func (ca *CA) sign(t *x509.Certificate, kind Kind, pub crypto.PublicKey) ([]byte, error) {
	type publicKeyInfo struct { // SubjectPublicKeyInfo, without parameters
		Algorithm algorithm
		Key       asn1.BitString
	}
	var spki publicKeyInfo
	switch k := pub.(type) {
	case ed448.PublicKey:
		spki.Algorithm.OID, spki.Key = oidEd448, bits(k)
		pub = ca.key.Public()
	case *rsa.PublicKey:
		if kind == RSAPSS {
			spki.Algorithm.OID, spki.Key = oidRSAPSS, bits(x509.MarshalPKCS1PublicKey(k))
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, ca.Cert, pub, ca.key)
	if err != nil || spki.Algorithm.OID == nil {
		return der, err
	}
	info, err := asn1.Marshal(spki)
	if err != nil {
		return nil, err
	}
	// version, serial, algorithm, issuer, validity, subject, key: RFC 5280 §4.1
	return resign(der, 6, info, ca.key)
}

// resign replaces a field of a signed structure and signs it again with SHA-256. The structure is a
// certificate or an OCSP response, which are both SEQUENCE {SEQUENCE {fields}, algorithm,
// signature, …}.
func resign(der []byte, field int, value []byte, key crypto.Signer) ([]byte, error) {
	var outer, fields []asn1.RawValue
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		return nil, err
	}
	if _, err := asn1.Unmarshal(outer[0].FullBytes, &fields); err != nil {
		return nil, err
	}
	fields[field] = asn1.RawValue{FullBytes: value}
	signed, err := asn1.Marshal(fields)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(signed)
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	wrapped, err := asn1.Marshal(bits(signature))
	if err != nil {
		return nil, err
	}
	outer[0], outer[2] = asn1.RawValue{FullBytes: signed}, asn1.RawValue{FullBytes: wrapped}
	return asn1.Marshal(outer)
}

func bits(b []byte) asn1.BitString { return asn1.BitString{Bytes: b, BitLength: 8 * len(b)} }

// Staple makes an OCSP response for a leaf of this CA: good, and valid from an hour before the CA's
// time to a week after it. Edits change it before it is signed. See RFC 6960 §4.2.
func (ca *CA) Staple(leaf *x509.Certificate, edits ...func(*ocsp.Response)) ([]byte, error) {
	return ca.staple(leaf, ca.Cert, ca.key, edits)
}

// StapleBy makes an OCSP response that is signed by responder, with a P-256 or RSA key, and
// contains its certificate. The CA has delegated this if it issued the certificate for OCSPSigning.
// See RFC 6960 §4.2.2.2.
func (ca *CA) StapleBy(responder tls.Certificate, leaf *x509.Certificate,
	edits ...func(*ocsp.Response)) ([]byte, error) {
	key, ok := responder.PrivateKey.(crypto.Signer)
	if !ok {
		return nil, errors.New("throwaway: the responder's key cannot sign")
	}
	return ca.staple(leaf, responder.Leaf, key,
		append(edits, func(r *ocsp.Response) { r.Certificate = responder.Leaf }))
}

func (ca *CA) staple(leaf, responder *x509.Certificate, key crypto.Signer,
	edits []func(*ocsp.Response)) ([]byte, error) {
	r := ocsp.Response{
		Status:       ocsp.Good,
		SerialNumber: leaf.SerialNumber,
		ThisUpdate:   ca.Now.Add(-time.Hour),
		NextUpdate:   ca.Now.Add(7 * 24 * time.Hour),
	}
	for _, edit := range edits {
		edit(&r)
	}
	der, err := ocsp.CreateResponse(ca.Cert, responder, r, key)
	if err != nil {
		return nil, err
	}
	return ca.dateStaple(der, key)
}

// dateStaple sets producedAt to the CA's time; the ocsp package sets it to the system's.
func (ca *CA) dateStaple(der []byte, key crypto.Signer) ([]byte, error) {
	var response struct { // RFC 6960 §4.2.1
		Status asn1.Enumerated
		Bytes  struct {
			Type  asn1.ObjectIdentifier
			Basic []byte
		} `asn1:"explicit,tag:0"`
	}
	if _, err := asn1.Unmarshal(der, &response); err != nil {
		return nil, err
	}
	producedAt, err := asn1.MarshalWithParams(ca.Now, "generalized")
	if err != nil {
		return nil, err
	}
	// responderID, producedAt, responses
	if response.Bytes.Basic, err = resign(response.Bytes.Basic, 1, producedAt, key); err != nil {
		return nil, err
	}
	return asn1.Marshal(response)
}
