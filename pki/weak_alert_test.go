package pki

import (
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// A certificate whose signature with MD5 would have to be checked is bad_certificate, and so is one
// with SHA-1 unless that is allowed, for either side: RFC 8446 §4.4.2.4.
func TestCertificatesWithMD5AreBad(t *testing.T) {
	for _, c := range []struct {
		what string
		sig  sigAlg
		weak bool
		ok   bool
	}{
		{"MD5", md5RSA, false, false}, {"MD5, and SHA-1 is allowed", md5RSA, true, false},
		{"SHA-1", sha1RSA, false, false}, {"SHA-1, which is allowed", sha1RSA, true, true},
	} {
		for _, from := range []iana.Side{iana.Client, iana.Server} {
			signed := chainOf{t: t, sig: c.sig}
			root := signed.root()
			trust := trusting("a.test", root.cert)
			trust.Roots.AddCert(root.cert)
			trust.Weak = c.weak
			chain := &Chain{}
			chain.Certs = append(chain.Certs, signed.leaf(root).cert)
			_, err := chain.Verify(from, trust)
			if c.ok != (err == nil) || err != nil && alert.Of(err) != alert.BadCertificate {
				t.Errorf("%s, from the %v: %v", c.what, from, err)
			}
		}
	}
}
