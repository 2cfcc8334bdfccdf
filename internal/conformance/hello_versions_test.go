package conformance_test

import (
	"crypto/tls"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/script"
	"github.com/vitrine-tls/vitrine/message"
)

// A client_version stands for the known versions up to it, and not for 64,767 numbers.
func TestCallbacksSeeTheVersionsThatExist(t *testing.T) {
	for version, want := range map[iana.Version][]uint16{
		0xFFFF: {0x0303, 0x0302, 0x0301}, iana.TLS13: {0x0303, 0x0302, 0x0301},
		iana.TLS11: {0x0302, 0x0301}, iana.SSL30: nil,
	} {
		seen := make(chan []uint16, 1)
		config := rig.ServerConfig(t, func(c *vitrine.Config) {
			c.GetConfigForClient = func(i *vitrine.ClientHelloInfo) (*vitrine.Config, error) {
				seen <- i.SupportedVersions
				return nil, nil
			}
		})
		wire, ours := rig.Wires(t)
		peer := rig.Script(t, iana.Client, wire, tls.Certificate{},
			script.Edits{Hello: func(m *message.ClientHello) { m.Version = version }})
		go func() {
			_ = peer.Connect(rig.ECDSAGCM)
			wire.Close()
		}()
		_ = vitrine.Server(ours, config).Handshake()
		if got := <-seen; !slices.Equal(got, want) {
			t.Errorf("client_version %v: got %d versions, expected %x", version, len(got), want)
		}
	}
}
