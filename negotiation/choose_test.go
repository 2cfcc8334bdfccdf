package negotiation_test

import (
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/hellos"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
)

const (
	ecdheECDSA = iana.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
	ecdheRSA   = iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
	dheRSA     = iana.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256
	rsaRSA     = iana.TLS_RSA_WITH_AES_128_GCM_SHA256

	name = hellos.Name
)

type (
	suites  = []iana.CipherSuite
	groups  = []iana.Group
	schemes = []iana.SignatureScheme
)

var (
	credential  = hellos.Credential
	config      = hellos.Config
	hello       = hellos.Hello
	everyScheme = hellos.EveryScheme
)

func TestServerChooses(t *testing.T) {
	ecdsa, rsa, ed := credential(t, throwaway.ECDSA, name), credential(t, throwaway.RSA, name),
		credential(t, throwaway.Ed25519, name)
	p384 := credential(t, throwaway.ECDSAP384, name)
	both := []*pki.Credential{ecdsa, rsa}
	all := suites{ecdheECDSA, ecdheRSA, dheRSA, rsaRSA}
	sha256 := schemes{iana.ECDSA_SECP256R1_SHA256, iana.RSA_PKCS1_SHA256}
	sha1 := append(schemes{iana.ECDSA_SHA1, iana.RSA_PKCS1_SHA1}, everyScheme...)
	const x, p256, ff = iana.X25519, iana.Secp256r1, iana.FFDHE2048
	for _, c := range []struct {
		what, ref string
		hello     *message.ClientHello
		creds     []*pki.Credential // nil: both
		config    func(*negotiation.Config)
		suite     iana.CipherSuite // 0: none
		group     iana.Group
		scheme    iana.SignatureScheme
		want      alert.Description
		says      string
	}{
		{what: "the server's first", ref: "RFC 5246 §7.4.1.3",
			hello: hello(t, suites{rsaRSA, dheRSA, ecdheRSA, ecdheECDSA}, groups{p256, x}, sha256),
			suite: ecdheECDSA, group: x, scheme: iana.ECDSA_SECP256R1_SHA256},
		{what: "the first that its key can do", ref: "§7.4.2",
			hello: hello(t, all, groups{x}, sha256), creds: []*pki.Credential{rsa}, suite: ecdheRSA,
			group: x, scheme: iana.RSA_PKCS1_SHA256},
		{what: "the first that the client's schemes allow", ref: "§7.4.1.4.1",
			hello: hello(t, all, groups{x}, schemes{iana.RSA_PSS_RSAE_SHA256}), suite: ecdheRSA,
			group: x, scheme: iana.RSA_PSS_RSAE_SHA256},
		{what: "PSS before PKCS #1", ref: "our choice",
			hello: hello(t, suites{ecdheRSA}, groups{x},
				schemes{iana.RSA_PKCS1_SHA256,
					iana.RSA_PSS_RSAE_SHA256}), suite: ecdheRSA, group: x,
			scheme: iana.RSA_PSS_RSAE_SHA256},
		{what: "Ed25519 with an ECDSA suite", ref: "RFC 8422 §5.1.3",
			hello: hello(t, all, groups{x}, schemes{iana.ED25519}), creds: []*pki.Credential{ed},
			suite: ecdheECDSA, group: x, scheme: iana.ED25519},
		{what: "not a curve of the certificate that the client does not know", ref: "RFC 8422 §5.3",
			hello: hello(t, all, groups{x, p256}, everyScheme), creds: []*pki.Credential{p384, rsa},
			suite: ecdheRSA, group: x, scheme: iana.RSA_PSS_RSAE_SHA256},
		{what: "the server's first group", ref: "RFC 8422 §4",
			hello: hello(t, suites{ecdheRSA}, groups{0x7777, iana.Secp384r1, p256, x}, sha256),
			suite: ecdheRSA, group: x, scheme: iana.RSA_PKCS1_SHA256},
		{what: "P-256 without supported_groups", ref: "RFC 8422 §4",
			hello: hello(t, suites{ecdheRSA}, sha256), suite: ecdheRSA, group: p256,
			scheme: iana.RSA_PKCS1_SHA256},
		{what: "no group in common", ref: "RFC 8422 §5.1",
			hello: hello(t, suites{ecdheRSA}, groups{iana.X448}, sha256),
			want:  alert.HandshakeFailure, says: "no group in common"},

		{what: "DHE with a group of the client", ref: "RFC 7919 §4",
			hello: hello(t, suites{dheRSA}, groups{iana.FFDHE3072, ff}, sha256), suite: dheRSA,
			group: ff, scheme: iana.RSA_PKCS1_SHA256},
		{what: "DHE with the client's only group", ref: "RFC 7919 §4",
			hello: hello(t, suites{dheRSA}, groups{x, iana.FFDHE3072}, sha256), suite: dheRSA,
			group: iana.FFDHE3072, scheme: iana.RSA_PKCS1_SHA256},
		{what: "DHE with our own choice: the client lists curves only", ref: "RFC 7919 §4",
			hello: hello(t, suites{dheRSA}, groups{x}, sha256), suite: dheRSA, group: ff,
			scheme: iana.RSA_PKCS1_SHA256},
		{what: "DHE with our own choice: the client lists nothing", ref: "RFC 7919 §4",
			hello: hello(t, suites{dheRSA}, sha256), suite: dheRSA, group: ff,
			scheme: iana.RSA_PKCS1_SHA256},
		{what: "no DHE: the client lists a finite field that we do not allow",
			ref:   "RFC 7919 §4: MUST NOT",
			hello: hello(t, suites{dheRSA}, groups{x, iana.FFDHE8192}, sha256),
			want:  alert.InsufficientSecurity, says: "no group in common"},
		{what: "no DHE: the client lists one that nobody knows", ref: "RFC 7919 §4: 256 to 511",
			hello: hello(t, suites{dheRSA}, groups{0x01FF}, sha256),
			want:  alert.InsufficientSecurity, says: "no group in common"},
		{what: "no DHE, and no other suite of the client works: it lists no curve of ours",
			ref:   "RFC 7919 §4: MUST end with insufficient_security",
			hello: hello(t, suites{dheRSA, ecdheRSA}, groups{iana.X448, iana.FFDHE8192}, sha256),
			want:  alert.InsufficientSecurity, says: "no group in common"},
		{what: "no DHE, but the next suite", ref: "RFC 7919 §4",
			hello: hello(t, suites{dheRSA, rsaRSA}, groups{iana.FFDHE8192}, sha256), suite: rsaRSA},

		{what: "no signature_algorithms, modern", ref: "§7.4.1.4.1, RFC 9155 §2",
			hello: hello(t, suites{ecdheRSA}, groups{x}), want: alert.HandshakeFailure,
			says: "rsa_pkcs1_sha1"},
		{what: "no signature_algorithms, legacy", ref: "§7.4.1.4.1: SHA-1",
			hello:  hello(t, suites{ecdheRSA}, groups{x}),
			config: func(c *negotiation.Config) { c.Schemes = sha1 }, suite: ecdheRSA, group: x,
			scheme: iana.RSA_PKCS1_SHA1},
		{what: "no signature_algorithms, RSA key exchange", ref: "§7.4.1.4.1: nothing is signed",
			hello: hello(t, suites{ecdheRSA, rsaRSA}, groups{x}), suite: rsaRSA},

		{what: "unknown suites", ref: "§7.4.1.2",
			hello: hello(t, suites{0x1301, 0x0A0A, 0xFEFE, ecdheRSA}, groups{x}, sha256),
			suite: ecdheRSA, group: x, scheme: iana.RSA_PKCS1_SHA256},
		{what: "no suite in common", ref: "§7.4.1.3",
			hello: hello(t, suites{0x1301, 0x002F}, groups{x}, sha256),
			want:  alert.HandshakeFailure, says: "no cipher suite in common"},
		{what: "a suite whose certificate is missing", ref: "§7.4.2",
			hello: hello(t, suites{ecdheECDSA}, groups{x, p256}, sha256),
			creds: []*pki.Credential{rsa}, want: alert.HandshakeFailure, says: "RSA key"},
		{what: "a ServerName that we have", ref: "RFC 6066 §3",
			hello: hello(t, suites{ecdheRSA}, name, groups{x}, sha256), suite: ecdheRSA, group: x,
			scheme: iana.RSA_PKCS1_SHA256},
		{what: "a ServerName that we do not have", ref: "RFC 6066 §3: our choice",
			hello: hello(t, suites{ecdheRSA}, "elsewhere.test", groups{x}, sha256), suite: ecdheRSA,
			group: x, scheme: iana.RSA_PKCS1_SHA256},
	} {
		config := config("choose", all...)
		if config.Credentials = c.creds; c.creds == nil {
			config.Credentials = both
		}
		if c.config != nil {
			c.config(config)
		}
		got, err := negotiation.Choose(c.hello, config)
		if c.suite == 0 {
			if alert.Of(err) != c.want || err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: got %v, expected %v and %q", c.what, err, c.want, c.says)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		group := iana.Group(0)
		if got.Group != nil {
			group = got.Group.ID()
		}
		if got.Suite.ID != c.suite || group != c.group || got.Scheme != c.scheme {
			t.Errorf("%s: got %v, %v, %v, expected %v, %v, %v", c.what, got.Suite.ID, group,
				got.Scheme, c.suite, c.group, c.scheme)
		}
		sentName := c.hello.Extensions.Has(iana.ExtServerName)
		if want := sentName && !strings.Contains(c.what, "do not have"); got.Named != want {
			t.Errorf("%s: named is %v, expected %v", c.what, got.Named, want)
		}
	}
}

// What a client accepts in chains is what signature_algorithms_cert says, or else
// signature_algorithms: RFC 8446 §4.2.3.
func TestTheSchemesOfAChainAreReadApart(t *testing.T) {
	for _, c := range []struct {
		sent schemes // in signature_algorithms_cert
		says string
	}{
		{nil, "and the client accepts all its signatures"},
		{everyScheme, "and the client accepts all its signatures"},
		{schemes{iana.ED448}, "did not say that it accepts all its signatures"},
	} {
		config := config("chain", ecdheECDSA)
		config.Credentials = []*pki.Credential{credential(t, throwaway.ECDSA, name)}
		m := hello(t, suites{ecdheECDSA}, groups{iana.X25519, iana.Secp256r1}, everyScheme)
		if c.sent != nil {
			m.Extensions.Add(iana.ExtSignatureAlgorithmsCert,
				&message.SignatureSchemes{Schemes: c.sent})
		}
		got, err := negotiation.Choose(m, config)
		if err != nil || !strings.Contains(got.Why(), c.says) {
			t.Errorf("%v: %v, expected %q", c.sent, err, c.says)
		}
	}
}
