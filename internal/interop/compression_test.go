package interop_test

import (
	"crypto/tls"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	_ "github.com/vitrine-tls/vitrine/compression"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/interop"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/trace"
)

// packedCertificates counts the compressed certificates of a trace, by sender.
type packedCertificates [2]atomic.Int64

func (p *packedCertificates) Put(e trace.Entry) {
	if m, ok := e.Event.(*trace.Message); ok && m.Type == iana.CompressedCertificate {
		p[m.From].Add(1)
	}
}

// Each algorithm of RFC 8879 with GnuTLS, in both roles, for the server's certificate and for the
// client's.
func TestCompressedCertificatesGoToAndFromGnuTLS(t *testing.T) {
	require(t, interop.GnuTLS)
	for _, a := range []iana.CertificateCompressionAlgorithm{iana.Zlib, iana.Brotli, iana.Zstd} {
		for _, them := range sides {
			t.Run(a.String()+", their "+them.String(), func(t *testing.T) {
				t.Parallel()
				var packed packedCertificates
				m := in13(&meeting{with: interop.GnuTLS, them: them, serverKey: throwaway.RSA,
					clientKey: throwaway.RSA}, func(c *vitrine.Config, s *interop.Setup) {
					c.CertificateCompression = []iana.CertificateCompressionAlgorithm{a}
					c.Trace = &packed
					s.Options = append(s.Options, "--compress-cert", a.String())
				})
				conn, peer := m.handshake(t)
				m.exchange(t, conn, peer)
				if strings.Contains(peer.Output(), "Unknown compression method") {
					t.Skip("this GnuTLS was built without " + a.String())
				}
				for side := range packed {
					if packed[side].Load() != 1 {
						t.Errorf("%d compressed certificates of the %v, expected 1",
							packed[side].Load(), iana.Side(side))
					}
				}
			})
		}
	}
}

// Chromium takes a certificate compressed with brotli, the one algorithm that it offers.
func TestChromiumTakesACompressedCertificate(t *testing.T) {
	var packed packedCertificates
	config := &vitrine.Config{MinVersion: vitrine.VersionTLS13, Trace: &packed,
		Certificates: []tls.Certificate{identity(t, throwaway.ECDSA, iana.Server).Certificate},
		CertificateCompression: []iana.CertificateCompressionAlgorithm{iana.Zstd, iana.Zlib,
			iana.Brotli}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	testkit.Serve(t, l, func(under net.Conn) {
		conn := vitrine.Server(under, config)
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(deadline))
		if _, err := conn.Read(make([]byte, 4<<10)); err == nil {
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"+
				"Content-Length: 14\r\n\r\nbehind a glass")
		}
	})
	if got := seenByChromium(t, l.Addr()); !strings.Contains(got, "behind a glass") {
		t.Errorf("Chromium saw %s", got)
	}
	if packed[iana.Server].Load() == 0 {
		t.Error("no certificate was compressed")
	}
}
