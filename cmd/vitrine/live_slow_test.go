package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/live"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// oneConn is a listener with one connection.
type oneConn struct{ conns chan net.Conn }

func (l oneConn) Accept() (net.Conn, error) {
	if c, ok := <-l.conns; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (l oneConn) Close() error   { return nil }
func (l oneConn) Addr() net.Addr { return &net.TCPAddr{} }

// A page that does not read is let go after patienceUI, which is short here, and its place is free
// again; the connections that it would have seen do not wait for it.
func TestAFollowerThatDoesNotReadIsLetGo(t *testing.T) {
	if patienceUI != 10*time.Second {
		t.Errorf("docs/serve.md says ten seconds, it is %v", patienceUI)
	}
	v := &liveView{hub: live.New(live.Options{}), readers: make(chan struct{}, 1),
		patience: 50 * time.Millisecond}
	l := oneConn{make(chan net.Conn, 1)}
	server := &http.Server{Handler: v.routes()}
	ended := make(chan struct{})
	go func() { server.Serve(l); close(ended) }()
	defer func() { close(l.conns); server.Close(); <-ended }()
	page, far := net.Pipe() // without a buffer: what is not read is not written
	defer page.Close()
	l.conns <- far
	page.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprint(page, "GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
	head := make([]byte, 15)
	if _, err := io.ReadFull(page, head); err != nil || string(head) != "HTTP/1.1 200 OK" {
		t.Fatalf("%q, %v", head, err)
	}
	for range 100 {
		v.hub.Open(live.Row{Name: strings.Repeat("x", 500)}).End(false, nil)
	}
	select {
	case v.readers <- struct{}{}: // the only place
	case <-time.After(20 * time.Second):
		t.Error("the reader is still there")
	}
}

// A flood of viewers that say nothing, never end their request, or follow and do not read takes no
// more than the page's seats; connections of the server go on beside it, and the page is there
// again when it is over.
func TestAFloodOfViewersIsBounded(t *testing.T) {
	s, ca := serving(t, "--echo", "--ui")
	v := view(t, s.errs.String)
	u, err := url.Parse(v.base)
	if err != nil {
		t.Fatal(err)
	}
	cookie := v.Jar.Cookies(u)[0]
	head := fmt.Sprintf(" HTTP/1.1\r\nHost: %s\r\nCookie: %s=%s\r\n", u.Host, cookie.Name,
		cookie.Value)
	before := runtime.NumGoroutine()
	var flood []net.Conn
	for i := range 5 * maxUIConns {
		c, err := net.DialTimeout("tcp", u.Host, 20*time.Second)
		if err != nil {
			break // the backlog of the listener is full, which is a bound, too
		}
		flood = append(flood, c)
		say := []string{"", "GET /rows" + head, "GET /events" + head + "\r\n"}[i%3]
		if _, err := io.WriteString(c, say); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		talk(t, s, ca, "beside the flood\n", nil)
	}
	// a goroutine that reads, one that watches the connection, and what the server itself has
	if n := runtime.NumGoroutine() - before; n > 2*maxUIConns+40 {
		t.Errorf("%d viewers cost %d goroutines", len(flood), n)
	}
	for _, c := range flood {
		c.Close()
	}
	if rows := v.rows(over(3)); len(rows) != 3 {
		t.Errorf("%d rows", len(rows))
	}
}

// The end of a service's answer that was cut is no end for the client of a proxy: it gets what
// there was, and an error, whether the service reset its connection or ended it without a word.
func TestForwardingPassesATruncationOn(t *testing.T) {
	authority, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	cert, err := authority.Issue(throwaway.ECDSA, []string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		tls  bool
		half func(net.Conn)
	}{
		{"in the clear, reset", false, func(c net.Conn) { c.(*net.TCPConn).SetLinger(0) }},
		{"TLS, without close_notify", true, func(c net.Conn) { c.(*tls.Conn).NetConn().Close() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			args := []string{"--forward", l.Addr().String(), "--ui"}
			if c.tls {
				l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}})
				args = append(args, "--forward-tls", "--forward-insecure")
			}
			go func() {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				conn.SetDeadline(time.Now().Add(20 * time.Second))
				conn.Read(make([]byte, 100))
				io.WriteString(conn, "half of an answer")
				conn.Read(make([]byte, 1)) // until the client has seen it
				c.half(conn)
				conn.Close()
			}()
			s, ca := serving(t, args...)
			pem, err := os.ReadFile(ca)
			if err != nil {
				t.Fatal(err)
			}
			roots := x509.NewCertPool()
			roots.AppendCertsFromPEM(pem)
			conn, err := vitrine.Dial("tcp", s.addr, &vitrine.Config{RootCAs: roots,
				ServerName: "localhost"})
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(20 * time.Second))
			io.WriteString(conn, "a request")
			half := make([]byte, len("half of an answer"))
			if _, err := io.ReadFull(conn, half); err != nil {
				t.Fatal(err)
			}
			io.WriteString(conn, ".")
			if rest, err := io.ReadAll(conn); err == nil || len(rest) > 0 {
				t.Errorf("after %q the client got %q and %v, expected an error", half, rest, err)
			}
		})
	}
}

// The connections on an interface are shown as they happen.
func TestTheLiveViewShowsAnInterface(t *testing.T) {
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		t.Skip("packets from an interface need Linux and root")
	}
	s, ca := serving(t, "--echo", "--name", "seen-on-lo.test")
	var out, errs syncBuffer
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		run(ctx, []string{"decrypt", "-i", "lo", "--ui"}, &out, &errs)
	}()
	t.Cleanup(func() { cancel(); <-ended })
	for end := time.Now().Add(20 * time.Second); !strings.Contains(errs.String(), "live view:"); {
		if strings.Contains(errs.String(), "permitted") {
			t.Skip("packets from an interface need a right that this process has not")
		}
		if time.Now().After(end) {
			t.Fatalf("no live view:\n%s", errs.String())
		}
		time.Sleep(10 * time.Millisecond)
	}
	v := view(t, errs.String)
	talk(t, s, ca, "over lo\n", func(c *vitrine.Config) {
		c.ServerName, c.MaxVersion = "seen-on-lo.test", vitrine.VersionTLS12
	})
	seen := func(rows []live.Row) bool {
		for _, r := range rows {
			if r.Name == "seen-on-lo.test" && r.Over() {
				return true
			}
		}
		return false
	}
	for _, r := range v.rows(seen) {
		if r.Name == "seen-on-lo.test" && (r.Version != "TLS 1.2" || r.Reason != "no_secret") {
			t.Errorf("the row is %+v", r)
		}
	}
}
