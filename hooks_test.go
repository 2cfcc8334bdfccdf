package vitrine_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/script"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

func TestCallbacksHaveTheirSay(t *testing.T) { rig.EachVersion(t, testCallbacksHaveTheirSay) }

func testCallbacksHaveTheirSay(t *testing.T, version func(*vitrine.Config)) {
	client, server := rig.Configs(t)
	version(client)
	cert := server.Certificates[0]
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	clientCert, err := ca.Issue(throwaway.Ed25519, []string{"a client"}, throwaway.ForClient)
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	inner := &vitrine.Config{NextProtos: []string{"two"},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool(),
		GetCertificate: func(i *vitrine.ClientHelloInfo) (*tls.Certificate, error) {
			asked = append(asked, "GetCertificate "+i.ServerName)
			return &cert, i.Context().Err()
		}}
	server = &vitrine.Config{GetConfigForClient: func(i *vitrine.ClientHelloInfo) (*vitrine.Config,
		error) {
		asked = append(asked, "GetConfigForClient "+i.SupportedProtos[0])
		return inner, i.Context().Err()
	}}
	client.NextProtos = []string{"one", "two"}
	client.GetClientCertificate = func(i *vitrine.CertificateRequestInfo) (*tls.Certificate,
		error) {
		asked = append(asked, "GetClientCertificate")
		return &clientCert, i.SupportsCertificate(&clientCert)
	}
	client.VerifyConnection = func(s vitrine.ConnectionState) error {
		asked = append(asked, "VerifyConnection "+s.NegotiatedProtocol)
		return nil
	}
	c, s, err := rig.Connect(t, client, server)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.VerifiedChains) != 1 || c.NegotiatedProtocol != "two" {
		t.Errorf("the server verified %d chains, the protocol is %q", len(s.VerifiedChains),
			c.NegotiatedProtocol)
	}
	want := []string{"GetConfigForClient one", "GetCertificate vitrine.test",
		"GetClientCertificate", "VerifyConnection two"}
	if len(asked) != len(want) {
		t.Fatalf("asked %q, expected %q", asked, want)
	}
	for i := range want {
		if asked[i] != want[i] {
			t.Errorf("asked %q, expected %q", asked[i], want[i])
		}
	}

	no := errors.New("not this one")
	client.VerifyConnection = func(vitrine.ConnectionState) error { return no }
	if _, _, err := rig.Connect(t, client, server); !errors.Is(err, no) {
		t.Errorf("got %v, expected the callback's error", err)
	}
}

// RFC 8446 §4.2.4
func TestTheClientsAuthoritiesReachTheServersCallback(t *testing.T) {
	var told [][]byte
	config := rig.ServerConfig(t, func(c *vitrine.Config) {
		c.GetConfigForClient = func(i *vitrine.ClientHelloInfo) (*vitrine.Config, error) {
			told = i.AcceptableCAs
			return nil, nil
		}
	})
	name := rig.Certificate(t, throwaway.ECDSA).Leaf.RawIssuer
	wire, ours := rig.Wires(t)
	peer := rig.Script(t, iana.Client, wire, tls.Certificate{},
		script.Edits{Hello: func(m *message.ClientHello) {
			err := m.Extensions.Add(iana.ExtCertificateAuthorities,
				&message.CertificateAuthorities{Authorities: [][]byte{name, {0x30, 0, 0}}})
			if err != nil {
				t.Error(err)
			}
		}})
	done := make(chan error, 1)
	go func() { done <- peer.Connect(rig.ECDSAGCM) }()
	if err := vitrine.Server(ours, config).Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if len(told) != 2 || !bytes.Equal(told[0], name) || !bytes.Equal(told[1], []byte{0x30, 0, 0}) {
		t.Errorf("got the authorities %x", told)
	}
}

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
