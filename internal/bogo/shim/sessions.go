package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/session"
)

// shared is what the connections of one test have in common: sessions, ticket keys, the clock.
type shared struct {
	cache vitrine.ClientSessionCache
	store *session.Memory
	base  *vitrine.Config // what every Config is cloned from
	start time.Time
	delay time.Duration
}

func newShared() *shared {
	s := &shared{cache: vitrine.NewLRUClientSessionCache(0), store: session.NewMemory(64),
		start: time.Now()}
	s.base = &vitrine.Config{Time: s.now, SessionStore: s.store, MaxEarlyData: 1,
		GetCertificate: func(*vitrine.ClientHelloInfo) (*tls.Certificate, error) {
			return nil, nil
		}}
	// A server accepts no early data soon after its first connection: this one came long ago.
	s.delay = -time.Hour
	a, b := net.Pipe()
	a.Close()
	vitrine.Server(b, s.base).Handshake()
	s.delay = 0
	return s
}

// advance moves the clock after a connection.
func (s *shared) advance(o *options) {
	s.delay += time.Duration(o.resumptionDelay) * time.Second
}

// now returns the time of a clock that stands still but for advance: tests compare the ages of
// tickets.
func (s *shared) now() time.Time { return s.start.Add(s.delay) }

// ticketKeys returns the keys of one connection. A server that renews opens with the key before and
// seals with the next; one that skips tickets has no key.
func (c *connection) ticketKeys() session.TicketKeys {
	number := func(i int) session.TicketKey { return session.NewTicketKey([32]byte{1, byte(i)}) }
	switch {
	case c.skipTicket:
		return session.FixedKeys{}
	case c.renewTicket:
		return session.FixedKeys{number(c.number + 1), number(c.number)}
	}
	return session.FixedKeys{number(0)}
}

// clientCache counts the sessions that a client keeps.
type clientCache struct {
	vitrine.ClientSessionCache
	kept  int
	early bool // the last one allows early data
}

// Put keeps a session, or drops it.
func (c *clientCache) Put(key string, s *vitrine.ClientSessionState) {
	if s != nil {
		c.kept++
		if _, state, err := s.ResumptionState(); err == nil {
			c.early = state.EarlyData
		}
	}
	c.ClientSessionCache.Put(key, s)
}

// serverStore counts the sessions that a server keeps.
type serverStore struct {
	*session.Memory
	kept int
}

// Put keeps a session.
func (s *serverStore) Put(ctx context.Context, id, b []byte, life time.Duration) error {
	s.kept++
	return s.Memory.Put(ctx, id, b, life)
}

// checkSessions compares what was kept with the expectations.
func (c *connection) checkSessions(s *vitrine.ConnectionState) error {
	kept, expected := c.cache.kept > 0, !c.expectNoSession && (!s.DidResume || c.expectRenewal)
	early := s.Version < vitrine.VersionTLS13 // later the tickets come after the handshake
	switch {
	case !c.server && c.expectTicketEarly != c.cache.early && !early && c.cache.kept > 0:
		return fmt.Errorf("a ticket allows early data: %v", c.cache.early)
	case !c.server && early && kept != expected:
		return fmt.Errorf("a session was kept: %v, expected %v", kept, expected)
	case c.server && c.number == 0 && c.expectID && c.store.kept == 0:
		return failure("no session was kept")
	case c.server && c.number == 0 && c.expectNoID && c.store.kept > 0:
		return failure("a session was kept")
	}
	return nil
}
