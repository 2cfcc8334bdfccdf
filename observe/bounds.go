package observe

import (
	"errors"

	"github.com/vitrine-tls/vitrine/handshake"
)

// This file bounds what a connection holds. What came is in memory once, and a little more, as long
// as it waits: for the rest of a record or of a message, for the other side's turn, or for secrets.

// MaxBuffered bounds what waits in a connection, in bytes: for the other side's turn, or for
// secrets.
const MaxBuffered = 64 << 20

var errDeaf = errors.New("observe: too much waits for a handshake that does not go on")

// Waiting reports whether the handshake waits for a secret.
func (c *Connection) Waiting() bool { return c.pending == aSecret }

// Buffered returns how many bytes wait.
func (c *Connection) Buffered() int { return c.lanes[0].waiting() + c.lanes[1].waiting() }

// memory is how many bytes the connection holds because something waits, about: a parsed message
// takes twice as much as its bytes, and these are kept for the transcript.
func (c *Connection) memory() int {
	return c.lanes[0].memory() + c.lanes[1].memory() + len(c.prefix) + 3*c.messages
}

// shrink gives back what memory the connection does not need while nothing comes.
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

// GiveUp stops waiting: without a secret the connection's records are only counted, and without the
// other side's messages too.
func (c *Connection) GiveUp() {
	c.final = true
	c.Retry()
	c.leave()
	if c.Buffered() > MaxBuffered/2 {
		c.abandon()
	}
}

// leave counts what waited in vain.
func (c *Connection) leave() {
	for i := range c.lanes {
		if l := &c.lanes[i]; l.closed && c.pending == nothing && l.waiting() > 0 {
			l.blind, l.held = true, nil
			l.count()
		}
	}
}

// abandon ends both directions, and lets go of everything that waits in them, and of a handshake
// that is not done. What there was to say of it stays.
func (c *Connection) abandon() {
	for i := range c.lanes {
		l := &c.lanes[i]
		if l.err == nil {
			l.err = errDeaf
		}
		l.held, l.message, l.inflate = nil, nil, nil
		l.count()
		l.rest()
	}
	switch {
	case c.before != nil:
		c.machine, c.before = c.before, nil
	case !c.initial.Done():
		c.about = c.Report()
		if c.abandoned = c.about.Reason; c.abandoned == nil {
			c.abandoned = &Reason{Code: TooMuchBuffered, Detail: errDeaf.Error()}
		}
		c.machine = handshake.NewObserver(c.find, nil, c)
		c.initial, c.pending = c.machine, nothing
	}
	c.messages = 0
}

// memory is how many bytes the stream holds.
func (s *Stream) memory() int {
	n := cap(s.ways[0].kept) + cap(s.ways[1].kept)
	if s.conn != nil {
		n += s.conn.memory()
	}
	return n
}

// shrink gives back what memory the stream does not need while nothing comes.
func (s *Stream) shrink() {
	if s.conn != nil {
		s.conn.shrink()
	}
}

// abandon lets go of everything that waits.
func (s *Stream) abandon() {
	if s.conn != nil {
		s.conn.abandon()
		return
	}
	s.end()
}
