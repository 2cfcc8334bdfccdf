package observe

import (
	"bytes"

	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
)

// This file is about handshakes with holes. If the keys can be derived all the same, the data after
// the handshake can be read.

// absent is the type of an item that stands for messages in missing bytes: the sender's
// ChangeCipherSpec and Finished.
const absent iana.ContentType = 0

// torn notes that a protected record, or part of it, is missing during the handshake.
func (c *Connection) torn(l *lane) {
	switch {
	case c.machine.Done() || c.machine.Blind[l.from] || c.machine.Agreed == nil:
	case c.machine.TLS13():
		c.leaping = true // its messages cannot be reassembled any more
		l.message = nil
	case l.half.Protected() && l.held == nil:
		l.held = &item{typ: absent}
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
	if m := c.machine; l.flow.Missing > 0 && m.Agreed != nil && !m.TLS13() && !m.Blind[l.from] {
		m.Miss(l.from, kind)
	}
}

// overdue reports whether data comes where ChangeCipherSpec and Finished should have come, and
// continues after these.
func (c *Connection) overdue(l *lane) bool {
	m := c.machine
	if l.flow.Missing == 0 || m.Agreed == nil || m.TLS13() || m.Blind[l.from] || m.Done() {
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

// leap tries the keys of TLS 1.3's application data on a record, if the messages that would have
// installed them are missing.
func (c *Connection) leap(l *lane, h record.Header,
	fragment []byte) (t iana.ContentType, plain []byte, ok bool) {
	next := c.landing(l)
	if next == nil {
		return 0, nil, false
	}
	t, plain, err := next.Open(h, bytes.Clone(fragment))
	if err != nil {
		return 0, nil, false
	}
	c.land(l, next)
	return t, plain, true
}

// landing returns a direction under the keys of its application data, or nil if leap does not apply
// or they are not known. It is made once, however many records are tried.
func (c *Connection) landing(l *lane) *record.Half {
	if !c.leaping || l.leapt {
		return nil
	}
	if l.landed != nil {
		l.landed.Seek(0)
		return l.landed
	}
	k, err := c.machine.Leap(l.from)
	if err != nil {
		return nil
	}
	p, err := record.NewReader(k.Suite.Cipher, k.Suite.MAC, k.Params(nil))
	if err != nil {
		return nil
	}
	next := &record.Half{From: l.from, Log: c.log}
	next.Protect(p)
	l.landed = next
	return next
}

func (c *Connection) land(l *lane, next *record.Half) {
	l.half, l.leapt, l.message, l.forgives, l.landed = *next, true, nil, false, nil
}
