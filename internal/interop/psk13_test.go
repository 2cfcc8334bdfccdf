package interop_test

import (
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/interop"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// An external pre-shared key in TLS 1.3, in both modes, after a retry, and beside a certificate:
// RFC 8446 §4.2.9 and §4.2.11.
func TestTLS13PreSharedKeys(t *testing.T) {
	require(t, interop.OpenSSL)
	for _, tt := range []struct {
		what                      string
		alone, retry, certifiable bool
	}{
		{what: "psk_dhe_ke"},
		{what: "psk_ke", alone: true},
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
				if (s.Group == 0) != tt.alone || tt.retry && !s.HelloRetryRequest {
					t.Errorf("group %v, a retry %v", s.Group, s.HelloRetryRequest)
				}
			}}
			if tt.certifiable {
				m.serverKey = throwaway.ECDSA
			}
			return in13(m, func(c *vitrine.Config, s *interop.Setup) {
				s.PSK, s.PSKAlone = key, tt.alone
				c.GetPSK = func(*vitrine.PSKInfo) (*vitrine.PSK, error) {
					return &vitrine.PSK{Identity: []byte(key.Identity), Key: key.Key}, nil
				}
				if tt.alone {
					c.PSKKeyExchangeModes = []iana.PSKKeyExchangeMode{iana.PSKKE}
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
