// Package live keeps what happens on the connections of a running server, proxy or observer, for
// whoever looks on: a row for each connection, its events as far as there is room, and what changed
// since somebody looked last. It has no HTTP in it and never makes a connection wait: what a
// connection does with a Hub is to remember things, within bounds, and whoever looks on comes and
// gets them. A History writes connections to a folder.
//
// Whatever a peer chose (names, certificates, errors) is kept as it came: who shows it must escape
// it.
package live

import (
	"container/list"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/trace"
)

// The bounds of a Hub, unless its Options say something else.
const (
	DefaultRows          = 2000
	DefaultEvents        = 64 << 20
	DefaultPerConnection = 256 << 10
)

// Options are the bounds of a Hub, and where it keeps connections. A number of 0 is the default.
type Options struct {
	Rows          int // connections that are listed
	Events        int // bytes of the events of all connections, as trace.Entry.Size counts them
	PerConnection int // and of those of one connection
	// Keep, if set, gets a connection when its handshake is done and when it has ended, with the
	// size of its events, and reports whether it will keep it. It must not wait. The events stay as
	// they are.
	Keep func(r Row, entries []trace.Entry, size int) bool
}

// Hub keeps connections.
type Hub struct {
	o    Options
	name string // of this run: the beginning of each ID

	mu      sync.Mutex
	made    int
	change  uint64 // number of the last change
	byID    map[string]*Conn
	changed list.List // of *Conn, the one that changed last in front
	ended   list.List // of *Conn that are listed, the one that ended first in front
	holding list.List // of *Conn that have ended and hold events, likewise
	gone    []gone    // the last rows that were given up
	trimmed uint64    // the last change that is not in gone any more
	used    int
	bell    chan struct{} // closed at the next change; nil if nobody waits
	stats   Stats
}

// Stats are numbers about all connections of a Hub.
type Stats struct {
	Connections int           `json:"connections"` // all that there were
	Failed      int           `json:"failed"`
	Open        int           `json:"open"`
	Unlisted    int           `json:"unlisted"` // had no place in the list, or lost it
	Bytes       int           `json:"bytes"`    // of events in memory
	Dropped     trace.Dropped `json:"dropped"`
	Unkept      int           `json:"unkept"` // connections that Keep refused
}

type gone struct {
	id     string
	change uint64
}

// maxGone is how many rows that were given up are remembered at least. Who looks on more rarely
// gets the whole list again.
const maxGone = 1024

// New returns a Hub.
func New(o Options) *Hub {
	for _, n := range []struct {
		value   *int
		without int
	}{{&o.Rows, DefaultRows}, {&o.Events, DefaultEvents},
		{&o.PerConnection, DefaultPerConnection}} {
		if *n.value == 0 {
			*n.value = n.without
		}
	}
	return &Hub{o: o, name: strconv.FormatInt(time.Now().UnixNano(), 36), byID: map[string]*Conn{}}
}

// Name returns the name of this run of the Hub.
func (h *Hub) Name() string { return h.name }

// Open adds a connection. about says what is known at its beginning.
func (h *Hub) Open(about Row) *Conn {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.made++
	h.stats.Connections++
	h.stats.Open++
	c := &Conn{hub: h, row: about, kept: trace.NewBounded(h.o.PerConnection)}
	c.id = fmt.Sprintf("%s-%d", h.name, h.made)
	c.row.ID = c.id
	c.row.clip()
	if c.row.State == "" {
		c.row.State = Shaking
	}
	h.list(c)
	return c
}

// AddEarlier adds a connection of an earlier run, whose events the history has.
func (h *Hub) AddEarlier(r Row) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.byID[r.ID] != nil {
		return
	}
	r.clip()
	if r.Offer != nil {
		r.Offer = r.Offer.clip()
	}
	c := &Conn{hub: h, id: r.ID, row: r, over: true, kept: trace.NewBounded(0)}
	if h.list(c); c.changed != nil {
		c.ended = h.ended.PushBack(c)
	}
}

// list gives a connection a place in the list, if there is one. It needs the lock.
func (h *Hub) list(c *Conn) {
	if len(h.byID) >= h.o.Rows && !h.giveUp() {
		h.stats.Unlisted++
		return
	}
	h.byID[c.row.ID] = c
	c.changed = h.changed.PushFront(c)
	h.note(c)
}

// giveUp takes the place of the connection that ended first, and reports whether there was one. It
// needs the lock.
func (h *Hub) giveUp() bool {
	first := h.ended.Front()
	if first == nil {
		return false
	}
	c := h.ended.Remove(first).(*Conn)
	c.ended = nil
	h.forget(c)
	delete(h.byID, c.row.ID)
	h.changed.Remove(c.changed)
	c.changed = nil
	h.stats.Unlisted++
	h.change++
	h.gone = append(h.gone, gone{c.row.ID, h.change})
	if len(h.gone) > 2*maxGone {
		h.trimmed = h.gone[maxGone-1].change
		h.gone = append([]gone(nil), h.gone[maxGone:]...)
	}
	return true
}

// note marks a connection as changed, and wakes who waits. It needs the lock.
func (h *Hub) note(c *Conn) {
	if c.changed == nil {
		return
	}
	h.change++
	c.last = h.change
	h.changed.MoveToFront(c.changed)
	if h.bell != nil {
		close(h.bell)
		h.bell = nil
	}
}

// forget drops the events of a connection. It needs the lock.
func (h *Hub) forget(c *Conn) {
	if c.holds != nil {
		h.holding.Remove(c.holds)
		c.holds = nil
	}
	if c.kept.Held() > 0 {
		h.used -= c.kept.Held()
		c.kept = trace.NewBounded(0)
		c.row.Forgotten = true
	}
}

// relieve makes room until all events are within their bound: the events of connections that have
// ended go first, the oldest first, and then those of c, which has just grown, plaintext first. It
// needs the lock.
func (h *Hub) relieve(c *Conn) {
	for h.used > h.o.Events && h.holding.Len() > 0 {
		old := h.holding.Front().Value.(*Conn)
		h.forget(old)
		h.note(old)
	}
	for range 2 {
		if h.used > h.o.Events {
			h.used -= c.kept.Held()
			c.kept.Spare()
			h.used += c.kept.Held()
		}
	}
	if h.used > h.o.Events {
		h.forget(c)
	}
}

// Stats returns numbers about all connections.
func (h *Hub) Stats() Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stats.Bytes = h.used
	return h.stats
}

// Find returns a connection that is listed, with the events that are kept.
func (h *Hub) Find(id string) (r Row, entries []trace.Entry, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.byID[id]
	if c == nil {
		return r, nil, false
	}
	return c.shown(), c.kept.Entries(), true
}
