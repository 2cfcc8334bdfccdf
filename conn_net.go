package vitrine

import (
	"net"
	"time"
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
