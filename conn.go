// Package vitrine is a TLS stack that can be seen through: blocking connections over any net.Conn,
// as with crypto/tls, and a trace of every step on the way to their keys.
//
// Client and Server wrap a connection; Dial and Listen make one; QUICClient and QUICServer are for
// QUIC. This build supports TLS 1.3 and 1.2 and, where the Config allows them, TLS 1.1 and 1.0. It
// has not been audited.
package vitrine

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"

	"github.com/vitrine-tls/vitrine/engine"
	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/cause"
	"github.com/vitrine-tls/vitrine/internal/socket"
	"github.com/vitrine-tls/vitrine/negotiation"
)

var (
	errNotDone = errors.New("vitrine: the handshake is not done")
	errChanges = errors.New("vitrine: Config.Renegotiation allows no exporter: a renegotiation " +
		"would change what it returns")
	errNoExport = errors.New("vitrine: the connection has no extended_master_secret, so there " +
		"is no exporter: two connections can share such a master_secret (RFC 7627 §5.4)")
	errPanic    = errors.New("vitrine: a callback of the handshake panicked")
	errBroken   = errors.New("vitrine: a panic ended the connection")
	errShutdown = errors.New("vitrine: the connection is closed for writing")
)

// Conn is a TLS connection. Its methods may be called from several goroutines; Read and Write do
// not wait for one another.
type Conn struct {
	conn   net.Conn
	config *Config
	me     iana.Side
	engine *engine.Engine // since the handshake began
	quic   *QUICConn      // in place of conn and engine
	socket socket.Reader  // of conn, if it has one

	// holds one token: the goroutine that has it performs the handshake
	shaking chan struct{}
	// why the handshake failed, for good; guarded by shaking
	failed      error
	established atomic.Pointer[handshake.Machine] // the last handshake that was done
	// number of handshakes after the first; guarded by in
	renegs int
	// the handshake is done: Reads and Writes may proceed
	complete  atomic.Bool
	in        sync.Mutex // the engine's inbound half
	readError error      // for good; guarded by in
	received  bool       // anything; guarded by in
	first     first      // at a server; guarded by shaking, then by in

	out           sync.Mutex // the engine's outbound half and writes to conn
	writeError    error      // for good, set by endWriting; guarded by out
	renegotiating atomic.Bool
	deferred      atomic.Bool // tickets are sealed and wait for a Write or a Read
	calls         calls
	alerted       atomic.Bool // a fatal alert was sent

	sentEarly bool // a client's early data; guarded by shaking
	late      lateAuth
	// the server ignored it, and the program does not know yet
	rejected atomic.Bool
	early    atomic.Pointer[ConnectionState] // at a server, since it has accepted early data
}

// Client makes a client's end over conn. The handshake begins with the first Read, Write or
// Handshake. config must have a ServerName or what takes its place: see Config.ServerName.
func Client(conn net.Conn, config *Config) *Conn { return newConn(conn, config, iana.Client) }

// Server makes a server's end over conn. config must have Certificates, GetCertificate,
// GetConfigForClient or GetPSK. What is wrong with it is reported once the client has begun to
// speak: until then a connection costs little.
func Server(conn net.Conn, config *Config) *Conn { return newConn(conn, config, iana.Server) }

func newConn(conn net.Conn, config *Config, me iana.Side) *Conn {
	if config == nil {
		config = &Config{}
	}
	c := &Conn{conn: conn, config: config, me: me, socket: socket.Of(conn),
		shaking: make(chan struct{}, 1)}
	c.shaking <- struct{}{}
	return c
}

// Handshake performs the handshake, unless it was performed.
func (c *Conn) Handshake() error { return c.HandshakeContext(context.Background()) }

// HandshakeContext performs the handshake. If ctx ends first, the connection is closed and ctx's
// error returned; once the handshake is done, ctx has no part in the connection. It returns
// ErrEarlyDataRejected, once, if the handshake is done and WriteEarly's data was lost.
func (c *Conn) HandshakeContext(ctx context.Context) error {
	err := c.shake(ctx)
	if err == nil && c.rejected.Swap(false) {
		return ErrEarlyDataRejected
	}
	return err
}

// ready performs the handshake before a Read, a Write or another method that needs it.
func (c *Conn) ready() error {
	err := c.shake(context.Background())
	if err == nil && c.rejected.Load() {
		return ErrEarlyDataRejected
	}
	return err
}

func (c *Conn) shake(ctx context.Context) error {
	if c.complete.Load() {
		return nil
	}
	return c.shakeAlone(ctx, (*Conn).handshake, func() {
		c.rejected.Store(c.sentEarly && c.engine.Machine().EarlyData() == EarlyDataRejected)
		c.complete.Store(true)
	})
}

// shakeAlone runs a part of the handshake while nobody else runs one, unless the handshake is over,
// and then after, if that part succeeded. If ctx ends first, the connection is closed and ctx's
// error returned.
func (c *Conn) shakeAlone(ctx context.Context, part func(*Conn, context.Context) error,
	after func()) error {
	if err := c.alone(ctx); err != nil {
		return err
	}
	defer func() { c.shaking <- struct{}{} }()
	if c.complete.Load() || c.failed != nil {
		return c.failed
	}
	stop := func() bool { return true }
	if ctx.Done() != nil {
		stop = context.AfterFunc(ctx, func() { c.conn.Close() })
	}
	c.failed = errPanic // stays if a callback panics: no second handshake begins on this connection
	c.awaitHello()
	err := c.failForGood(part(c, ctx))
	if !stop() { // the connection is closed, even if that part came to its end meanwhile
		err = fmt.Errorf("vitrine: handshake: %w", ctx.Err())
		c.failed = err
	}
	if err == nil {
		after()
	}
	return err
}

// alone takes the token of c.shaking.
func (c *Conn) alone(ctx context.Context) error {
	select {
	case <-c.shaking:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// handshake moves bytes between the socket and the engine until the handshake is done.
func (c *Conn) handshake(ctx context.Context) error {
	if err := c.begin(nil); err != nil {
		return err
	}
	c.lock()
	defer c.unlock()
	if err := c.perform(ctx, nil); err != nil {
		return err
	}
	return c.confirm()
}

// lock locks both halves.
func (c *Conn) lock() { c.in.Lock(); c.out.Lock() }

func (c *Conn) unlock() { c.out.Unlock(); c.in.Unlock() }

// begin makes the engine, unless early data has made it. edit changes its configuration.
func (c *Conn) begin(edit func(*negotiation.Config)) error {
	if c.engine != nil {
		return nil
	}
	h, err := c.config.handshake(c.me, c, c.config.log(c))
	if err != nil {
		return err
	}
	if edit != nil {
		edit(h)
	}
	e := engine.NewEngine(c.me, h)
	if c.me == iana.Client && c.config.Renegotiation != tls.RenegotiateNever {
		e.Renegotiates = func() bool {
			return c.config.Renegotiation == tls.RenegotiateFreelyAsClient || c.renegs == 0
		}
	}
	c.lock()
	defer c.unlock()
	c.engine = e
	return nil
}

// perform moves bytes until the engine's handshake is done, or enough returns true. The caller must
// hold both halves. While perform waits for the peer, it unlocks the outbound half, so that a
// server can answer early data.
func (c *Conn) perform(ctx context.Context, enough func() bool) error {
	from, err := c.engine.Perform(ctx, (*shakingTransport)(c), enough)
	for err == engine.ErrMore {
		if err = c.await(); err != nil {
			from = engine.OfReceiving
		} else {
			from, err = c.engine.Perform(ctx, (*shakingTransport)(c), enough)
		}
	}
	switch {
	case err != nil && from == engine.OfReceiving && c.passes(err):
		return err
	case err != nil:
		return c.lose(err, from != engine.OfPeer)
	}
	if m := c.engine.Machine(); m.Done() {
		c.established.Store(m)
	}
	return nil
}

// lose ends a handshake that failed and sends the alert, unless the transport has failed. The
// caller must hold both halves.
func (c *Conn) lose(err error, lost bool) error {
	e := c.engine
	failed := newHandshakeError(c.me, e.Machine(), e.In.Unread(), err)
	e.Fail(err)
	if !lost && !(c.me == iana.Server && cause.IsHTTP(failed.First)) { // else an answer to HTTP
		c.engine.Abort(err)
		c.answer()
	}
	c.endWriting(err)
	return failed
}

// send writes what the engine has sealed. The caller must hold the outbound half.
func (c *Conn) send() error {
	b := c.engine.Out.Sealed()
	if len(b) == 0 {
		return nil
	}
	defer c.engine.Out.Sent()
	c.deferred.Store(false)
	if _, err := c.conn.Write(b); err != nil {
		c.endWriting(err) // half a record may be out: nothing can follow it
		return err
	}
	return nil
}

// endWriting keeps the first error of the outbound half, after which nothing is written or queued.
// The caller must hold the outbound half. A nil err changes nothing.
func (c *Conn) endWriting(err error) {
	if err != nil && c.writeError == nil {
		c.writeError = err
		c.engine.Mute()
	}
}

// Read reads application data: authenticated, in order, complete up to what it returns. io.EOF is
// the peer's close_notify; a connection that ends without it gives a *TruncatedError, which is an
// io.ErrUnexpectedEOF.
func (c *Conn) Read(p []byte) (int, error) {
	if err := c.ready(); err != nil {
		return 0, err
	}
	if len(p) == 0 {
		return 0, nil
	}
	c.in.Lock()
	defer c.in.Unlock()
	if err := c.awaitData(); err != nil {
		return 0, err
	}
	return c.engine.Read(p)
}

// awaitData receives until there is data to read. The caller must hold the inbound half.
func (c *Conn) awaitData() error {
	if c.engine.BufferedEarly() > 0 {
		return errUnreadEarly
	}
	for c.readError == nil {
		from, err := c.engine.AwaitData(context.Background(), (*readingTransport)(c))
		if err == nil {
			return nil
		}
		lost := from == engine.OfReceiving
		if timeout, ok := errors.AsType[net.Error](err); ok && lost && timeout.Timeout() {
			return err // the only error after which reading can go on
		}
		c.answerFromRead()
		if errors.Is(err, engine.ErrRenegotiate) {
			err = c.renegotiate(context.Background())
		}
		if err != nil {
			c.fail(err, lost)
		}
	}
	return c.readError
}

// fail makes all later Reads fail and sends the alert, unless the transport has failed.
func (c *Conn) fail(err error, lost bool) {
	err = c.aboutClientCertificate(err)
	c.readError = err
	if err == io.EOF || lost && errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		return
	}
	c.readError = &net.OpError{Op: "read", Net: "tls", Addr: c.conn.RemoteAddr(), Err: err}
	if lost {
		return
	}
	c.engine.Abort(err)
	c.answerFromRead()
}

// Write seals p and sends it. An empty p sends nothing. After an error other than
// ErrEarlyDataRejected, a time-out included, nothing more can be written.
func (c *Conn) Write(p []byte) (n int, err error) {
	if !c.calls.begin() {
		return 0, net.ErrClosed
	}
	defer c.calls.end()
	if err := c.ready(); err != nil {
		return 0, err
	}
	n, err = c.lockAndWrite(p)
	c.answerFromRead() // a reader may have come between its answer and Unlock
	return n, err
}

func (c *Conn) lockAndWrite(p []byte) (n int, err error) {
	c.out.Lock()
	whole := false
	defer c.letGo(&whole)
	n, err = c.write(p)
	c.answer()
	whole = true
	return n, err
}

// letGo unlocks the outbound half. If a panic came before whole was set, nothing is ever sent
// again, because half a record may have been sent or a nonce used. The lock is released all the
// same, so that other callers get an error.
func (c *Conn) letGo(whole *bool) {
	if !*whole {
		c.endWriting(errBroken)
	}
	c.out.Unlock()
}

// write seals p and sends it. The caller must hold the outbound half.
func (c *Conn) write(p []byte) (n int, err error) {
	for err = c.writeError; err == nil && len(p) > 0; err = c.writeError {
		m := min(len(p), c.engine.Out.Burst())
		if err := c.engine.Seal(p[:m]); err != nil {
			c.endWriting(err)
		} else if c.send() == nil {
			n, p = n+m, p[m:]
		}
	}
	return n, err
}

// sending calls seal with the outbound half locked, unless nothing can be sent any more, and then
// sends what was sealed and unlocks as Write does.
func (c *Conn) sending(seal func() error) error {
	err := c.lockAndSend(seal)
	c.answerFromRead()
	return err
}

func (c *Conn) lockAndSend(seal func() error) error {
	c.out.Lock()
	whole := false
	defer c.letGo(&whole)
	err := c.writeError
	if err == nil {
		err = seal()
	}
	c.answer()
	whole = true
	return err
}
