package diagnose_test

import (
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/diagnose"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// What a server says of a client that it refused comes from the cause: a policy is named only if it
// would help.
func TestAServersHintsComeFromTheCause(t *testing.T) {
	for _, c := range []struct {
		what    string
		version iana.Version
		suite   iana.CipherSuite
		kind    alert.Kind
		alert   alert.Description
		want    string
	}{
		{"TLS 1.1 alone", iana.TLS11, iana.TLS_RSA_WITH_AES_128_CBC_SHA, alert.KindVersion,
			alert.ProtocolVersion, "policy legacy has"},
		{"SSL 3.0 alone", iana.SSL30, iana.TLS_RSA_WITH_AES_128_CBC_SHA, alert.KindVersion,
			alert.ProtocolVersion, "no version, or no suite, that any policy has"},
		{"CBC alone", iana.TLS12, iana.TLS_RSA_WITH_AES_256_CBC_SHA256, alert.KindSuite,
			alert.HandshakeFailure, "policy compatible has"},
		{"RC4 alone", iana.TLS12, 0x0005, alert.KindSuite, alert.HandshakeFailure,
			"no version, or no suite, that any policy has"},
		{"what we could do", iana.TLS12, iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			alert.KindSuite, alert.HandshakeFailure, "our flags, or the kinds of our certificates"},
		{"no certificate", iana.TLS12, iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			alert.KindNoCertificate, alert.HandshakeFailure, "no policy helps"},
		{"no certificate, TLS 1.3", iana.TLS12, iana.TLS_AES_128_GCM_SHA256,
			alert.KindNoCertificate, alert.CertificateRequired, "no policy helps"},
		{"another handshake_failure", iana.TLS12, iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			alert.KindRenegotiation, alert.HandshakeFailure, ""},
	} {
		err := &vitrine.HandshakeError{Side: iana.Server, Err: c.kind.Fail(c.alert, "", "refused"),
			Offered: &message.ClientHello{Version: c.version,
				CipherSuites: []iana.CipherSuite{c.suite}}}
		f, ok := diagnose.Of(err)
		if !ok {
			t.Fatal(err)
		}
		got := strings.Join(f.Explain().Inferred, "; ")
		if !strings.Contains(got, c.want) || (c.want == "") != (got == "") {
			t.Errorf("%s: got %q, expected %q", c.what, got, c.want)
		}
	}
}

// A policy is named only if it has the groups and signature schemes that the client needs besides.
func TestAPolicyThatHelpsHasTheGroupsAndSchemes(t *testing.T) {
	const old, today = iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, iana.TLS_AES_128_GCM_SHA256
	for _, c := range []struct {
		what   string
		suite  iana.CipherSuite
		group  iana.Group
		scheme iana.SignatureScheme
		want   string
	}{
		{"all of modern", today, iana.X25519, iana.RSA_PSS_RSAE_SHA256, "what policy modern has"},
		{"a finite field", today, iana.FFDHE2048, iana.RSA_PSS_RSAE_SHA256,
			"policy compatible has"},
		{"a curve that we lack", old, 26, iana.RSA_PSS_RSAE_SHA256, "none with its groups"},
		{"a curve without need", iana.TLS_RSA_WITH_AES_128_GCM_SHA256, 26,
			iana.RSA_PSS_RSAE_SHA256, "policy compatible has"},
		{"SHA-1", old, iana.X25519, iana.RSA_PKCS1_SHA1, "policy legacy has"},
		{"DSA", old, iana.X25519, 0x0202, "none with its groups"},
	} {
		hello := &message.ClientHello{Version: iana.TLS12,
			CipherSuites: []iana.CipherSuite{c.suite}}
		for x, content := range map[iana.ExtensionType]message.Content{
			iana.ExtSupportedGroups: &message.SupportedGroups{Groups: []iana.Group{c.group}},
			iana.ExtSignatureAlgorithms: &message.SignatureSchemes{
				Schemes: []iana.SignatureScheme{c.scheme}},
		} {
			if err := hello.Extensions.Add(x, content); err != nil {
				t.Fatal(err)
			}
		}
		if c.suite == today {
			err := hello.Extensions.Add(iana.ExtSupportedVersions,
				&message.SupportedVersions{Versions: []iana.Version{iana.TLS13}})
			if err != nil {
				t.Fatal(err)
			}
		}
		f, ok := diagnose.Of(&vitrine.HandshakeError{Side: iana.Server, Offered: hello,
			Err: alert.KindSuite.Fail(alert.HandshakeFailure, "", "refused")})
		if !ok {
			t.Fatal(c.what)
		}
		if got := strings.Join(f.Explain().Inferred, "; "); !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, expected %q", c.what, got, c.want)
		}
	}
}
