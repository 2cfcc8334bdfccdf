package framing

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
)

// A Conn is a connection whose records are framed until the handshake is done.
type Conn struct {
	net.Conn
	done atomic.Bool

	mu       sync.Mutex // of reading
	splitter Splitter
	waiting  []byte // records that were read and not passed on
	err      error
}

// New returns a connection that frames what is written to conn.
func New(conn net.Conn, f *Framing) *Conn {
	return &Conn{Conn: conn, splitter: Splitter{Framing: f}}
}

// HandshakeDone says that the peer expects records without packets from now on.
func (c *Conn) HandshakeDone() { c.done.Store(true) }

// Read reads records, framed or not.
func (c *Conn) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.waiting) == 0 && c.err == nil && len(p) > 0 {
		n, err := c.Conn.Read(p)
		whole := c.splitter.Split(p[:n], func(b []byte) { c.waiting = append(c.waiting, b...) })
		if c.err = err; err == nil && !whole {
			c.err = fmt.Errorf("got neither a packet of %s nor a record of TLS",
				c.splitter.Framing.Name)
		}
	}
	n := copy(p, c.waiting)
	if c.waiting = c.waiting[n:]; n > 0 || len(p) == 0 {
		return n, nil
	}
	err := c.err
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		c.err = nil // a later deadline may be longer
	}
	return 0, err
}

// Write sends records, framed until HandshakeDone.
func (c *Conn) Write(p []byte) (int, error) {
	if c.done.Load() {
		return c.Conn.Write(p)
	}
	f := c.splitter.Framing
	var packets []byte
	for rest := p; len(rest) > 0; {
		n := min(len(rest), f.Most)
		packets = f.Append(packets, rest[:n], n == len(rest))
		rest = rest[n:]
	}
	if _, err := c.Conn.Write(packets); err != nil {
		return 0, err
	}
	return len(p), nil
}

// CloseWrite closes the sending direction.
func (c *Conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}
