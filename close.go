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

	// drainTimeout bounds how long we listen after a fatal alert, so that the peer reads it and not
	// a reset.
	drainTimeout = 250 * time.Millisecond
)

// CloseWrite sends close_notify: nothing more will be written, reading goes on. It waits for a
// Write in flight; after that a peer that does not read delays it for at most five seconds. See RFC
// 5246 §7.2.1.
func (c *Conn) CloseWrite() error {
	if !c.complete.Load() {
		return errNotDone
	}
	c.out.Lock()
	defer c.out.Unlock()
	return c.closeNotify()
}

// closeNotify sends close_notify once. It needs the outbound half.
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

// Close sends close_notify, unless an error came before it, and closes the connection. Reads and
// Writes in flight end. While a Write or a renegotiation is in flight the connection is closed at
// once and without close_notify: the Write may wait for a peer that does not read.
func (c *Conn) Close() error {
	writing, first := c.calls.close()
	if !first {
		return net.ErrClosed
	}
	var notified error
	if !writing && c.complete.Load() && c.lockToClose() {
		if c.writeError == nil { // else it was told before, by Write
			notified = c.closeNotify()
		}
		c.out.Unlock()
	}
	if c.alerted.Load() {
		c.drain()
	}
	if err := c.conn.Close(); err != nil {
		return err
	}
	return notified
}

// lockToClose locks the outbound half, unless a renegotiation holds it.
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

// calls counts the Writes in flight, times two; the lowest bit says that Close was called.
type calls struct{ atomic.Int64 }

// begin counts a Write, unless Close was called.
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

// close admits no more Writes. It reports whether one is in flight, and whether this is the first
// close.
func (c *calls) close() (writing, first bool) {
	n := c.Or(1)
	return n > 1, n&1 == 0
}

// drain ends our half and listens a moment: bytes that lie unread when a socket closes make it
// reset, and a reset makes the peer forget the alert that it has not read yet.
func (c *Conn) drain() {
	half, ok := c.conn.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	c.conn.SetReadDeadline(time.Now().Add(drainTimeout))
	io.CopyN(io.Discard, c.conn, 1<<20)
}
