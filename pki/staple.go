package pki

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"slices"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/vitrine-tls/vitrine/alert"
)

const refStaple = "RFC 6960 §3.2"

// CheckStaple checks what a server stapled when we asked for it. An empty response, which means
// that nothing was stapled, is an error only if the leaf demands one. Another response must be
// successful, signed by issuer or by a responder that issuer delegated, about this certificate,
// current, and good. The error is bad_certificate_status_response, and for a revocation
// certificate_revoked. issuer follows the leaf in a verified path; a leaf that is a root is its
// own. See RFC 6066 §8, RFC 6960 §3.2 and §4.2.2.2, RFC 7633 §4.
func CheckStaple(response []byte, leaf, issuer *x509.Certificate, now time.Time) error {
	if len(response) == 0 {
		if MustStaple(leaf) {
			return alert.Fail(alert.BadCertificateStatusResponse, "RFC 7633 §4.3.3",
				"got no certificate status, expected one: "+
					"the certificate says that it must be stapled")
		}
		return nil
	}
	// the signer is checked below: the package does not check for what purpose it was certified
	r, err := ocsp.ParseResponseForCert(response, leaf, nil)
	if err != nil {
		return badStaple("the stapled OCSP response: %w", err)
	}
	if err := checkResponder(r, issuer, now); err != nil {
		return err
	}
	if !aboutCertificate(r, leaf, issuer) {
		return badStaple("got an OCSP response about serial number %v of another issuer",
			r.SerialNumber)
	}
	switch {
	case now.Before(r.ThisUpdate):
		return badStaple("got an OCSP response that is valid from %v on, now is %v", r.ThisUpdate,
			now)
	// "newer information is available all the time", so a stapled one is always old
	case r.NextUpdate.IsZero():
		return badStaple("got an OCSP response without nextUpdate, which cannot be stapled")
	case !now.Before(r.NextUpdate):
		return badStaple("got an OCSP response that was valid until %v, now is %v", r.NextUpdate,
			now)
	}
	switch r.Status {
	case ocsp.Good:
		return nil
	case ocsp.Revoked:
		return alert.Fail(alert.CertificateRevoked, "RFC 6960 §2.2",
			"the certificate was revoked on %v (reason %d)", r.RevokedAt, r.RevocationReason)
	}
	return badStaple("got certificate status unknown, expected good")
}

func badStaple(format string, args ...any) error {
	return alert.Fail(alert.BadCertificateStatusResponse, refStaple, format, args...)
}

// checkResponder checks who signed the response: the issuer, or a responder that it gave a
// certificate for this purpose. ocsp.ParseResponse has verified the signature with the certificate
// that the response contains.
func checkResponder(r *ocsp.Response, issuer *x509.Certificate, now time.Time) error {
	d := r.Certificate
	if d == nil || d.Equal(issuer) {
		if err := r.CheckSignatureFrom(issuer); err != nil {
			return badStaple("the OCSP response is not signed by the issuer, %q: %w",
				issuer.Subject, err)
		}
		return nil
	}
	if err := d.CheckSignatureFrom(issuer); err != nil {
		return badStaple("the OCSP responder's certificate, %q, is not signed by the issuer, "+
			"%q: %w", d.Subject, issuer.Subject, err)
	}
	if !slices.Contains(d.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) {
		return badStaple("the OCSP responder's certificate, %q, lacks the extended key usage "+
			"OCSPSigning", d.Subject)
	}
	if now.Before(d.NotBefore) || now.After(d.NotAfter) {
		return badStaple("the OCSP responder's certificate, %q, is valid from %v to %v, now is %v",
			d.Subject, d.NotBefore, d.NotAfter, now)
	}
	return nil
}

// aboutCertificate compares the issuer's hashes in the CertID. With serial numbers alone, the
// response of a responder for two authorities could be replayed for a certificate of the other
// authority.
func aboutCertificate(r *ocsp.Response, leaf, issuer *x509.Certificate) bool {
	var data struct {
		Version     int `asn1:"optional,default:0,explicit,tag:0"`
		ResponderID asn1.RawValue
		ProducedAt  time.Time `asn1:"generalized"`
		Responses   []struct{ CertID certID }
	}
	_, _, key, ok := splitSPKI(issuer.RawSubjectPublicKeyInfo)
	// both were parsed before
	if _, err := asn1.Unmarshal(r.TBSResponseData, &data); err != nil || !ok {
		return false
	}
	for _, one := range data.Responses {
		if leaf.SerialNumber.Cmp(one.CertID.Serial) == 0 { // the first, as the ocsp package took it
			return bytes.Equal(one.CertID.NameHash, sum(r.IssuerHash, issuer.RawSubject)) &&
				bytes.Equal(one.CertID.KeyHash, sum(r.IssuerHash, key))
		}
	}
	return false
}

// certID is RFC 6960 §4.1.1's.
type certID struct {
	Hash              asn1.RawValue
	NameHash, KeyHash []byte
	Serial            *big.Int
}

func sum(hash crypto.Hash, b []byte) []byte {
	h := hash.New()
	h.Write(b)
	return h.Sum(nil)
}

var oidTLSFeature = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}

// MustStaple reports whether the leaf demands a stapled status: whether its TLS feature extension
// lists status_request. An extension that cannot be parsed demands it too. See RFC 7633 §4.
func MustStaple(leaf *x509.Certificate) bool {
	i := slices.IndexFunc(leaf.Extensions,
		func(e pkix.Extension) bool { return e.Id.Equal(oidTLSFeature) })
	if i < 0 {
		return false
	}
	var features []int
	rest, err := asn1.Unmarshal(leaf.Extensions[i].Value, &features)
	return err != nil || len(rest) > 0 || slices.Contains(features, 5) // status_request
}
