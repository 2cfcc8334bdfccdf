package probe

import (
	"context"
	"crypto/tls"
	"net"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
)

// A server that begins to answer a changed hello, and is cut off, does not show that it fails at
// the change; one that closes without an answer does.
func TestAnAnswerThatIsCutOffIsNoIntolerance(t *testing.T) {
	config := &tls.Config{Certificates: []tls.Certificate{rig.Certificate(t, throwaway.RSA)},
		MaxVersion: tls.VersionTLS12}
	for begins, want := range map[string]Told{"": No, "\x16\x03\x03\x00\x50\x02": NotTold} {
		dial := func(context.Context) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() {
				defer theirs.Close()
				mine := config.Clone()
				mine.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
					if len(h.SupportedProtos) > 0 {
						theirs.Write([]byte(begins))
						theirs.Close()
					}
					return nil, nil
				}
				tls.Server(theirs, mine).Handshake()
			}()
			return ours, nil
		}
		p := &prober{server: &Server{Dial: dial, Name: rig.ServerName, Timeout: 5 * time.Second}}
		p.server.open()
		o := &Offer{Version: iana.TLS12, Suites: suitesOf(iana.TLS12)[:maxSuites],
			Groups: groups12, Schemes: schemes}
		got, _, detail := p.tolerates(t.Context(), o, func(o *Offer) {
			*o = *o.with(func(m *message.ClientHello) {
				m.Extensions.Add(iana.ExtALPN, &message.Protocols{Names: [][]byte{[]byte("x")}})
			})
		})
		if got != want {
			t.Errorf("after %q: got %v (%s), want %v", begins, got, detail, want)
		}
	}
}
