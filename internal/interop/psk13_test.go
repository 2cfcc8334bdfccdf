package interop_test

import (
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/interop"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// An external pre-shared key in TLS 1.3 after a retry, and beside a certificate: RFC 8446 §4.2.11.
// Others are in TestTLS13Matrix.
func TestPreSharedKeysConnectAfterARetryAndBesideACertificate(t *testing.T) {
	require(t, interop.OpenSSL)
	for _, tt := range []struct {
		what               string
		retry, certifiable bool
	}{
		{what: "after a retry", retry: true},
		{what: "beside a certificate", certifiable: true},
	} {
		everywhere(t, tt.what, func(_ *interop.Stack, them iana.Side) *meeting {
			key, err := preSharedKey()
			if err != nil {
				t.Fatal(err)
			}
			m := &meeting{bytes: 1 << 20, want: func(t *testing.T, s *vitrine.ConnectionState) {
				if string(s.PSKIdentity) != key.Identity || len(s.PeerCertificates) > 0 {
					t.Errorf("proved by %q and %d certificates", s.PSKIdentity,
						len(s.PeerCertificates))
				}
				if s.Group == 0 || tt.retry && !s.HelloRetryRequest {
					t.Errorf("group %v, a retry %v", s.Group, s.HelloRetryRequest)
				}
			}}
			if tt.certifiable {
				m.serverKey = throwaway.ECDSA
			}
			return in13(m, func(c *vitrine.Config, s *interop.Setup) {
				s.PSK = key
				c.GetPSK = func(*vitrine.PSKInfo) (*vitrine.PSK, error) {
					return &vitrine.PSK{Identity: []byte(key.Identity), Key: key.Key}, nil
				}
				if tt.retry && them == iana.Server {
					s.Groups = []iana.Group{iana.Secp384r1}
				} else if tt.retry {
					c.CurvePreferences = []vitrine.CurveID{vitrine.CurveP384}
				}
				if !tt.certifiable && them == iana.Server {
					s.Identity = nil
				} else if !tt.certifiable {
					c.Certificates = nil
				}
			})
		})
	}
}

// psk13 is an external pre-shared key in one of the two modes, with which OpenSSL and GnuTLS need
// no certificate: RFC 8446 §4.2.9.
func psk13(t *testing.T, with *interop.Stack, them iana.Side, alone bool) {
	key, err := preSharedKey()
	if err != nil {
		t.Fatal(err)
	}
	if with == interop.NSS {
		pskOfNSS(t, key)
		return
	}
	v := visit13(with, them, func(c *vitrine.Config, s *interop.Setup) {
		s.PSK, s.PSKAlone, s.Suite = key, alone, nil
		c.GetPSK = func(*vitrine.PSKInfo) (*vitrine.PSK, error) {
			return &vitrine.PSK{Identity: []byte(key.Identity), Key: key.Key}, nil
		}
		if alone {
			c.PSKKeyExchangeModes = []iana.PSKKeyExchangeMode{iana.PSKKE}
		}
		c.Certificates = nil
		s.Identity = nil
	})
	v.want = func(t *testing.T, s *vitrine.ConnectionState) {
		if string(s.PSKIdentity) != key.Identity || len(s.PeerCertificates) > 0 ||
			(s.Group == 0) != alone {
			t.Errorf("proved by %q and %d certificates, group %v", s.PSKIdentity,
				len(s.PeerCertificates), s.Group)
		}
	}
	v.run(t)
}
