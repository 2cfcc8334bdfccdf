package interop_test

import (
	"crypto/tls"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/interop"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// in13 makes a meeting one of TLS 1.3 alone.
func in13(m *meeting, edits ...func(*vitrine.Config, *interop.Setup)) *meeting {
	m.suite = anySuite
	m.us = func(c *vitrine.Config) {
		c.CipherSuites, c.MinVersion, c.MaxVersion = nil, vitrine.VersionTLS13, vitrine.VersionTLS13
		for _, edit := range edits {
			edit(c, &interop.Setup{})
		}
	}
	m.they = func(s *interop.Setup) {
		s.Suite, s.Versions = nil, [2]iana.Version{iana.TLS13, iana.TLS13}
		for _, edit := range edits {
			edit(&vitrine.Config{}, s)
		}
	}
	want := m.want
	m.want = func(t *testing.T, s *vitrine.ConnectionState) {
		if s.Version != vitrine.VersionTLS13 {
			t.Errorf("got version %x", s.Version)
		}
		if want != nil {
			want(t, s)
		}
	}
	return m
}

// TLS 1.3 with OpenSSL and GnuTLS, in both roles: each kind of key, 1 MiB each way.
func TestTLS13(t *testing.T) {
	for _, kind := range []throwaway.Kind{throwaway.ECDSA, throwaway.RSA, throwaway.Ed25519} {
		everywhere(t, string(kind), func(*interop.Stack, iana.Side) *meeting {
			return in13(&meeting{serverKey: kind, bytes: 1 << 20})
		})
	}
	everywhere(t, "a client certificate", func(*interop.Stack, iana.Side) *meeting {
		return in13(&meeting{clientKey: throwaway.ECDSA})
	})
	everywhere(t, "ALPN", func(*interop.Stack, iana.Side) *meeting {
		m := &meeting{want: func(t *testing.T, s *vitrine.ConnectionState) {
			if s.NegotiatedProtocol != "b" {
				t.Errorf("got the protocol %q", s.NegotiatedProtocol)
			}
		}}
		return in13(m, func(c *vitrine.Config, s *interop.Setup) {
			c.NextProtos, s.Protocols = []string{"b"}, []string{"a", "b"}
		})
	})
}

// Each group that all have, and a retry where the client's first share is another: RFC 8446 §4.1.4.
func TestTLS13Groups(t *testing.T) {
	for _, g := range []iana.Group{iana.X25519, iana.Secp256r1, iana.Secp384r1, iana.Secp521r1, iana.X448} {
		everywhere(t, g.String(), func(with *interop.Stack, them iana.Side) *meeting {
			m := &meeting{want: func(t *testing.T, s *vitrine.ConnectionState) {
				if s.Group != g {
					t.Errorf("got the group %v, expected %v", s.Group, g)
				}
				if retry := g != iana.X25519; them == iana.Server && s.HelloRetryRequest != retry {
					t.Errorf("a retry: %v, expected %v", s.HelloRetryRequest, retry)
				}
			}}
			return in13(m, func(c *vitrine.Config, s *interop.Setup) {
				if them == iana.Server {
					s.Groups = []iana.Group{g}
				} else {
					c.CurvePreferences = []tls.CurveID{tls.CurveID(g)}
				}
			})
		})
	}
}
