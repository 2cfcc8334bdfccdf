package observe_test

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/observe"
)

// wire is a connection whose bytes are kept.
type wire struct {
	net.Conn
	from iana.Side
	mu   *sync.Mutex
	tape *tape
}

func (w wire) Write(b []byte) (int, error) {
	w.mu.Lock()
	*w.tape = append(*w.tape, segment{w.from, bytes.Clone(b)})
	w.mu.Unlock()
	return w.Conn.Write(b)
}

// spoken performs a handshake with a suite and lets the server send records of these lengths. It
// returns the bytes on the wire, how many of its segments the handshake has, and the source that
// opens it.
func spoken(t testing.TB, suite iana.CipherSuite,
	records ...int) (all *tape, handshake int, source observe.Source) {
	t.Helper()
	var secrets bytes.Buffer
	client, server := configs(t, suite)
	client.KeyLogWriter = &secrets
	all, handshake = speak(t, client, server, records...)
	log, err := keylog.Read(&secrets)
	if err != nil {
		t.Fatal(err)
	}
	return all, handshake, observe.KeyLog(log)
}

func configs(t testing.TB, suite iana.CipherSuite) (client, server *vitrine.Config) {
	t.Helper()
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := ca.Issue(throwaway.ECDSA, []string{"vitrine.test"})
	if err != nil {
		t.Fatal(err)
	}
	suites := []uint16{uint16(suite)}
	client = &vitrine.Config{CipherSuites: suites, MaxVersion: vitrine.VersionTLS12,
		ServerName: "vitrine.test", RootCAs: ca.Pool()}
	if suite>>8 == 0x13 {
		client.CipherSuites, client.CipherSuites13 = nil, suites
		client.MaxVersion = vitrine.VersionTLS13
	}
	return client, &vitrine.Config{CipherSuites: client.CipherSuites,
		Certificates: []tls.Certificate{certificate}}
}

// speak is spoken for these Configs.
func speak(t testing.TB, ours, theirs *vitrine.Config, records ...int) (all *tape, handshake int) {
	t.Helper()
	var mu sync.Mutex
	all = new(tape)
	a, b := net.Pipe()
	client := vitrine.Client(wire{a, iana.Client, &mu, all}, ours)
	server := vitrine.Server(wire{b, iana.Server, &mu, all}, theirs)
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, client)
		ended <- err
	}()
	if err := server.Handshake(); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	handshake = len(*all)
	mu.Unlock()
	for i, n := range records {
		if _, err := server.Write(bytes.Repeat([]byte{byte(i)}, n)); err != nil {
			t.Fatal(err)
		}
	}
	server.Close()
	<-ended
	client.Close()
	return all, handshake
}

// After a hole the next record is found, within an effort that the captured bytes allow: a record's
// own length for some numbers, and what follows it for the others.
func TestTheNextRecordIsFoundAfterAHole(t *testing.T) {
	var records []int
	for range 400 {
		records = append(records, 1000)
	}
	for _, suite := range []iana.CipherSuite{iana.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
		iana.TLS_AES_128_GCM_SHA256, iana.TLS_CHACHA20_POLY1305_SHA256,
		iana.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256} {
		all, begin, source := spoken(t, suite, records...)
		// more: records for their effort
		for _, c := range []struct{ lost, more int }{{1, 0}, {20, 0}, {200, 3}, {380, 6}} {
			h := play(all, source, func(i int, b []byte) []byte {
				if i >= begin && i < begin+c.lost {
					return nil
				}
				return b
			})
			if got, want := len(h.plain[iana.Server]), 1000*(400-c.lost-c.more); got < want {
				t.Errorf("%v without %d of 400 records: %d bytes were read, expected %d: %v", suite,
					c.lost, got, want, h.Reason)
			}
		}
	}
}

// cost is the work that a hostile stream caused.
type cost struct{ bytes, packets, tried, steps int64 }

// hostileStream feeds a Connection and counts.
type hostileStream struct {
	c *observe.Connection
	cost
}

func (s *hostileStream) say(from iana.Side, b []byte, segment int) {
	for len(b) > 0 {
		n := min(segment, len(b))
		s.c.Feed(from, b[:n])
		b = b[n:]
		s.packets++
	}
}

func (s *hostileStream) gap(from iana.Side, n int64) {
	s.c.Gap(from, n)
	s.packets++
}

// The work that a capture causes is bounded by its length: for each byte by what may be decrypted
// in vain, and for each byte and packet by a few steps. A lane does not examine anything twice.
func TestWorkIsBoundedByTheLengthOfTheCapture(t *testing.T) {
	for _, suite := range hostileSuites {
		t.Run(suite.String(), func(t *testing.T) { workIsBounded(t, suite) })
	}
}

// hostileSuites are one before TLS 1.3 and one of it.
var hostileSuites = []iana.CipherSuite{iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
	iana.TLS_AES_128_GCM_SHA256}

func workIsBounded(t *testing.T, suite iana.CipherSuite) {
	all, begin, source := spoken(t, suite, 10)
	replay := func(s *hostileStream, from, to int) {
		for _, x := range (*all)[from:to] {
			s.say(x.from, x.b, 1460)
		}
	}
	tiny := bytes.Repeat([]byte{22, 3, 3, 0, 1, 0}, 100_000)
	for name, play := range map[string]func(s *hostileStream){
		"bytes any of which may begin a record, behind a hole": func(s *hostileStream) {
			replay(s, 0, begin)
			s.gap(iana.Server, 1<<31)
			s.say(iana.Server, bytes.Repeat([]byte{23, 3, 3, 0}, 1<<17), 1460)
		},
		"the same by the byte": func(s *hostileStream) {
			replay(s, 0, begin)
			s.gap(iana.Server, 1<<31)
			s.say(iana.Server, bytes.Repeat([]byte{23, 3, 3, 0}, 1<<12), 1)
		},
		"many holes, and records that begin behind them": func(s *hostileStream) {
			replay(s, 0, begin)
			for range 2000 {
				s.gap(iana.Server, 1<<24)
				s.say(iana.Server, append([]byte{23, 3, 3, 1, 0}, make([]byte, 256)...), 1460)
			}
		},
		"records between the key exchange and ChangeCipherSpec": func(s *hostileStream) {
			s.say(iana.Client, (*all)[0].b, 1460)
			s.say(iana.Server, (*all)[1].b, 1460)
			flight := (*all)[2].b
			ccs := bytes.Index(flight, []byte{20, 3, 3, 0, 1, 1})
			s.say(iana.Client, flight[:ccs], 1460)
			s.say(iana.Client, tiny, 60)
		},
		"torn records that wait for their turn": func(s *hostileStream) {
			for range 50_000 {
				s.say(iana.Server, []byte{22, 3, 3, 0, 3, 1}, 6)
				s.gap(iana.Server, 2)
			}
			s.say(iana.Client, (*all)[0].b, 1460)
		},
		"a record of holes": func(s *hostileStream) {
			s.say(iana.Client, (*all)[0].b, 1460)
			for range 20 {
				s.say(iana.Server, []byte{22, 3, 3, 0x40, 0}, 5)
				for range 1 << 13 {
					s.gap(iana.Server, 1)
					s.say(iana.Server, []byte{0}, 1)
				}
			}
		},
		"a record by the byte, with one that waits before it": func(s *hostileStream) {
			s.say(iana.Server, append(bytes.Clone(tiny[:40_000]), make([]byte, 40_000)...), 1)
		},
		"handshake messages of nothing": func(s *hostileStream) {
			replay(s, 0, begin)
			s.say(iana.Client, tiny, 1460)
			s.say(iana.Server, tiny, 1460)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := hostileStream{c: observe.New(source, nil)}
			play(&s)
			s.c.Close()
			s.c.GiveUp()
			s.bytes, s.tried, s.steps = s.c.Work()
			const record = 18 << 10 // what is begun is ended
			if s.tried > observe.Effort*s.bytes+record {
				t.Errorf("%d bytes cost %d bytes of decryption", s.bytes, s.tried)
			}
			if limit := 8*s.bytes + 8*s.packets; s.steps > limit {
				t.Errorf("%d bytes in %d packets cost %d steps, expected at most %d", s.bytes,
					s.packets, s.steps, limit)
			}
			t.Logf("%+v", s.cost)
		})
	}
}

// Memory is bounded by the bytes received: a connection that waits, for whatever it is, takes a few
// KiB and a small multiple of its bytes.
func TestMemoryIsBoundedByTheLengthOfTheCapture(t *testing.T) {
	for _, suite := range hostileSuites {
		t.Run(suite.String(), func(t *testing.T) { memoryIsBounded(t, suite) })
	}
}

func memoryIsBounded(t *testing.T, suite iana.CipherSuite) {
	all, begin, source := spoken(t, suite, 10)
	hello := (*all)[0].b
	chain := append([]byte{22, 3, 3, 0x40, 0, 11, 0, 0x3f, 0xfc, 0, 0x3f, 0xf9},
		bytes.Repeat([]byte{0, 0, 1, 0}, 4094)...)[:5+0x4000]
	for name, play := range map[string]func(h capture.Handler){
		"a record that is begun": func(h capture.Handler) {
			say(h, iana.Client, hello, []byte{22, 3, 3})
		},
		"one of each side": func(h capture.Handler) {
			say(h, iana.Client, hello, []byte{22})
			say(h, iana.Server, []byte{22})
		},
		"a long one": func(h capture.Handler) {
			say(h, iana.Client, hello, append([]byte{22, 3, 3, 0x40, 0}, make([]byte, 9000)...))
		},
		"a message that is begun": func(h capture.Handler) {
			say(h, iana.Client, hello)
			say(h, iana.Server, []byte{22, 3, 3, 0, 4, 2, 0, 1, 0})
		},
		"bytes behind a hole": func(h capture.Handler) {
			replay(h, (*all)[:begin])
			h.Gap(iana.Server, 1<<30)
			say(h, iana.Server, []byte{23, 3, 3, 0x40, 0})
		},
		"records with holes": func(h capture.Handler) {
			for range 200 {
				say(h, iana.Server, []byte{22, 3, 3, 0, 100, 0})
				h.Gap(iana.Server, 20)
			}
			say(h, iana.Client, hello[:len(hello)-1])
		},
		"a long chain, and no more": func(h capture.Handler) {
			say(h, iana.Client, hello)
			say(h, iana.Server, (*all)[1].b[:5+int(binary.BigEndian.Uint16((*all)[1].b[3:]))],
				chain)
		},
		"early data of short records, turned down": func(h capture.Handler) {
			retried := *earlyData(t, "testdata/early/retried.txtar").tape
			for side, s := range retried {
				whole := 5 + int(binary.BigEndian.Uint16(s.b[3:]))
				say(h, iana.Side(side), s.b[:whole])
			}
			say(h, iana.Client, bytes.Repeat([]byte{23, 3, 3, 0, 1, 0}, 2000))
		},
		"text in the clear": func(h capture.Handler) {
			say(h, iana.Client, bytes.Repeat([]byte("EHLO "), 2000))
		},
		"a wait for a turn": func(h capture.Handler) {
			say(h, iana.Client, hello)
			say(h, iana.Client, bytes.Repeat([]byte{22, 3, 3, 0, 4, 16, 0, 0, 0}, 500))
		},
	} {
		t.Run(name, func(t *testing.T) {
			const n = 400
			w := observe.Watch{Source: source}
			w.Handler(&capture.Connection{}).End()
			before := live()
			var bytes int64
			var open []*observe.Watched
			for i := range n {
				h := w.Handler(&capture.Connection{Stream: i}).(*observe.Watched)
				c := counting{Handler: h}
				play(&c)
				bytes += c.n
				open = append(open, h)
			}
			w.Flush()
			for _, h := range open {
				h.Idle()
			}
			each, came := (live()-before)/n, bytes/n
			if limit := 10<<10 + 4*came; each > limit {
				t.Errorf("of %d bytes there are %d, expected at most %d", came, each, limit)
			}
			t.Logf("%d bytes take %d", came, each)
			for _, h := range open {
				h.End()
			}
			w.Close()
			runtime.KeepAlive(&w)
		})
	}
}

func say(h capture.Handler, from iana.Side, parts ...[]byte) {
	for _, b := range parts {
		h.Bytes(from, time.Time{}, b)
	}
}

func replay(h capture.Handler, all tape) {
	for _, x := range all {
		h.Bytes(x.from, time.Time{}, x.b)
	}
}

// counting counts the bytes for a Handler.
type counting struct {
	capture.Handler
	n int64
}

func (c *counting) Bytes(from iana.Side, at time.Time, b []byte) {
	c.n += int64(len(b))
	c.Handler.Bytes(from, at, b)
}

// live is how many bytes are in use.
func live() int64 {
	runtime.GC()
	runtime.GC() // what a Pool has goes with the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
