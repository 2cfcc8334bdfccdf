package vitrine_test

import (
	"errors"
	"net"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/trace"
)

// sinks gives each connection a trace.Memory.
type sinks struct {
	mu  sync.Mutex
	all map[net.Conn]*trace.Memory
	err error
}

func (s *sinks) of(c net.Conn) trace.Sink {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[net.Conn]*trace.Memory{}
	}
	if s.all[c] != nil {
		s.err = errors.New("a connection was asked about twice")
	}
	s.all[c] = &trace.Memory{}
	return s.all[c]
}

// count returns how many messages of a type a sink has.
func count(m *trace.Memory, t iana.HandshakeType) (n int) {
	for _, e := range m.Entries {
		if x, ok := e.Event.(*trace.Message); ok && x.Type == t {
			n++
		}
	}
	return n
}

func TestEachConnectionHasItsOwnSink(t *testing.T) {
	rig.EachVersion(t, testEachConnectionHasItsOwnSink)
}

func testEachConnectionHasItsOwnSink(t *testing.T, version func(*vitrine.Config)) {
	var seen [2]sinks // by side
	var mixed trace.Memory
	client := rig.ClientConfig(version, func(c *vitrine.Config) {
		c.Trace, c.TraceFor = &mixed, seen[iana.Client].of
	})
	server := rig.ServerConfig(t, version, func(c *vitrine.Config) {
		c.Trace, c.TraceFor = &mixed, seen[iana.Server].of
	})
	server = server.Clone()
	const conns = 8
	var all sync.WaitGroup
	var ends [conns][2]net.Conn
	for i := range conns {
		ends[i][0], ends[i][1] = rig.Wires(t)
		all.Go(func() {
			c, s := vitrine.Client(ends[i][0], client), vitrine.Server(ends[i][1], server)
			if err := errors.Join(rig.Shake(c, s)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for side := range seen {
		if len(seen[side].all) != conns || seen[side].err != nil {
			t.Errorf("%v: %d sinks, %v", iana.Side(side), len(seen[side].all), seen[side].err)
		}
		for i := range conns {
			m := seen[side].all[ends[i][side]]
			if m == nil || count(m, iana.ClientHello) != 1 || count(m, iana.Finished) != 2 {
				t.Errorf("%v %d: its sink has not one whole handshake", iana.Side(side), i)
			}
		}
	}
	if len(mixed.Entries) > 0 {
		t.Errorf("Trace got %d events beside TraceFor", len(mixed.Entries))
	}
}

// The first Config says where a connection's events go, also to nowhere.
func TestTheSinkOfAConnectionIsChosenOnce(t *testing.T) {
	var seen, other sinks
	server := rig.ServerConfig(t, func(c *vitrine.Config) {
		inner := c.Clone()
		inner.TraceFor = other.of
		c.TraceFor = seen.of
		c.GetConfigForClient = func(*vitrine.ClientHelloInfo) (*vitrine.Config, error) {
			return inner, nil
		}
	})
	var mixed trace.Memory
	client := rig.ClientConfig(func(c *vitrine.Config) {
		c.Trace, c.TraceFor = &mixed, func(net.Conn) trace.Sink { return nil }
	})
	rig.Pair(t, client, server)
	if len(seen.all) != 1 || len(other.all) != 0 || len(mixed.Entries) != 0 {
		t.Errorf("%d sinks of the first Config, %d of the other, %d events for a client that "+
			"wants none", len(seen.all), len(other.all), len(mixed.Entries))
	}
}
