package conformance_test

import (
	"io"
	"slices"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

// What RFC 9846 changes in TLS 1.3. docs/rfc9846.md has all of it.

// A group that a program names twice is offered once: RFC 9846 §4.3.7.
func TestAGroupNamedTwiceIsOfferedOnce(t *testing.T) {
	var offered []vitrine.CurveID
	x25519, p256 := vitrine.X25519, vitrine.CurveP256
	client := rig.ClientConfig(func(c *vitrine.Config) {
		c.CurvePreferences = []vitrine.CurveID{x25519, p256, x25519, p256}
	})
	server := rig.ServerConfig(t, func(c *vitrine.Config) {
		c.GetConfigForClient = func(h *vitrine.ClientHelloInfo) (*vitrine.Config, error) {
			offered = h.SupportedCurves
			return nil, nil
		}
	})
	if errs, _ := attempt(t, client, server); errs != [2]error{} {
		t.Error(errs)
	}
	if !slices.Equal(offered, []vitrine.CurveID{x25519, p256}) {
		t.Errorf("offered %v", offered)
	}
}

// allShares keeps the key shares that a side sends, over all of its connections.
type allShares struct {
	mu     sync.Mutex
	shares []string
}

func (a *allShares) Put(e trace.Entry) {
	m, ok := e.Event.(*trace.Message)
	if !ok || m.From.String() != string(e.Role) {
		return
	}
	hello, err := (message.Dialect{Version: iana.TLS12}).Parse(m.Raw)
	if err != nil {
		return // a message of TLS 1.3
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch hello := hello.(type) {
	case *message.ClientHello:
		var all message.KeyShares
		hello.Extensions.Read(iana.ExtKeyShare, &all)
		for _, s := range all.Shares {
			a.shares = append(a.shares, string(s.KeyExchange))
		}
	case *message.ServerHello:
		var s message.KeyShare
		hello.Extensions.Read(iana.ExtKeyShare, &s)
		a.shares = append(a.shares, string(s.KeyExchange))
	}
}

// No key share is sent in two connections, by clients and servers that share a Config, resumption
// included: RFC 9846 §4.3.8.
func TestNoKeyShareIsUsedTwice(t *testing.T) {
	var sent [2]allShares
	client, server := rig.Configs(t)
	client.Trace, server.Trace = &sent[iana.Client], &sent[iana.Server]
	client.ClientSessionCache = vitrine.NewLRUClientSessionCache(0)
	const rounds = 3
	for i := range rounds {
		c, _, err := rig.Connect(t, client, server)
		if err != nil || c.DidResume != (i > 0) {
			t.Fatalf("connection %d: resumed %v, %v", i+1, c.DidResume, err)
		}
	}
	for side := range sent {
		all := sent[side].shares
		slices.Sort(all)
		if n := len(all); n < rounds || len(slices.Compact(all)) != n {
			t.Errorf("the %v sent %d shares, and some of them twice", iana.Side(side), n)
		}
	}
}

// alerts keeps the levels of the alerts that a side receives.
type alerts struct {
	mu  sync.Mutex
	got map[alert.Description]alert.Level
}

func (a *alerts) Put(e trace.Entry) {
	if x, ok := e.Event.(*trace.Alert); ok && x.From.String() != string(e.Role) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.got[x.Description] = x.Level
	}
}

// close_notify has the level warning, in every version: RFC 5246 §7.2.1 and RFC 9846 §6.1.
func TestCloseNotifyIsAWarning(t *testing.T) {
	rig.EachVersion(t, func(t *testing.T, version func(*vitrine.Config)) {
		received := &alerts{got: map[alert.Description]alert.Level{}}
		client, server := rig.Pair(t, rig.ClientConfig(version), rig.ServerConfig(t, version,
			func(c *vitrine.Config) { c.Trace = received }))
		if err := client.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if _, err := server.Read(make([]byte, 1)); err != io.EOF {
			t.Fatal(err)
		}
		received.mu.Lock()
		defer received.mu.Unlock()
		if level := received.got[alert.CloseNotify]; level != alert.Warning {
			t.Errorf("close_notify has the level %v", level)
		}
	})
}
