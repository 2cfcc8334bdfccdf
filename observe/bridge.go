package observe

import (
	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
)

// This file handles handshakes that cannot be followed to their end, because bytes or, in TLS 1.3,
// some of the secrets are missing. Records that the known keys open are read all the same.

// absent is the type of an item that stands for messages in missing bytes: the sender's
// ChangeCipherSpec and Finished.
const absent iana.ContentType = 0

// torn records that a protected record, or part of it, is missing during the handshake.
func (c *Connection) torn(l *lane) {
	switch {
	case c.machine.Done() || c.machine.Blind[l.from] || c.machine.Agreed == nil:
	default:
		c.protocol().torn(c, l)
	}
}

// missed continues after missing messages, if it is their turn.
func (c *Connection) missed(l *lane) bool {
	if !c.machine.Done() {
		if turn, ok := c.machine.Turn(); ok && turn != l.from {
			return false
		}
		c.machine.Miss(l.from, 0)
	}
	l.held = nil
	return true
}

// skip continues after the missing messages before one of this kind.
func (c *Connection) skip(l *lane, kind handshake.Kind) {
	if m := c.machine; l.flow.Missing > 0 && m.Agreed != nil && !c.protocol().epochs() &&
		!m.Blind[l.from] {
		m.Miss(l.from, kind)
	}
}

// overdue reports whether data comes where ChangeCipherSpec and Finished should have come, and
// continues after these.
func (c *Connection) overdue(l *lane) bool {
	m := c.machine
	if l.flow.Missing == 0 || m.Agreed == nil || c.protocol().epochs() || m.Blind[l.from] ||
		m.Done() {
		return false
	}
	if turn, ok := m.Turn(); !ok || turn != l.from {
		return false
	}
	c.untried = true // there is no record whose number is known
	m.Miss(l.from, 0)
	c.untried = false
	if !l.half.Protected() {
		return false
	}
	l.lost, l.skipped = true, l.flow.Missing
	return true
}
