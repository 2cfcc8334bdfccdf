package vitrine

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/trace"
)

// A ClientSessionCache holds the sessions of a client, keyed by server name, or by server address
// for a Config without ServerName. The sessions contain secrets.
//
// Configs may share a cache: a session is offered only if the settings that it was established with
// still hold. What GetClientCertificate and GetPSK would return cannot be compared, so Configs that
// differ in these callbacks must not share a cache.
type ClientSessionCache interface {
	// Get returns the session stored under key, if any.
	Get(key string) (s *ClientSessionState, ok bool)

	// Put stores a session under key. If s is nil, it removes the stored session.
	Put(key string, s *ClientSessionState)
}

// A ClientSessionState is a session that a client can resume.
type ClientSessionState struct{ session *handshake.Session }

// NewLRUClientSessionCache returns a cache that keeps the most recently used sessions, up to
// capacity. If capacity is less than 1, it keeps 64.
func NewLRUClientSessionCache(capacity int) ClientSessionCache {
	if capacity < 1 {
		capacity = 64
	}
	return &lruCache{capacity: capacity, at: map[string]*ClientSessionState{}}
}

type lruCache struct {
	mu       sync.Mutex
	capacity int
	order    []string // most recently used last
	at       map[string]*ClientSessionState
}

func (c *lruCache) Get(key string) (*ClientSessionState, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.at[key]
	if ok {
		c.touch(key)
	}
	return s, ok
}

func (c *lruCache) Put(key string, s *ClientSessionState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.touch(key)
	c.at[key] = s
	if s == nil {
		delete(c.at, key)
		c.order = c.order[:len(c.order)-1]
	}
	if len(c.order) > c.capacity {
		delete(c.at, c.order[0])
		c.order = c.order[1:]
	}
}

func (c *lruCache) touch(key string) {
	for i, k := range c.order {
		if k == key {
			c.order = append(c.order[:i:i], c.order[i+1:]...)
			break
		}
	}
	c.order = append(c.order, key)
}

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
	}
	return t.rotate
}

// resumption returns how this side stores and resumes sessions.
func (c *Config) resumption(me iana.Side, conn *Conn, random io.Reader,
	log *trace.Log) handshake.Resumption {
	if me == iana.Client {
		return c.clientResumption(c.sessionKey(conn.conn), log)
	}
	r := handshake.Resumption{Tickets: !c.SessionTicketsDisabled}
	r.Seal = func(ctx context.Context, s *handshake.Session) ([]byte, error) {
		keys, err := c.ticketKeys(ctx)
		if err != nil {
			return nil, err
		}
		if len(keys) == 0 {
			return nil, errors.New("vitrine: Config.TicketKeys has no key")
		}
		return session.SealTicket(random, keys[0], s)
	}
	r.Open = func(ctx context.Context, ticket []byte) (*handshake.Session, error) {
		keys, err := c.ticketKeys(ctx)
		if err != nil {
			return nil, err
		}
		return session.OpenTicket(keys, ticket), nil
	}
	if c.SessionStore != nil {
		c.stored(&r)
	}
	return r
}

// ticketKeys returns the current ticket keys. The first one seals.
func (c *Config) ticketKeys(ctx context.Context) ([]session.TicketKey, error) {
	return within(ctx, c, "Config.TicketKeys", c.tickets.source(c).Keys)
}

// stored makes r keep sessions by ID in Config.SessionStore.
func (c *Config) stored(r *handshake.Resumption) {
	const what = "Config.SessionStore"
	store := c.SessionStore
	do := func(ctx context.Context, f func(context.Context) error) error {
		_, err := within(ctx, c, what, func(ctx context.Context) (struct{}, error) {
			return struct{}{}, f(ctx)
		})
		return err
	}
	r.Find = func(ctx context.Context, id []byte) (*handshake.Session, error) {
		b, err := within(ctx, c, what, func(ctx context.Context) ([]byte, error) {
			return store.Get(ctx, id)
		})
		if err != nil || b == nil {
			return nil, err
		}
		return session.DecodeSession(b)
	}
	r.Store = func(ctx context.Context, id []byte, s *handshake.Session) error {
		b, err := s.Encode()
		if err != nil {
			return err
		}
		return do(ctx, func(ctx context.Context) error {
			return store.Put(ctx, id, b, session.MaxSessionAge)
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

// sessionKey returns the cache key for a client's sessions, the same as in crypto/tls: the
// ServerName or else the remote address. It is empty if there is neither.
func (c *Config) sessionKey(conn net.Conn) string {
	if c.ServerName != "" {
		return c.ServerName
	}
	if addr := conn.RemoteAddr(); addr != nil {
		return addr.String()
	}
	return ""
}

func (c *Config) clientResumption(key string, log *trace.Log) handshake.Resumption {
	cache := c.ClientSessionCache
	if cache == nil || key == "" {
		return handshake.Resumption{}
	}
	do := func(f func() *ClientSessionState) *ClientSessionState {
		s, err := within(context.Background(), c, "Config.ClientSessionCache",
			func(context.Context) (*ClientSessionState, error) { return f(), nil })
		if err != nil {
			log.Choice("session", "", "none", err.Error(), "RFC 5246 §7.3")
		}
		return s
	}
	put := func(s *ClientSessionState) {
		do(func() *ClientSessionState { cache.Put(key, s); return nil })
	}
	r := handshake.Resumption{Tickets: !c.SessionTicketsDisabled}
	found := do(func() *ClientSessionState {
		if s, ok := cache.Get(key); ok {
			return s
		}
		return nil
	})
	if found != nil {
		r.Offer = found.session
		if found.session.Version == iana.TLS13 && c.speaks13() {
			put(nil) // RFC 8446 §C.4: a ticket used twice links two connections
		}
	}
	r.Keep = func(s *handshake.Session) {
		if s == nil {
			put(nil)
			return
		}
		put(&ClientSessionState{s})
	}
	return r
}
