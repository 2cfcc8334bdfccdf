package vhttp

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine"
)

// conn is a connection as http.Server sees it. With HTTP/1.1 it is the TLS connection. With HTTP/2
// its Read returns the first line of HTTP/2's preface, as a request, and then nothing, so that
// http.Server calls a handler, which then speaks HTTP/2 on the TLS connection.
type conn struct {
	served
	server *http.Server
	speaks []string        // the server
	ctx    context.Context // the context of the handshake, from ConnContext

	shaken sync.Once
	failed error

	preface  *strings.Reader
	quiet    chan struct{} // closed when http.Server ends the connection of HTTP/2
	silenced sync.Once
}

func newConn(c *vitrine.Conn, s *http.Server, speaks []string) *conn {
	return &conn{served: served{stated: stated{Conn: c}, server: s}, server: s,
		speaks: speaks, ctx: context.Background(), quiet: make(chan struct{}),
		preface: strings.NewReader("PRI * HTTP/2.0\r\n\r\n")} // RFC 9113 §3.4
}

// ConnectionState performs the handshake. http.Server calls it first, in the goroutine that serves
// the connection.
func (c *conn) ConnectionState() tls.ConnectionState {
	c.shaken.Do(c.handshake)
	return c.state
}

func (c *conn) handshake() {
	c.failed = c.shake()
	if c.failed != nil {
		c.failed = answerPlain(c.NetConn(), c.failed)
		logf(c.server, "http: TLS handshake error from %v: %v", c.RemoteAddr(), c.failed)
	}
}

// shake performs the handshake.
func (c *conn) shake() (err error) {
	defer c.survive(&err)
	ctx := c.ctx
	if limit := handshakeTimeout(c.server); limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	if err := c.shakeHands(ctx); err != nil {
		return err
	}
	if err := c.takeState(); err != nil {
		return err
	}
	if p := c.state.NegotiatedProtocol; p != "" && !slices.Contains(c.speaks, p) {
		return fmt.Errorf("vhttp: the Config of GetConfigForClient negotiated %q, but vhttp "+
			"speaks only %q", p, c.speaks)
	}
	return nil
}

// shakeHands performs the handshake, or only its first part if early data has come.
func (c *conn) shakeHands(ctx context.Context) error {
	early, err := c.Conn.AwaitEarly(ctx)
	switch {
	case err != nil:
		return err
	case !early:
		return c.Conn.HandshakeContext(ctx)
	}
	c.early.Store(true)
	return nil
}

// handshakeTimeout returns the time that net/http allows for a handshake: the shortest of its
// timeouts that are set.
func handshakeTimeout(s *http.Server) (limit time.Duration) {
	for _, d := range []time.Duration{s.ReadHeaderTimeout, s.ReadTimeout, s.WriteTimeout} {
		if d > 0 {
			limit = min(cmp.Or(limit, d), d)
		}
	}
	return limit
}

// Read reads from the client with HTTP/1.1. With HTTP/2 it returns the line described at conn.
func (c *conn) Read(p []byte) (int, error) {
	c.shaken.Do(c.handshake)
	switch {
	case c.failed != nil:
		return 0, io.EOF // the error was reported before; at io.EOF the server sends no answer
	case !c.http2():
		return c.served.Read(p)
	case c.preface.Len() > 0:
		return c.preface.Read(p)
	}
	<-c.quiet
	return 0, os.ErrDeadlineExceeded
}

// SetReadDeadline of the past is how http.Server ends a Read. Its other deadlines are for HTTP/1.1:
// HTTP/2 has its own for each request.
func (c *conn) SetReadDeadline(t time.Time) error {
	if !c.http2() {
		return c.Conn.SetReadDeadline(t)
	}
	if !t.IsZero() && t.Before(time.Now()) {
		c.silence()
	}
	return nil
}

// SetWriteDeadline has an effect with HTTP/1.1 only.
func (c *conn) SetWriteDeadline(t time.Time) error {
	if c.http2() {
		return nil
	}
	return c.Conn.SetWriteDeadline(t)
}

// Close closes the connection.
func (c *conn) Close() error {
	c.silence()
	return c.served.Close()
}

func (c *conn) silence() { c.silenced.Do(func() { close(c.quiet) }) }

var _ net.Conn = (*conn)(nil)
