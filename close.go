package vitrine

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/alert"
)

const (
	// closeTimeout bounds how long CloseWrite and Close wait for room to write close_notify.
	closeTimeout = 5 * time.Second

	// answerTimeout bounds how long Close waits for a Read to write the alert that it is writing.
	answerTimeout = 250 * time.Millisecond

	// drainTimeout bounds how long Close keeps reading after a fatal alert, so that the peer reads
	// the alert and not a reset.
	drainTimeout = 250 * time.Millisecond
)

// CloseWrite sends close_notify and shuts down the writing side. Reading remains possible. It waits
// for a Write in flight; after that, a peer that does not read delays it by at most five seconds.
// CloseWrite returns an error if the handshake is not complete. See RFC 5246 §7.2.1.
func (c *Conn) CloseWrite() error {
	if !c.complete.Load() {
		return errNotDone
	}
	c.out.Lock()
	defer c.out.Unlock()
	return c.closeNotify()
}

// closeNotify sends close_notify once. The caller holds c.out.
func (c *Conn) closeNotify() error {
	if c.writeError != nil {
		if errors.Is(c.writeError, errShutdown) {
			return nil
		}
		return c.writeError
	}
	c.conn.SetWriteDeadline(time.Now().Add(closeTimeout))
	err := c.engine.SealAlert(alert.Warning, alert.CloseNotify, "")
	if err == nil {
		err = c.send()
	}
	c.endWriting(errShutdown)
	return err
}

// Close sends close_notify, unless writing has failed before, and closes the connection. Reads and
// Writes in flight return. If a Write or a renegotiation is in flight, Close closes the connection
// at once, without close_notify, because the Write may be waiting for a peer that does not read.
// A second call returns net.ErrClosed.
func (c *Conn) Close() error {
	writing, first := c.calls.close()
	if !first {
		return net.ErrClosed
	}
	var notified error
	done := c.complete.Load()
	canNotify := done || c.early.Load() != nil
	if !writing && canNotify && c.lockToClose() {
		if c.writeError == nil { // otherwise the Write that failed has reported it
			notified = c.closeNotify()
		}
		c.out.Unlock()
	}
	if c.alerted.Load() || canNotify && !done { // the rest of the client's handshake is to come
		c.drain()
	}
	if err := c.conn.Close(); err != nil {
		return err
	}
	return notified
}

// lockToClose locks c.out and reports whether it did. It fails if a renegotiation holds the lock.
func (c *Conn) lockToClose() bool {
	if c.out.TryLock() {
		return true
	}
	if c.renegotiating.Load() {
		return false
	}
	c.conn.SetWriteDeadline(time.Now().Add(answerTimeout))
	c.out.Lock()
	return true
}

// calls holds twice the number of Writes in flight; the lowest bit is set once Close was called.
type calls struct{ atomic.Int64 }

// begin counts a Write. It reports false, and counts nothing, once Close was called.
func (c *calls) begin() bool {
	for {
		n := c.Load()
		if n&1 != 0 {
			return false
		}
		if c.CompareAndSwap(n, n+2) {
			return true
		}
	}
}

func (c *calls) end()         { c.Add(-2) }
func (c *calls) closed() bool { return c.Load()&1 != 0 }

// close makes begin fail from now on. It reports whether a Write is in flight, and whether this is
// the first call.
func (c *calls) close() (writing, first bool) {
	n := c.Or(1)
	return n > 1, n&1 == 0
}

// drain closes the writing half of the transport and reads for a moment. A socket closed with
// unread bytes sends a reset, and a reset discards an alert that the peer has not read yet.
func (c *Conn) drain() {
	half, ok := c.conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	c.conn.SetReadDeadline(time.Now().Add(drainTimeout))
	io.CopyN(io.Discard, c.conn, 1<<20)
}
