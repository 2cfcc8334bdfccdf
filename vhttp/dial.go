package vhttp

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"

	"github.com/vitrine-tls/vitrine"
)

// tlsConfig is the parameter of type *tls.Config that net/http passes and that is not used.
type tlsConfig = tls.Config

// dial returns a connection for the transport of a protocol: the parked one, or a new one. If the
// server chooses the other protocol the error is an *otherError.
func (t *Transport) dial(ctx context.Context, network string, at place) (net.Conn, error) {
	if c := t.claim(at); c != nil {
		return c, nil
	}
	raw, err := t.Dialer.DialContext(ctx, network, at.addr)
	if err != nil {
		return nil, err
	}
	config := t.config.Clone()
	if config.ServerName == "" {
		// the dialler has checked its form
		config.ServerName, _, _ = net.SplitHostPort(at.addr)
	}
	if ctx.Value(onlyHTTP1{}) != nil {
		config.NextProtos = []string{http1}
	}
	c := &stated{Conn: vitrine.Client(raw, config)}
	if at.protocol == http1 && ctx.Value(withEarly{}) != nil {
		if protocol, ok := c.EarlyProtocol(); ok && protocol != http2 {
			return newSender(c.Conn, t, at), nil
		}
	}
	if err := t.handshake(ctx, c); err != nil {
		c.Close()
		return nil, err
	}
	if c.http2() {
		c.ended = func(why error) { t.remember(at.addr, why) }
	}
	if c.http2() != (at.protocol == http2) {
		at.protocol = other(at.protocol)
		t.park(at, c)
		return nil, &otherError{at}
	}
	return c, nil
}

func (t *Transport) handshake(ctx context.Context, c *stated) error {
	watch := httptrace.ContextClientTrace(ctx)
	if watch != nil && watch.TLSHandshakeStart != nil {
		watch.TLSHandshakeStart()
	}
	limited := ctx
	if limit := t.HTTP1.TLSHandshakeTimeout; limit > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	err := c.shake(limited)
	if watch != nil && watch.TLSHandshakeDone != nil {
		watch.TLSHandshakeDone(c.state, err)
	}
	return err
}

// shake performs the handshake of a client.
func (s *stated) shake(ctx context.Context) (err error) {
	defer s.survive(&err)
	if err := s.HandshakeContext(ctx); err != nil {
		return err
	}
	return s.takeState()
}

func other(protocol string) string {
	if protocol == http2 {
		return http1
	}
	return http2
}

// park keeps a connection for the other transport. It keeps one only: several simultaneous requests
// to a new host make several connections, and with HTTP/2 one of them serves all requests.
func (t *Transport) park(at place, c *stated) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.parked[at] != nil {
		go c.Close()
		return
	}
	t.parked[at] = c
}

func (t *Transport) claim(at place) *stated {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.parked[at]
	delete(t.parked, at)
	return c
}

func (t *Transport) unpark(at place) {
	if c := t.claim(at); c != nil {
		go c.Close() // it may wait for the peer
	}
}

// heldBody is the body of a request. A transport cannot close it while the other transport may
// still have to send it.
type heldBody struct {
	io.ReadCloser
	mu       sync.Mutex
	released bool
	closed   bool
}

// hold returns a copy of a request whose body, if there is one, is a heldBody.
func hold(req *http.Request) (*http.Request, *heldBody) {
	if req.Body == nil || req.Body == http.NoBody {
		return req, nil
	}
	b := &heldBody{ReadCloser: req.Body}
	req = req.WithContext(req.Context()) // a copy
	req.Body = b
	return req, b
}

// Close closes the body, now or when it is released.
func (b *heldBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	if !b.released {
		return nil
	}
	return b.ReadCloser.Close()
}

// release allows the transport that sends the request to close its body.
func (b *heldBody) release() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.released = true
	if b.closed {
		_ = b.ReadCloser.Close()
	}
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}
