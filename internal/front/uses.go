package front

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/bug"
	"github.com/vitrine-tls/vitrine/vhttp"
)

// maxEcho is the length of the longest record.
const maxEcho = 16 << 10

// Echo sends lines back, one of up to 16 KiB in a record of its own.
func Echo(_ context.Context, c *vitrine.Conn) {
	in := bufio.NewReaderSize(c, maxEcho)
	for {
		line, err := in.ReadSlice('\n')
		if len(line) > 0 {
			if _, werr := c.Write(line); werr != nil {
				return
			}
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

// Forward returns a function that connects to a service without TLS and copies both ways, each
// direction to its own end. Errors are passed to failed. When the client's connection ends, so does
// the service's.
func Forward(addr string, timeout time.Duration,
	failed func(error)) func(context.Context, *vitrine.Conn) {
	return ForwardTo(func(ctx context.Context, _ *vitrine.Conn) (net.Conn, error) {
		back, err := (&net.Dialer{Timeout: timeout}).DialContext(ctx, "tcp", addr)
		if err != nil {
			return nil, fmt.Errorf("front: forwarding: %w", err)
		}
		return back, nil
	}, nil, failed)
}

// Legs returns where the data of both legs of a connection is also written, as it is read from
// each. An error of a writer ends the connection.
type Legs func(c *vitrine.Conn) (client, service io.Writer)

// ForwardTo returns a function as Forward does, that reaches the service by dial, whose errors
// are passed to failed as they are. also may be nil.
func ForwardTo(dial func(ctx context.Context, c *vitrine.Conn) (net.Conn, error), also Legs,
	failed func(error)) func(context.Context, *vitrine.Conn) {
	return func(ctx context.Context, c *vitrine.Conn) {
		back, err := dial(ctx, c)
		if err != nil {
			failed(err)
			return
		}
		defer back.Close()
		defer context.AfterFunc(ctx, func() { cut(back) })()
		var client, service io.Reader = c, back
		if also != nil {
			fromClient, fromService := also(c)
			client, service = io.TeeReader(c, fromClient), io.TeeReader(back, fromService)
		}
		var both sync.WaitGroup
		bugs := make(chan error, 2)
		way := func(pass func()) {
			both.Go(func() {
				if err := bug.Survive(pass); err != nil {
					bugs <- err
					cut(back)
					c.NetConn().Close()
				}
			})
		}
		way(func() { toService(back, client) })
		way(func() { toClient(c, service) })
		both.Wait()
		select {
		case err := <-bugs:
			panic(err) // c may hold locks: a function that recovers must not Close it
		default:
		}
	}
}

func toService(back net.Conn, from io.Reader) {
	_, err := io.Copy(back, from)
	if half, ok := back.(interface{ CloseWrite() error }); ok && err == nil {
		half.CloseWrite()
		return
	}
	cut(back) // an orderly end would hide that data was cut off
}

func toClient(c *vitrine.Conn, from io.Reader) {
	_, err := io.Copy(c, from)
	if err == nil {
		err = c.CloseWrite()
	}
	switch {
	case errors.Is(err, net.ErrClosed): // the service's connection was ended on this side
		c.Close()
	case err != nil: // the service reset its connection, sent a fatal alert, or no close_notify
		cut(c) // likewise
	}
}

// cut ends a connection without a word of TLS.
func cut(c net.Conn) {
	if secure, ok := c.(*vitrine.Conn); ok {
		c = secure.NetConn()
	}
	c.Close()
}

// queue is a listener for connections whose handshake is done.
type queue struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
	addr  net.Addr
}

func (q *queue) Accept() (net.Conn, error) {
	select {
	case c := <-q.conns:
		return c, nil
	case <-q.done:
		return nil, net.ErrClosed
	}
}

func (q *queue) Close() error {
	q.once.Do(func() { close(q.done) })
	return nil
}

func (q *queue) Addr() net.Addr { return q.addr }

// Protocols returns the protocols of HTTP, best first.
func Protocols() []string { return []string{"h2", "http/1.1"} }

// HTTP passes connections to an HTTP server. stop ends it when its requests are done. Errors are
// passed to failed.
func HTTP(handler http.Handler, timeout time.Duration, addr net.Addr,
	failed func(error)) (use func(context.Context, *vitrine.Conn),
	stop func(context.Context) error) {
	q := &queue{conns: make(chan net.Conn), done: make(chan struct{}), addr: addr}
	server := &http.Server{
		Handler: surviving(handler, failed), ReadHeaderTimeout: timeout, IdleTimeout: 6 * timeout,
		MaxHeaderBytes: 64 << 10,
		ErrorLog:       log.New(bugs(failed), "", 0),
	}
	go vhttp.Serve(vhttp.NewListener(q, &vitrine.Config{NextProtos: Protocols()}), server)
	use = func(_ context.Context, c *vitrine.Conn) {
		select {
		case q.conns <- c:
			if g, ok := c.NetConn().(*guest); ok {
				<-g.closed
			}
		case <-q.done:
		}
	}
	return use, server.Shutdown
}

// bugs is where an http.Server logs: it passes on what was recovered from a panic. Everything else
// is known already, by Server.Report and failed.
type bugs func(error)

func (failed bugs) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte(bug.Prefix)) {
		failed(errors.New(string(line)))
	}
	return len(line), nil
}

// surviving passes a panic of handler to failed, in few lines, and lets it end its connection or
// stream as in net/http, whose own report is too long for a log.
func surviving(handler http.Handler, failed func(error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			recovered := recover()
			if recovered == nil {
				return
			}
			if recovered != http.ErrAbortHandler {
				failed(bug.From(recovered))
			}
			panic(http.ErrAbortHandler)
		}()
		handler.ServeHTTP(w, r)
	})
}
