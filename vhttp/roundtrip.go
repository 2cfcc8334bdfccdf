package vhttp

//lint:file-ignore SA1019 net/http, which replaces x/net/http2, takes only crypto/tls's connections.

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"time"

	h2 "golang.org/x/net/http2"

	"github.com/vitrine-tls/vitrine"
)

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
	var watch struct { // one object
		httptrace.ClientTrace
		used httptrace.GotConnInfo
	}
	watch.GotConn = func(i httptrace.GotConnInfo) { watch.used = i }
	ctx = httptrace.WithClientTrace(ctx, &watch.ClientTrace)
	res, err = t.HTTP1.RoundTrip(req.WithContext(ctx))
	used = watch.used
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

// upgrades reports whether a request asks for another protocol: a WebSocket begins as HTTP/1.1.
func upgrades(req *http.Request) bool {
	return req.Header.Get("Upgrade") != "" &&
		strings.Contains(strings.ToLower(req.Header.Get("Connection")), "upgrade")
}

// tlsConfig is the parameter of type *tls.Config that net/http passes and that is not used.
type tlsConfig = tls.Config
