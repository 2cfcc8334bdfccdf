package costs_test

import (
	"crypto/tls"
	"net"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

const resumable = tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256

// BenchmarkResumption is the abbreviated handshake of RFC 5246 Figure 2, by a ticket (RFC 5077),
// both ends.
func BenchmarkResumption(b *testing.B) {
	b.Run("vitrine/ticket", func(b *testing.B) {
		c, s := rig.ClientConfig(rig.Until12), rig.ServerConfig(b, rig.Until12)
		c.CipherSuites, c.ClientSessionCache = []uint16{resumable},
			vitrine.NewLRUClientSessionCache(1)
		s.Certificates = []tls.Certificate{rig.Certificate(b, throwaway.ECDSA)}
		benchmarkResumption(b, func(client, server net.Conn) (rig.Shaker, rig.Shaker) {
			return vitrine.Client(client, c), vitrine.Server(server, s)
		},
			func(conn rig.Shaker) bool { return conn.(*vitrine.Conn).ConnectionState().DidResume })
	})
	b.Run("crypto_tls/ticket", func(b *testing.B) {
		c := &tls.Config{RootCAs: rig.Authority().Pool(), ServerName: rig.ServerName,
			MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{resumable},
			ClientSessionCache: tls.NewLRUClientSessionCache(1)}
		s := &tls.Config{Certificates: []tls.Certificate{rig.Certificate(b, throwaway.ECDSA)}}
		benchmarkResumption(b, func(client, server net.Conn) (rig.Shaker, rig.Shaker) {
			return tls.Client(client, c), tls.Server(server, s)
		},
			func(conn rig.Shaker) bool { return conn.(*tls.Conn).ConnectionState().DidResume })
	})
}

// benchmarkResumption counts what does not resume as a failure: it would measure something else.
func benchmarkResumption(b *testing.B, make ends, resumed func(rig.Shaker) bool) {
	first := true
	benchmarkHandshake(b, func(client, server net.Conn) (rig.Shaker, rig.Shaker) {
		c, s := make(client, server)
		return checked{c, func() {
			if !resumed(c) && !first {
				b.Error("not resumed")
			}
			first = false
		}}, s
	})
}

// checked is looked at after its handshake.
type checked struct {
	rig.Shaker
	check func()
}

func (c checked) Handshake() error {
	err := c.Shaker.Handshake()
	if err == nil {
		c.check()
	}
	return err
}
