package interop_test

import (
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/interop"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// The clients of other stacks bring the cookie of our HelloRetryRequest back: RFC 8446 §4.2.2.
// GnuTLS 3.7 fails at one that asks for no share; so a share is asked for.
func TestOurCookiesComeBackFromOtherStacks(t *testing.T) {
	retried := func(t *testing.T, s *vitrine.ConnectionState) {
		if !s.HelloRetryRequest {
			t.Error("no second hello")
		}
	}
	everywhere(t, "our cookie", func(with *interop.Stack, them iana.Side) *meeting {
		m := &meeting{serverKey: throwaway.ECDSA}
		if them == iana.Client { // keys of our client mean nothing
			m.want = retried
		}
		return in13(m,
			func(c *vitrine.Config, s *interop.Setup) {
				c.CookieKeys = [][32]byte{{7}}
				if with == interop.GnuTLS && them == iana.Client {
					c.CurvePreferences = []vitrine.CurveID{vitrine.CurveP521}
				}
			})
	})
}
