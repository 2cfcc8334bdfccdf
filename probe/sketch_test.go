package probe_test

import (
	"context"
	"crypto/tls"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/broken"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/probe"
)

// A few questions show what a server has, and the sketch has no more than their answers show.
func TestSketchSaysWhatAServerHas(t *testing.T) {
	rsa := tls.Config{Certificates: []tls.Certificate{rig.Certificate(t, throwaway.RSA)}}
	with := func(edit func(*tls.Config)) func(*testing.T) func(context.Context) (net.Conn, error) {
		return func(t *testing.T) func(context.Context) (net.Conn, error) {
			config := rsa.Clone()
			edit(config)
			return listen(t, broken.Stdlib(config))
		}
	}
	for _, tt := range []struct {
		name  string
		start func(*testing.T) func(context.Context) (net.Conn, error)
		want  []string // each begins one of the sentences
	}{
		{"TLS 1.0 alone", with(func(c *tls.Config) {
			c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS10
			c.CipherSuites = []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA}
		}), []string{"the server speaks only TLS 1.0",
			"in TLS 1.0 it has only the suite TLS_RSA_WITH_AES_128_CBC_SHA"}},
		{"3DES alone", with(func(c *tls.Config) {
			c.MaxVersion = tls.VersionTLS12
			c.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA}
		}), []string{"the server speaks only TLS 1.2",
			"in TLS 1.2 it has only the suite TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"}},
		{"one group", with(func(c *tls.Config) {
			c.MinVersion, c.CurvePreferences = tls.VersionTLS13, []tls.CurveID{tls.CurveP521}
		}), []string{"the server speaks only TLS 1.3", "in TLS 1.3 it has only the suites ",
			"for its key exchange it has only the group secp521r1"}},
		{"a certificate is wanted", with(func(c *tls.Config) {
			c.MaxVersion, c.ClientAuth = tls.VersionTLS12, tls.RequireAndVerifyClientCert
			c.ClientCAs = rig.Authority().Pool()
		}), []string{"it asks for a client certificate from one of these authorities: " +
			"CN=Vitrine demo CA"}},
		{"two versions", with(func(c *tls.Config) {}),
			[]string{"the server speaks TLS 1.3, TLS 1.2", "in TLS 1.3 it has only the suites "}},
		{"an answer that is cut off, which refuses nothing", cutting(rsa.Clone()),
			[]string{"the server speaks TLS 1.3; not told: TLS 1.2, whose answer is cut off"}},
		{"a short prime", func(t *testing.T) func(context.Context) (net.Conn, error) {
			return reach(broken.OpenSSL(t, "-cipher", "DHE-RSA-AES128-SHA:@SECLEVEL=0",
				"-max_protocol", "TLSv1.2", "-dhparam", broken.Parameters(t, broken.Prime1024)))
		}, []string{"its Diffie-Hellman prime has 1024 bits"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &probe.Server{Dial: tt.start(t), Name: rig.ServerName, Timeout: 5 * time.Second}
			k := s.Sketch(t.Context())
			if k == nil {
				t.Fatal("nothing was found")
			}
			said := k.Sentences()
			for _, want := range tt.want {
				if !slices.ContainsFunc(said,
					func(got string) bool { return strings.HasPrefix(got, want) }) {
					t.Errorf("said %q, expected %q", said, want)
				}
			}
			if k.Connections > 20 {
				t.Errorf("%d connections", k.Connections)
			}
		})
	}
	t.Run("one that refuses all", func(t *testing.T) {
		s := &probe.Server{Timeout: 5 * time.Second,
			Dial: listen(t, func(c net.Conn) { c.Write([]byte{21, 3, 3, 0, 2, 2, 40}) })}
		if k := s.Sketch(t.Context()); k != nil {
			t.Errorf("said %q", k.Sentences())
		}
	})
}

// A cutConn closes after some bytes that it was told to write.
type cutConn struct {
	net.Conn
	cuts bool
}

func (c *cutConn) Write(b []byte) (int, error) {
	if !c.cuts {
		return c.Conn.Write(b)
	}
	defer c.Conn.Close()
	return c.Conn.Write(b[:min(len(b), 30)])
}

// cutting returns a server whose answers to clients without TLS 1.3 end within a ServerHello.
func cutting(config *tls.Config) func(*testing.T) func(context.Context) (net.Conn, error) {
	return func(t *testing.T) func(context.Context) (net.Conn, error) {
		return listen(t, func(conn net.Conn) {
			c := &cutConn{Conn: conn}
			mine := config.Clone()
			mine.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
				c.cuts = !slices.Contains(h.SupportedVersions, tls.VersionTLS13) &&
					slices.Contains(h.SupportedVersions, tls.VersionTLS12)
				return nil, nil
			}
			tls.Server(c, mine).Handshake()
			conn.Close()
		})
	}
}
