package observe

import (
	"bytes"

	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
)

// This file is about handshakes with holes. As long as the keys can be had, what is missing of a
// handshake need not cost the data behind it.

// unheard is an item that stands for lines that a direction said where bytes are missing: its
// ChangeCipherSpec, its Finished.
const unheard iana.ContentType = 0

// torn hears that a protected record is missing, or a part of it, while the handshake goes on.
func (c *Connection) torn(l *lane) {
	switch {
	case c.machine.Done() || c.machine.Blind[l.from] || c.machine.Agreed == nil:
	case c.machine.TLS13():
		c.leaping = true // its messages can never be put together again
		l.message = nil
	case l.half.Protected() && l.held == nil:
		l.held = &item{typ: unheard}
	}
}

// missed goes on behind lines that are missing, if it is their turn.
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

// skip goes on behind messages that are missing before one of this kind.
func (c *Connection) skip(l *lane, kind handshake.Kind) {
	if m := c.machine; l.flow.Missing > 0 && m.Agreed != nil && !m.TLS13() && !m.Blind[l.from] {
		m.Miss(l.from, kind)
	}
}

// overdue tells whether data comes where ChangeCipherSpec and Finished should have come, and goes
// on behind these.
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

// leap tries the keys of TLS 1.3's application data on a record, where the messages are missing
// that would have brought them.
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

// landing is a direction under the keys of its application data; nil if there is no leaping, or
// nowhere to. It is made once, however many records are tried.
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
