package vhttp

//lint:file-ignore SA1019 net/http, which replaces x/net/http2, takes only crypto/tls's connections.

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync"

	h2 "golang.org/x/net/http2"

	"github.com/vitrine-tls/vitrine"
)

// Transport is an http.RoundTripper that speaks HTTP/1.1 and HTTP/2 over Vitrine to URLs of https,
// and HTTP/1.1 to those of http. It keeps connections, as http.Transport does, and may be used by
// many goroutines. It uses no proxy.
type Transport struct {
	// HTTP1 and HTTP2 do the work. Their limits and times may be set before the first request:
	// HTTP1's TLSHandshakeTimeout is that of both. Their dial functions, their Protocols and
	// HTTP1's Proxy are the Transport's own.
	HTTP1 *http.Transport
	HTTP2 *h2.Transport

	// EarlyData lets a request with a safe method (GET, HEAD, OPTIONS, TRACE) and without a body go
	// as early data on a new connection of HTTP/1.1, if there is a ticket for it in the
	// ClientSessionCache. An attacker can send it again, and it is less protected than later data:
	// see vitrine.Conn.WriteEarly. If the server has not accepted it, or answers 425 (Too Early),
	// it is sent again when the handshake is done. See RFC 8470.
	EarlyData bool

	// Dialer makes the connections under TLS.
	Dialer *net.Dialer

	config *vitrine.Config
	failed error // the config offers a protocol that the Transport does not speak

	mu      sync.Mutex
	speaks2 map[string]bool   // hosts that chose HTTP/2 last time
	ended   map[string]error  // by address: why the last connection of HTTP/2 that failed did
	parked  map[place]*stated // connections that one transport made and the other needs
}

// place is where a connection is parked for the transport of a protocol.
type place struct{ addr, protocol string }

// hostsRemembered bounds speaks2. For a host that was dropped, one more handshake is made.
const hostsRemembered = 4096

// otherError says that the server chose the protocol of the other transport, for which the
// connection is parked.
type otherError struct{ place }

func (e *otherError) Error() string { return "vhttp: " + e.addr + " chose " + e.protocol }

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

type onlyHTTP1 struct{}

func (t *Transport) speaksHTTP2(host string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.speaks2[host]
}

func (t *Transport) learn(host string, second bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.speaks2) >= hostsRemembered {
		clear(t.speaks2)
	}
	delete(t.speaks2, host)
	if second {
		t.speaks2[host] = true
	}
}

// unestablished is the error of x/net/http2 for a request that comes when its new connection has
// already failed: why, for example an alert, is not in it.
const unestablished = "http2: client conn could not be established"

// because returns err with the reason that it leaves out.
func (t *Transport) because(url *url.URL, err error) error {
	if err.Error() != unestablished {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if why := t.ended[net.JoinHostPort(url.Hostname(), cmp.Or(url.Port(), "443"))]; why != nil {
		return fmt.Errorf("%w: the last connection that failed: %w", err, why)
	}
	return err
}

// remember keeps why a connection ended.
func (t *Transport) remember(addr string, why error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.ended) >= hostsRemembered {
		clear(t.ended)
	}
	t.ended[addr] = why
}

// CloseIdleConnections closes the connections that no request uses.
func (t *Transport) CloseIdleConnections() {
	t.HTTP1.CloseIdleConnections()
	t.HTTP2.CloseIdleConnections()
	t.mu.Lock()
	defer t.mu.Unlock()
	for at, c := range t.parked {
		delete(t.parked, at)
		go c.Close()
	}
}
