package reach

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"

	"github.com/vitrine-tls/vitrine/internal/framing"
)

// End is the way in which the peer's direction ended.
type End string

// The ends of a direction.
const (
	Open  End = ""
	FIN   End = "FIN"
	Reset End = "reset"
	Late  End = "timeout"
)

// maxFirst is the number of bytes of the peer that a Conn keeps.
const maxFirst = 512

// Conn is a connection that keeps what explains a failure: how much was received, how that began,
// and how it ended.
type Conn struct {
	net.Conn

	mu             sync.Mutex
	sent, received int
	first          []byte
	end            End
}

func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.received += n
	if room := maxFirst - len(c.first); n > 0 && room > 0 {
		c.first = append(c.first, p[:min(n, room)]...)
	}
	if err != nil {
		c.end = ending(err)
	}
	return n, err
}

func (c *Conn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent += n
	if err != nil && ending(err) == Reset {
		c.end = Reset
	}
	return n, err
}

func ending(err error) End {
	timeout, network := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, io.EOF):
		return FIN
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return Reset
	case network && timeout.Timeout():
		return Late
	}
	return Open // we closed it
}

// CloseWrite closes the sending direction.
func (c *Conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// Received returns what is known of the peer's direction: the number of bytes received, the first
// of them, and how it ended.
func (c *Conn) Received() (n int, first []byte, end End) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.received, bytes.Clone(c.first), c.end
}

// Sent returns the number of bytes sent.
func (c *Conn) Sent() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent
}

// forget discards what was counted and kept, since it came before TLS.
func (c *Conn) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent, c.received, c.first, c.end = 0, 0, nil, Open
}

// HandshakeDone must be called when the handshake of TLS is done: some protocols carry its records
// in packets of their own until then.
func (c *Conn) HandshakeDone() {
	if framed, ok := c.Conn.(*framing.Conn); ok {
		framed.HandshakeDone()
	}
}
