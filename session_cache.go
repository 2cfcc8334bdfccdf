package vitrine

import (
	"slices"
	"sync"

	"github.com/vitrine-tls/vitrine/session"
)

// A ClientSessionCache holds the sessions of a client, keyed by server name, or by server address
// for a Config without ServerName. The sessions contain secrets.
//
// A session of TLS 1.3 is removed when it is offered: a ticket that is used twice shows an observer
// that two connections come from one client. With this interface of crypto/tls there is one session
// for a server, and if several connections begin at the same time, one can resume, or two may use
// the same ticket. A ClientTicketCache does better.
//
// Configs may share a cache: a session is offered only if the settings that it was established with
// still hold. What GetClientCertificate and GetPSK would return cannot be compared, so Configs that
// differ in these callbacks must not share a cache.
type ClientSessionCache interface {
	// Get returns the session stored under key, if any.
	Get(key string) (s *ClientSessionState, ok bool)

	// Put stores a session under key. If s is nil, it removes what is stored.
	Put(key string, s *ClientSessionState)
}

// A ClientTicketCache is a ClientSessionCache that keeps several sessions under one key, since a
// server of TLS 1.3 may send several tickets and each is to be used once. What
// NewLRUClientSessionCache returns is one. See RFC 8446 §4.6.1 and §C.4.
type ClientTicketCache interface {
	ClientSessionCache

	// Add stores a session under key besides those that are there. The cache may drop old ones.
	Add(key string, s *ClientSessionState)

	// Take removes the session that was stored last under key, and returns it. Of several calls at
	// the same time each returns another session.
	Take(key string) (s *ClientSessionState, ok bool)
}

// A ClientSessionState is a session that a client can resume.
type ClientSessionState struct{ session *session.Session }

// NewLRUClientSessionCache returns a ClientTicketCache that keeps the sessions of the most recently
// used keys, up to capacity keys, and up to eight sessions a key. If capacity is less than 1, it
// keeps 64 keys.
func NewLRUClientSessionCache(capacity int) ClientSessionCache {
	if capacity < 1 {
		capacity = 64
	}
	return &lruCache{capacity: capacity, at: map[string][]*ClientSessionState{}}
}

// maxTickets is how many sessions an lruCache keeps under one key.
const maxTickets = 8

type lruCache struct {
	mu       sync.Mutex
	capacity int
	order    []string                         // most recently used last
	at       map[string][]*ClientSessionState // stored last last
}

func (c *lruCache) Get(key string) (*ClientSessionState, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.at[key]
	if len(all) == 0 {
		return nil, false
	}
	c.set(key, all)
	return all[len(all)-1], true
}

func (c *lruCache) Put(key string, s *ClientSessionState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s == nil {
		c.set(key, nil)
		return
	}
	c.set(key, []*ClientSessionState{s})
}

func (c *lruCache) Add(key string, s *ClientSessionState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := append(c.at[key], s)
	c.set(key, slices.Delete(all, 0, max(0, len(all)-maxTickets)))
}

func (c *lruCache) Take(key string) (*ClientSessionState, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.at[key]
	if len(all) == 0 {
		return nil, false
	}
	last := len(all) - 1
	s := all[last]
	c.set(key, slices.Delete(all, last, last+1))
	return s, true
}

// set stores the sessions of a key, which is now the most recently used; none removes the key.
func (c *lruCache) set(key string, all []*ClientSessionState) {
	if i := slices.Index(c.order, key); i >= 0 {
		c.order = slices.Delete(c.order, i, i+1)
	}
	if len(all) == 0 {
		delete(c.at, key)
		return
	}
	c.at[key], c.order = all, append(c.order, key)
	if len(c.order) > c.capacity {
		delete(c.at, c.order[0])
		c.order = slices.Delete(c.order, 0, 1)
	}
}
