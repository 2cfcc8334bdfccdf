package interop_test

import (
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/interop"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// OpenSSL and GnuTLS refuse a client without a certificate when its handshake is done: the client
// says so, in the handshake if it waits. See RFC 8446 §4.4.2.4.
func TestLateRefusalsOfOtherStacksAreReported(t *testing.T) {
	for _, with := range []*interop.Stack{interop.OpenSSL, interop.GnuTLS} {
		for _, waits := range []bool{false, true} {
			t.Run(with.Name, func(t *testing.T) {
				t.Parallel()
				m := in13(&meeting{with: with, them: iana.Server, clientKey: throwaway.ECDSA},
					func(c *vitrine.Config, s *interop.Setup) {
						c.Certificates, c.AwaitServer = nil, waits
					})
				conn, _ := m.start(t)
				err := conn.Handshake()
				if (err != nil) != waits {
					t.Errorf("the client waits: %v; the handshake: %v", waits, err)
				}
				if err == nil {
					_, err = conn.Read(make([]byte, 1))
				}
				if err == nil || !strings.Contains(err.Error(),
					"the server refused a client without a certificate") {
					t.Errorf("got %v", err)
				}
			})
		}
	}
}
