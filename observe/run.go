package observe

import (
	"errors"
	"fmt"

	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// run processes the bytes received, as far as possible.
func (c *Connection) run() {
	if c.pending == aRecord || c.pending == aSecret && c.Sessions.count() > c.asked {
		c.pending = nothing
		c.result(c.machine.Speak(), iana.Client)
	}
	for c.pending == nothing && (c.step(iana.Client) || c.step(iana.Server)) {
	}
	for i := range c.lanes {
		l := &c.lanes[i]
		switch {
		case l.err == errClear:
			l.toClear()
		case l.blind && l.held == nil && !c.hasLaterKeys(l) || l.err != nil:
			l.count()
		}
		l.dropBatch()
		l.rest()
	}
	if c.scratch != nil {
		scratches.Put(c.scratch)
		c.scratch = nil
	}
	if c.about == nil && c.initial.Done() {
		c.about = c.Report()
		c.initial.Forget()
		c.messages = 0
		c.learned = c.initial.ServerHello
	}
}

// result handles what a step of the handshake returned: it may have to wait, or end the direction
// that sent the message.
func (c *Connection) result(err error, from iana.Side) {
	switch _, waits := errors.AsType[*handshake.Pending](err); {
	case waits: // c.pending was set by find
	case err != nil:
		c.fail(from, err)
	default:
		c.protocol().learn(c)
	}
}

// fail ends the handshake, and the direction that caused it. Until the first handshake is done, the
// other direction cannot be read either.
func (c *Connection) fail(from iana.Side, err error) {
	l := &c.lanes[from]
	l.err = fmt.Errorf("observe: the %v: %w", from, err)
	if c.failure == nil {
		c.failure = err
	}
	if c.before == nil && !c.machine.Done() {
		c.lanes[0].blind, c.lanes[1].blind = true, true
	}
}

// step processes the next item of one direction. It returns false if that must wait.
func (c *Connection) step(from iana.Side) bool {
	l := &c.lanes[from]
	if l.err != nil || l.held == nil && !c.fetch(l) {
		return false
	}
	return c.take(l)
}

// fetch opens records until an item must wait for its turn, and returns false if none does. Data is
// passed on at once.
func (c *Connection) fetch(l *lane) bool {
	c.openRefused(l)
	for l.err == nil {
		if raw := l.wholeMessage(); raw != nil {
			l.held = &item{iana.RecordHandshake, raw}
			return true
		}
		if l.err != nil || l.blind && !c.hasLaterKeys(l) {
			return false
		}
		t, plain, got := c.open(l)
		if got == starved || got == opened && c.sort(l, t, plain) || l.held != nil {
			return l.held != nil
		}
	}
	return false
}

// take processes the held item, if it is its turn.
func (c *Connection) take(l *lane) bool {
	body, kind := l.held.body, handshake.ChangeCipherSpec
	switch l.held.typ {
	case iana.RecordAlert:
		return c.noRenegotiation(l)
	case absent:
		return c.missed(l)
	case iana.RecordChangeCipherSpec:
		if c.protocol().hidesTypes() { // it was read before the ServerHello
			l.held = nil
			return true
		}
	case iana.RecordHandshake:
		kind = handshake.KindOf(body)
		if c.machine.Done() || c.tryingLater {
			return c.after(l, kind)
		}
	}
	if kind != handshake.Kind(iana.HelloRequest) {
		if !c.turn(l) {
			return false
		}
		c.passEarly(l)
		if c.skip(l, kind); !c.turn(l) {
			return false
		}
	}
	l.held = nil
	c.messages += len(body)
	if kind == handshake.Kind(iana.Certificate) {
		c.messages += inflated(body)
	}
	if kind == handshake.Kind(iana.ServerHello) && len(body) > message.HeaderLen+2 &&
		body[message.HeaderLen] != 3 {
		// The ServerHello of early drafts of TLS 1.3 had another form.
		c.draft = iana.Version(body[message.HeaderLen])<<8 | iana.Version(body[message.HeaderLen+1])
	}
	c.last = step{l.from, kind}
	c.result(c.machine.Take(l.from, kind, body), l.from)
	return true
}

// turn reports whether it is the direction's turn.
func (c *Connection) turn(l *lane) bool {
	from, ok := c.machine.Turn()
	return ok && from == l.from
}

// after processes a message that follows the figure. It returns false if that must wait.
func (c *Connection) after(l *lane, kind handshake.Kind) bool {
	if kind == handshake.Kind(iana.HelloRequest) {
		l.held = nil
		return true
	}
	return c.protocol().after(c, l, kind)
}

// noRenegotiation processes a no_renegotiation alert, by which the server declines another
// handshake. It waits for the ClientHello that it answers.
func (c *Connection) noRenegotiation(l *lane) bool {
	if c.before == nil && !l.closed {
		return false
	}
	l.held = nil
	if c.before != nil && c.machine.ServerHello == nil {
		c.machine, c.before = c.before, nil
	}
	return true
}
