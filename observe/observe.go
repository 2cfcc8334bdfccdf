// Package observe reads watched connections: from the two streams of bytes and any secret that
// suffices, it derives the same keys and reads the same data as the client and the server.
//
// It needs no timestamps, and the streams may come in any interleaving: a handshake message waits
// until the figure says that it is its sender's turn. Alerts and application data do not wait,
// since the figures do not order them.
//
// It reads SSL 3.0 to TLS 1.3 with every suite that package suite has a row for, also those that
// are only read; resumption (RFC 5246 §7.3, RFC 5077), renegotiation (RFC 5246 §7.4.1.1),
// compression (RFC 3749), and in TLS 1.3 what a key log has secrets for, or all of it with what the
// key schedule begins with. Content is passed on only
// after its record was authenticated, and a secret is tried on a record before it is used. Where
// bytes are missing, it continues as soon as it can, and reports how many are missing. It does not
// read DTLS or SSL 2.0, except for the ClientHello in SSL 2.0's form.
//
// An observer sends no answer, so nothing here is constant in time.
//
// It is part of Vitrine's API.
package observe

import (
	"errors"
	"fmt"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/trace"
)

// Connection is one watched connection.
type Connection struct {
	// Data, if set, receives authenticated application data in the order of each direction. It is
	// valid during the call.
	Data func(from iana.Side, plain []byte)

	// Sessions, if set, has the sessions of other connections, so that connections that resume them
	// can be read.
	Sessions *Sessions

	// Late says that secrets may still come: records wait for them until Retry finds one, or GiveUp
	// ends the waiting. With Sessions, a resumed session waits for the connection that it comes
	// from in any case.
	Late bool

	// Repeats says that other copies of bytes may come by Stream.Again. A record that does not
	// authenticate then waits for one, within a bound.
	Repeats bool

	// Name is how connections that resume this one's session refer to it.
	Name string

	source  Source
	learned *message.ServerHello
	log     *trace.Log
	machine *handshake.Machine
	before  *handshake.Machine // since a renegotiation began, the handshake before it
	initial *handshake.Machine // the connection's first
	pending pending
	asked   int  // number of known sessions when a secret was last looked for
	final   bool // it does not wait any more
	untried bool // secrets cannot be tried before they are used
	resumes bool // TLS 1.3: another connection may give the pre-shared key
	some    bool // TLS 1.3: some of the secrets were given, which could not be tried before
	// TLS 1.3: the handshake cannot be followed, so later keys are tried; see ahead
	tryingLater bool

	scratch *[scratchSize]byte // where records are opened if so

	lanes  [2]lane // by sender
	prefix []byte  // of a ClientHello in the form of SSL 2.0

	secrets        []keylog.Line // what opened it
	about          *Report       // of the first handshake, once it is done
	renegotiations int
	messages       int                   // bytes of the handshake messages that are kept
	used           string                // the source of the secret
	missing        *Reason               // why there is no secret
	abandoned      *Reason               // the reason of an abandoned handshake
	draft          iana.Version          // the version of a ServerHello that cannot be parsed
	failure        error                 // what was wrong with the handshake
	alerted        *alert.Received       // the first fatal alert that was seen
	warned         [2]*alert.Description // the last warning of each side
	alertedBy      iana.Side             // who sent it
	last           step                  // the last message that took its place in a figure
	ending         ending                // how the connection ended, if that is known
}

// pending is what a handshake that cannot continue waits for.
type pending uint8

const (
	nothing pending = iota
	aRecord         // to try secrets on
	aSecret         // one may still be given
)

var (
	errPending = &handshake.Pending{What: "a secret"}
	errLost    = errors.New("observe: the next record behind missing bytes could not be found")
)

// New returns a Connection to be fed from its first byte on. source may be nil: then the handshake
// is shown up to ChangeCipherSpec.
func New(source Source, sink trace.Sink) *Connection {
	c := &Connection{source: source}
	if sink != nil {
		c.log = trace.New(trace.Observer, sink, nil)
	}
	for _, side := range []iana.Side{iana.Client, iana.Server} {
		c.lanes[side].from = side
		c.lanes[side].half = record.Half{From: side, Log: c.log}
	}
	c.machine = handshake.NewObserver(c.find, c.log, c)
	c.machine.LogKeys(c.derived)
	c.initial = c.machine
	return c
}

// Machine returns the handshake as far as it was read.
func (c *Connection) Machine() *handshake.Machine { return c.machine }

// Send is never called: an observer sends nothing. It implements handshake.Carrier.
func (c *Connection) Send(handshake.Kind, []byte) {}

// SetNegotiated does nothing. It implements handshake.Carrier.
func (c *Connection) SetNegotiated(*negotiation.Agreed) {}

// Protect installs the keys of a direction. Without keys its records are only counted, unless they
// open under keys of a later epoch: see ahead.
func (c *Connection) Protect(from iana.Side, k *handshake.TrafficKeys) error {
	l, m := &c.lanes[from], c.machine
	switch {
	case l.early && !m.EarlyAccepted():
		return nil // rejected early data: nothing marks the boundary, so it is found by trial
	case l.keysFound && !m.Done():
		return nil // its data has begun, although the handshake has not been followed to that point
	case k == nil:
		l.blind, l.inner, l.early = true, c.protocol().hidesTypes(), c.mayBeEarlyData(l)
		return nil
	}
	if err := l.messages.ChangeKeys(from); err != nil {
		return err
	}
	p, err := record.NewReader(k.Suite.Cipher, k.Suite.MAC, k.Params(nil))
	if err != nil {
		return err
	}
	l.half.Protect(p)
	l.inner = l.half.InnerType()
	l.inflate = nil
	if k.Compression == iana.CompressionDeflate && !l.inner {
		l.inflate = &inflater{}
		l.half.AllowCompressed()
	}
	l.early = c.mayBeEarlyData(l)
	l.epoch, l.blind, l.fresh, l.sealed = k.Epoch, false, true, sealedRecords{}
	return nil
}

// mayBeEarlyData reports whether early data may come next in a direction.
func (c *Connection) mayBeEarlyData(l *lane) bool {
	m := c.machine
	return l.from == iana.Client && c.protocol().epochs() && !m.Done() &&
		l.epoch == handshake.Early &&
		!l.early && m.ClientHello.Extensions.Has(iana.ExtEarlyData)
}

// Feed takes the next bytes of one direction. An error ends that direction; the other can go on.
func (c *Connection) Feed(from iana.Side, b []byte) error {
	l := &c.lanes[from]
	if from == iana.Client && c.prefix != nil {
		c.hello2(append(c.prefix, b...))
		return l.err
	}
	l.add(b)
	c.run()
	if c.Buffered() > MaxBuffered {
		c.GiveUp()
	}
	return l.err
}

// Gap reports that the next n bytes of a direction are missing.
func (c *Connection) Gap(from iana.Side, n int64) {
	c.lanes[from].gap(n)
	c.run()
}

// Close says that no more bytes will come. What waits for more bytes is given up; what waits for
// secrets is not: see Waiting.
func (c *Connection) Close() {
	for i := range c.lanes {
		c.lanes[i].closed = true
	}
	c.run()
	c.leave()
}

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

// Secrets returns the secrets that opened the connection, in the form of a key log. Anyone who has
// them can read the connection.
func (c *Connection) Secrets() []keylog.Line { return c.secrets }

// Skipped returns how many bytes of a direction's records could not be read.
func (c *Connection) Skipped(from iana.Side) int64 { return c.lanes[from].flow.Unread }
