package conformance_test

import (
	"bytes"
	"crypto/tls"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine"
	_ "github.com/vitrine-tls/vitrine/compression"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/trace"
)

// messages counts the handshake messages of a trace, by type.
type messages struct {
	mu    sync.Mutex
	count map[iana.HandshakeType]int
}

func (m *messages) Put(e trace.Entry) {
	if said, ok := e.Event.(*trace.Message); ok {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.count == nil {
			m.count = map[iana.HandshakeType]int{}
		}
		m.count[said.Type]++
	}
}

// Both sides' certificates, compressed with each algorithm, are those that were sent, also for
// connections that get them from what was compressed before. See RFC 8879.
func TestCertificatesAreCompressed(t *testing.T) {
	for _, a := range []iana.CertificateCompressionAlgorithm{0, iana.Zlib, iana.Brotli, iana.Zstd} {
		var said messages
		both := func(c *vitrine.Config) {
			only13(c)
			c.SessionTicketsDisabled = true
			if a != 0 {
				c.CertificateCompression = []iana.CertificateCompressionAlgorithm{a}
			}
		}
		client := rig.ClientConfig(both, func(c *vitrine.Config) {
			c.Certificates = []tls.Certificate{rig.IssueForClient(t, rig.Authority(),
				throwaway.ECDSA)}
			c.Trace = &said
		})
		server := rig.ServerConfig(t, both, func(c *vitrine.Config) {
			c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, rig.Authority().Pool()
		})
		for range 2 {
			ours, theirs := rig.Pair(t, client, server)
			for _, chain := range [][2]vitrine.ConnectionState{
				{ours.ConnectionState(), theirs.ConnectionState()},
				{theirs.ConnectionState(), ours.ConnectionState()}} {
				sent, got := chain[0].LocalCertificates, chain[1].PeerCertificates
				if len(sent) != len(got) || len(sent) == 0 ||
					!bytes.Equal(sent[0].Raw, got[0].Raw) {
					t.Errorf("%v: %d certificates were sent, and %d came", a, len(sent), len(got))
				}
			}
		}
		packed, plain := said.count[iana.CompressedCertificate], said.count[iana.Certificate]
		if a == 0 && (packed != 0 || plain != 4) || a != 0 && (packed != 4 || plain != 0) {
			t.Errorf("%v: %d certificates were compressed, %d were not", a, packed, plain)
		}
	}
}

// A Config that names an unregistered algorithm is refused.
func TestUnknownCompressionIsRefused(t *testing.T) {
	a, _ := rig.Wires(t)
	c := vitrine.Client(a, rig.ClientConfig(only13, func(c *vitrine.Config) {
		c.CertificateCompression = []iana.CertificateCompressionAlgorithm{9}
	}))
	if err := c.Handshake(); err == nil {
		t.Error("no error")
	}
}
