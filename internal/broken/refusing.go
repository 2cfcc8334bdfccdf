package broken

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
)

// refusing are servers that refuse in ways of their own, or go away in the middle.
var refusing = []Server{
	{"OpenSSL: signatures with SHA-1 alone", openssl("-max_protocol", "TLSv1.2", "-sigalgs",
		"RSA+SHA1", "-cipher", "ECDHE:@SECLEVEL=0")},
	{"OpenSSL: a certificate on a curve that few know", func(t testing.TB) string {
		cert := filepath.Join(t.TempDir(), "brainpool.pem")
		out, err := exec.Command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
			"ec_paramgen_curve:brainpoolP256r1", "-nodes", "-keyout", cert+".key", "-out", cert,
			"-subj", "/CN=brainpool").CombinedOutput()
		if err != nil {
			t.Skipf("openssl: %v: %s", err, out)
		}
		return OpenSSL(t, "-cert", cert, "-key", cert+".key")
	}},
	{"OpenSSL: nobody's certificate, and many suites", openssl("-nocert", "-cipher",
		"ADH:@SECLEVEL=0", "-max_protocol", "TLSv1.2")},
	{"OpenSSL: pre-shared keys, and the usual suites", openssl("-nocert", "-psk",
		"0102030405060708")},
	{"GnuTLS: a prime of 512 bits", gnutlsPrime(Prime512)},
	{"GnuTLS: a prime of 1024 bits", gnutlsPrime(Prime1024)},
	{"GnuTLS: ffdhe6144 alone, in TLS 1.2", gnutls("NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:" +
		"+DHE-RSA:-GROUP-ALL:+GROUP-FFDHE6144")},
	{"GnuTLS: pre-shared keys, and suites that no policy has", func(t testing.TB) string {
		keys := filepath.Join(t.TempDir(), "keys")
		text := []byte("Client_identity:0102030405060708\n")
		if err := os.WriteFile(keys, text, 0o600); err != nil {
			t.Fatal(err)
		}
		return GnuTLS(t, "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+PSK", "--pskpasswd", keys)
	}},
	{"GnuTLS: a certificate for DSA", func(t testing.TB) string {
		cert := filepath.Join(t.TempDir(), "dsa.pem")
		out, err := exec.Command("sh", "-c", `openssl dsaparam -out "$0.par" 2048 &&
			openssl req -x509 -newkey dsa:"$0.par" -nodes -keyout "$0.key" -out "$0" -subj /CN=dsa`,
			cert).CombinedOutput()
		if err != nil {
			t.Skipf("openssl: %v: %s", err, out)
		}
		return Program(t, gnutlsListens, "gnutls-serv", "--port", freePort(t), "--x509certfile",
			cert, "--x509keyfile", cert+".key", "--echo", "--disable-client-cert", "--priority",
			"LEGACY:+DHE-DSS:+SIGN-DSA-SHA256:+SIGN-DSA-SHA1:-VERS-TLS1.3")
	}},
	{"GnuTLS: a client certificate is wanted, in TLS 1.2", func(t testing.TB) string {
		cert, key := Files(t, rig.Certificate(t, throwaway.RSA))
		return Program(t, gnutlsListens, "gnutls-serv", "--port", freePort(t), "--x509certfile",
			cert, "--x509keyfile", key, "--echo", "--require-client-cert", "--verify-client-cert",
			"--x509cafile", cert, "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2")
	}},
	{"GnuTLS: no RFC 5746", gnutls("NORMAL:-VERS-ALL:+VERS-TLS1.2:%UNSAFE_RENEGOTIATION:" +
		"%DISABLE_SAFE_RENEGOTIATION")},
	{"fails with one application protocol", picky(func(raw []byte, _ *message.ClientHello) bool {
		return bytes.Contains(raw, []byte("\x02h2"))
	})},
	{"is a client, too", func(t testing.TB) string {
		return testkit.ServeTCP(t, func(c net.Conn) {
			tls.Client(c, &tls.Config{ServerName: rig.ServerName}).Handshake()
		})
	}},
	{"fails with extensions", picky(func(_ []byte, m *message.ClientHello) bool {
		return len(m.Extensions) > 0
	})},
	{"fails with hellos of over 100 bytes", picky(func(raw []byte, _ *message.ClientHello) bool {
		return len(raw) > 105
	})},
	{"refuses by access_denied", answers("\x15\x03\x03\x00\x02\x02\x31")},
	{"refuses by close_notify", answers("\x15\x03\x03\x00\x02\x01\x00")},
	{"warns and falls silent", falls("\x15\x03\x03\x00\x02\x01\x70")},
	{"sends back what it gets", func(t testing.TB) string {
		return testkit.ServeTCP(t, func(c net.Conn) { io.Copy(c, c) })
	}},
	{"speaks HTTP/2 without TLS", answers("\x00\x00\x12\x04\x00\x00\x00\x00\x00" +
		"\x00\x03\x00\x00\x00\x80\x00\x04\x00\x01\x00\x00\x00\x05\x00\xff\xff\xff")},
	{"behind somebody who passes 900 bytes", func(t testing.TB) string {
		return Relay(t, crypto(throwaway.ECDSA)(t), 900, Closing)
	}},
	{"closes after its ServerHello", after(false, func(c net.Conn) {})},
	{"closes inside its ServerHello", after(true, func(c net.Conn) {})},
	{"falls silent after its ServerHello", after(false, func(c net.Conn) {
		io.Copy(io.Discard, c)
	})},
	{"closes when a long record has its name", joining(func(record []byte) bool {
		return len(record) > 100 && bytes.Contains(record, []byte(rig.ServerName))
	})},
	{"fails with a hello of over 250 bytes in a record", joining(func(record []byte) bool {
		return len(record) > 255
	})},
}

// gnutlsPrime is a server with finite-field suites and a prime of its own, which does not choose
// them for a client that names groups of RFC 7919.
func gnutlsPrime(p string) func(testing.TB) string {
	return func(t testing.TB) string {
		return GnuTLS(t, "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+DHE-RSA:-GROUP-DH-ALL",
			"--dhparams", Parameters(t, p))
	}
}

// falls is a server that sends text, and then nothing.
func falls(text string) func(testing.TB) string {
	return func(t testing.TB) string {
		return testkit.ServeTCP(t, func(c net.Conn) {
			c.Read(make([]byte, 4096))
			io.WriteString(c, text)
			io.Copy(io.Discard, c)
		})
	}
}

// after is a server of crypto/tls of which the ServerHello goes out, or half of it, and no more.
func after(half bool, then func(net.Conn)) func(testing.TB) string {
	return func(t testing.TB) string {
		behind := crypto(throwaway.RSA)(t)
		return testkit.ServeTCP(t, func(c net.Conn) {
			server, err := net.Dial("tcp", behind)
			if err != nil {
				return
			}
			defer server.Close()
			hello, err := rig.ReadRecord(c)
			if err != nil {
				return
			}
			server.SetDeadline(time.Now().Add(rig.Patience))
			server.Write(hello)
			answer, err := rig.ReadRecord(server)
			if err != nil {
				return
			}
			if half {
				answer = answer[:len(answer)/2]
			}
			c.Write(answer)
			then(c)
		})
	}
}
