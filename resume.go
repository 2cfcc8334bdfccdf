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

// ClientSessionCache keeps a client's sessions by the name of the server, or by its address for a
// Config without ServerName. It holds master secrets.
// Configs may share one: a session is offered only if what it was made with is still so. Only what
// GetClientCertificate and GetPSK would answer cannot be compared: Configs that differ in them must
// not share a cache.
type ClientSessionCache interface {
	Get(key string) (s *ClientSessionState, ok bool)
	// Put keeps a session; nil drops what is there.
	Put(key string, s *ClientSessionState)
}

// ClientSessionState is one session that a client can resume.
type ClientSessionState struct{ session *handshake.Session }

// NewLRUClientSessionCache keeps the sessions of the servers used last; capacity 0 is 64.
func NewLRUClientSessionCache(capacity int) ClientSessionCache {
	if capacity < 1 {
		capacity = 64
	}
	return &lruCache{capacity: capacity, at: map[string]*ClientSessionState{}}
}

type lruCache struct {
	mu       sync.Mutex
	capacity int
	order    []string // the last used at the end
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

// tickets are a server's keys: the program's, or ones that rotate by themselves.
type tickets struct {
	mu     sync.Mutex
	set    session.FixedKeys
	rotate *session.RotatingKeys
}

// SetSessionTicketKeys makes several servers able to open each other's tickets. The first key
// seals. It may be called at any time, and then the caller rotates the keys.
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

// resumption is how this side keeps sessions.
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

// ticketKeys asks the source of the ticket keys.
func (c *Config) ticketKeys(ctx context.Context) ([]session.TicketKey, error) {
	return within(ctx, c, "Config.TicketKeys", c.tickets.source(c).Keys)
}

// stored keeps sessions by ID, in the SessionStore.
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

// sessionKey returns the key under which a client's sessions are kept: crypto/tls's. It is empty if
// the server has neither a name nor an address.
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
			put(nil) // RFC 8446 §C.4: a ticket that is used twice links two connections
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
