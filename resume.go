package vitrine

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/session"
)

// tickets holds the ticket keys of a server: those set by SetSessionTicketKeys, or keys that rotate
// automatically.
type tickets struct {
	mu     sync.Mutex
	set    session.FixedKeys
	rotate *session.RotatingKeys
}

// SetSessionTicketKeys sets the ticket keys of a server, so that several servers can open each
// other's tickets. The first key seals new tickets; all keys open tickets. It may be called at any
// time. The keys no longer rotate automatically. Config.TicketKeys takes precedence over them.
// SetSessionTicketKeys panics if keys is empty.
func (c *Config) SetSessionTicketKeys(keys [][32]byte) {
	if len(keys) == 0 {
		panic("vitrine: SetSessionTicketKeys needs at least one key")
	}
	c.tickets.mu.Lock()
	defer c.tickets.mu.Unlock()
	c.tickets.set = nil
	for _, k := range keys {
		c.tickets.set = append(c.tickets.set, session.NewTicketKey(k))
	}
}

func (t *tickets) source(c *Config) session.TicketKeys {
	if c.TicketKeys != nil {
		return c.TicketKeys
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.set != nil {
		return t.set
	}
	if t.rotate == nil {
		now := c.Time
		if now == nil {
			now = time.Now
		}
		t.rotate = session.NewRotatingKeys(rand.Reader, now)
		t.rotate.KeepFor(c.SessionLifetime)
	}
	return t.rotate
}

// resumption returns how this side stores and resumes sessions. It reads h's Rand, Log and
// Parameters.
func (c *Config) resumption(me iana.Side, conn *Conn,
	h *negotiation.Config) negotiation.Resumption {
	if me == iana.Client {
		return c.clientResumption(c.sessionKey(conn.conn), h)
	}
	random := h.Rand
	r := negotiation.Resumption{Tickets: !c.SessionTicketsDisabled, Count: c.TicketCount,
		Lifetime: c.SessionLifetime}
	if r.Count == 0 {
		r.Count = ticketCount
	}
	r.Seal = func(ctx context.Context, s *session.Session) ([]byte, error) {
		keys, err := c.ticketKeys(ctx)
		if err != nil {
			return nil, err
		}
		return seal(random, keys, s)
	}
	r.Open = func(ctx context.Context, ticket []byte) (*session.Session, error) {
		keys, err := c.ticketKeys(ctx)
		if err != nil {
			return nil, err
		}
		return session.OpenTicket(keys, ticket), nil
	}
	c.wrapped(&r, conn)
	if c.SessionStore != nil {
		c.stored(&r)
	}
	return r
}

// ticketKeys returns the current ticket keys. The first one seals. Only Config.TicketKeys calls
// code of the program, which may hang.
func (c *Config) ticketKeys(ctx context.Context) ([]session.TicketKey, error) {
	if c.TicketKeys == nil {
		return c.tickets.source(c).Keys(ctx)
	}
	return within(ctx, c, "Config.TicketKeys", c.tickets.source(c).Keys)
}

// stored makes r keep sessions by ID in Config.SessionStore.
func (c *Config) stored(r *negotiation.Resumption) {
	const what = "Config.SessionStore"
	store := c.SessionStore
	do := func(ctx context.Context, f func(context.Context) error) error {
		_, err := within(ctx, c, what, func(ctx context.Context) (struct{}, error) {
			return struct{}{}, f(ctx)
		})
		return err
	}
	r.Find = func(ctx context.Context, id []byte) (*session.Session, error) {
		b, err := within(ctx, c, what, func(ctx context.Context) ([]byte, error) {
			return store.Get(ctx, id)
		})
		if err != nil || b == nil {
			return nil, err
		}
		return session.DecodeSession(b)
	}
	r.Store = func(ctx context.Context, id []byte, s *session.Session) error {
		b, err := s.Encode()
		if err != nil {
			return err
		}
		return do(ctx, func(ctx context.Context) error {
			return store.Put(ctx, id, b, c.sessionLifetime(s.Version))
		})
	}
	if d, ok := store.(session.Deleter); ok {
		r.Forget = func(id []byte) error {
			return do(context.Background(), func(ctx context.Context) error {
				return d.Delete(ctx, id)
			})
		}
	}
}

// ticketCount is the default of Config.TicketCount: one ticket for the next connection, and one for
// a second connection at the same time, as browsers open them.
const ticketCount = 2

// maxTicketCount is below the number of tickets that a client treats as a flood. See engine.
const maxTicketCount = 16

func (c *Config) checkTickets() error {
	if c.TicketCount < 0 || c.TicketCount > maxTicketCount {
		return fmt.Errorf("vitrine: Config.TicketCount is %d, expected 0 to %d", c.TicketCount,
			maxTicketCount)
	}
	if c.SessionLifetime < 0 || c.SessionLifetime > session.MaxSessionAge13 {
		return fmt.Errorf("vitrine: Config.SessionLifetime is %v, expected 0 to %v",
			c.SessionLifetime, session.MaxSessionAge13)
	}
	return nil
}

// sessionLifetime returns how long a server resumes sessions of a version.
func (c *Config) sessionLifetime(v iana.Version) time.Duration {
	if v < iana.TLS13 || c.SessionLifetime == 0 {
		return session.MaxSessionAge
	}
	return c.SessionLifetime
}

// sessionKey returns the cache key for a client's sessions, the same as in crypto/tls: the
// ServerName or else the remote address. It is empty if there is neither.
func (c *Config) sessionKey(conn net.Conn) string {
	if c.ServerName != "" {
		return c.ServerName
	}
	if conn == nil { // QUIC
		return ""
	}
	if addr := conn.RemoteAddr(); addr != nil {
		return addr.String()
	}
	return ""
}

func (c *Config) clientResumption(key string, h *negotiation.Config) negotiation.Resumption {
	cache := c.ClientSessionCache
	if cache == nil || key == "" {
		return negotiation.Resumption{}
	}
	_, own := cache.(*lruCache) // which never hangs
	do := func(f func() *ClientSessionState) *ClientSessionState {
		if own {
			return f()
		}
		s, err := within(context.Background(), c, "Config.ClientSessionCache",
			func(context.Context) (*ClientSessionState, error) { return f(), nil })
		if err != nil {
			h.Log.Choice("session", "", "none", err.Error(), "RFC 5246 §7.3")
		}
		return s
	}
	put := func(s *ClientSessionState) {
		do(func() *ClientSessionState { cache.Put(key, s); return nil })
	}
	r := negotiation.Resumption{Tickets: !c.SessionTicketsDisabled}
	speaks13 := h.MaxVersion >= iana.TLS13
	if s := do(func() *ClientSessionState { return c.offer(cache, key, speaks13) }); s != nil {
		r.Offer = s.session
	}
	r.Keep = func(s *session.Session) {
		several, ok := cache.(ClientTicketCache)
		switch {
		case s == nil:
			put(nil)
		case ok && s.Version == iana.TLS13:
			do(func() *ClientSessionState { several.Add(key, &ClientSessionState{s}); return nil })
		default:
			put(&ClientSessionState{s})
		}
	}
	return r
}

// offer returns the session to offer to a server, or nil. A session of TLS 1.3 is then no longer in
// the cache: see RFC 8446 §C.4. Expired ones are dropped.
func (c *Config) offer(cache ClientSessionCache, key string, speaks13 bool) *ClientSessionState {
	several, ok := cache.(ClientTicketCache)
	if !ok || !speaks13 {
		s, found := cache.Get(key)
		if !found || s == nil || s.session == nil {
			return nil
		}
		if s.session.Version == iana.TLS13 && speaks13 {
			cache.Put(key, nil)
		}
		return s
	}
	now := time.Now
	if c.Time != nil {
		now = c.Time
	}
	for {
		s, found := several.Take(key)
		if !found || s == nil || s.session == nil {
			return nil
		}
		if !s.session.Fresh(now()) {
			continue
		}
		if s.session.Version < iana.TLS13 { // which may be used again
			several.Add(key, s)
		}
		return s
	}
}
