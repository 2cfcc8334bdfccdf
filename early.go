package vitrine

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/session"
)

// Early data (0-RTT) of TLS 1.3. It is off unless both programs ask for it: a client by WriteEarly,
// a server by Config.MaxEarlyData and ReadEarly.

var (
	// ErrNoEarlyData is returned by WriteEarly if the data cannot be sent now. Nothing of it was
	// sent; Write sends it after the handshake.
	ErrNoEarlyData = errors.New("vitrine: early data cannot be sent")

	// ErrEarlyDataRejected is returned by a client's Handshake, once, if the server has ignored the
	// data of WriteEarly. The connection can be used, and the data may be written again. Until a
	// program has called Handshake, Read and Write return ErrEarlyDataRejected, too.
	ErrEarlyDataRejected = errors.New("vitrine: the server rejected the early data")

	errUnreadEarly = errors.New("vitrine: Read before ReadEarly has returned io.EOF")
	errReadsNone   = errors.New("vitrine: ReadEarly is for servers, and this is a client")
)

// EarlyDataStatus says whether a client's early data was accepted.
type EarlyDataStatus = handshake.EarlyStatus

// The values of EarlyDataStatus.
const (
	EarlyDataNone     = handshake.EarlyNone     // the client sent none
	EarlyDataAccepted = handshake.EarlyAccepted // the server has read it, or will
	EarlyDataRejected = handshake.EarlyRejected // the server has ignored it
)

// WriteEarly sends p before the handshake is done, all of it or nothing.
//
// A client sends p with its first flight, if ClientSessionCache has a TLS 1.3 session for the
// server whose ticket allows that much. It must call WriteEarly before Handshake, Read and Write;
// more calls send more. Otherwise WriteEarly returns ErrNoEarlyData. Early data is less protected
// than what follows: it has no forward secrecy, and an attacker can send it again, to the same
// server or to another. Therefore it must be harmless to process twice. A server may ignore it: see
// ErrEarlyDataRejected and ConnectionState.EarlyData. It is never sent again by itself.
//
// A server that has accepted early data can answer it by WriteEarly, before the handshake is done.
// At that time nothing proves that the client is present and not replayed. Once the handshake is
// done, WriteEarly returns ErrNoEarlyData and Write is to be used. See RFC 8446 §2.3 and §8.
func (c *Conn) WriteEarly(p []byte) (n int, err error) {
	if !c.calls.begin() {
		return 0, net.ErrClosed
	}
	defer c.calls.end()
	if c.me == iana.Server {
		return c.answerEarly(p)
	}
	<-c.shaking
	defer func() { c.shaking <- struct{}{} }()
	if c.complete.Load() || c.failed != nil {
		return 0, cmp.Or(c.failed, ErrNoEarlyData)
	}
	c.failed = errPanic
	sent, err := c.sendEarly(p)
	if c.failed = err; err != nil {
		return 0, err
	}
	if !sent {
		return 0, ErrNoEarlyData
	}
	return len(p), nil
}

// sendEarly sends a client's early data, if it can be sent. The first call begins the handshake.
func (c *Conn) sendEarly(p []byte) (sent bool, err error) {
	if err := c.offerEarly(); err != nil {
		return false, err
	}
	c.lock()
	defer c.unlock()
	m := c.engine.Machine()
	if !m.EarlyOpen() || len(p) > m.EarlyLeft() {
		return false, nil // the hello goes out with the rest of the handshake
	}
	if err := c.engine.SealEarly(p); err != nil {
		return false, c.lose(err, false)
	}
	c.sentEarly = true
	if err := c.send(); err != nil {
		return false, c.lose(err, true)
	}
	return true, nil
}

// EarlyProtocol returns the application protocol (ALPN) that early data of this client must speak:
// that of the session whose ticket it goes with. ok is false if WriteEarly would return
// ErrNoEarlyData. EarlyProtocol sends nothing. It must be called before Handshake, Read and Write.
func (c *Conn) EarlyProtocol() (protocol string, ok bool) {
	if c.me == iana.Server {
		return "", false
	}
	<-c.shaking
	defer func() { c.shaking <- struct{}{} }()
	if c.complete.Load() || c.failed != nil {
		return "", false
	}
	c.failed = errPanic
	if c.failed = c.offerEarly(); c.failed != nil {
		return "", false
	}
	return c.engine.Machine().EarlyProtocol()
}

// offerEarly makes a client's ClientHello, which offers early data if it can be sent.
func (c *Conn) offerEarly() error {
	if err := c.begin(func(h *negotiation.Config) { h.Sends = true }); err != nil {
		return err
	}
	c.lock()
	defer c.unlock()
	if err := c.engine.Proceed(context.Background()); err != nil {
		return c.lose(err, false)
	}
	return nil
}

// answerEarly sends a server's answer to early data.
func (c *Conn) answerEarly(p []byte) (n int, err error) {
	c.out.Lock()
	defer c.out.Unlock()
	if c.early.Load() == nil || c.engine.Machine().Done() {
		return 0, ErrNoEarlyData
	}
	return c.write(p)
}

// ReadEarly reads early data that a client sends. It returns io.EOF at the end of it, and at once
// if there is none or none is accepted; Handshake and Read then go on. The data was sent by a
// client of an earlier connection, but an attacker may have sent it again: see Config.MaxEarlyData.
// While there is more, Read returns an error.
//
// A server that calls Handshake, Read or Write before ReadEarly accepts no early data.
func (c *Conn) ReadEarly(p []byte) (int, error) {
	if err := c.awaitEarly(context.Background()); err != nil {
		return 0, err
	}
	c.in.Lock()
	defer c.in.Unlock()
	if n := c.engine.ReadEarly(p); n > 0 || len(p) == 0 {
		return n, nil
	}
	return 0, io.EOF
}

// AwaitEarly continues a server's handshake until there is something for ReadEarly to return, and
// reports whether there is. If ctx ends first, the connection is closed and ctx's error returned.
func (c *Conn) AwaitEarly(ctx context.Context) (accepted bool, err error) {
	if err := c.awaitEarly(ctx); err != nil {
		return false, err
	}
	c.in.Lock()
	defer c.in.Unlock()
	return c.engine.BufferedEarly() > 0, nil
}

func (c *Conn) awaitEarly(ctx context.Context) error {
	if c.me == iana.Client {
		return errReadsNone
	}
	return c.shakeAlone(ctx, (*Conn).receiveEarly, func() {})
}

// receiveEarly continues the handshake until there is early data or none can come any more.
func (c *Conn) receiveEarly(ctx context.Context) error {
	if err := c.begin(func(h *negotiation.Config) { h.Reads = true }); err != nil {
		return err
	}
	c.lock()
	defer c.unlock()
	e := c.engine
	if err := c.perform(ctx,
		func() bool { return e.BufferedEarly() > 0 || e.EarlyEnded() }); err != nil {
		return err
	}
	if m := e.Machine(); m.AnswersEarly() && c.early.Load() == nil && !m.Done() {
		s := c.stateOf(m)
		s.HandshakeComplete, s.export = false, nil
		c.early.Store(&s)
	}
	return nil
}

// failForGood keeps the error of the handshake for all later calls, and returns it.
func (c *Conn) failForGood(err error) error {
	if c.failed = err; c.passes(err) {
		c.failed = nil
	}
	return err
}

// passes reports whether a read error is a timeout after which the handshake can continue: a server
// that has accepted early data can go on reading it.
func (c *Conn) passes(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout() && c.early.Load() != nil
}

// ExportEarlyKeyingMaterial derives bytes for another protocol, bound to the ClientHello, before
// the handshake is done: at a client after WriteEarly, at a server after ReadEarly has returned
// data. It returns an error if there is no early data. An attacker who replays early data makes the
// server export the same bytes again. See RFC 8446 §7.5.
func (c *Conn) ExportEarlyKeyingMaterial(label string, context []byte, length int) ([]byte, error) {
	c.out.Lock()
	defer c.out.Unlock()
	if c.engine == nil {
		return nil, errNotDone
	}
	return c.engine.Machine().ExportEarly(label, context, length)
}

// start is when a server's Config was first used. Its clones share it.
type start struct {
	once sync.Once
	at   time.Time
}

// begun returns when c, or the Config that it was cloned from, was first used by a server.
func (c *Config) begun() time.Time {
	now := time.Now
	if c.Time != nil {
		now = c.Time
	}
	s := c.sharedStart()
	s.once.Do(func() { s.at = now() })
	return s.at
}

func (c *Config) sharedStart() *start {
	if s := c.start.Load(); s != nil {
		return s
	}
	c.start.CompareAndSwap(nil, &start{})
	return c.start.Load()
}

// earlyData returns the settings for early data of one side.
func (c *Config) earlyData(me iana.Side) (d negotiation.EarlyData, err error) {
	d.Clock = c.Time
	if me == iana.Client || c.MaxEarlyData == 0 {
		return d, nil
	}
	const what = "Config.SessionStore"
	taker, ok := c.SessionStore.(session.Taker)
	if !ok {
		return d, errors.New("vitrine: Config.MaxEarlyData needs a SessionStore that is a " +
			"session.Taker")
	}
	d.MaxEarlyData, d.EarlyFrom = c.MaxEarlyData, c.begun().Add(handshake.EarlyWindow)
	d.Announce = func(ctx context.Context, ticket []byte) error {
		_, err := within(ctx, c, what, func(ctx context.Context) (struct{}, error) {
			return struct{}{}, c.SessionStore.Put(ctx, ticketID(ticket), []byte{1},
				c.sessionLifetime(iana.TLS13))
		})
		return err
	}
	d.Take = func(ctx context.Context, ticket []byte) (bool, error) {
		known, err := within(ctx, c, what, func(ctx context.Context) ([]byte, error) {
			return taker.Take(ctx, ticketID(ticket))
		})
		return len(known) > 0, err
	}
	return d, nil
}

// ticketID returns the ID of a ticket in the store, which is as long as an ID of TLS 1.2. Neither
// the ticket nor the session can be computed from it.
func ticketID(ticket []byte) []byte {
	sum := sha256.Sum256(append([]byte("vitrine early data "), ticket...))
	return sum[:]
}
