package engine

import (
	"bytes"
	"cmp"
	"errors"
	"io"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
)

// alert12 takes an alert until TLS 1.2. See RFC 5246 §7.2.
func (e *Engine) alert12(level alert.Level, description alert.Description) error {
	switch {
	case description == alert.CloseNotify:
		e.eof, e.over = io.EOF, true
		return nil
	case description == alert.NoRenegotiation && !e.machine.First() && !e.machine.Done():
		// A warning. The connection could continue, but the side that requested another handshake
		// needs that handshake. See RFC 5246 §7.2.2.
		e.over = true
		return &alert.Received{Level: level, Description: description}
	case level == alert.Warning:
		if e.warnings++; e.warnings > maxWarnings {
			return alert.KindFlood.Fail(alert.UnexpectedMessage, "RFC 5246 §7.2",
				"more than %d warnings in a row", maxWarnings)
		}
		return nil
	case level != alert.Fatal:
		return alert.KindMalformed.Fail(alert.IllegalParameter, "RFC 5246 §7.2",
			"got an alert of level %v, expected warning or fatal", level)
	}
	e.over = true
	return &alert.Received{Level: level, Description: description}
}

// ErrRenegotiate is returned if the server requests another handshake and Renegotiates allows it.
var ErrRenegotiate = errors.New("engine: the server wants to renegotiate")

// Renegotiate begins another handshake inside the connection; Advance performs it. The caller must
// hold both halves.
func (e *Engine) Renegotiate() {
	m, c := e.machine, *e.machine.Config()
	c.Offer = nil // a renegotiation does not resume
	// RFC 8446 §4.1.2: a renegotiation does not change to TLS 1.3
	p := *c.Parameters
	p.MaxVersion = min(p.MaxVersion, iana.TLS12)
	c.Parameters = &p
	c.Prior = &negotiation.Prior{VerifyData: m.VerifyData, Agreed: m.Agreed,
		Number: m.Renegotiations() + 1}
	if chain := m.Peer().Chain; chain != nil {
		c.Prior.Leaf = chain.Raw()[0]
	}
	e.machine = handshake.NewClient(&c, e)
	e.plain = bytes.Clone(e.plain) // data that was not read yet: its buffer is used again
}

// post12 handles handshake messages after the handshake, until TLS 1.2. A request for another
// handshake is answered with no_renegotiation unless it is allowed. See RFC 5246 §7.4.1.1 and RFC
// 5746 §4.
func (e *Engine) post12(raw []byte) error {
	again := iana.HelloRequest
	if e.me == iana.Server {
		again = iana.ClientHello
	}
	if t := iana.HandshakeType(raw[0]); t != again ||
		(t == iana.HelloRequest && len(raw) != message.HeaderLen) {
		return alert.KindOrder.Fail(alert.UnexpectedMessage, "RFC 5246 §7.4",
			"a %v after the handshake", t)
	}
	// Requests that are granted count too: otherwise a server could make us perform handshakes
	// without end.
	if e.requests++; e.requests > maxRequests {
		return alert.KindFlood.Fail(alert.UnexpectedMessage, "RFC 5246 §7.4.1.1",
			"more than %d requests to renegotiate in a row", maxRequests)
	}
	if e.me == iana.Client && e.Renegotiates != nil && e.machine.Agreed.SecureRenegotiation &&
		e.Renegotiates() {
		return cmp.Or(e.flightEnds(again), ErrRenegotiate)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.declines = !e.muted
	return nil
}
