package reach

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
)

// End is how the peer's direction ended.
type End string

// The ends of a direction.
const (
	Open  End = ""
	FIN   End = "FIN"
	Reset End = "reset"
	Late  End = "timeout"
)

// maxFirst bounds what a Conn remembers of how the peer began.
const maxFirst = 512

// Conn is a client's connection that remembers what it needs to explain a failure: how much came,
// how that began, how it ended.
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

// CloseWrite ends our direction.
func (c *Conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// Heard is what is known of the peer's direction: how many bytes came, the first of them, and how
// it ended.
func (c *Conn) Heard() (n int, first []byte, end End) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.received, bytes.Clone(c.first), c.end
}

// Sent is how many bytes we sent.
func (c *Conn) Sent() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sent
}

// forget makes what comes next the first: what was said before TLS is another matter.
func (c *Conn) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent, c.received, c.first, c.end = 0, 0, nil, Open
}
