package explain

import (
	"strings"
	"testing"
)

// Each line of messages.tsv has a known cause, each cause a message, and nothing is left empty.
func TestMessagesHaveCauses(t *testing.T) {
	used := map[string]int{}
	programs := map[string]int{}
	for _, m := range messageTerms() {
		if m.cause == "" || m.Program == "" || m.Name == "" || m.Ref == "" ||
			!strings.HasSuffix(m.Text, ".") || !strings.HasSuffix(m.Causes, ".") ||
			!strings.HasPrefix(m.Try, "vitrine ") {
			t.Errorf("%q: %+v", m.Name, m)
		}
		used[m.cause]++
		program, _, _ := strings.Cut(m.Program, ",")
		programs[strings.Fields(program)[0]]++
	}
	for line := range strings.Lines(causesTSV) {
		if cause, _, _ := strings.Cut(line, "\t"); used[cause] == 0 {
			t.Errorf("no message has the cause %s", cause)
		}
	}
	if len(programs) < 11 {
		t.Errorf("got messages of %v", programs)
	}
	t.Logf("%d messages of %d programs: %v", len(messageTerms()), len(programs), programs)
}

// Messages as programs print them, with all that stands around them.
func TestPastedMessagesAreFound(t *testing.T) {
	for _, c := range []struct{ pasted, cause string }{
		{"140735:error:14094410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure:" +
			"ssl/record/rec_layer_s3.c:1544:SSL alert number 40", "handshake-failure"},
		{"error:0A000410:SSL routines::ssl/tls alert handshake failure", "handshake-failure"},
		{"curl: (35) error:0A00010B:SSL routines::wrong version number", "not-tls"},
		{"curl: (60) SSL certificate problem: unable to get local issuer certificate", "untrusted"},
		{"curl: (60) SSL: no alternative certificate subject name matches target host name " +
			"'a.test'",
			"name"},
		{`Get "https://a.test/": tls: failed to verify certificate: x509: certificate signed by ` +
			"unknown authority", "untrusted"},
		{`Get "https://a.test/": tls: failed to verify certificate: x509: certificate is valid ` +
			"for b.test, not a.test", "name"},
		{"http: TLS handshake error from 192.0.2.1:40000: tls: first record does not look like a " +
			"TLS handshake", "not-tls"},
		{"x509: cannot validate certificate for 192.0.2.1 because it doesn't contain any IP SANs",
			"name"},
		{"tls: failed to verify certificate: x509: certificate has expired or is not yet valid: " +
			"current time 2026-01-01T00:00:00Z is after 2025-01-01T00:00:00Z", "expired"},
		{"javax.net.ssl.SSLHandshakeException: PKIX path building failed: " +
			"sun.security.provider.certpath.SunCertPathBuilderException: unable to find valid " +
			"certification path to requested target", "untrusted"},
		{"javax.net.ssl.SSLHandshakeException: Received fatal alert: handshake_failure",
			"handshake-failure"},
		{"javax.net.ssl.SSLHandshakeException: No name matching a.test found", "name"},
		{"javax.net.ssl.SSLException: Unsupported or unrecognized SSL message", "not-tls"},
		{"Error: unable to verify the first certificate; code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'",
			"untrusted"},
		{"ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify " +
			"failed: certificate has expired (_ssl.c:1006)", "expired"},
		{"ssl.SSLEOFError: EOF occurred in violation of protocol (_ssl.c:1129)", "closed"},
		{"ssl.SSLError: [SSL: TLSV1_ALERT_PROTOCOL_VERSION] tlsv1 alert protocol version " +
			"(_ssl.c:1129)", "version"},
		{"schannel: next InitializeSecurityContext failed: SEC_E_UNTRUSTED_ROOT (0x80090325)",
			"untrusted"},
		{"0x80090322", "name"},
		{"System.Net.WebException: The request was aborted: Could not create SSL/TLS secure " +
			"channel.", "version"},
		{"Error code: SSL_ERROR_NO_CYPHER_OVERLAP", "no-common"},
		{"net::ERR_CERT_AUTHORITY_INVALID", "untrusted"},
		{"*** Fatal error: The TLS connection was non-properly terminated.", "closed"},
		{"Status: The certificate is NOT trusted. The certificate issuer is unknown.", "untrusted"},
		{"mbedtls_ssl_handshake returned -0x2700", "verify"},
		{"40F7C925BB7F0000:error:8000006F:system library:BIO_connect:Connection refused:" +
			"../crypto/bio/bio_sock2.c:117:calling connect()", "refused"},
		{"curl: (7) Failed to connect to localhost port 9 after 0 ms: Couldn't connect to server",
			"refused"},
		{"dial tcp 127.0.0.1:9: connect: connection refused", "refused"},
		{"curl: (6) Could not resolve host: nosuch.invalid", "no-address"},
		{"read tcp 127.0.0.1:1->127.0.0.1:2: read: connection reset by peer", "reset"},
		{"2026/11/28 10:11:33 [info] 22943#22943: *12 peer closed connection in SSL handshake " +
			"(104: Connection reset by peer) while SSL handshaking, client: 127.0.0.1",
			"client-left"},
		{"SSL_do_handshake() failed (SSL: error:0A00018C:SSL routines::version too low) while " +
			"SSL handshaking, client: 127.0.0.1", "version"},
		{"[23301:23393:1128/105758.295755:ERROR:net/socket/ssl_client_socket_impl.cc:949] " +
			"handshake failed; returned -1, SSL error code 1, net_error -202", "untrusted"},
		{"*** PKI verification of server certificate failed...", "verify"},
		{"tls: failed to verify certificate: x509: certificate signed by unknown authority " +
			"(possibly because of \"x509: invalid signature: parent certificate cannot sign " +
			"this kind of certificate\" while trying to verify candidate authority certificate " +
			"\"a\")",
			"untrusted"},
		{"X509 - Certificate verification failed, e.g. CRL, CA or signature check failed",
			"verify"},
		{"[info] 29#29: *5 client closed connection while waiting for request, client: 192.0.2.1",
			"no-request"},
		{"certutil: function failed: SEC_ERROR_BAD_DATABASE: security library: bad database.",
			"store"},
		{"BIO_connect:connect error", "tcp"},
		{"connect:errno=113", "tcp"},
		{"upstream timed out (110: Connection timed out) while SSL handshaking to upstream",
			"timeout"},
		{"fe_main/1: SSL handshake failure", "handshake"},
		{"curl: (35) TLS connect error: error:00000000:lib(0)::reason(0)", "handshake"},
		{"postfix/smtp: Cannot start TLS: handshake failure", "handshake"},
		{"ERROR: no certificate subject alternative name matches requested host name 'a.test'.",
			"name"},
		{"invalid peer certificate: UnknownIssuer", "untrusted"},
		{"schannel: server closed abruptly (missing close_notify)", "closed"},
		{"net/http: request canceled while waiting for connection (Client.Timeout exceeded while " +
			"awaiting headers)", "timeout"},
		{"The underlying connection was closed: Could not establish trust relationship for the " +
			"SSL/TLS secure channel.", "verify"},
		{"Redis at 192.0.2.1:6380: SSL_connect failed: certificate verify failed", "verify"},
		{"[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Missing Authority Key " +
			"Identifier (_ssl.c:1010)", "strict"},
		{"Event 36871: A fatal error occurred while creating a TLS client credential. The " +
			"internal error state is 10013.", "own-settings"},
		{"TLS server: In state hello at tls_handshake.erl:354 generated SERVER ALERT: Fatal - " +
			"Insufficient Security - no_suitable_ciphers", "no-common"},
		{"psql: error: server does not support SSL, but SSL was required", "no-tls"},
		{"InvalidReceiveException: Invalid receive (size = 352518912 larger than 104857600)",
			"tls-at-plain"},
		{"SSL_ERROR_RX_MALFORMED_CERTIFICATE", "decode"},
		{"ERR_QUIC_PROTOCOL_ERROR", "quic"},
		{"ERR_SSL_CLIENT_AUTH_PRIVATE_KEY_ACCESS_DENIED", "key-pair"},
		{"mbedtls_ssl_handshake returned -0x50", "reset"},
		{"CFNetwork SSLHandshake failed (-9806)", "closed"},
	} {
		terms := Lookup(c.pasted)
		if len(terms) == 0 || terms[0].cause != c.cause {
			t.Errorf("%s\ngot %+v, expected the cause %s", c.pasted, terms, c.cause)
		}
	}
	for _, pasted := range []string{"A fatal alert was received from the remote endpoint. The " +
		"TLS protocol defined fatal alert code is 40.",
		"*** Received alert [40]: Handshake failed",
		"TLS client: In state hello received SERVER ALERT: Fatal - Handshake Failure",
		"error:0A000410:SSL routines::reason(1040)"} {
		if got := Lookup(pasted); len(got) != 1 || got[0].Name != "handshake_failure" {
			t.Errorf("%s\ngot %+v", pasted, got)
		}
	}
}

// Ordinary words that are also names of alerts, or messages of TLS with other words between, are
// not taken for them.
func TestOtherErrorsAreNotTakenForTLS(t *testing.T) {
	for _, pasted := range []string{
		"ERROR 1045 (28000): Access denied for user 'x'@'host' (using password: YES)",
		"mbedtls_aes_setkey_enc returned -0x5000",
		"500 internal error: no certificate of attendance was found",
	} {
		if got := Lookup(pasted); len(got) != 0 {
			t.Errorf("%s\ngot %+v", pasted, got)
		}
	}
}
