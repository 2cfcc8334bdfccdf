package probe_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/broken"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/probe"
)

// listen accepts connections until the test ends and serves each in a goroutine.
func listen(t *testing.T, serve func(net.Conn)) func(context.Context) (net.Conn, error) {
	t.Helper()
	addr := testkit.ServeTCP(t, serve)
	return func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "tcp", addr)
	}
}

func ask(t *testing.T, dial func(context.Context) (net.Conn, error)) *probe.Report {
	t.Helper()
	s := &probe.Server{Dial: dial, Name: rig.ServerName, Timeout: 5 * time.Second, Parallel: 4}
	return s.Probe(t.Context(), probe.Trust{Name: rig.ServerName, Roots: rig.Authority().Pool()})
}

// ids are the findings.
func ids(r *probe.Report) (ids []string) {
	for _, f := range r.Findings {
		ids = append(ids, string(f.Severity)+" "+f.ID)
	}
	slices.Sort(ids)
	return ids
}

// What crypto/tls accepts is known from its Config.
func TestProbeTellsWhatAConfigAllows(t *testing.T) {
	ecdsa, rsa := rig.Certificate(t, throwaway.ECDSA), rig.Certificate(t, throwaway.RSA)
	expired := rig.Certificate(t, throwaway.ECDSA, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().AddDate(0, -2, 0), time.Now().AddDate(0, -1, 0)
	})
	for _, tt := range []struct {
		name     string
		config   *tls.Config
		versions map[string]int // suites in each
		groups   []string
		findings []string
	}{
		{"default", &tls.Config{Certificates: []tls.Certificate{ecdsa, rsa}},
			map[string]int{"TLS 1.3": 3, "TLS 1.2": 10},
			[]string{"X25519MLKEM768", "x25519", "secp256r1"},
			[]string{"info cbc"}},
		{"TLS 1.3 alone, without hybrids", &tls.Config{Certificates: []tls.Certificate{ecdsa},
			MinVersion: tls.VersionTLS13, CurvePreferences: []tls.CurveID{tls.X25519}},
			map[string]int{"TLS 1.3": 3}, []string{"x25519"}, []string{"info no_hybrid"}},
		{"TLS 1.0 to 1.2 with RSA key exchange", &tls.Config{Certificates: []tls.Certificate{rsa},
			MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS12,
			CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_CBC_SHA,
				tls.TLS_RSA_WITH_AES_128_GCM_SHA256}},
			map[string]int{"TLS 1.2": 2, "TLS 1.1": 1, "TLS 1.0": 1}, nil,
			[]string{"high tls1_0", "high tls1_1", "info cbc", "warn no_tls1_3",
				"warn static_rsa"}},
		{"an expired certificate", &tls.Config{Certificates: []tls.Certificate{expired},
			MinVersion: tls.VersionTLS13}, map[string]int{"TLS 1.3": 3}, nil,
			[]string{"high untrusted"}},
		{"a client certificate is wanted", &tls.Config{Certificates: []tls.Certificate{ecdsa},
			ClientAuth: tls.RequireAnyClientCert}, map[string]int{"TLS 1.3": 3, "TLS 1.2": 5}, nil,
			[]string{"info cbc"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := ask(t, listen(t, broken.Stdlib(tt.config)))
			if !r.Reached {
				t.Fatal(r.Problem)
			}
			accepted := 0
			for _, v := range r.Versions {
				if len(v.Suites) != tt.versions[v.Name] ||
					(v.Told == probe.Yes) != (tt.versions[v.Name] > 0) {
					t.Errorf(
						"%s: %s with %d suites, expected %d: %s",
						v.Name,
						v.Told,
						len(v.Suites),
						tt.versions[v.Name],
						v.Detail,
					)
				}
				accepted += len(v.Suites)
				if len(v.Suites) > 1 && v.Order != "server" {
					t.Errorf("%s: order %q, and crypto/tls has its own", v.Name, v.Order)
				}
			}
			for _, g := range tt.groups {
				if !slices.ContainsFunc(r.Groups, func(x probe.Group) bool {
					return strings.EqualFold(x.Name, g)
				}) {
					t.Errorf("groups %v, expected %s among them", r.Groups, g)
				}
			}
			if got := ids(r); !slices.Equal(got, tt.findings) {
				t.Errorf("findings %q, expected %q", got, tt.findings)
			}
			if most := accepted + 80; r.Connections > most {
				t.Errorf("%d connections for %d suites, at most %d were expected", r.Connections,
					accepted, most)
			}
		})
	}
}

// A hostile server, or one of another protocol, costs a bounded time and memory, and nothing is
// reported of it that it did not show.
func TestAProbeOfHostileServersIsBounded(t *testing.T) {
	endless := make([]byte, 1<<14)
	for _, tt := range []struct {
		name    string
		serve   func(net.Conn)
		reached bool
		problem string
	}{
		{"silent", func(c net.Conn) { io.Copy(io.Discard, c) }, false, "silent"},
		{"closes at once", func(net.Conn) {}, false, "the answer to a ClientHello"},
		{"HTTP", func(c net.Conn) {
			io.ReadFull(c, make([]byte, 5))
			io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
		}, false, "plain HTTP"},
		{"endless handshake records", func(c net.Conn) {
			for {
				record := append([]byte{22, 3, 3, 0x40, 0}, endless...)
				if _, err := c.Write(record); err != nil {
					return
				}
			}
		}, true, "no hello got an answer"},
		{"a message of 16 MB, a byte at a time", func(c net.Conn) {
			for {
				if _, err := c.Write([]byte{22, 3, 3, 0, 1, 0xFF}); err != nil {
					return
				}
				time.Sleep(time.Millisecond) // it is silent, and not too long: see maxAnswer
			}
		}, false, "silent"},
		{"an answer that was not offered", func(c net.Conn) {
			c.Write(append([]byte{22, 3, 3, 0, 42, 2, 0, 0, 38, 3, 3}, append(make([]byte, 33),
				0xFF, 0xFE, 0)...))
			io.Copy(io.Discard, c)
		}, true, "no hello got an answer"},
		{"thousands of extensions", func(c net.Conn) {
			hello := append(append([]byte{3, 3}, make([]byte, 33)...), 0xC0, 0x2F, 0)
			hello = append(hello, byte(4*4000>>8), byte(4*4000&0xFF))
			for i := range 4000 {
				hello = append(hello, byte(i>>8), byte(i), 0, 0)
			}
			n := len(hello)
			c.Write(append([]byte{22, 3, 3, byte((n + 4) >> 8), byte(n + 4), 2, 0, byte(n >> 8),
				byte(n)}, hello...))
			io.Copy(io.Discard, c)
		}, true, "no hello got an answer"},
		{"escape sequences", func(c net.Conn) {
			io.WriteString(c, "\x1b[2J\x1b]0;pwned\x07")
			io.Copy(io.Discard, c)
		}, false, "does not speak TLS"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &probe.Server{Dial: listen(t, tt.serve), Name: rig.ServerName, Parallel: 8,
				Timeout: 200 * time.Millisecond}
			began := time.Now()
			r := s.Probe(t.Context(), probe.Trust{Name: rig.ServerName})
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("took %v", took)
			}
			if r.Reached != tt.reached || !strings.Contains(r.Problem, tt.problem) ||
				strings.ContainsAny(r.Problem, "\x1b\x07") {
				t.Errorf(
					"reached %v, %q; expected %v, %q",
					r.Reached,
					r.Problem,
					tt.reached,
					tt.problem,
				)
			}
			for _, v := range r.Versions {
				if v.Told == probe.Yes {
					t.Errorf("%s was told", v.Name)
				}
			}
			if len(r.Findings) > 0 {
				t.Errorf("findings %q", ids(r))
			}
		})
	}
}
