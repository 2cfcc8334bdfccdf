package pki

import (
	"crypto/x509"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// In TLS 1.3 neither side shows a chain with a SHA-1 signature to a peer that does not list it; it
// shows chains with other signatures that the peer does not list. See RFC 9846 §4.5.1.2.
func TestChainsWithSHA1GoToThoseWhoListIt(t *testing.T) {
	ca := newCA(t, "outdated")
	signed := func(a x509.SignatureAlgorithm) *Credential {
		c := issue(t, ca, throwaway.ECDSA, "a.example")
		c.Chain.Certs[0].SignatureAlgorithm = a
		return c
	}
	sha1, sha512 := signed(x509.SHA1WithRSA), signed(x509.SHA512WithRSA)
	alone := signed(x509.ECDSAWithSHA1)
	alone.Chain.Certs[0].RawIssuer = alone.Chain.Certs[0].RawSubject
	p256 := []iana.SignatureScheme{iana.ECDSA_SECP256R1_SHA256}
	with := append(slices.Clone(p256), iana.RSA_PKCS1_SHA1)
	for _, c := range []struct {
		what           string
		cred           *Credential
		schemes, certs []iana.SignatureScheme
		version        bool // TLS 1.3
		want           bool
	}{
		{"SHA-1, which is not listed", sha1, p256, nil, true, false},
		{"SHA-1, listed in signature_algorithms", sha1, with, nil, true, true},
		{"SHA-1, not listed in signature_algorithms_cert", sha1, with, p256, true, false},
		{"SHA-1, listed in signature_algorithms_cert", sha1, p256, with, true, true},
		{"SHA-1 in TLS 1.2", sha1, p256, nil, false, true},
		{"SHA-512, which is not listed", sha512, p256, nil, true, true},
		{"a self-signed certificate", alone, p256, nil, true, true},
	} {
		got := ChooseServer([]*Credential{c.cred}, iana.AuthNone, iana.KexNone,
			Hello{Schemes: c.schemes, CertSchemes: c.certs},
			Rules{Schemes: modern, TLS13: c.version})
		ours := ChooseClient([]*Credential{c.cred}, Request{Schemes: c.schemes,
			CertSchemes: c.certs, TLS13: c.version,
			Types: []iana.ClientCertificateType{iana.ECDSASign}}, modern)
		for side, got := range map[string]Choice{"server": got, "client": ours} {
			if (got.Credential != nil) != c.want ||
				!c.want && !strings.Contains(got.Why(), "rsa_pkcs1_sha1, which the peer") {
				t.Errorf("%s, a %s: %v, %s", c.what, side, got.Credential != nil, got.Why())
			}
		}
	}
}
