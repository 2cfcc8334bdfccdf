package vitrine_test

import (
	"crypto/tls"
	"net"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

const resumable = tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256

// BenchmarkResumption is the abbreviated handshake of RFC 5246 Figure 2, by a ticket (RFC 5077), both ends.
func BenchmarkResumption(b *testing.B) {
	b.Run("vitrine/ticket", func(b *testing.B) {
		c, s := clientConfig(), serverConfig(b)
		c.CipherSuites, c.ClientSessionCache = []uint16{resumable}, vitrine.NewLRUClientSessionCache(1)
		s.Certificates = []tls.Certificate{certificate(b, throwaway.ECDSA)}
		benchmarkResumption(b, func(client, server net.Conn) (shaker, shaker) {
			return vitrine.Client(client, c), vitrine.Server(server, s)
		},
			func(conn shaker) bool { return conn.(*vitrine.Conn).ConnectionState().DidResume })
	})
	b.Run("crypto_tls/ticket", func(b *testing.B) {
		c := &tls.Config{RootCAs: authority().Pool(), ServerName: name, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{resumable},
			ClientSessionCache: tls.NewLRUClientSessionCache(1)}
		s := &tls.Config{Certificates: []tls.Certificate{certificate(b, throwaway.ECDSA)}}
		benchmarkResumption(b, func(client, server net.Conn) (shaker, shaker) { return tls.Client(client, c), tls.Server(server, s) },
			func(conn shaker) bool { return conn.(*tls.Conn).ConnectionState().DidResume })
	})
}

// benchmarkResumption counts what does not resume as a failure: it would measure something else.
func benchmarkResumption(b *testing.B, make ends, resumed func(shaker) bool) {
	first := true
	benchmarkHandshake(b, func(client, server net.Conn) (shaker, shaker) {
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
	shaker
	check func()
}

func (c checked) Handshake() error {
	err := c.shaker.Handshake()
	if err == nil {
		c.check()
	}
	return err
}
