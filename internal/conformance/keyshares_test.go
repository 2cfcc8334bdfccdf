package conformance_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

// The first hello has a share of exactly the groups of KeyShares, in the order of the groups on
// offer; what the server wants besides costs a retry. See RFC 8446 §4.2.8.
func TestTheFirstHelloHasTheKeySharesOfTheConfig(t *testing.T) {
	const x25519, p256, p384 = vitrine.X25519, vitrine.CurveP256, vitrine.CurveP384
	groups := []vitrine.CurveID{x25519, p256, p384}
	for what, c := range map[string]struct {
		shares, want []vitrine.CurveID
		server       vitrine.CurveID
		retry        bool
	}{
		"unset":            {nil, groups[:1], x25519, false},
		"the second alone": {groups[1:2], groups[1:2], p256, false},
		"in the order of the offer": {[]vitrine.CurveID{p384, x25519},
			[]vitrine.CurveID{x25519, p384}, p384, false},
		"none":                      {[]vitrine.CurveID{}, nil, x25519, true},
		"another than the server's": {groups[1:2], groups[1:2], p384, true},
	} {
		t.Run(what, func(t *testing.T) {
			log := &firstHello{}
			client, server := rig.Configs(t)
			client.CurvePreferences, client.KeyShares, client.Trace = groups, c.shares, log
			server.CurvePreferences = []vitrine.CurveID{c.server}
			a, b := rig.Pair(t, client.Clone(), server)
			s := a.ConnectionState()
			if s.CurveID != c.server || s.HelloRetryRequest != c.retry {
				t.Errorf("%v, by a retry: %v", s.CurveID, s.HelloRetryRequest)
			}
			a.Close()
			b.Close()
			if got := log.shares(t); !slices.Equal(got, c.want) {
				t.Errorf("shares of %v, expected %v", got, c.want)
			}
		})
	}
}

// By default the first hello has a share of X25519MLKEM768, and one of X25519 for the servers that
// have no ML-KEM: with neither kind it takes a second round trip. Both are made from one key of
// X25519, as draft-ietf-tls-hybrid-design §3.2 allows. See RFC 10024.
func TestTheFirstHelloHasAHybridShareAndX25519(t *testing.T) {
	for _, group := range []vitrine.CurveID{vitrine.X25519MLKEM768, vitrine.X25519} {
		log := &firstHello{}
		client, server := rig.Configs(t)
		client.Trace, server.CurvePreferences = log, []vitrine.CurveID{group}
		a, b := rig.Pair(t, client, server)
		if s := a.ConnectionState(); s.CurveID != group || s.HelloRetryRequest {
			t.Errorf("%v, by a retry: %v", s.CurveID, s.HelloRetryRequest)
		}
		a.Close()
		b.Close()
		want := []vitrine.CurveID{vitrine.X25519MLKEM768, vitrine.X25519}
		if got := log.shares(t); !slices.Equal(got, want) {
			t.Fatalf("shares of %v, expected %v", got, want)
		}
		if s := log.entries(t); !bytes.HasSuffix(s[0].KeyExchange, s[1].KeyExchange) {
			t.Errorf("the hybrid has another key of X25519 than the share of X25519")
		}
	}
}

// firstHello keeps the first ClientHello of a trace.
type firstHello struct{ raw []byte }

func (f *firstHello) Put(e trace.Entry) {
	if m, ok := e.Event.(*trace.Message); ok && m.Type == iana.ClientHello && f.raw == nil {
		f.raw = m.Raw
	}
}

// shares returns the groups of its key shares.
func (f *firstHello) shares(t *testing.T) (groups []vitrine.CurveID) {
	t.Helper()
	for _, s := range f.entries(t) {
		groups = append(groups, vitrine.CurveID(s.Group))
	}
	return groups
}

// entries returns its key shares.
func (f *firstHello) entries(t *testing.T) []message.KeyShareEntry {
	t.Helper()
	hello, err := (message.Dialect{Version: iana.TLS12}).Parse(f.raw)
	if err != nil {
		t.Fatal(err)
	}
	var shares message.KeyShares
	_, err = hello.(*message.ClientHello).Extensions.Read(iana.ExtKeyShare, &shares)
	if err != nil {
		t.Fatal(err)
	}
	return shares.Shares
}

// A share of a group that is not on offer would break RFC 8446 §4.2.8, and so would two of one.
func TestKeySharesThatAreNotOnOfferAreRefused(t *testing.T) {
	for what, shares := range map[string][]vitrine.CurveID{
		"not on offer": {vitrine.CurveP521},
		"twice":        {vitrine.X25519, vitrine.X25519},
		"unknown":      {0x1234},
	} {
		client := rig.ClientConfig()
		client.CurvePreferences, client.KeyShares = []vitrine.CurveID{vitrine.X25519}, shares
		a, _ := rig.Wires(t)
		if err := vitrine.Client(a, client).Handshake(); err == nil ||
			!strings.Contains(err.Error(), "Config.KeyShares") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A server says how much older or younger a client's ticket is than it states. See RFC 8446 §8.3.
func TestTheSkewOfATicketsAgeIsReported(t *testing.T) {
	for _, off := range []time.Duration{-time.Minute, 0, time.Hour} {
		client, server := rig.ClientConfig(only13), rig.ServerConfig(t, only13)
		client.ClientSessionCache = vitrine.NewLRUClientSessionCache(0)
		at(client, 0)
		at(server, 0)
		if _, _, err := rig.Connect(t, client, server); err != nil {
			t.Fatal(err)
		}
		at(client, 2*time.Hour+off)
		at(server, 2*time.Hour)
		c, s, err := rig.Connect(t, client, server)
		if err != nil || !s.DidResume || (s.TicketAgeSkew-off).Abs() > 30*time.Second {
			t.Errorf("%v: %v, resumed: %v, skew %v", off, err, s.DidResume, s.TicketAgeSkew)
		}
		if c.TicketAgeSkew != 0 {
			t.Errorf("%v: a client knows of a skew of %v", off, c.TicketAgeSkew)
		}
	}
}
