package observe

import (
	"errors"

	"github.com/vitrine-tls/vitrine/handshake"
)

// This file bounds what a connection holds. Bytes are in memory once, with a small overhead, while
// they wait: for the rest of a record or message, for the other side's turn, or for secrets.

// MaxBuffered bounds how many bytes wait in a connection for the other side's turn or for secrets.
const MaxBuffered = 64 << 20

var errStalled = errors.New("observe: too much waits for a handshake that does not go on")

// Waiting reports whether the handshake is waiting for a secret.
func (c *Connection) Waiting() bool { return c.pending == aSecret }

// Buffered returns the number of bytes that wait.
func (c *Connection) Buffered() int { return c.lanes[0].waiting() + c.lanes[1].waiting() }

// memory returns about how many bytes the connection holds because something waits. A parsed
// message takes twice as much as its bytes, which are kept for the transcript.
func (c *Connection) memory() int {
	return c.lanes[0].memory() + c.lanes[1].memory() + len(c.prefix) + 3*c.messages
}

// shrink frees memory that the connection does not need while no bytes come.
func (c *Connection) shrink() {
	c.lanes[0].shrink()
	c.lanes[1].shrink()
}

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
		l.held, l.inflate = nil, nil
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
			c.abandoned = &Reason{Code: TooMuchBuffered, Detail: errStalled.Error()}
		}
		c.machine = handshake.NewObserver(c.find, nil, c)
		c.initial, c.pending = c.machine, nothing
	}
	c.messages = 0
}

// memory returns how many bytes the stream holds.
func (s *Stream) memory() int {
	n := cap(s.ways[0].kept) + cap(s.ways[1].kept)
	if s.conn != nil {
		n += s.conn.memory()
	}
	return n
}

// shrink frees memory that the stream does not need while no bytes come.
func (s *Stream) shrink() {
	if s.conn != nil {
		s.conn.shrink()
	}
}

// abandon frees everything that waits.
func (s *Stream) abandon() {
	if s.conn != nil {
		s.conn.abandon()
		return
	}
	s.end()
}
