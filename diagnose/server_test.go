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
