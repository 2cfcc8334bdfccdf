// Package observe is the third player: it watches a connection from the two streams of bytes that passed by and, given any secret
// that suffices, derives the same keys and reads the same data as the two who spoke.
//
// It needs no timestamps. The streams may come in any interleaving: a message waits until the figure says that it is its
// sender's turn. Alerts and application data do not wait, since the figures do not order them.
package observe

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/trace"
)

// Connection is one watched connection.
type Connection struct {
	// Data, if set, receives application data that was authenticated, in the order of each direction.
	Data func(from iana.Side, plain []byte)

	machine *handshake.Machine
	lanes   [2]lane // by sender
}

// lane is one direction: what came and is not understood yet.
type lane struct {
	in      *session.Inbound
	backlog []byte
	held    *session.Item // it waits for its turn
	blind   bool          // protected by keys that we do not have
	skipped int           // bytes that could not be read
	err     error         // where this direction stopped making sense
}

// New watches a connection from its first byte. secrets may be nil: then the handshake is shown up to ChangeCipherSpec.
func New(secrets handshake.Secrets, sink trace.Sink) *Connection {
	var log *trace.Log
	if sink != nil {
		log = trace.New(trace.Observer, sink, nil)
	}
	if secrets == nil {
		secrets = Nothing
	}
	c := &Connection{}
	for _, side := range []iana.Side{iana.Client, iana.Server} {
		c.lanes[side].in = session.NewInbound(side, log)
	}
	c.machine = handshake.NewObserver(secrets, log, c)
	return c
}

// Machine is the handshake as far as it was understood.
func (c *Connection) Machine() *handshake.Machine { return c.machine }

// Send is never called: an observer says nothing.
func (c *Connection) Send(handshake.Kind, []byte) {}

// Settle fixes how records look from ServerHello on.
func (c *Connection) Settle(a *handshake.Agreed) {
	for i := range c.lanes {
		c.lanes[i].in.Settle(min(a.Version, iana.TLS12), a.MaxFragment) // TLS 1.3 says 1.2 in every record
	}
}

// Protect switches a direction to its keys; without keys its records are only counted.
func (c *Connection) Protect(from iana.Side, k *handshake.TrafficKeys) error {
	l := &c.lanes[from]
	if k == nil {
		l.blind = true
		return nil
	}
	p, err := record.New(k.Suite.Cipher, k.Suite.MAC, k.Params(nil))
	if err != nil {
		return err
	}
	l.in.Settle(min(k.Version, iana.TLS12), k.MaxPlaintext(from))
	if m := c.machine; from == iana.Client && m.TLS13() && m.ClientHello.Extensions.Has(iana.ExtEarlyData) && !m.EarlyAccepted {
		l.in.Forgive()
	}
	return l.in.Protect(p)
}

// Feed takes the next bytes of one direction. An error ends that direction; the other can go on.
func (c *Connection) Feed(from iana.Side, b []byte) error {
	l := &c.lanes[from]
	if l.blind {
		l.skipped += len(b)
		return l.err
	}
	l.backlog = append(l.backlog, b...)
	for c.step(iana.Client) || c.step(iana.Server) {
	}
	return l.err
}

// step does the next thing of one direction: a whole item, or more bytes for it. It is false when that must wait.
func (c *Connection) step(from iana.Side) bool {
	l := &c.lanes[from]
	if l.err != nil {
		return false
	}
	if l.blind {
		l.skipped, l.backlog = l.skipped+len(l.backlog), nil
		return false
	}
	if l.held == nil {
		if t, ok := l.in.Peek(); ok && t == iana.RecordApplicationData && !l.in.Protected() {
			return false // TLS 1.3: its keys come with the other side's messages
		}
		item, ok, err := l.in.Next()
		switch {
		case err != nil:
			l.err = fmt.Errorf("observe: the %v: %w", from, err)
			return false
		case ok:
			l.held = &item
		case len(l.backlog) == 0:
			return false
		default:
			n := copy(l.in.Space(), l.backlog)
			l.in.Arrived(n)
			l.backlog = l.backlog[n:]
			return true
		}
	}
	return c.take(from, l)
}

// take acts on the held item, if it is its turn.
func (c *Connection) take(from iana.Side, l *lane) bool {
	kind := handshake.ChangeCipherSpec
	switch l.held.Type {
	case iana.RecordApplicationData:
		if c.Data != nil && l.in.Protected() { // in the clear it is nobody's data
			c.Data(from, l.held.Body)
		}
		l.held = nil
		return true
	case iana.RecordAlert:
		l.held = nil
		return true
	case iana.RecordChangeCipherSpec:
		if c.machine.TLS13() { // RFC 8446 §D.4: for middleboxes only
			l.held = nil
			return true
		}
	case iana.RecordHandshake:
		kind = handshake.KindOf(l.held.Body)
		if c.machine.TLS13() && c.machine.Done() {
			return c.after(from, l, kind)
		}
	}
	if kind != handshake.Kind(iana.HelloRequest) {
		if turn, ok := c.machine.Turn(); !ok || turn != from {
			return false
		}
	}
	body := l.held.Body
	l.held = nil
	if err := c.machine.Take(from, kind, body); err != nil {
		l.err = fmt.Errorf("observe: the %v: %w", from, err)
	}
	return true
}

// after is what TLS 1.3 says after its figure: only KeyUpdate changes anything for an observer.
func (c *Connection) after(from iana.Side, l *lane, kind handshake.Kind) bool {
	l.held = nil
	if kind == handshake.Kind(iana.KeyUpdate) {
		l.err = c.machine.KeyUpdate(from)
	}
	return true
}

// Skipped is how many bytes of a direction passed unread, for want of a secret.
func (c *Connection) Skipped(from iana.Side) int { return c.lanes[from].skipped }
