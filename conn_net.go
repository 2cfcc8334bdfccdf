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

// receive reads from the socket once.
func (c *Conn) receive() error {
	n, err := c.fill()
	c.engine.In.Arrived(n)
	if n > 0 {
		c.received = true
		return nil
	}
	switch {
	case !errors.Is(err, io.EOF):
		return err
	case c.me == iana.Server && !c.received: // a port scan, a health check
		return fmt.Errorf("the client ended the connection before it sent anything: %w", io.EOF)
	}
	return c.engine.Ended()
}

// fill reads into the engine's buffer.
func (c *Conn) fill() (int, error) {
	switch in := c.engine.In; {
	case c.first.waits():
		return c.first.read(in.Space())
	case c.socket != nil:
		return c.socket.read(in)
	default:
		return c.conn.Read(in.Space())
	}
}
