package broken

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
)

// Server is a server with one fault, or with two. It is called rig.ServerName, and its certificate
// is of rig.Authority unless that is its fault.
type Server struct {
	Name  string
	Start func(testing.TB) string // starts it and returns its address
}

// Named returns the server of that name.
func Named(t testing.TB, name string) Server {
	t.Helper()
	for _, list := range [][]Server{servers, refusing, weaknesses} {
		for _, s := range list {
			if s.Name == name {
				return s
			}
		}
	}
	t.Fatalf("no server is called %q", name)
	return Server{}
}

// weaknesses are servers that clients can speak to.
var weaknesses = []Server{
	{"OpenSSL: no encryption, and nobody's certificate", openssl("-cipher",
		"AECDH-NULL-SHA:AES128-SHA:@SECLEVEL=0", "-max_protocol", "TLSv1.2", "-min_protocol",
		"TLSv1.2")},
	{"GnuTLS: TLS 1.0 to 1.2 with CBC", gnutls("NORMAL:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.1:" +
		"+VERS-TLS1.0:-CIPHER-ALL:+AES-128-CBC:-KX-ALL:+ECDHE-RSA")},
	{"GnuTLS: RSA key exchange, no extended_master_secret",
		gnutls("NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA:%NO_SESSION_HASH")},
	{"crypto/tls: 3DES and RC4", crypto(throwaway.RSA, func(c *tls.Config) {
		c.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA,
			tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA}
	})},
	{"crypto/tls: a certificate that ends tomorrow", certified(func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().AddDate(0, 0, -80), time.Now().Add(24*time.Hour)
	})},
	{"scripted: nothing but RSA", scripted(Fault{})},
	{"scripted: Heartbleed", scripted(Fault{Heartbeat: true})},
	{"scripted: early ChangeCipherSpec", scripted(Fault{Early: true})},
	{"scripted: ROBOT", scripted(Fault{Oracle: true})},
	{"scripted: compression", scripted(Fault{Compress: true})},
	{"scripted: fails with extensions that it does not know", scripted(Fault{
		Strict: func(_ []byte, m *message.ClientHello) bool { return m.Extensions.Has(0x4A4A) }})},
	{"scripted: fails with long hellos", scripted(Fault{
		Strict: func(raw []byte, _ *message.ClientHello) bool { return len(raw) > 4096 }})},
	{"scripted: fails with hellos in several records", scripted(Fault{
		Strict: func(raw []byte, _ *message.ClientHello) bool { return len(raw) < 40 }})},
	{"scripted: fails with an unknown version", scripted(Fault{
		Strict: func(_ []byte, m *message.ClientHello) bool { return m.Version > iana.TLS12 }})},
}

func openssl(args ...string) func(testing.TB) string {
	return func(t testing.TB) string { return OpenSSL(t, args...) }
}

func gnutls(priority string, args ...string) func(testing.TB) string {
	return func(t testing.TB) string { return GnuTLS(t, priority, args...) }
}

// crypto is a server of crypto/tls.
func crypto(kind throwaway.Kind, edits ...func(*tls.Config)) func(testing.TB) string {
	return func(t testing.TB) string {
		config := &tls.Config{Certificates: []tls.Certificate{rig.Certificate(t, kind)}}
		for _, edit := range edits {
			edit(config)
		}
		return testkit.ServeTCP(t, Stdlib(config))
	}
}

// certified is a server of crypto/tls with a certificate of rig.Authority that was changed.
func certified(edit func(*x509.Certificate)) func(testing.TB) string {
	return func(t testing.TB) string {
		return crypto(throwaway.ECDSA, func(c *tls.Config) {
			c.Certificates = []tls.Certificate{rig.Certificate(t, throwaway.ECDSA, edit)}
		})(t)
	}
}

func scripted(f Fault) func(testing.TB) string {
	return func(t testing.TB) string {
		return testkit.ServeTCP(t, f.Serve(rig.Certificate(t, throwaway.RSA)))
	}
}

// Stdlib serves with crypto/tls.
func Stdlib(config *tls.Config) func(net.Conn) {
	return func(c net.Conn) {
		server := tls.Server(c, config)
		if server.Handshake() == nil {
			io.Copy(io.Discard, server)
			server.Close()
		}
	}
}
