package live

import (
	"container/list"
	"fmt"
	"time"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

// Conn is a connection of a Hub. It is the trace.Sink of its events.
type Conn struct {
	hub *Hub
	id  string

	// guarded by the hub's lock
	row     Row
	over    bool
	watched bool // somebody else's, of which not all can be read
	kept    *trace.Bounded
	counted trace.Dropped // in the hub's Stats
	last    uint64        // its last change
	changed *list.Element // nil if it is not listed
	ended   *list.Element // since it ended, if it is listed
	holds   *list.Element // since it ended, if it holds events
	alerts  [2]*trace.Alert

	dialect message.Dialect // of the client's messages; used by Put alone
}

// ID returns the connection's name, which no other connection of any run has.
func (c *Conn) ID() string { return c.id }

// Put keeps an event, as far as there is room, and what it says about the connection.
func (c *Conn) Put(e trace.Entry) {
	h, news := c.hub, c.read(e)
	h.mu.Lock()
	defer h.mu.Unlock()
	if c.over {
		return
	}
	h.used -= c.kept.Held()
	c.kept.Put(e)
	h.used += c.kept.Held()
	if h.used > h.o.Events {
		h.relieve(c)
	}
	if news != nil && news() {
		c.row.clip()
		h.note(c)
	}
	c.count()
	if d, ok := e.Event.(*trace.Done); ok && d.OK {
		c.keep()
	}
}

// Watched says that the connection is somebody else's, of which perhaps not all can be read: that
// its handshake was not seen to its end is no failure.
func (c *Conn) Watched() {
	c.hub.mu.Lock()
	defer c.hub.mu.Unlock()
	c.watched = true
}

// SaidGoodbye reports whether the client sent close_notify or a fatal alert, or a fatal alert was
// sent to it.
func (c *Conn) SaidGoodbye() bool {
	c.hub.mu.Lock()
	defer c.hub.mu.Unlock()
	ours := c.alerts[iana.Server]
	return c.alerts[iana.Client] != nil || ours != nil && ours.Level == alert.Fatal
}

// count adds what was dropped to the numbers of all connections.
func (c *Conn) count() {
	now, before := c.kept.Dropped(), c.counted
	if now == before || c.row.Forgotten {
		return
	}
	all := &c.hub.stats.Dropped
	all.Plaintext += now.Plaintext - before.Plaintext
	all.Records += now.Records - before.Records
	all.Events += now.Events - before.Events
	c.counted, c.row.Dropped = now, now
}

// Set changes what is known about the connection. ID and State are the Hub's. change must call
// nothing of the Hub, which is locked.
func (c *Conn) Set(change func(*Row)) {
	h := c.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if c.over {
		return
	}
	c.change(change)
	h.note(c)
}

func (c *Conn) change(change func(*Row)) {
	state := c.row.State
	change(&c.row)
	c.row.ID, c.row.State = c.id, state
	c.row.clip()
}

// End says that the connection has ended. Its events say how, unless change, which may be nil, sets
// a Reason; failed says that it is a failure whatever they say. A second call does nothing.
func (c *Conn) End(failed bool, change func(*Row)) {
	h := c.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if c.over {
		return
	}
	if change != nil {
		c.change(change)
	}
	c.over = true
	now := time.Now()
	c.row.Ended = &now
	c.conclude(failed)
	h.stats.Open--
	if c.row.State == Failed {
		h.stats.Failed++
	}
	if c.changed != nil {
		c.ended = h.ended.PushBack(c)
	}
	c.keep()
	if c.changed == nil {
		h.forget(c) // nobody can ask for them
	} else if c.kept.Held() > 0 {
		c.holds = h.holding.PushBack(c)
	}
	h.note(c)
}

// keep gives the connection to the history.
func (c *Conn) keep() {
	keep := c.hub.o.Keep
	if keep == nil {
		return
	}
	r := c.shown()
	r.Stored = true
	if c.row.Stored = keep(r, c.kept.Entries(), c.kept.Held()); !c.row.Stored {
		c.hub.stats.Unkept++
	}
}

// shown returns the row as it is now.
func (c *Conn) shown() Row {
	r := c.row
	if r.Ended != nil {
		at := *r.Ended
		r.Ended = &at
	}
	return r
}

// Format prints which connection it is, whatever the verb.
func (c *Conn) Format(f fmt.State, _ rune) { trace.Print(f, c.described()) }

// MarshalText returns what Format prints.
func (c *Conn) MarshalText() ([]byte, error) { return trace.Text(c.described()) }

func (c *Conn) described() string { return "live.Conn " + c.id }

// Format prints how many connections there are, whatever the verb.
func (h *Hub) Format(f fmt.State, _ rune) { trace.Print(f, h.described()) }

// MarshalText returns what Format prints.
func (h *Hub) MarshalText() ([]byte, error) { return trace.Text(h.described()) }

func (h *Hub) described() string {
	return fmt.Sprintf("live.Hub of %d connections", h.Stats().Connections)
}

// conclude sets the state at the end and, unless it is set, the reason.
func (c *Conn) conclude(failed bool) {
	r, opened := &c.row, c.row.State == Open
	r.State = Closed
	if failed || !opened && !c.watched {
		r.State = Failed
	}
	if r.Reason != "" {
		return
	}
	for side, a := range c.alerts {
		if a != nil && a.Level == alert.Fatal {
			r.State = Failed
			r.Reason = "alert_from_" + iana.Side(side).String() + "_" + a.Description.String()
			r.Why = fmt.Sprintf("the %v sent the alert %v", iana.Side(side), a.Description)
			if a.Reason != "" {
				r.Why += ": " + a.Reason
			}
			return
		}
	}
	client, server := c.alerts[iana.Client] != nil, c.alerts[iana.Server] != nil
	switch {
	case r.State == Failed:
		r.Reason, r.Why = "ended_in_handshake", "it ended before the handshake was done"
	case r.Check == string(alert.KindTruncated) && !client:
		r.Reason, r.Why = "truncated", "the client ended it without close_notify: data may be "+
			"missing at the end"
	case client && server:
		r.Reason, r.Why = "close_notify", "both said close_notify"
	case client:
		r.Reason, r.Why = "close_notify", "the client said close_notify"
	case server:
		r.Reason, r.Why = "closed_by_server", "the server said close_notify, and the client did not"
	case c.watched:
		r.Reason, r.Why = "ended", "how it ended cannot be read"
	default:
		r.Reason, r.Why = "truncated", "nobody said close_notify: data may be missing at the end"
	}
}
