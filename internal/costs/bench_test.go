package costs_test

import (
	"crypto/tls"
	"net"
	"runtime"
	"slices"
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

// parameters are those of a handshake, for either stack. Group 0 leaves the choice to the stack,
// and suite 0 too, which crypto/tls lets nobody choose in TLS 1.3. The group X25519MLKEM768 comes
// with a share of X25519, as both stacks send by default.
type parameters struct {
	version uint16
	suite   iana.CipherSuite
	key     throwaway.Kind
	group   tls.CurveID
}

// groups returns the preferences that lead to p's group: P-256 is the certificate's.
func (p parameters) groups() []tls.CurveID {
	switch p.group {
	case 0:
		return nil
	case tls.X25519MLKEM768:
		return []tls.CurveID{p.group, tls.X25519, tls.CurveP256}
	}
	return []tls.CurveID{p.group, tls.CurveP256}
}

// suites returns the only suite, or nil.
func (p parameters) suites() []uint16 {
	if p.suite == 0 {
		return nil
	}
	return []uint16{uint16(p.suite)}
}

// kinds of handshakes. crypto/tls has no DHE.
var handshakes = []struct {
	name string
	parameters
	tls bool
}{
	{"RSA", parameters{tls.VersionTLS12, iana.TLS_RSA_WITH_AES_128_GCM_SHA256, throwaway.RSA, 0}, true},
	{"DHE-RSA_ffdhe2048", parameters{tls.VersionTLS12, iana.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256,
		throwaway.RSA, tls.CurveID(iana.FFDHE2048)}, false},
	{"ECDHE-RSA_X25519", parameters{tls.VersionTLS12, iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		throwaway.RSA, tls.X25519}, true},
	{"ECDHE-ECDSA_P256_X25519", parameters{tls.VersionTLS12, rig.ECDSAGCM, throwaway.ECDSA, tls.X25519},
		true},
	{"ECDHE-ECDSA_P256_P256", parameters{tls.VersionTLS12, rig.ECDSAGCM, throwaway.ECDSA, tls.CurveP256},
		true},
	{"13_ECDSA_P256_X25519", parameters{tls.VersionTLS13, 0, throwaway.ECDSA, tls.X25519}, true},
	{"13_ECDSA_P256_X25519MLKEM768", parameters{tls.VersionTLS13, 0, throwaway.ECDSA,
		tls.X25519MLKEM768}, true},
	{"13_RSA_X25519", parameters{tls.VersionTLS13, 0, throwaway.RSA, tls.X25519}, true},
	{"13_RSA_X25519MLKEM768", parameters{tls.VersionTLS13, 0, throwaway.RSA, tls.X25519MLKEM768}, true},
}

// ends makes both ends of a connection over the same two sockets, again and again.
type ends func(client, server net.Conn) (rig.Shaker, rig.Shaker)

// vitrineEnds resumes if there is a cache of sessions, and gives no tickets without one.
func vitrineEnds(b *testing.B, p parameters, cache vitrine.ClientSessionCache) ends {
	c, s := rig.ClientConfig(), rig.ServerConfig(b)
	s.Certificates = []tls.Certificate{rig.Certificate(b, p.key)}
	for _, x := range []*vitrine.Config{c, s} {
		x.MinVersion, x.MaxVersion, x.CipherSuites = p.version, p.version, p.suites()
		if p.version == tls.VersionTLS13 {
			x.CipherSuites, x.CipherSuites13 = nil, p.suites()
		}
		x.CurvePreferences, x.SessionTicketsDisabled = p.groups(), cache == nil
	}
	c.ClientSessionCache = cache
	return func(client, server net.Conn) (rig.Shaker, rig.Shaker) {
		return vitrine.Client(client, c), vitrine.Server(server, s)
	}
}

// cryptoTLSEnds does the same with crypto/tls.
func cryptoTLSEnds(b *testing.B, p parameters, cache tls.ClientSessionCache) ends {
	c := &tls.Config{RootCAs: rig.Authority().Pool(), ServerName: rig.ServerName}
	s := &tls.Config{Certificates: []tls.Certificate{rig.Certificate(b, p.key)}}
	for _, x := range []*tls.Config{c, s} {
		x.MinVersion, x.MaxVersion, x.CipherSuites = p.version, p.version, p.suites()
		x.CurvePreferences, x.SessionTicketsDisabled = p.groups(), cache == nil
	}
	c.ClientSessionCache = cache
	return func(client, server net.Conn) (rig.Shaker, rig.Shaker) {
		return tls.Client(client, c), tls.Server(server, s)
	}
}

func BenchmarkHandshake(b *testing.B) {
	for _, h := range handshakes {
		if h.tls {
			compare(b, h.name, vitrineEnds(b, h.parameters, nil), cryptoTLSEnds(b, h.parameters, nil))
			continue
		}
		b.Run("vitrine/"+h.name,
			func(b *testing.B) { benchmarkHandshake(b, vitrineEnds(b, h.parameters, nil)) })
	}
}

// compare measures both stacks, each by itself (vitrine/… and crypto_tls/…, for profiles) and both
// in turn (ratio/…).
func compare(b *testing.B, name string, ours, theirs ends) {
	b.Run("vitrine/"+name, func(b *testing.B) { benchmarkHandshake(b, ours) })
	b.Run("crypto_tls/"+name, func(b *testing.B) { benchmarkHandshake(b, theirs) })
	b.Run("ratio/"+name, func(b *testing.B) { benchmarkRatio(b, ours, theirs) })
}

// handshaker returns what performs one handshake. It uses two sockets for all handshakes: opening
// them is not what is measured.
func handshaker(b *testing.B, make ends) (once func()) {
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
	b.Cleanup(func() { close(turns) })
	once = func() {
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
	return once
}

func benchmarkHandshake(b *testing.B, make ends) {
	once := handshaker(b, make)
	b.ReportAllocs()
	b.ResetTimer()
	before := cpu()
	for b.Loop() {
		once()
	}
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

// benchmarkRatio takes turns: each operation is a block of handshakes of either stack, so that
// other work on the machine disturbs both. The ratios of processor time and of bytes are medians of
// those of the pairs of blocks.
func benchmarkRatio(b *testing.B, ours, theirs ends) {
	const block = 100
	var stacks [2]struct {
		once                func()
		cpu, bytes, mallocs []float64
	}
	stacks[0].once, stacks[1].once = handshaker(b, ours), handshaker(b, theirs)
	for b.Loop() {
		for i := range stacks {
			s := &stacks[i]
			var before, after runtime.MemStats
			runtime.GC() // what a block leaves to the collector is not the next one's
			runtime.ReadMemStats(&before)
			start := cpu()
			for range block {
				s.once()
			}
			s.cpu = append(s.cpu, float64((cpu()-start).Microseconds())/block)
			runtime.ReadMemStats(&after)
			s.bytes = append(s.bytes, float64(after.TotalAlloc-before.TotalAlloc)/block)
			s.mallocs = append(s.mallocs, float64(after.Mallocs-before.Mallocs)/block)
		}
	}
	ratios := slices.Clone(stacks[0].cpu)
	for i := range ratios {
		ratios[i] /= stacks[1].cpu[i]
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(ratios), "cpu-ratio")
	for i, name := range []string{"", "tls-"} {
		b.ReportMetric(median(stacks[i].cpu), name+"cpu-µs")
		b.ReportMetric(median(stacks[i].bytes), name+"B")
		b.ReportMetric(median(stacks[i].mallocs), name+"allocs")
	}
}

func median(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	return sorted[len(sorted)/2]
}

func newChan[T any]() chan T { return make(chan T, 1) }

// ciphers of the bulk benchmark. The last is the suite of TLS 1.3 that both stacks choose.
var ciphers = []struct {
	name    string
	version uint16
	suite   iana.CipherSuite
	tls     bool
}{
	{"AES_128_GCM", tls.VersionTLS12, rig.ECDSAGCM, true},
	{"AES_256_GCM", tls.VersionTLS12, iana.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, true},
	{"CHACHA20_POLY1305", tls.VersionTLS12, iana.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, true},
	{"AES_128_CBC_SHA256", tls.VersionTLS12, iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, true},
	{"AES_128_CCM", tls.VersionTLS12, iana.TLS_ECDHE_ECDSA_WITH_AES_128_CCM, false},
	{"13_AES_128_GCM", tls.VersionTLS13, 0, true},
}

func BenchmarkBulk(b *testing.B) {
	for _, c := range ciphers {
		p := parameters{c.version, c.suite, throwaway.ECDSA, tls.X25519}
		b.Run("vitrine/"+c.name, func(b *testing.B) { benchmarkBulk(b, vitrineEnds(b, p, nil)) })
		if c.tls {
			b.Run("crypto_tls/"+c.name,
				func(b *testing.B) { benchmarkBulk(b, cryptoTLSEnds(b, p, nil)) })
		}
	}
}

// benchmarkBulk moves a MiB from client to server, in one direction, both ends in this process.
func benchmarkBulk(b *testing.B, make ends) {
	once := mover(b, make, moved)
	b.SetBytes(moved)
	b.ReportAllocs()
	b.ResetTimer()
	before := cpu()
	for b.Loop() {
		once()
	}
	b.ReportMetric(float64((cpu()-before).Microseconds())/float64(b.N), "cpu-µs/op")
}

// forgetful takes events and keeps none: what remains is what making them costs.
type forgetful struct{}

func (forgetful) Put(trace.Entry) {}

// BenchmarkTracing is an ECDHE handshake of each version with nobody looking, and with every event
// made on both sides.
func BenchmarkTracing(b *testing.B) {
	sinks := map[string]trace.Sink{"off": nil, "on": forgetful{}}
	for version, edit := range map[string]func(*vitrine.Config){"12": rig.Until12, "13": rig.Only13} {
		for name, sink := range sinks {
			b.Run(version+"/"+name, func(b *testing.B) {
				c, s := rig.ClientConfig(edit), rig.ServerConfig(b, edit)
				s.Certificates = []tls.Certificate{rig.Certificate(b, throwaway.ECDSA)}
				c.SessionTicketsDisabled, s.SessionTicketsDisabled = true, true
				c.Trace, s.Trace = sink, sink
				benchmarkHandshake(b, func(client, server net.Conn) (rig.Shaker, rig.Shaker) {
					return vitrine.Client(client, c), vitrine.Server(server, s)
				})
			})
		}
	}
}
