package observe

import (
	"github.com/vitrine-tls/vitrine/handshake"
)

// This file bounds what a connection holds. Bytes are in memory once, with a small overhead, while
// they wait: for the rest of a record or message, for the other side's turn, or for secrets.

// Retry looks for a secret again.
func (c *Connection) Retry() {
	if c.pending == aSecret {
		c.pending = aRecord
		c.run()
		c.leave()
	}
}

// GiveUp stops waiting. Without a secret, or without the other side's messages, the connection's
// records are only counted.
func (c *Connection) GiveUp() {
	c.final = true
	c.Retry()
	c.leave()
	if c.Buffered() > MaxBuffered/2 {
		c.abandon()
	}
}

// leave counts the waiting records, whose secret did not come, as unread.
func (c *Connection) leave() {
	for i := range c.lanes {
		if l := &c.lanes[i]; l.closed && c.pending == nothing && l.waiting() > 0 {
			l.blind, l.held = true, nil
			l.count()
		}
	}
}

// abandon ends both directions, and frees everything that waits in them and a handshake that is not
// done. Its report is kept.
func (c *Connection) abandon() {
	for i := range c.lanes {
		l := &c.lanes[i]
		if l.err == nil {
			l.err = errStalled
		}
		l.held, l.inflate, l.refused = nil, nil, refused{}
		l.messages.Drop()
		l.count()
		l.rest()
	}
	switch {
	case c.before != nil:
		c.machine, c.before = c.before, nil
	case !c.initial.Done():
		c.about = c.Report()
		if c.abandoned = c.about.Reason; c.abandoned == nil {
			c.abandoned = &Reason{Code: TooMuchBuffered, Detail: sentence(errStalled)}
		}
		c.machine = handshake.NewObserver(c.find, nil, c)
		c.initial, c.pending = c.machine, nothing
	}
	c.messages = 0
}
