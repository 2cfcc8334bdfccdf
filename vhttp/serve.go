package vhttp

//lint:file-ignore SA1019 net/http, which replaces x/net/http2, takes only crypto/tls's connections.

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"

	h2 "golang.org/x/net/http2"

	"github.com/vitrine-tls/vitrine"
)

var (
	errForeign = errors.New("vhttp: Serve needs a listener made by vhttp.Listen or " +
		"vhttp.NewListener")
	errMisplaced = errors.New("vhttp: a listener of vhttp must be passed to vhttp.Serve: " +
		"http.Serve does not speak the HTTP/2 that it offers")
	errOnlyHTTP2 = errors.New("vhttp: Server.Protocols must have HTTP1; to refuse it, offer " +
		`"h2" alone in Config.NextProtos and look at Request.ProtoMajor`)
)

// Listen listens for Serve. A config without NextProtos offers what the server of Serve speaks:
// HTTP/2 and HTTP/1.1.
func Listen(network, addr string, config *vitrine.Config) (net.Listener, error) {
	l, err := net.Listen(network, addr)
	if err != nil {
		return nil, err
	}
	return NewListener(l, config), nil
}

// NewListener makes a listener for Serve of one that accepts connections without TLS.
func NewListener(inner net.Listener, config *vitrine.Config) net.Listener {
	return &listener{inner, config}
}

type listener struct {
	net.Listener
	config *vitrine.Config
}

// Accept fails: only Serve uses this listener, and it does not call it.
func (l *listener) Accept() (net.Conn, error) { return nil, errMisplaced }

// ListenAndServe listens on s.Addr, or ":https", and serves.
func ListenAndServe(s *http.Server, config *vitrine.Config) error {
	addr := s.Addr
	if addr == "" {
		addr = ":https"
	}
	l, err := Listen("tcp", addr, config)
	if err != nil {
		return err
	}
	defer l.Close()
	return Serve(l, s)
}

// Serve is s.ServeTLS over Vitrine: it serves HTTP/1.1 and HTTP/2 to the connections of l, which
// Listen or NewListener made, until it fails or s is closed or shut down. Shutdown and Close,
// BaseContext, ConnContext (which sees the *vitrine.Conn), ConnState, ErrorLog and all timeouts do
// what they do for crypto/tls, and the handshake has as long as there. s.TLSConfig is not used, and
// TLSNextProto is only used, as in net/http, to turn HTTP/2 off.
//
// Serve wraps s.Handler, s.ConnContext and s.ConnState. Other ways of serving with the same s must
// be started after it, or be calls of this Serve.
func Serve(l net.Listener, s *http.Server) error {
	ours, ok := l.(*listener)
	if !ok {
		return errForeign
	}
	f, err := install(s)
	if err != nil {
		return err
	}
	config, err := offering(ours.config, f.speaks...)
	if err != nil {
		return err
	}
	return s.Serve(&acceptor{ours.Listener, config, f})
}

// protocols returns the protocols that s speaks, best first.
func protocols(s *http.Server) ([]string, error) {
	_, has := s.TLSNextProto[http2]
	// an empty map turned HTTP/2 off before http.Server had Protocols
	enabled := s.TLSNextProto == nil || has
	if p := s.Protocols; p != nil {
		if !p.HTTP1() {
			return nil, errOnlyHTTP2
		}
		enabled = p.HTTP2()
	}
	if enabled {
		return []string{http2, http1}, nil
	}
	return []string{http1}, nil
}

// acceptor passes s connections whose handshake is performed later, in the goroutine that serves
// them, so that none waits for another.
type acceptor struct {
	net.Listener
	config *vitrine.Config
	front  *front
}

func (a *acceptor) Accept() (net.Conn, error) {
	c, err := a.Listener.Accept()
	if err != nil {
		return nil, err
	}
	// the program has performed the handshake itself, ALPN included
	if tls, ok := c.(*vitrine.Conn); ok {
		return newConn(tls, a.front.server, a.front.speaks), nil
	}
	return newConn(vitrine.Server(c, a.config), a.front.server, a.front.speaks), nil
}

// front is the handler that Serve installs: it calls the program's handler for HTTP/1.1, and for
// the one request that stands for a whole connection of HTTP/2 it serves that connection.
type front struct {
	server *http.Server
	next   http.Handler
	speaks []string
	h2     *h2.Server
}

// installing guards install: several goroutines may call Serve with one server.
var installing sync.Mutex

// install puts a front before s.Handler, once. It reads the other fields of s at the first call
// only, because net/http changes them while s serves.
func install(s *http.Server) (*front, error) {
	installing.Lock()
	defer installing.Unlock()
	if f, done := s.Handler.(*front); done {
		return f, nil
	}
	speaks, err := protocols(s)
	if err != nil {
		return nil, err
	}
	f := &front{server: s, next: s.Handler, speaks: speaks, h2: &h2.Server{}}
	if f.next == nil {
		f.next = http.DefaultServeMux
	}
	// ConfigureServer changes the server that it is given. The only purpose here is that Shutdown
	// sends GOAWAY: RFC 9113 §6.8.
	aside := &http.Server{IdleTimeout: s.IdleTimeout, ReadTimeout: s.ReadTimeout}
	if err := h2.ConfigureServer(aside, f.h2); err != nil {
		return nil, err
	}
	s.RegisterOnShutdown(func() { _ = aside.Shutdown(context.Background()) })
	s.Handler = f
	s.ConnContext = connContext(s.ConnContext)
	if s.ConnState != nil {
		s.ConnState = connState(s.ConnState)
	}
	return f, nil
}

// ServeHTTP serves a request, or a connection of HTTP/2. As long as that lasts the connection is
// active for s, which therefore waits for it in Shutdown and cuts it in Close.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, ours := r.Context().Value(connKey{}).(*conn)
	if !ours || !c.http2() {
		f.serve(w, r)
		return
	}
	f.h2.ServeConn(&c.served,
		&h2.ServeConnOpts{Context: r.Context(), BaseConfig: f.server,
			Handler: http.HandlerFunc(f.serve)})
	panic(http.ErrAbortHandler) // there is nothing to respond to
}

// serve serves one request. A request that arrives before the handshake is done must have a safe
// method; otherwise it is answered 425 (Too Early), and the client sends it again. See RFC 8470 §3
// and §5.2.
func (f *front) serve(w http.ResponseWriter, r *http.Request) {
	if c, ours := r.Context().Value(connKey{}).(*conn); ours && c.early.Load() {
		if !safe(r.Method) {
			http.Error(w, r.Method+" may not be sent as early data (RFC 8470 §5.2)",
				http.StatusTooEarly)
			return
		}
		r.Header.Set(earlyData, "1")
	}
	f.next.ServeHTTP(w, r)
}

type connKey struct{}

// Conn returns the connection of a request, for what Request.TLS cannot hold. It returns nil unless
// Serve serves the request. The connection must not be read from or written to.
func Conn(r *http.Request) *vitrine.Conn {
	if c, ok := r.Context().Value(connKey{}).(*conn); ok {
		return c.Conn
	}
	return nil
}

func connContext(theirs func(context.Context,
	net.Conn) context.Context) func(context.Context, net.Conn) context.Context {
	return func(ctx context.Context, nc net.Conn) context.Context {
		if theirs != nil {
			ctx = theirs(ctx, unwrap(nc))
		}
		if c, ok := nc.(*conn); ok {
			c.ctx = ctx
			ctx = context.WithValue(ctx, connKey{}, c)
		}
		return ctx
	}
}

func connState(theirs func(net.Conn, http.ConnState)) func(net.Conn, http.ConnState) {
	return func(nc net.Conn, s http.ConnState) {
		if c, ok := nc.(*conn); ok && s == http.StateActive && c.http2() {
			return // x/net/http2 sets the connection active at its first request
		}
		theirs(unwrap(nc), s)
	}
}
