package conformance_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/session"
)

// counted is a client's cache that counts what is added.
type counted struct {
	vitrine.ClientTicketCache
	mu    sync.Mutex
	added int
}

func newCounted() *counted {
	cache := vitrine.NewLRUClientSessionCache(0).(vitrine.ClientTicketCache)
	return &counted{ClientTicketCache: cache}
}

func (c *counted) Add(key string, s *vitrine.ClientSessionState) {
	c.mu.Lock()
	c.added++
	c.mu.Unlock()
	c.ClientTicketCache.Add(key, s)
}

// count returns how many were added since the last call.
func (c *counted) count() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, c.added = c.added, 0
	return n
}

// A server sends some tickets behind a full handshake, and one behind a resumption: RFC 8446
// §4.6.1.
func TestAServerSendsSeveralTickets(t *testing.T) {
	for set, want := range map[int]int{0: 2, 1: 1, 5: 5} {
		cache := newCounted()
		client, server := rig.ClientConfig(rig.Only13), rig.ServerConfig(t, rig.Only13)
		client.ClientSessionCache, server.TicketCount = cache, set
		for i, want := range []int{want, 1, 1} {
			c, _, err := rig.Connect(t, client, server)
			if err != nil || c.DidResume != (i > 0) {
				t.Fatalf("TicketCount %d, connection %d: resumed %v, %v", set, i+1, c.DidResume,
					err)
			}
			if got := cache.count(); got != want {
				t.Errorf("TicketCount %d, connection %d: %d tickets, expected %d", set, i+1, got,
					want)
			}
		}
	}
	for _, n := range []int{-1, 17} {
		client, server := rig.ClientConfig(rig.Only13), rig.ServerConfig(t, rig.Only13)
		server.TicketCount = n
		if _, _, err := rig.Connect(t, client, server); err == nil {
			t.Errorf("a TicketCount of %d", n)
		}
	}
}

// plain hides all but the two methods of crypto/tls.
type plain struct{ vitrine.ClientSessionCache }

// Each ticket is offered once: connections that begin at the same time take different ones, and
// with crypto/tls's interface there is only one to take. RFC 8446 §C.4.
func TestATicketIsOfferedOnce(t *testing.T) {
	for _, several := range []bool{true, false} {
		client, server := rig.ClientConfig(rig.Only13), rig.ServerConfig(t, rig.Only13)
		client.ClientSessionCache = vitrine.NewLRUClientSessionCache(0)
		if !several {
			client.ClientSessionCache = plain{client.ClientSessionCache}
		}
		if _, _, err := rig.Connect(t, client, server); err != nil {
			t.Fatal(err)
		}
		for i, want := range []bool{true, several, false} {
			// None of them is read from: so no new ticket comes.
			c, s := rig.Pair(t, client, server)
			defer c.Close()
			defer s.Close()
			if got := c.ConnectionState().DidResume; got != want {
				t.Errorf("several %v, connection %d: resumed %v", several, i+1, got)
			}
		}
	}
}

// at sets the clock of a Config.
func at(c *vitrine.Config, later time.Duration) {
	c.Time = func() time.Time { return time.Now().Add(later) }
}

// A server says how long its sessions live, from their full handshake. A client heeds it, and takes
// none for more than seven days. RFC 8446 §4.6.1.
func TestSessionsOfTLS13LiveAsLongAsTheServerSays(t *testing.T) {
	const day = 24 * time.Hour
	for _, tt := range []struct {
		set, after time.Duration
		resumed    bool
	}{
		{0, day - time.Hour, true},
		{0, day, false},
		{7 * day, 7*day - time.Hour, true},
		{7 * day, 7 * day, false},
		{time.Hour, time.Hour - time.Minute, true},
		{time.Hour, time.Hour + time.Minute, false},
	} {
		for _, whose := range []string{"both clocks", "the server's clock"} {
			client, server := rig.ClientConfig(rig.Only13), rig.ServerConfig(t, rig.Only13)
			client.ClientSessionCache = vitrine.NewLRUClientSessionCache(0)
			server.SessionLifetime = tt.set
			connect := func() bool {
				c, _, err := rig.Connect(t, client, server)
				if err != nil {
					t.Fatal(err)
				}
				return c.DidResume
			}
			connect()
			// The resumption half way, with a ticket of its own, makes the session no younger.
			for _, after := range []time.Duration{tt.after / 2, tt.after} {
				server = server.Clone()
				if at(server, after); whose == "both clocks" {
					at(client, after)
				}
				if got := connect(); got != (tt.resumed || after < tt.after) {
					t.Errorf("SessionLifetime %v, after %v by %s: resumed %v", tt.set, after,
						whose, got)
				}
			}
		}
	}
	server := rig.ServerConfig(t, rig.Only13)
	server.SessionLifetime = 7*day + 1
	if _, _, err := rig.Connect(t, rig.ClientConfig(rig.Only13), server); err == nil {
		t.Error("a SessionLifetime of more than seven days")
	}
}

// crypto/tls's tickets live seven days: RFC 8446 §4.6.1.
func TestAClientKeepsTicketsForSevenDays(t *testing.T) {
	const day = 24 * time.Hour
	for after, want := range map[time.Duration]bool{6 * day: true, 7*day + time.Minute: false} {
		client := rig.ClientConfig(rig.Only13)
		client.ClientSessionCache = vitrine.NewLRUClientSessionCache(0)
		var shift time.Duration
		server := &tls.Config{Certificates: []tls.Certificate{rig.Certificate(t, throwaway.ECDSA)},
			Time: func() time.Time { return time.Now().Add(shift) }}
		for i := range 2 {
			a, b := rig.Wires(t)
			c, s := vitrine.Client(a, client), tls.Server(b, server)
			if err, other := rig.Shake(c, s); err != nil || other != nil {
				t.Fatalf("client: %v; server: %v", err, other)
			}
			go func() { fmt.Fprint(s, "tickets"); s.CloseWrite() }()
			if _, err := io.ReadAll(c); err != nil {
				t.Fatal(err)
			}
			if got := c.ConnectionState().DidResume; got != (i > 0 && want) {
				t.Errorf("after %v: resumed %v", after, got)
			}
			c.Close()
			s.Close()
			shift = after
			at(client, after)
		}
	}
}

// The age that a client states is for early data alone: whatever it says, the session is resumed.
// RFC 8446 §4.2.11.1, §8.3.
func TestAWrongTicketAgeDoesNotHinderResumption(t *testing.T) {
	client, server := rig.ClientConfig(rig.Only13), rig.ServerConfig(t, rig.Only13)
	client.ClientSessionCache = vitrine.NewLRUClientSessionCache(0)
	for i, ahead := range []time.Duration{0, 5 * time.Hour, -time.Minute / 2, 0} {
		at(client, ahead)
		c, _, err := rig.Connect(t, client, server)
		if err != nil || c.DidResume != (i > 0) {
			t.Errorf("a clock that is %v ahead: resumed %v, %v", ahead, c.DidResume, err)
		}
	}
}

// A session of one version is not resumed in another, whatever it is found by: RFC 8446 §4.6.1.
func TestSessionsDoNotCrossVersions(t *testing.T) {
	for _, byID := range []bool{false, true} {
		for _, first := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			client, server := rig.ClientConfig(), rig.ServerConfig(t)
			client.ClientSessionCache = vitrine.NewLRUClientSessionCache(0)
			server.SessionTicketsDisabled, server.SessionStore = byID, session.NewMemory(10)
			version := func(v uint16) {
				client.MinVersion, client.MaxVersion = tls.VersionTLS12, tls.VersionTLS13
				server.MinVersion, server.MaxVersion = tls.VersionTLS12, v
				server = server.Clone()
			}
			for i, v := range []uint16{first, tls.VersionTLS12 + tls.VersionTLS13 - first} {
				version(v)
				for again := range 2 {
					c, _, err := rig.Connect(t, client, server)
					if err != nil || c.Version != v || c.DidResume != (again > 0) {
						t.Errorf("by ID %v, version %d: %x, resumed %v, %v", byID, i, c.Version,
							c.DidResume, err)
					}
				}
			}
		}
	}
}

// A store serves TLS 1.3 too, at any server that shares it, and then a ticket holds no session.
func TestAStoreServesTLS13(t *testing.T) {
	client := rig.ClientConfig(rig.Only13)
	cache := vitrine.NewLRUClientSessionCache(0)
	client.ClientSessionCache = cache
	store := session.NewMemory(10)
	for i := range 3 {
		server := rig.ServerConfig(t, rig.Only13)
		server.SessionStore, server.SessionTicketsDisabled = store, true
		c, _, err := rig.Connect(t, client, server)
		if err != nil || c.DidResume != (i > 0) {
			t.Errorf("connection %d: resumed %v, %v", i+1, c.DidResume, err)
		}
		s, _ := cache.Get(rig.ServerName)
		if ticket, _, err := s.ResumptionState(); err != nil || len(ticket) != 32 {
			t.Errorf("a ticket of %d bytes, %v", len(ticket), err)
		}
	}
}

// A session of TLS 1.3 can be saved, and goes on in another process: here, in another cache.
func TestASavedSessionOfTLS13IsResumed(t *testing.T) {
	client, server := rig.ClientConfig(rig.Only13), rig.ServerConfig(t, rig.Only13)
	cache := vitrine.NewLRUClientSessionCache(0)
	client.ClientSessionCache = cache
	if _, _, err := rig.Connect(t, client, server); err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		s, ok := cache.Get(rig.ServerName)
		if !ok {
			t.Fatal("there is no session")
		}
		cache = vitrine.NewLRUClientSessionCache(0)
		cache.Put(rig.ServerName, throughBytes(t, s))
		client = rig.ClientConfig(rig.Only13)
		client.ClientSessionCache = cache
		c, _, err := rig.Connect(t, client, server)
		if err != nil || !c.DidResume || len(c.PeerCertificates) == 0 {
			t.Errorf("connection %d: resumed %v, %v", i+1, c.DidResume, err)
		}
	}
}
