package interop_test

import (
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/interop"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// Other stacks ignore reserved values in what we offer and ask for: RFC 8701.
func TestOtherStacksIgnoreOurGREASE(t *testing.T) {
	everywhere(t, "GREASE", func(*interop.Stack, iana.Side) *meeting {
		m := &meeting{clientKey: throwaway.ECDSA,
			want: func(t *testing.T, s *vitrine.ConnectionState) {
				if s.NegotiatedProtocol != "b" {
					t.Errorf("got the protocol %q", s.NegotiatedProtocol)
				}
			}}
		return in13(m, func(c *vitrine.Config, s *interop.Setup) {
			c.GREASE, c.NextProtos, s.Protocols = true, []string{"b"}, []string{"a", "b"}
		})
	})
}
