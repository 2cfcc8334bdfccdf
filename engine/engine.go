package engine

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/trace"
)

// Engine is one live end of a connection. Once the handshake is done, its inbound and its outbound
// half may be used at the same time by two callers: one calls Read, the other Seal and what else
// sends. Replies that a Read causes wait for SealReplies.
type Engine struct {
	me  iana.Side
	In  *Inbound
	Out *Outbound
	log *trace.Log

	machine *handshake.Machine
	flight  []outgoing

	// Renegotiates, if set, reports whether a client answers a HelloRequest. See RFC 5246 §7.4.1.1.
	Renegotiates func() bool

	// Proved, if set, is called at a server with the identity that a client has proved after the
	// handshake; an error refuses it. Shown, if set, is called at a client with what it has sent.
	// Both are called by Read.
	Proved func(*handshake.Peer) error
	Shown  func(*pki.Credential)

	plain        []byte // opened, and not read yet
	zeroRTT      []byte // the client's early data, opened and not read yet
	forgave      bool   // the peer's early data is being skipped
	dataReceived bool   // the peer has sent application data
	turned       bool   // the peer's keys were changed, and its Finished has not come
	eof          error  // io.EOF after the peer's close_notify: nothing more can be read
	over         bool   // the peer ended the connection, by close_notify or a fatal alert
	warnings     int    // warnings in a row
	requests     int    // HelloRequests in a row
	tickets      int    // tickets of TLS 1.3, in a row
	updates      int    // KeyUpdates since the last data

	rekey  atomic.Bool // the peer asked us to update our keys
	asked  atomic.Bool // we asked the peer, and it has not updated its keys yet
	epochs uint64      // how often our keys were updated; guarded as Out is

	mu sync.Mutex // guards replies
	replies
}

// replies holds the answers that Read has caused, until a caller may send them. Its size is
// bounded, because a peer could send requests without end and read none of the answers.
type replies struct {
	declines bool // a no_renegotiation waits; one answers all requests that came before it
	// why the connection ends: a fatal alert that is to be sent, unless the peer ended it
	ended  error
	silent bool // the peer ended the connection: no alert is sent
	muted  bool // nothing can be sent any more

	answers []*handshake.LateAnswer // to requests for a certificate, at most maxLate
}

// NewEngine returns the engine of a client or a server. It sends nothing yet.
func NewEngine(me iana.Side, c *negotiation.Config) *Engine {
	e := &Engine{me: me, In: NewInbound(me.Peer(), c.Log), Out: NewOutbound(me, c.Log), log: c.Log}
	if me == iana.Client {
		e.machine = handshake.NewClient(c, e)
	} else {
		e.machine = handshake.NewServer(c, e)
		if c.Hello2 {
			e.In.AcceptHello2()
		}
	}
	return e
}

// Machine returns the handshake, which holds what was negotiated.
func (e *Engine) Machine() *handshake.Machine { return e.machine }

// Send, SetNegotiated and Protect implement handshake.Carrier.

// Send keeps a message until the flight is sealed.
func (e *Engine) Send(k handshake.Kind,
	raw []byte) {
	e.flight = append(e.flight, outgoing{k, raw})
}

// SetNegotiated sets the version and the maximum length of records, in both directions.
func (e *Engine) SetNegotiated(a *negotiation.Agreed) {
	in, out := a.MaxFragment, a.MaxFragment
	if a.EncryptsHandshake() {
		in, out = a.MaxPlaintext(e.me.Peer()), a.MaxPlaintext(e.me)
	}
	e.skipRejected()
	e.Out.SetVersion(a.Version, out)
	if e.takesEarly() {
		return // early data does not use the limit that its answer negotiates: see Protect
	}
	e.In.SetVersion(a.Version, in)
}

// Protect replaces the keys of a direction. What we sent before is sealed under the old keys.
// Without keys our own records are sent in the clear again.
func (e *Engine) Protect(from iana.Side, k *handshake.TrafficKeys) error {
	if k == nil {
		err := e.sealFlight()
		e.Out.Clear()
		return err
	}
	p, err := record.New(k.Suite.Cipher, k.Suite.MAC, k.Params(e.machine.Config().Rand))
	if err != nil {
		return err
	}
	if from != e.me {
		e.turned = true
		e.skipRejected()
		e.In.SetVersion(k.Version, k.MaxPlaintext)
		return e.In.Protect(p)
	}
	if err := e.sealFlight(); err != nil {
		return err
	}
	e.Out.SetVersion(k.Version, k.MaxPlaintext)
	e.Out.half.Pad = e.machine.Config().RecordPadding
	e.Out.Protect(p, k)
	return nil
}

func (e *Engine) sealFlight() error {
	flight := e.flight
	e.flight = e.flight[:0]
	return e.Out.SealFlight(flight)
}

func (e *Engine) speak() error {
	if err := e.machine.Speak(); err != nil {
		return err
	}
	return e.sealFlight()
}

// Advance processes what has arrived, up to the end of the handshake. It returns a
// *handshake.Pending if the handshake waits for something slow; call Advance again once that is
// done.
func (e *Engine) Advance() error {
	if err := e.speak(); err != nil {
		return err
	}
	for !e.machine.Done() {
		item, ok, err := e.In.Next()
		e.mirrorVersion()
		if !ok || err != nil {
			return err
		}
		switch item.Type {
		case iana.RecordAlert:
			err = e.receiveAlert(item.Body)
			if err == nil && e.eof != nil {
				err = closedEarly(e.me.Peer())
			}
		case iana.RecordApplicationData:
			err = e.early(item.Body)
		case iana.RecordChangeCipherSpec:
			err = e.rules().changeCipherSpec(e)
		default:
			err = e.take(item.Body)
		}
		if err == nil {
			err = e.speak()
		}
		if err != nil {
			return err
		}
	}
	e.turned = false
	e.In.done = true
	e.machine.Forget()
	e.flight = nil
	e.In.Release()
	return nil
}

// take passes a message to the handshake. The peer's flight must end with its last message:
// handshake bytes after it in the same record were written before the peer could read our answer,
// or under keys that the next message will change. See RFC 5246 §7.3.
func (e *Engine) take(raw []byte) error {
	if err := e.limitRequests(raw); err != nil {
		return err
	}
	err := e.machine.Take(e.me.Peer(), e.machine.KindOf(raw), raw)
	if _, waits := errors.AsType[*handshake.Pending](err); err != nil && !waits {
		return err
	}
	if from, more := e.machine.Turn(); more && from != e.me {
		return err
	}
	return cmp.Or(e.flightEnds(iana.HandshakeType(raw[0])), err)
}

// flightEnds returns an error if handshake bytes follow the message that ended the peer's flight.
func (e *Engine) flightEnds(last iana.HandshakeType) error {
	if n := e.In.Leftover(); n > 0 {
		return alert.KindFlight.Fail(alert.UnexpectedMessage, "RFC 5246 §7.3",
			"got %d bytes of a further message behind the %v's %v, which ends its flight",
			n, e.me.Peer(), last)
	}
	return nil
}

// limitRequests returns an error if there are too many HelloRequests. The handshake ignores them,
// and a server could send them without end.
func (e *Engine) limitRequests(raw []byte) error {
	if iana.HandshakeType(raw[0]) != iana.HelloRequest {
		return nil
	}
	if e.requests++; e.requests > maxRequests {
		return alert.KindFlood.Fail(alert.UnexpectedMessage, "RFC 5246 §7.4.1.1",
			"more than %d requests to negotiate, while negotiating", maxRequests)
	}
	return nil
}

// early handles application data that arrives during a handshake: early data of TLS 1.3 that we
// accept, or data under the old keys of a renegotiation. Under the new keys nothing may come before
// the Finished that proves them.
func (e *Engine) early(plain []byte) error {
	if e.takesEarly() {
		return e.takeEarly(plain)
	}
	if e.machine.First() || e.turned || len(e.plain) > maxMessage {
		return alert.KindOrder.Fail(alert.UnexpectedMessage, "RFC 5246 §7.3",
			"application data before the handshake is done")
	}
	e.plain = append(bytes.Clone(e.plain), plain...)
	return nil
}

// mirrorVersion gives our records the version of the peer's records until a version is negotiated.
// A client that rejects a ServerHello sends an alert, and the server, which has already chosen a
// version, would not read it in another one.
func (e *Engine) mirrorVersion() {
	if e.In.version == 0 && e.In.lastVersion != 0 {
		e.Out.version = min(e.In.lastVersion, iana.TLS12)
	}
}

func closedEarly(who iana.Side) error {
	return fmt.Errorf("the %v closed the connection (close_notify) before the handshake was "+
		"done: %w", who, io.ErrUnexpectedEOF)
}

// receiveAlert processes an alert of the peer.
func (e *Engine) receiveAlert(body []byte) error {
	level, description := alert.Level(body[0]), alert.Description(body[1])
	e.log.Alert(e.me.Peer(), level, description, "")
	return e.rules().alert(e, level, description)
}

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
			"an alert of level %v, expected warning or fatal", level)
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
	c.MaxVersion = min(c.MaxVersion, iana.TLS12)
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
		return alert.KindFlood.Fail(alert.UnexpectedMessage, "RFC 5746 §4.4",
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

// Abort records err as the reason why we end the connection. SealReplies makes a fatal alert of it,
// unless the peer ended the connection before. That is not read from err, since a callback may
// return the error of another connection. After a fatal alert of either side nothing more is
// sealed, and the session is withdrawn as far as a ticket allows. See RFC 5246 §7.2.2.
func (e *Engine) Abort(err error) {
	if e.eof != nil {
		return // close_notify
	}
	e.machine.Withdraw() // RFC 5246 §7.2.2: what ends with a fatal alert must not be resumed
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ended == nil && !e.muted {
		e.ended, e.silent = err, e.over
	}
}

// Mute drops the waiting replies and all later ones, because nothing can be sent any more.
func (e *Engine) Mute() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.replies = replies{muted: true}
}

// Fail writes to the trace that the handshake failed.
func (e *Engine) Fail(err error) { e.log.Done("", err) }

// Answering reports whether SealReplies has something to do.
func (e *Engine) Answering() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.declines || e.ended != nil || len(e.answers) > 0
}

// SealReplies seals the waiting alerts, a fatal one last. It returns in ended why nothing may
// follow, or nil; told reports whether a fatal alert says so to the peer, which gets none if it
// ended the connection itself. The caller must hold the outbound half.
func (e *Engine) SealReplies() (ended error, told bool, err error) {
	e.mu.Lock()
	waiting := e.replies
	e.replies = replies{muted: waiting.muted}
	e.mu.Unlock()
	if waiting.declines {
		err = e.SealAlert(alert.Warning, alert.NoRenegotiation, "we do not renegotiate")
	}
	if err == nil {
		err = e.sealAnswers(waiting.answers)
	}
	ended, told = waiting.ended, waiting.ended != nil && !waiting.silent
	if told && err == nil {
		err = e.SealAlert(alert.Fatal, alert.Of(ended), ended.Error())
	}
	return ended, told, err
}

// SealAlert seals one alert and writes it, with the reason, to the trace.
func (e *Engine) SealAlert(l alert.Level, d alert.Description, reason string) error {
	e.log.Alert(e.me, l, d, reason)
	return e.Out.Seal(iana.RecordAlert, []byte{byte(l), byte(d)})
}
