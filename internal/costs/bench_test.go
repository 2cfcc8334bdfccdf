package costs_test

import (
	"crypto/tls"
	"io"
	"net"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/trace"
)

// The benchmarks stand beside crypto/tls, in one run: vitrine/… and crypto_tls/…. Both ends are in
// this process, so what is counted is the work of both, processor time included: that says more
// than the clock where two goroutines take turns.

// kinds of handshakes. crypto/tls has no DHE.
var handshakes = []struct {
	name  string
	suite uint16
	key   throwaway.Kind
	group tls.CurveID
	tls   bool
}{
	{"RSA", uint16(iana.TLS_RSA_WITH_AES_128_GCM_SHA256), throwaway.RSA, 0, true},
	{"DHE-RSA_ffdhe2048", uint16(iana.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256), throwaway.RSA,
		tls.CurveID(iana.FFDHE2048), false},
	{"ECDHE-RSA_X25519", uint16(iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256), throwaway.RSA,
		tls.X25519, true},
	{"ECDHE-ECDSA_P256_X25519", uint16(iana.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256),
		throwaway.ECDSA, tls.X25519, true},
	{"ECDHE-ECDSA_P256_P256", uint16(iana.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256), throwaway.ECDSA,
		tls.CurveP256, true},
}

// ends makes both ends of a connection over the same two sockets, again and again.
type ends func(client, server net.Conn) (rig.Shaker, rig.Shaker)

func vitrineEnds(b *testing.B, suite uint16, key throwaway.Kind, group tls.CurveID) ends {
	c, s := rig.ClientConfig(rig.Until12), rig.ServerConfig(b, rig.Until12)
	s.Certificates = []tls.Certificate{rig.Certificate(b, key)}
	for _, x := range []*vitrine.Config{c, s} {
		x.CipherSuites, x.SessionTicketsDisabled = []uint16{suite}, true
		if group != 0 {
			x.CurvePreferences = []tls.CurveID{group, tls.CurveP256} // P-256 is the certificate's
		}
	}
	return func(client, server net.Conn) (rig.Shaker, rig.Shaker) {
		return vitrine.Client(client, c), vitrine.Server(server, s)
	}
}

func cryptoTLSEnds(b *testing.B, suite uint16, key throwaway.Kind, group tls.CurveID) ends {
	c := &tls.Config{RootCAs: rig.Authority().Pool(), ServerName: rig.ServerName}
	s := &tls.Config{Certificates: []tls.Certificate{rig.Certificate(b, key)}}
	for _, x := range []*tls.Config{c, s} {
		x.MaxVersion, x.CipherSuites, x.SessionTicketsDisabled = tls.VersionTLS12, []uint16{suite},
			true
		if group != 0 {
			x.CurvePreferences = []tls.CurveID{group, tls.CurveP256}
		}
	}
	return func(client, server net.Conn) (rig.Shaker, rig.Shaker) {
		return tls.Client(client, c), tls.Server(server, s)
	}
}

func BenchmarkHandshake(b *testing.B) {
	for _, h := range handshakes {
		b.Run("vitrine/"+h.name,
			func(b *testing.B) { benchmarkHandshake(b, vitrineEnds(b, h.suite, h.key, h.group)) })
		if h.tls {
			b.Run(
				"crypto_tls/"+h.name,
				func(b *testing.B) { benchmarkHandshake(b, cryptoTLSEnds(b, h.suite, h.key, h.group)) },
			)
		}
	}
}

// benchmarkHandshake uses two sockets for all handshakes: opening them is not what is measured.
func benchmarkHandshake(b *testing.B, make ends) {
	client, server := rig.Wires(b)
	client.SetDeadline(time.Time{})
	server.SetDeadline(time.Time{})
	turns, results := newChan[struct{}](), newChan[error]()
	go func() {
		for range turns {
			_, s := make(client, server)
			results <- s.Handshake()
		}
	}()
	defer close(turns)
	once := func() {
		turns <- struct{}{}
		c, _ := make(client, server)
		if err := c.Handshake(); err != nil {
			b.Fatal(err)
		}
		if err := <-results; err != nil {
			b.Fatal(err)
		}
	}
	for range 20 { // caches, pools, and what is computed once
		once()
	}
	b.ReportAllocs()
	b.ResetTimer()
	before := cpu()
	for b.Loop() {
		once()
	}
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

func newChan[T any]() chan T { return make(chan T, 1) }

// ciphers of the bulk benchmark.
var ciphers = []struct {
	name  string
	suite uint16
	tls   bool
}{
	{"AES_128_GCM", uint16(iana.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256), true},
	{"AES_256_GCM", uint16(iana.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384), true},
	{"CHACHA20_POLY1305", uint16(iana.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256), true},
	{"AES_128_CBC_SHA256", uint16(iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256), true},
	{"AES_128_CCM", uint16(iana.TLS_ECDHE_ECDSA_WITH_AES_128_CCM), false},
}

func BenchmarkBulk(b *testing.B) {
	for _, c := range ciphers {
		b.Run(
			"vitrine/"+c.name,
			func(b *testing.B) { benchmarkBulk(b, vitrineEnds(b, c.suite, throwaway.ECDSA, tls.X25519)) },
		)
		if c.tls {
			b.Run(
				"crypto_tls/"+c.name,
				func(b *testing.B) { benchmarkBulk(b, cryptoTLSEnds(b, c.suite, throwaway.ECDSA, tls.X25519)) },
			)
		}
	}
}

// benchmarkBulk moves a MiB from client to server, in one direction, both ends in this process.
func benchmarkBulk(b *testing.B, make ends) {
	a, z := rig.Wires(b)
	a.SetDeadline(time.Time{})
	z.SetDeadline(time.Time{})
	client, server := make(a, z)
	if err, serverErr := rig.Shake(client, server); err != nil || serverErr != nil {
		b.Fatal(err, serverErr)
	}
	const size = 1 << 20
	done := newChan[error]()
	go func() {
		buf := [64 << 10]byte{}
		for {
			for n := 0; n < size; {
				m, err := server.Read(buf[:])
				if n += m; err != nil {
					if err != io.EOF {
						done <- err
					}
					return
				}
			}
			done <- nil
		}
	}()
	data := [size]byte{}
	b.SetBytes(size)
	b.ReportAllocs()
	b.ResetTimer()
	before := cpu()
	for b.Loop() {
		if _, err := client.Write(data[:]); err != nil {
			b.Fatal(err)
		}
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

// forgetful takes events and keeps none: what remains is what making them costs.
type forgetful struct{}

func (forgetful) Put(trace.Entry) {}

// BenchmarkTracing is an ECDHE handshake with nobody looking, and with every event made on both
// sides.
func BenchmarkTracing(b *testing.B) {
	for name, sink := range map[string]trace.Sink{"off": nil, "on": forgetful{}} {
		b.Run(name, func(b *testing.B) {
			c, s := rig.ClientConfig(rig.Until12), rig.ServerConfig(b, rig.Until12)
			s.Certificates = []tls.Certificate{rig.Certificate(b, throwaway.ECDSA)}
			c.Trace, s.Trace = sink, sink
			benchmarkHandshake(b, func(client, server net.Conn) (rig.Shaker, rig.Shaker) {
				return vitrine.Client(client, c), vitrine.Server(server, s)
			})
		})
	}
}
