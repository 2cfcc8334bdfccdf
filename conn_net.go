package vitrine

import (
	"net"
	"time"
)

// What a Conn passes on to the connection underneath.

// NetConn is the connection underneath. Reading or writing it corrupts this one.
func (c *Conn) NetConn() net.Conn { return c.conn }

// LocalAddr is the local address.
func (c *Conn) LocalAddr() net.Addr { return c.conn.LocalAddr() }

// RemoteAddr is the peer's address.
func (c *Conn) RemoteAddr() net.Addr { return c.conn.RemoteAddr() }

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error { return c.conn.SetDeadline(t) }

// SetReadDeadline sets when a waiting Read ends. It can be set anew and reading goes on.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.conn.SetReadDeadline(t) }

// SetWriteDeadline sets when a waiting Write ends, and writing with it.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.conn.SetWriteDeadline(t) }
