package vitrine

import (
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
)

// Methods of net.Conn that a Conn passes on to the underlying connection.

// NetConn returns the underlying connection. Reading from it or writing to it corrupts this one.
func (c *Conn) NetConn() net.Conn { return c.conn }

// LocalAddr returns the local address.
func (c *Conn) LocalAddr() net.Addr { return c.conn.LocalAddr() }

// RemoteAddr returns the peer's address.
func (c *Conn) RemoteAddr() net.Addr { return c.conn.RemoteAddr() }

// SetDeadline sets the read and the write deadline.
func (c *Conn) SetDeadline(t time.Time) error { return c.conn.SetDeadline(t) }

// SetReadDeadline sets the deadline of Reads. After a timeout, reading can continue with a new
// deadline.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.conn.SetReadDeadline(t) }

// SetWriteDeadline sets the deadline of Writes. After a timeout, nothing more can be written.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.conn.SetWriteDeadline(t) }

// await receives with the outbound half unlocked, except in a renegotiation, during which nothing
// else may be sent. The caller must hold both halves.
func (c *Conn) await() error {
	if !c.renegotiating.Load() {
		c.out.Unlock()
		defer c.out.Lock()
	}
	return c.receive()
}

var errSilent = fmt.Errorf("the client ended the connection before it sent anything: %w", io.EOF)

// receive reads from the socket once, into the engine's buffer.
func (c *Conn) receive() (err error) {
	var n int
	switch in := c.engine.In; {
	case c.first.waits():
		n, err = c.first.read(in.Space())
	case c.socket != nil:
		n, err = c.socket.ReadInto(in)
	default:
		n, err = c.conn.Read(in.Space())
	}
	c.engine.In.Arrived(n)
	if n > 0 {
		c.received = true
		return nil
	}
	switch {
	case !errors.Is(err, io.EOF):
		return err
	case c.me == iana.Server && !c.received: // a port scan, a health check
		return errSilent
	}
	return c.engine.Ended()
}
