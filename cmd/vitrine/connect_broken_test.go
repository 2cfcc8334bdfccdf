package main

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/broken"
	"github.com/vitrine-tls/vitrine/internal/rig"
)

// told is what connect must report of a server with one fault.
type told struct {
	flags string   // besides --ca and --sni
	cause []string // each is in the output
	works string   // the flags that the line that works adds, or (none); empty: there is no line
	never []string // false inferences
	code  int
}

// Each server with one fault is reported: the cause, and the narrowest line that works, which then
// works. Nothing false is inferred.
func TestConnectReportsEachFault(t *testing.T) {
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: rig.Authority().Cert.Raw})
	if err := os.WriteFile(ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, s := range broken.Failing() {
		want, ok := faults[s.Name]
		if !ok {
			t.Errorf("nothing is expected of %q", s.Name)
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"connect", s.Start(t), "-i=false", "--timeout", "10s", "--ca",
				ca, "--sni", rig.ServerName}, strings.Fields(want.flags)...)
			code, stdout, stderr := command(t, args...)
			all := stdout + stderr
			flat := strings.Join(strings.Fields(all), " ")
			if code != want.code {
				t.Errorf("exit code %d, expected %d", code, want.code)
			}
			for _, text := range want.cause {
				if !strings.Contains(flat, text) {
					t.Errorf("nothing says %q", text)
				}
			}
			for _, text := range append(want.never, "it may have only RSA or finite-field") {
				if strings.Contains(flat, text) {
					t.Errorf("%q is false", text)
				}
			}
			for _, line := range tryLine.FindAllStringSubmatch(all, -1) {
				if want.flags == "" && added(line[1], "") == "(none)" {
					t.Errorf("the line to try changes nothing: %s", line[1])
				}
			}
			works := worksWith.FindStringSubmatch(strings.ReplaceAll(all, "'", "")) // of a shell
			switch {
			case works == nil && want.works != "":
				t.Errorf("no line works, expected %q", want.works)
			case works != nil && added(works[1], want.flags) != want.works:
				t.Errorf("%q works, expected %q", added(works[1], want.flags), want.works)
			case works != nil:
				code, stdout, stderr := command(t, append(strings.Fields(works[1]), "-i=false")...)
				if code != exitOK {
					t.Errorf("%q: exit code %d\n%s%s", works[1], code, stdout, stderr)
				}
			}
			if t.Failed() {
				t.Log("\n" + all)
			}
		})
	}
}

// tryLine is a line that connect proposes.
var tryLine = regexp.MustCompile(`(?m)^try: +vitrine (connect [^#\n]*)`)

// added returns the flags of a line besides those that the test itself gives.
func added(line, given string) string {
	words := strings.Fields(line)[2:]
	var left []string
	for i := 0; i < len(words); i++ {
		switch {
		case words[i] == "--ca" && words[i+1] != "roots.pem",
			words[i] == "--sni" && words[i+1] == rig.ServerName:
			i++
		case !slices.Contains(strings.Fields(given), words[i]):
			left = append(left, words[i])
		}
	}
	if left == nil {
		return "(none)"
	}
	return strings.Join(left, " ")
}

var faults = map[string]told{
	"OpenSSL: TLS 1.0 and 1.1 alone": {code: 1, cause: []string{
		"no connection to", ": the server speaks TLS 1.1, TLS 1.0;"},
		works: "--min 1.1 --suite TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"},
	"GnuTLS: TLS 1.0 alone": {code: 1, cause: []string{": the server speaks only TLS 1.0;"},
		works: "--min 1.0 --suite TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"},
	"scripted: SSL 3.0 alone": {code: 1, cause: []string{"the server speaks only SSL 3.0",
		"Vitrine does not speak SSL 3.0"}, never: []string{"tried", "try:"}},
	"crypto/tls: 3DES alone": {code: 1, cause: []string{"the server has only the suite " +
		"TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA, which was not offered"},
		works: "--suite TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"},
	"OpenSSL: no encryption": {code: 1, cause: []string{"the server has only the suite " +
		"TLS_ECDHE_RSA_WITH_NULL_SHA", "nothing is encrypted"},
		works: "--suite TLS_ECDHE_RSA_WITH_NULL_SHA"},
	"OpenSSL: nobody's certificate": {code: 1, cause: []string{"it has only the suite " +
		"TLS_DH_anon_WITH_AES_128_GCM_SHA256", "Vitrine speaks none of its suites"},
		never: []string{"tried", "try:"}},
	"GnuTLS: RSA key exchange alone": {code: 1, cause: []string{"none of the suites of TLS 1.2 " +
		"that were offered", "not forward secret"},
		works: "--suite TLS_RSA_WITH_AES_128_GCM_SHA256"},
	"GnuTLS: CBC alone": {code: 1, cause: []string{"the server has only the suite " +
		"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, which was not offered"},
		works: "--suite TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"},
	"crypto/tls: RC4 alone": {code: 1, cause: []string{"it has only the suite " +
		"TLS_ECDHE_RSA_WITH_RC4_128_SHA", "Vitrine speaks none of its suites"},
		never: []string{"tried", "try:"}},
	"OpenSSL: TLS 1.3 with CCM_8 alone": {code: 1,
		cause: []string{"the server has only the suite TLS_AES_128_CCM_8_SHA256"},
		works: "--suite TLS_AES_128_CCM_8_SHA256"},
	"OpenSSL: ffdhe6144 alone": {code: 1, cause: []string{"the server wants the group ffdhe6144"},
		works: "--group ffdhe6144"},
	"OpenSSL: a curve that few know": {code: 1, cause: []string{
		"Vitrine does not speak the group brainpoolP256r1"}, never: []string{"tried", "try:"}},
	"OpenSSL: a prime of 1024 bits": {code: 1, cause: []string{"the server has only the suite " +
		"TLS_DHE_RSA_WITH_AES_128_GCM_SHA256, with a prime of 1024 bits"},
		works: "--policy legacy --suite TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"},
	"scripted: a prime of 768 bits": {code: 1, cause: []string{"prime has 768 bits, and no policy"},
		never: []string{"tried", "try:"}},
	"scripted: a prime of 512 bits": {code: 1, cause: []string{"prime has 512 bits, and no policy"},
		never: []string{"tried", "try:"}},
	"OpenSSL: pre-shared keys alone": {code: 1, cause: []string{
		": the server takes pre-shared keys alone", "--psk '@key.hex' --psk-identity NAME"},
		never: []string{"tried"}},
	"crypto/tls: a certificate of another name": {code: 4, cause: []string{
		"the certificate is for other.example, not for vitrine.test"},
		works: "--sni other.example"},
	"crypto/tls: a certificate that has expired": {code: 4,
		cause: []string{"9 days ago: whoever runs the server must renew it",
			"this machine's clock"}},
	"crypto/tls: a certificate of tomorrow": {code: 4, cause: []string{"is not valid before",
		"look at this machine's clock"}},
	"crypto/tls: a certificate for clients": {code: 4, cause: []string{"not meant for a server"}},
	"crypto/tls: a certificate signed with SHA-1": {code: 4, cause: []string{
		"is signed with ecdsa-with-SHA1"}, works: "--policy legacy"},
	"crypto/tls: a certificate that may only encrypt": {code: 1, cause: []string{
		"the certificate's KeyUsage does not allow what the server uses it for"},
		works: "--policy compatible --suite TLS_AES_128_GCM_SHA256"},
	"crypto/tls: a certificate of an unknown authority": {code: 4, cause: []string{
		`its issuer is "Vitrine demo CA": no root that is trusted here`,
		"a root of that name is trusted here, but with another key"}},
	"crypto/tls: the intermediate is missing": {code: 4, cause: []string{
		`its issuer is "Vitrine demo intermediate CA": no root`, "the server must send",
		"http://ca.example/intermediate.der"}, never: []string{"it is an intermediate that"}},
	"crypto/tls: a self-signed certificate": {code: 4,
		cause: []string{"the certificate is self-signed",
			"--pin 'sha256/", "if the server's owner confirms this pin"}},
	"OpenSSL: an RSA key of 512 bits": {code: 1, flags: "-k", cause: []string{
		"the server's RSA key of 512 bits is too short to sign in TLS 1.3"}, works: "--max 1.2"},
	"OpenSSL: an RSA key of 1024 bits": {code: 0,
		cause: []string{"deprecated RSA key of 1024 bits"}},
	"crypto/tls: a client certificate is wanted": {code: 1, cause: []string{
		"the server wants a client certificate",
		"from one of these authorities: CN=Vitrine demo CA",
		"--cert client.pem --key client.key"}, never: []string{"tried"}},
	"fails with signed_certificate_timestamp": {code: 1, cause: []string{
		": the server fails at the extension signed_certificate_timestamp"},
		works: "--without sct"},
	"fails with extended_master_secret": {code: 1, cause: []string{
		": the server fails at the extension extended_master_secret"}, works: "--without ems",
		never: []string{"speaks only TLS 1.3"}},
	"fails with server_name": {code: 1, cause: []string{": the server fails at server_name",
		"in Go: diagnose.WithoutSNI(config)"}, never: []string{"Config{diagnose"},
		works: "--no-sni"},
	"fails with ALPN": {code: 1, flags: "--alpn http/1.1,spdy/3", cause: []string{
		": the server fails at the application protocols"}, works: "(none)"},
	"fails with hellos of over 1,000 bytes": {code: 1,
		cause: []string{"fails at a hello of 1475 bytes"},
		works: "--group x25519,secp256r1,secp384r1"},
	"fails with hybrid key shares": {code: 1, cause: []string{
		": the server fails at the hybrid key share"}, works: "--group x25519,secp256r1,secp384r1"},
	"fails with a hello in several records": {code: 1, flags: "--split-hello 64", cause: []string{
		": the server, or something on the way to it, fails at a ClientHello in several records"},
		works: "(none)"},
	"fails with a hello in one long record": {code: 1, cause: []string{
		"takes a ClientHello of ", "; ours has 1475, and it takes it in short records"},
		works: "--split-hello 64"},
	"fails with a hello of over 250 bytes in a record": {code: 1, cause: []string{
		"takes a ClientHello of 2", "; ours has 1475, and it takes it in short records",
		"the server speaks TLS 1.3, TLS 1.2"}, never: []string{"speaks only"},
		works: "--split-hello 64"},
	"closes when a long record has its name": {code: 1, cause: []string{
		": the server, or something on the way to it, fails at the name vitrine.test in a " +
			"ClientHello, and does not see it in short records"}, works: "--split-hello 64"},
	"fails with data of one byte in TLS 1.0": {code: 1, flags: "--policy legacy --max 1.0 --get /",
		cause: []string{"with this change the server answers: the server fails at a record of " +
			"one byte of data", "BEAST", "connected to"}, never: []string{"no connection to"},
		works: "--without record-split"},
	"fails with supported_versions": {code: 1, cause: []string{
		": the server refuses a hello that offers more than TLS 1.2"}, works: "--max 1.2"},
	"does not know the name": {code: 1, cause: []string{"unrecognized_name",
		"the server has no site of the name vitrine.test"},
		works: "--sni other.example"},
	"crypto/tls: 3DES alone, and a certificate that has expired": {code: 1, cause: []string{
		": the server has only the suite TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA, which was not " +
			"offered; and then its certificate is not trusted: the certificate expired on"}},
	"chooses TLS 1.3 with a share of 2 bytes": {code: 1, cause: []string{
		": got a share of 2 bytes, expected a valid public key of x25519"},
		never: []string{": for its key exchange"}},
	"breaks off its answer": {code: 1, cause: []string{
		"after the first bytes of an answer (16030300020200)"},
		never: []string{"drops every connection"}},
	"answers a byte that is no TLS": {code: 5, cause: []string{
		"bytes are no TLS: they begin with 4e", "does not speak TLS here"},
		never: []string{"drops every connection"}},
	"closes when a second has passed": {code: 1, cause: []string{
		": the server closes every connection before it has read anything"},
		never: []string{"tried", "try:"}},
	"closes at once": {code: 1, cause: []string{
		": the server closes every connection before it has read anything"},
		never: []string{"tried", "try:"}},
	"closes after the hello": {code: 1, cause: []string{
		"drops every connection that begins with a ClientHello"}},
	"resets after the hello": {code: 1, cause: []string{
		"drops every connection that begins with a ClientHello"}},
	"fails with extensions": {code: 1, cause: []string{
		"hellos with extensions, of ", " were dropped; those without any were answered: ",
		": the server, or something on the way to it, drops every hello that has an " +
			"extension"},
		never: []string{"drops every connection", "tried", "speaks only"}},
	"fails with hellos of over 100 bytes": {code: 1, cause: []string{
		"hellos of up to 100 bytes were answered, and those of ",
		": something is there that answers hellos, and not ours"},
		never: []string{"drops every connection", "speaks only"}},
	"refuses by access_denied": {code: 1, cause: []string{
		": the server refuses us before it begins: because of our address, or of the name"}},
	"refuses by close_notify": {code: 1, cause: []string{
		"sent the alert close_notify (0), and so ended the connection",
		": the server, or something before it, ends every connection that begins with a " +
			"ClientHello by close_notify"}, never: []string{"without an alert", "first bytes"}},
	"warns and falls silent": {code: 5, flags: "--timeout 300ms --no-retry", cause: []string{
		"sent the warning unrecognized_name (112), and then said nothing more"},
		never: []string{"first bytes"}},
	"sends back what it gets": {code: 1, cause: []string{": the server sends back what it gets"},
		never: []string{"tried"}},
	"speaks HTTP/2 without TLS": {code: 5, cause: []string{"they begin as HTTP/2 without TLS does"},
		never: []string{"tried"}},
	"closes after its ServerHello": {code: 1, cause: []string{"the server chose TLS 1.3",
		": the server began the handshake and went away without a word"},
		never: []string{"tried", "found", "key exchange it has"}},
	"behind somebody who passes 900 bytes": {code: 1, cause: []string{
		": the answer to our hello is cut off"}, never: []string{"fails at", "speaks only"},
		works: "--group x25519,secp256r1,secp384r1"},
	"closes inside its ServerHello": {code: 1, cause: []string{
		": the server broke off in the middle of its ServerHello"},
		never: []string{"no TLS server"}},
	"falls silent after its ServerHello": {code: 5, flags: "--timeout 300ms", cause: []string{
		": the server began the handshake and then fell silent"},
		never: []string{"tried", "waits for something else than TLS"}},
	"OpenSSL: signatures with SHA-1 alone": {code: 1, cause: []string{
		": the server signs with rsa_pkcs1_sha1, which was not offered", "RFC 9155"},
		never: []string{"--policy"}, works: "--scheme rsa_pkcs1_sha1"},
	"OpenSSL: a certificate on a curve that few know": {code: 1, cause: []string{
		": the key of the server's certificate is on brainpoolP256r1, which Vitrine does not " +
			"speak"},
		never: []string{"tried", "try:"}},
	"OpenSSL: nobody's certificate, and many suites": {code: 1, cause: []string{
		": the server has no certificate, and only suites in which nobody proves who is there"},
		never: []string{"tried", "try:"}},
	"OpenSSL: pre-shared keys, and the usual suites": {code: 1, cause: []string{
		": the server takes pre-shared keys alone", "the server speaks TLS 1.2",
		"it refuses TLS 1.3 as a server without a certificate does",
		"--psk '@key.hex' --psk-identity NAME"}, never: []string{"tried", "speaks only"}},
	"GnuTLS: a prime of 512 bits": {code: 1, cause: []string{"prime has 512 bits, and no policy"},
		never: []string{"tried", "try:", "refuses every version"}},
	"GnuTLS: a prime of 1024 bits": {code: 1, cause: []string{
		"it has TLS_DHE_RSA_WITH_AES_128_GCM_SHA256, with a prime of 1024 bits",
		"it takes a client that names no group of RFC 7919"},
		works: "--policy legacy --suite TLS_DHE_RSA_WITH_AES_128_GCM_SHA256 --group x25519"},
	"GnuTLS: ffdhe6144 alone, in TLS 1.2": {code: 1,
		cause: []string{"TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", "prime has 6144 bits"},
		works: "--suite TLS_DHE_RSA_WITH_AES_128_GCM_SHA256 --group ffdhe6144"},
	"GnuTLS: pre-shared keys, and suites that no policy has": {code: 1,
		flags: "--psk @testdata/psk.hex --psk-identity Client_identity",
		cause: []string{"that were offered; it has TLS_PSK_WITH_AES_128_GCM_SHA256"},
		works: "--suite TLS_PSK_WITH_AES_128_GCM_SHA256"},
	"GnuTLS: a certificate for DSA": {code: 1, cause: []string{
		"TLS_DHE_DSS_WITH_AES_128_CBC_SHA", "Vitrine speaks none of its suites"},
		never: []string{"tried", "try:"}},
	"GnuTLS: a client certificate is wanted, in TLS 1.2": {code: 1, cause: []string{
		": the server wants a client certificate", "--cert client.pem --key client.key"},
		never: []string{"tried", "something of its own"}},
	"GnuTLS: no RFC 5746": {code: 1, cause: []string{": the server does not know RFC 5746"},
		works: "--policy legacy", never: []string{"it fails at something else"}},
	"fails with one application protocol": {code: 1, flags: "--alpn h2,http/1.1",
		cause: []string{`: the server fails at "h2" among the application protocols`},
		works: "http/1.1"},
	"is a client, too": {code: 1, cause: []string{": what answers is a client of TLS, too"},
		never: []string{"sends back"}},
	"says nothing": {code: 5, flags: "--timeout 300ms",
		cause: []string{"waits for something else than TLS"}},
	"speaks HTTP": {code: 5,
		cause: []string{"plain HTTP", "does not speak TLS here", "curl http://"},
		never: []string{"tried"}},
	"speaks SSH": {code: 5, cause: []string{"they begin as SSH does", "does not speak TLS here"},
		never: []string{"tried"}},
}
