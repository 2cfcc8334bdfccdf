package vhttp_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/trace"
)

// trap is a Config's Trace that panics at the nth record of application data in a direction, or at
// the nth alert. It does nothing while left is 0.
type trap struct {
	direction trace.Direction
	alerts    bool
	left      atomic.Int32
}

func (p *trap) Put(e trace.Entry) {
	r, ok := e.Event.(*trace.Record)
	if !ok || r.Direction != p.direction || r.ContentType != p.of() {
		return
	}
	if p.left.Add(-1) == 0 {
		panic("the trap was sprung")
	}
}

func (p *trap) of() iana.ContentType {
	if p.alerts {
		return iana.RecordAlert
	}
	return iana.RecordApplicationData
}

// attempt sends a request, and more after it, and waits for the end of the connection.
func attempt(t *testing.T, url, protocol string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if protocol == "h2" {
		req, _ := http.NewRequestWithContext(ctx, "GET", url+"/wait", nil)
		if res, err := transport(t, only("h2")).RoundTrip(req); err == nil {
			io.Copy(io.Discard, res.Body)
			res.Body.Close()
		}
	} else {
		addr := strings.TrimPrefix(url, "https://")
		c, err := vitrine.Dial("tcp", addr, clientConfig(only("http/1.1")))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(patience))
		fmt.Fprint(c, "GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n")
		fmt.Fprint(c, "GET /ahead HTTP/1.1\r\nHost: localhost\r\n\r\n")
		io.Copy(io.Discard, c)
	}
	if ctx.Err() != nil {
		t.Error("the connection goes on after the panic")
	}
}

// atTheClose is a case of the next test: the server's close_notify.
const atTheClose = "closing"

// net/http and x/net/http2 read and write in goroutines of their own, in which nobody recovers:
// reading ahead while a handler runs, reading and writing frames.
func TestAPanicOfOneConnectionEndsThatConnectionAlone(t *testing.T) {
	rig.EachVersion(t, testAPanicOfOneConnectionEndsThatConnectionAlone)
}

func testAPanicOfOneConnectionEndsThatConnectionAlone(t *testing.T, version func(*vitrine.Config)) {
	for _, c := range []struct {
		name, protocol string
		direction      trace.Direction
		nth            int32 // 0: the first that is written when the handler has begun
	}{
		{"reading a request", "http/1.1", trace.Opened, 1},
		{"reading ahead", "http/1.1", trace.Opened, 2},
		{"writing a response", "http/1.1", trace.Sealed, 1},
		{"reading the preface", "h2", trace.Opened, 1},
		{"reading a frame", "h2", trace.Opened, 2},
		{"writing the first frame", "h2", trace.Sealed, 1},
		{"writing a response", "h2", trace.Sealed, 0},
		{atTheClose, "http/1.1", trace.Sealed, 1},
	} {
		t.Run(c.protocol+", "+c.name, func(t *testing.T) {
			var told logged
			sink := &trap{direction: c.direction, alerts: c.name == atTheClose}
			sink.left.Store(c.nth)
			s := &http.Server{ErrorLog: log.New(&told, "", 0), IdleTimeout: patience / 4}
			s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/wait" && c.name == "reading ahead" {
					<-r.Context().Done()
				}
				if r.URL.Path == "/wait" && c.nth == 0 {
					sink.left.Store(1)
				}
				if sink.alerts {
					w.Header().Set("Connection", "close")
				}
				fmt.Fprint(w, "served")
			})
			url := serve(t, s, serverConfig(version, func(c *vitrine.Config) { c.Trace = sink }))
			attempt(t, url, c.protocol)
			for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
				if strings.Contains(told.String(), "a bug: the trap was sprung") {
					break
				}
				if time.Now().After(end) {
					t.Fatalf("the log has no bug: %q", told.String())
				}
			}
			if n := len(told.String()); n > 8<<10 {
				t.Errorf("the log of one panic has %d bytes", n)
			}
			if _, body := fetch(t, transport(t), "GET", url, nil); body != "served" {
				t.Errorf("afterwards: %q", body)
			}
		})
	}
}

// A Transport dials, reads and writes in goroutines of net/http and x/net/http2, too: a panic there
// is an error of the request, and the program goes on.
func TestAPanicOfAClientsConnectionIsAnErrorOfTheRequest(t *testing.T) {
	url := serve(t, &http.Server{Handler: http.HandlerFunc(facts)}, serverConfig())
	for _, protocol := range []string{"http/1.1", "h2"} {
		for _, c := range []struct {
			name      string
			direction trace.Direction
			before    bool // it happens before the request comes to the connection
		}{{"reading", trace.Opened, false}, {"writing", trace.Sealed, false},
			{"reading, before the request", trace.Opened, true}} {
			if c.before && protocol == "http/1.1" { // HTTP/1.1 reads after a request
				continue
			}
			sink := &trap{direction: c.direction}
			sink.left.Store(1)
			rt := transport(t, only(protocol), func(c *vitrine.Config) { c.Trace = sink })
			body := strings.NewReader("body")
			ctx := t.Context()
			if c.before {
				ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
					GotConn: func(httptrace.GotConnInfo) {
						for sink.left.Load() > 0 {
							time.Sleep(time.Millisecond)
						}
						time.Sleep(50 * time.Millisecond) // x/net/http2 has noticed by then
					}})
			}
			req, _ := http.NewRequestWithContext(ctx, "POST", url, body)
			if res, err := rt.RoundTrip(req); err == nil {
				res.Body.Close()
				t.Errorf("%s, %s: the request succeeded", protocol, c.name)
			} else if !strings.Contains(err.Error(), "a bug: the trap was sprung") {
				t.Errorf("%s, %s: got %v", protocol, c.name, err)
			}
			if _, body := fetch(t, rt, "GET", url, nil); body == "" {
				t.Errorf("%s, %s: afterwards nothing is served", protocol, c.name)
			}
		}
		rt := transport(t, only(protocol), func(c *vitrine.Config) {
			c.VerifyConnection = func(vitrine.ConnectionState) error { panic("no answer today") }
		})
		req, _ := http.NewRequestWithContext(t.Context(), "GET", url, nil)
		if _, err := rt.RoundTrip(req); err == nil ||
			!strings.Contains(err.Error(), "a bug: no answer today") {
			t.Errorf("%s, a callback: got %v", protocol, err)
		}
	}
}

func TestAPanicOfACallbackIsAFailedHandshake(t *testing.T) {
	rig.EachVersion(t, testAPanicOfACallbackIsAFailedHandshake)
}

func testAPanicOfACallbackIsAFailedHandshake(t *testing.T, version func(*vitrine.Config)) {
	var told logged
	var calm atomic.Bool
	s := &http.Server{ErrorLog: log.New(&told, "", 0), Handler: http.HandlerFunc(facts)}
	url := serve(t, s, serverConfig(version, func(c *vitrine.Config) {
		c.GetConfigForClient = func(*vitrine.ClientHelloInfo) (*vitrine.Config, error) {
			if !calm.Load() {
				panic("no Config today")
			}
			return nil, nil
		}
	}))
	addr := strings.TrimPrefix(url, "https://")
	if c, err := vitrine.Dial("tcp", addr, clientConfig()); err == nil {
		c.Close()
		t.Error("the handshake succeeded")
	}
	eventually(t, "the log", func() bool {
		return strings.Contains(told.String(), "a bug: no Config today")
	})
	if n := len(told.String()); n > 8<<10 {
		t.Errorf("the log of one panic has %d bytes", n)
	}
	calm.Store(true)
	if _, body := fetch(t, transport(t), "GET", url, nil); !strings.HasPrefix(body, "HTTP/2.0") {
		t.Error(body)
	}
}
