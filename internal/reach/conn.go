package reach

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
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

// Segment is some bytes on their way.
type Segment struct {
	From  iana.Side
	At    time.Time
	Bytes []byte
}

// The bounds of what a Conn remembers.
const (
	maxFirst = 512
	maxKept  = 64 << 20
)

// Conn is a client's connection that remembers what it needs to explain a failure: how much came, how that began, how it ended.
// With Keep it remembers everything, for a capture.
type Conn struct {
	net.Conn
	Keep bool

	mu             sync.Mutex
	sent, received int
	first          []byte
	end            End
	kept           []Segment
	size           int
}

func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.received += n
	if room := maxFirst - len(c.first); n > 0 && room > 0 {
		c.first = append(c.first, p[:min(n, room)]...)
	}
	c.keep(iana.Server, p[:n])
	if err != nil {
		c.end = ending(err)
	}
	return n, err
}

func (c *Conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	c.keep(iana.Client, p) // before it is sent: an answer must not stand before what it answers
	c.mu.Unlock()
	n, err := c.Conn.Write(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent += n
	if err != nil && ending(err) == Reset {
		c.end = Reset
	}
	return n, err
}

func (c *Conn) keep(from iana.Side, b []byte) {
	if c.Keep && len(b) > 0 && c.size < maxKept {
		c.size += len(b)
		c.kept = append(c.kept, Segment{from, time.Now(), bytes.Clone(b)})
	}
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

// Heard is what is known of the peer's direction: how many bytes came, the first of them, and how it ended.
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

// Kept is all that went either way, if it was to be kept.
func (c *Conn) Kept() []Segment {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.kept)
}

// forget makes what comes next the first: what was said before TLS is another matter.
func (c *Conn) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent, c.received, c.first, c.end = 0, 0, nil, Open
}
