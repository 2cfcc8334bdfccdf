package vhttp

//lint:file-ignore SA1019 net/http, which replaces x/net/http2, takes only crypto/tls's connections.

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine"
	h2 "golang.org/x/net/http2"
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

// NewTransport makes a Transport with http.DefaultTransport's limits and times. A config without
// NextProtos offers HTTP/2 and HTTP/1.1, one without a ServerName takes the URL's host.
func NewTransport(config *vitrine.Config) *Transport {
	t := &Transport{
		Dialer: &net.Dialer{Timeout: 30 * time.Second}, speaks2: map[string]bool{},
		ended: map[string]error{}, parked: map[place]*stated{},
		HTTP1: &http.Transport{
			MaxIdleConns: 100, IdleConnTimeout: 90 * time.Second,
			TLSHandshakeTimeout: 10 * time.Second, ExpectContinueTimeout: time.Second,
			Protocols: &http.Protocols{},
		},
		HTTP2: &h2.Transport{IdleConnTimeout: 90 * time.Second},
	}
	t.HTTP1.Protocols.SetHTTP1(true)
	t.HTTP1.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		return t.Dialer.DialContext(ctx, network, addr)
	}
	t.HTTP1.DialTLSContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		return t.dial(ctx, network, place{addr, http1})
	}
	t.HTTP2.DialTLSContext = func(ctx context.Context, network, addr string,
		_ *tlsConfig) (net.Conn, error) {
		return t.dial(ctx, network, place{addr, http2})
	}
	t.config, t.failed = offering(config, http2, http1)
	return t
}

// RoundTrip sends one request and returns its answer. The protocol of a host is known only after
// dialling: if it belongs to the other transport, the connection is parked and the request is sent
// by that one.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.failed != nil {
		closeBody(req)
		return nil, t.failed
	}
	if req.URL.Scheme != "https" {
		return t.HTTP1.RoundTrip(req)
	}
	ask, body := hold(req)
	upgrade := upgrades(req)
	second := !upgrade && t.speaksHTTP2(req.URL.Host)
	res, err := t.speak(ask, second, upgrade)
	if e, ok := errors.AsType[*otherError](err); ok {
		second = e.protocol == http2
		t.learn(req.URL.Host, second)
		res, err = t.speak(ask, second, upgrade)
		// several simultaneous requests may each have parked a connection that is not needed
		t.unpark(e.place)
	}
	body.release()
	if err != nil {
		closeBody(req)
		return nil, err
	}
	res.Request = req
	return res, nil
}

// speak sends the request with one of the protocols.
func (t *Transport) speak(req *http.Request, second, upgrade bool) (*http.Response, error) {
	if second {
		res, err := t.HTTP2.RoundTrip(req)
		if err != nil {
			err = t.because(req.URL, err)
		}
		return res, err
	}
	ctx := req.Context()
	if upgrade {
		ctx = context.WithValue(ctx, onlyHTTP1{}, true)
	}
	early := ctx
	if t.EarlyData && safe(req.Method) && (req.Body == nil || req.Body == http.NoBody) {
		early = context.WithValue(ctx, withEarly{}, true)
	}
	res, used, err := t.speak1(early, req)
	if err == nil && tooEarly(res, &used) {
		discard(res)
		res, _, err = t.speak1(ctx, req)
	}
	return res, err
}

// speak1 sends the request with HTTP/1.1 under ctx, and returns the connection that was used.
func (t *Transport) speak1(ctx context.Context, req *http.Request) (res *http.Response,
	used httptrace.GotConnInfo, err error) {
	ctx = httptrace.WithClientTrace(ctx,
		&httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { used = i }})
	res, err = t.HTTP1.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return nil, used, err
	}
	switch c := used.Conn.(type) { // HTTP/2's is filled by x/net/http2
	case *stated:
		res.TLS = &c.state
	case *sender:
		res.TLS = &c.current().state
	}
	return res, used, nil
}

type onlyHTTP1 struct{}

// upgrades reports whether a request asks for another protocol: a WebSocket begins as HTTP/1.1.
func upgrades(req *http.Request) bool {
	return req.Header.Get("Upgrade") != "" &&
		strings.Contains(strings.ToLower(req.Header.Get("Connection")), "upgrade")
}

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
