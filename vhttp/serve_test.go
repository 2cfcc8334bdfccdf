package vhttp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/vhttp"
)

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("waited too long for " + what)
		}
	}
}

func TestShutdownWaitsForRequestsAndTakesNoMore(t *testing.T) {
	rig.EachVersion(t, testShutdownWaitsForRequestsAndTakesNoMore)
}

func testShutdownWaitsForRequestsAndTakesNoMore(t *testing.T, version func(*vitrine.Config)) {
	for _, protocol := range []string{"h2", "http/1.1"} {
		t.Run(protocol, func(t *testing.T) {
			begun, finish := make(chan struct{}), make(chan struct{})
			s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter,
				r *http.Request) {
				if r.URL.Path == "/slow" {
					close(begun)
					<-finish
				}
				fmt.Fprint(w, "done")
			})}
			url := serve(t, s, serverConfig(version))
			slow, idle := transport(t, only(protocol)), transport(t, only(protocol))
			fetch(t, idle, "GET", url, nil) // this one's connection has nothing to wait for
			answer := make(chan string, 1)
			go func() {
				_, body := fetch(t, slow, "GET", url+"/slow", nil)
				answer <- body
			}()
			<-begun
			hurried, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			if err := s.Shutdown(hurried); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("with a request in flight and no time, Shutdown says %v", err)
			}
			down := make(chan error, 1)
			go func() { down <- s.Shutdown(t.Context()) }()
			select {
			case err := <-down:
				t.Fatalf("Shutdown did not wait for the request: %v", err)
			case <-time.After(100 * time.Millisecond):
			}
			close(finish)
			if got := <-answer; got != "done" {
				t.Errorf("the request in flight got %q", got)
			}
			select {
			case err := <-down:
				if err != nil {
					t.Error(err)
				}
			case <-time.After(patience):
				t.Error("Shutdown does not end, though nothing is in flight")
			}
			if _, err := net.Dial("tcp", strings.TrimPrefix(url, "https://")); err == nil {
				t.Error("the server still listens")
			}
		})
	}
}

func TestCloseCutsRequestsInFlight(t *testing.T) {
	rig.EachVersion(t, testCloseCutsRequestsInFlight)
}

func testCloseCutsRequestsInFlight(t *testing.T, version func(*vitrine.Config)) {
	for _, protocol := range []string{"h2", "http/1.1"} {
		begun := make(chan struct{})
		s := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(begun)
			<-r.Context().Done() // which a cut connection ends
		})}
		url := serve(t, s, serverConfig(version))
		failed := make(chan error, 1)
		go func() {
			req, _ := http.NewRequestWithContext(t.Context(), "GET", url, nil)
			_, err := transport(t, only(protocol)).RoundTrip(req)
			failed <- err
		}()
		<-begun
		s.Close()
		select {
		case err := <-failed:
			if err == nil {
				t.Errorf("%s: the request was answered", protocol)
			}
		case <-time.After(patience):
			t.Errorf("%s: the request goes on after Close", protocol)
		}
	}
}

type key string

func TestTheServersHooksAreHonoured(t *testing.T) {
	rig.EachVersion(t, testTheServersHooksAreHonoured)
}

func testTheServersHooksAreHonoured(t *testing.T, version func(*vitrine.Config)) {
	for _, protocol := range []string{"h2", "http/1.1"} {
		t.Run(protocol, func(t *testing.T) {
			var mu sync.Mutex
			var states []http.ConnState
			var conns = map[net.Conn]bool{}
			s := &http.Server{
				BaseContext: func(net.Listener) context.Context {
					return context.WithValue(context.Background(), key("base"), "b")
				},
				ConnContext: func(ctx context.Context, c net.Conn) context.Context {
					return context.WithValue(ctx, key("conn"), c.(*vitrine.Conn))
				},
				ConnState: func(c net.Conn, s http.ConnState) {
					mu.Lock()
					defer mu.Unlock()
					conns[c] = true
					states = append(states, s)
				},
				ReadTimeout: time.Minute, WriteTimeout: time.Minute,
			}
			s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Context().Value(key("base")) != "b" ||
					r.Context().Value(key("conn")) != vhttp.Conn(r) {
					t.Error("BaseContext or ConnContext was not asked")
				}
				if r.Context().Value(http.ServerContextKey) != s ||
					r.Context().Value(http.LocalAddrContextKey) == nil {
					t.Error("the context has neither server nor address")
				}
			})
			asked := make(chan any, 1)
			url := serve(t, s, serverConfig(version, func(c *vitrine.Config) {
				c.GetConfigForClient = func(i *vitrine.ClientHelloInfo) (*vitrine.Config, error) {
					asked <- i.Context().Value(key("base"))
					return nil, nil
				}
			}))
			rt := transport(t, only(protocol))
			fetch(t, rt, "GET", url, nil)
			if got := <-asked; got != "b" {
				t.Errorf("the handshake's context has %v of BaseContext", got)
			}
			rt.CloseIdleConnections()
			eventually(t, "StateClosed", func() bool {
				mu.Lock()
				defer mu.Unlock()
				return states[len(states)-1] == http.StateClosed
			})
			mu.Lock()
			defer mu.Unlock()
			if states[0] != http.StateNew || len(conns) != 1 {
				t.Errorf("%v of %d connections", states, len(conns))
			}
		})
	}
}

func TestAHandshakeHasTheServersTime(t *testing.T) {
	var told logged
	s := &http.Server{ReadHeaderTimeout: 100 * time.Millisecond, ReadTimeout: time.Hour,
		ErrorLog: log.New(&told, "", 0)}
	url := serve(t, s, serverConfig())
	c, err := net.Dial("tcp", strings.TrimPrefix(url, "https://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetReadDeadline(time.Now().Add(patience))
	if n, err := io.Copy(io.Discard, c); n != 0 || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a silent client got %d bytes, %v", n, err)
	}
	eventually(t, "the log",
		func() bool {
			return strings.Contains(told.String(), "http: TLS handshake error from "+
				"127.0.0.1")
		})
}

// A connection that stalls must not keep others waiting: each shakes hands by itself.
func TestAStalledHandshakeHoldsNobodyUp(t *testing.T) {
	rig.EachVersion(t, testAStalledHandshakeHoldsNobodyUp)
}

func testAStalledHandshakeHoldsNobodyUp(t *testing.T, version func(*vitrine.Config)) {
	url := serve(t, &http.Server{Handler: http.HandlerFunc(facts)}, serverConfig(version))
	for range 5 {
		c, err := net.Dial("tcp", strings.TrimPrefix(url, "https://"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	if _, body := fetch(t, transport(t), "GET", url, nil); !strings.HasPrefix(body, "HTTP/2.0") {
		t.Error(body)
	}
}

// One server may serve several listeners at once, and other connections beside.
func TestOneServerServesSeveralListeners(t *testing.T) {
	rig.EachVersion(t, testOneServerServesSeveralListeners)
}

func testOneServerServesSeveralListeners(t *testing.T, version func(*vitrine.Config)) {
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %v", r.Proto, vhttp.Conn(r) != nil)
	})}
	a, b := serve(t, s, serverConfig(version)), serve(t, s, serverConfig(version, only("http/1.1")))
	rt := transport(t)
	for url, want := range map[string]string{a: "HTTP/2.0 true", b: "HTTP/1.1 true"} {
		if _, body := fetch(t, rt, "GET", url, nil); body != want {
			t.Errorf("got %q, expected %q", body, want)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(l)
	if _, body := fetch(t, rt, "GET", "http://"+l.Addr().String(), nil); body != "HTTP/1.1 false" {
		t.Errorf("without TLS: %q", body)
	}
}

// The preface of HTTP/2 is a request that any client can write: in HTTP/1.1 it opens nothing.
func TestThePrefaceIsNoWayIntoHTTP2(t *testing.T) {
	rig.EachVersion(t, testThePrefaceIsNoWayIntoHTTP2)
}

func testThePrefaceIsNoWayIntoHTTP2(t *testing.T, version func(*vitrine.Config)) {
	url := serve(t, &http.Server{Handler: http.HandlerFunc(facts)}, serverConfig(version))
	c, err := vitrine.Dial("tcp", strings.TrimPrefix(url, "https://"), clientConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	fmt.Fprint(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
	got, _ := io.ReadAll(c)
	if !strings.HasPrefix(string(got), "HTTP/1.1 200 OK") ||
		!strings.Contains(string(got), "HTTP/2.0 TLS_") {
		t.Errorf("got %q, expected the program's handler to have it", got)
	}
}

// What a GetConfigForClient offers is seen when it was agreed on, and no sooner.
func TestAnUnsupportedProtocolEndsTheConnection(t *testing.T) {
	rig.EachVersion(t, testAProtocolThatNobodySpeaksEndsTheConnection)
}

func testAProtocolThatNobodySpeaksEndsTheConnection(t *testing.T, version func(*vitrine.Config)) {
	var told logged
	s := &http.Server{ErrorLog: log.New(&told, "", 0),
		Handler: http.HandlerFunc(func(http.ResponseWriter,
			*http.Request) {
			t.Error("a request was served")
		})}
	url := serve(t, s, serverConfig(version, func(c *vitrine.Config) {
		c.GetConfigForClient = func(*vitrine.ClientHelloInfo) (*vitrine.Config,
			error) {
			return serverConfig(version, only("imap")), nil
		}
	}))
	c, err := vitrine.Dial("tcp", strings.TrimPrefix(url, "https://"), clientConfig(only("imap")))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if got, _ := io.ReadAll(c); len(got) > 0 {
		t.Errorf("got %q", got)
	}
	eventually(t, "the log",
		func() bool { return strings.Contains(told.String(), `negotiated "imap"`) })
}
