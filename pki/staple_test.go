package pki

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

func TestStaplesAreChecked(t *testing.T) {
	ca, other := newCA(t, "staple"), newCA(t, "another staple")
	leaf := issueTLS(t, ca, throwaway.ECDSA).Leaf
	responder := func(ca *throwaway.CA, kind throwaway.Kind,
		edits ...func(*x509.Certificate)) tls.Certificate {
		return issueTLS(t, ca, kind, append([]func(*x509.Certificate){func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}
		}}, edits...)...)
	}
	by := func(signer *throwaway.CA, edits ...func(*ocsp.Response)) []byte {
		return must(signer.Staple(leaf, edits...))(t)
	}
	via := func(about *throwaway.CA, r tls.Certificate) []byte {
		return must(about.StapleBy(r, leaf))(t)
	}
	status := func(s int) func(*ocsp.Response) {
		return func(r *ocsp.Response) {
			r.Status, r.RevokedAt, r.RevocationReason = s, at(-time.Hour), ocsp.KeyCompromise
		}
	}
	delegated := responder(ca, throwaway.ECDSA)
	good := by(ca)
	const bad = alert.BadCertificateStatusResponse
	for _, c := range []struct {
		name     string
		response []byte
		now      time.Duration
		alert    alert.Description
		word     string // empty: it is good
	}{
		{"from the issuer", good, 0, 0, ""},
		{"from a delegate", via(ca, delegated), 0, 0, ""},
		{"from a delegate with an RSA key", via(ca, responder(ca, throwaway.RSA)), 0, 0, ""},
		{"none, and none demanded", nil, 0, 0, ""},
		{"from the issuer, with its certificate",
			must(ca.Staple(leaf, func(r *ocsp.Response) { r.Certificate = ca.Cert }))(t), 0, 0, ""},
		{"on its last day", good, 7*24*time.Hour - time.Second, 0, ""},
		{"expired", good, 7 * 24 * time.Hour, bad, "was valid until"},
		{"not yet valid", good, -2 * time.Hour, bad, "from 2025-12-31 23:00:00"},
		{"without nextUpdate", by(ca, func(r *ocsp.Response) { r.NextUpdate = time.Time{} }), 0,
			bad, "nextUpdate"},
		{"another serial number",
			by(ca, func(r *ocsp.Response) { r.SerialNumber = ca.Cert.SerialNumber }), 0, bad,
			"no response matching"},
		{"revoked", by(ca, status(ocsp.Revoked)), 0, alert.CertificateRevoked,
			"revoked on 2025-12-31"},
		{"unknown", by(ca, status(ocsp.Unknown)), 0, bad, "unknown"},
		{"another CA's word", by(other), 0, bad, "not signed by the issuer"},
		{"another CA's delegate", via(ca, responder(other, throwaway.ECDSA)), 0, bad,
			"is not signed by the issuer"},
		{"a delegate without OCSPSigning", via(ca, issueTLS(t, ca, throwaway.ECDSA)), 0, bad,
			"OCSPSigning"},
		{"a delegate whose certificate expired",
			via(ca, responder(ca, throwaway.ECDSA,
				func(c *x509.Certificate) { c.NotAfter = at(-time.Second) })), 0, bad,
			"responder's certificate"},
		// one responder, delegated by two: its word about the other's certificate of the same
		// number
		{"about another issuer's certificate", via(other, delegated), 0, bad, "another issuer"},
		{"a broken signature", flippedAtEnd(good), 0, bad, "not signed"},
		{"cut short", good[:len(good)-1], 0, bad, "OCSP response"},
		{"with a tail", append(good[:len(good):len(good)], 0), 0, bad, "trailing"},
		{"try later", ocsp.TryLaterErrorResponse, 0, bad, "try later"},
	} {
		err := CheckStaple(c.response, leaf, ca.Cert, at(c.now))
		if c.word == "" && err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if c.word != "" {
			t.Logf("%-40s %v", c.name, err)
			wantAlert(t, err, c.alert, c.word)
		}
	}
}

// A CertID names the issuer twice, by its name and by its key: RFC 6960 §4.1.1.
func TestAStapleIsAboutTheIssuersNameToo(t *testing.T) {
	ca := newCA(t, "renamed")
	leaf := issueTLS(t, ca, throwaway.ECDSA).Leaf
	renamed := *ca.Cert // the same key
	renamed.RawSubject = newCA(t, "other").Cert.RawSubject[:10]
	wantAlert(t, CheckStaple(must(ca.Staple(leaf))(t), leaf, &renamed, now),
		alert.BadCertificateStatusResponse, "another issuer")
}

func issueTLS(t *testing.T, ca *throwaway.CA, kind throwaway.Kind,
	edits ...func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	return must(ca.Issue(kind, []string{"localhost"}, edits...))(t)
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func flippedAtEnd(b []byte) []byte {
	b = append([]byte(nil), b...)
	b[len(b)-1] ^= 1
	return b
}

func TestACertificateMayDemandAStaple(t *testing.T) {
	ca := newCA(t, "must staple")
	feature := func(value ...byte) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions,
				pkix.Extension{Id: oidTLSFeature, Value: value})
		}
	}
	for _, c := range []struct {
		name string
		edit func(*x509.Certificate)
		want bool
	}{
		{"no extension", func(*x509.Certificate) {}, false},
		{"status_request", throwaway.MustStaple, true},
		{"status_request among others", feature(0x30, 6, 2, 1, 17, 2, 1, 5), true},
		{"another feature", feature(0x30, 3, 2, 1, 23), false},
		{"no feature", feature(0x30, 0), false},
		{"one that cannot be read", feature(0x30, 3, 2, 1), true},
		{"one with a tail", feature(0x30, 0, 0), true},
	} {
		leaf := issueTLS(t, ca, throwaway.ECDSA, c.edit).Leaf
		if got := MustStaple(leaf); got != c.want {
			t.Errorf("%s: got %v", c.name, got)
		}
		if err := CheckStaple(nil, leaf, ca.Cert, now); c.want {
			wantAlert(t, err, alert.BadCertificateStatusResponse, "must be stapled")
		} else if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if err := CheckStaple(must(ca.Staple(leaf))(t), leaf, ca.Cert, now); err != nil {
			t.Errorf("%s, with a staple: %v", c.name, err)
		}
	}
}
