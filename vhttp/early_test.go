package vhttp

//lint:file-ignore SA1019 net/http, which replaces x/net/http2, takes only crypto/tls's connections.

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/session"
	h2 "golang.org/x/net/http2"
)

// earlyServer serves, with early data if max is above 0. What each request was is a line of log.
type earlyServer struct {
	config *vitrine.Config
	url    string
	addr   string

	// connections that are accepted now read only their first flight, before this many Writes
	held atomic.Int32
	free chan struct{} // of the last one: closed when it may read on

	mu  sync.Mutex
	log []string
	say func(w http.ResponseWriter, r *http.Request)
}

// holding makes sure that requests are served before the client's Finished can have come.
type holding struct {
	net.Listener
	server *earlyServer
}

func (h *holding) Accept() (net.Conn, error) {
	c, err := h.Listener.Accept()
	if err != nil || h.server.held.Load() == 0 {
		return c, err
	}
	h.server.free = make(chan struct{})
	k := &heldConn{Conn: c, free: h.server.free}
	k.left.Store(h.server.held.Load())
	return k, nil
}

type heldConn struct {
	net.Conn
	reads, left atomic.Int32
	free        chan struct{}
}

// Read lets two reads pass: the header of the first record, and the rest of the first flight.
func (k *heldConn) Read(p []byte) (int, error) {
	if k.reads.Add(1) > 2 {
		<-k.free
	}
	return k.Conn.Read(p)
}

func (k *heldConn) Write(p []byte) (int, error) {
	n, err := k.Conn.Write(p)
	if k.left.Add(-1) == 0 {
		close(k.free)
	}
	return n, err
}

func newEarlyServer(t *testing.T, protocols ...string) *earlyServer {
	t.Helper()
	s := &earlyServer{say: func(http.ResponseWriter, *http.Request) {}}
	s.config = rig.ServerConfig(t, func(c *vitrine.Config) {
		c.MinVersion, c.MaxVersion = vitrine.VersionTLS13, vitrine.VersionTLS13
		c.SessionStore, c.MaxEarlyData = session.NewMemory(100), 4000
		c.NextProtos = protocols
		c.Time = func() time.Time { return time.Now().Add(-time.Hour) }
	})
	a, b := net.Pipe()
	a.Close()
	vitrine.Server(b, s.config).Handshake() // the first use: later the server is not new any more
	s.config.Time = nil
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := NewListener(&holding{inner, s}, s.config)
	server := &http.Server{ErrorLog: nil, Handler: http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			s.mu.Lock()
			s.log = append(s.log, fmt.Sprintf("%s %s early=%q", r.Method, r.URL.Path,
				r.Header.Get("Early-Data")))
			s.mu.Unlock()
			s.say(w, r)
			fmt.Fprintf(w, "answer to %s", r.URL.Path)
		})}
	go Serve(l, server)
	t.Cleanup(func() { server.Close() })
	s.addr = l.Addr().String()
	s.url = "https://" + s.addr
	return s
}

// wants compares the log with what is expected, and empties it.
func (s *earlyServer) wants(t *testing.T, lines ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if got, want := strings.Join(s.log, "; "), strings.Join(lines, "; "); got != want {
		t.Errorf("the server's requests: %s\nexpected: %s", got, want)
	}
	s.log = nil
}

// earlyTransport is a Transport with a ticket of the server, of a connection that has ended.
func (s *earlyServer) transport(t *testing.T) *Transport {
	t.Helper()
	tr := NewTransport(rig.ClientConfig(func(c *vitrine.Config) {
		c.MinVersion, c.MaxVersion = vitrine.VersionTLS13, vitrine.VersionTLS13
		c.ClientSessionCache = vitrine.NewLRUClientSessionCache(0)
	}))
	tr.EarlyData = true
	t.Cleanup(tr.CloseIdleConnections)
	s.get(t, tr, http.MethodGet, "/first", nil)
	tr.CloseIdleConnections()
	s.wants(t, `GET /first early=""`)
	s.held.Store(2) // our flight, and the answer
	return tr
}

func (s *earlyServer) get(t *testing.T, tr *Transport, method, path string,
	body io.Reader) *http.Response {
	t.Helper()
	req, err := http.NewRequest(method, s.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	res, err := (&http.Client{Transport: tr, Timeout: rig.Patience}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, err := io.ReadAll(res.Body); err != nil || res.StatusCode == 200 && len(b) > 0 &&
		string(b) != "answer to "+path {
		t.Errorf("got %q, %v", b, err)
	}
	return res
}

// RFC 8470 §4 and §5.1: a safe request goes as early data, once in a connection, and the handler is
// told; another method waits for the handshake.
func TestSafeRequestsGoAsEarlyData(t *testing.T) {
	s := newEarlyServer(t, "http/1.1")
	tr := s.transport(t)
	if res := s.get(t, tr, http.MethodGet, "/a", nil); !res.TLS.DidResume ||
		!res.TLS.HandshakeComplete {
		t.Errorf("%+v", res.TLS)
	}
	s.wants(t, `GET /a early="1"`)
	s.get(t, tr, http.MethodGet, "/b", nil)
	s.wants(t, `GET /b early=""`) // in the same connection
	tr.CloseIdleConnections()
	s.held.Store(0)
	s.get(t, tr, http.MethodPost, "/c", strings.NewReader("body"))
	s.wants(t, `POST /c early=""`)
	tr.CloseIdleConnections()
	s.held.Store(2)
	s.get(t, tr, http.MethodHead, "/d", nil)
	s.wants(t, `HEAD /d early="1"`)
	tr.CloseIdleConnections()
	tr.EarlyData = false
	s.held.Store(0)
	s.get(t, tr, http.MethodGet, "/e", nil)
	s.wants(t, `GET /e early=""`)
}

// What the server has rejected it has not read: it is sent again, and served once.
func TestRejectedRequestsAreServedOnce(t *testing.T) {
	s := newEarlyServer(t, "http/1.1")
	tr := s.transport(t)
	s.held.Store(0)
	*s.config.SessionStore.(*session.Memory) = *session.NewMemory(1)
	res := s.get(t, tr, http.MethodGet, "/a", nil)
	if !res.TLS.DidResume {
		t.Errorf("%+v", res.TLS)
	}
	s.wants(t, `GET /a early=""`)
}

// RFC 8470 §5.2: a client that is answered 425 asks again when the handshake is done, and only one
// whose request went as early data.
func TestTooEarlyIsAskedAgain(t *testing.T) {
	s := newEarlyServer(t, "http/1.1")
	tr := s.transport(t)
	always := false
	s.say = func(w http.ResponseWriter, r *http.Request) {
		if always || r.Header.Get("Early-Data") != "" {
			w.WriteHeader(http.StatusTooEarly)
		}
	}
	if res := s.get(t, tr, http.MethodGet, "/a", nil); res.StatusCode != http.StatusOK {
		t.Error(res.Status)
	}
	s.mu.Lock()
	if len(s.log) != 2 || !strings.HasPrefix(s.log[1], `GET /a early=""`) {
		t.Error(s.log)
	}
	s.log = nil
	always = true
	s.mu.Unlock()
	if res := s.get(t, tr, http.MethodGet, "/b", nil); res.StatusCode != http.StatusTooEarly {
		t.Error(res.Status)
	}
	if len(s.log) != 1 {
		t.Error(s.log)
	}
}

// early is a client's connection that sends its first Writes as early data, all at once, and reads
// nothing before.
type early struct {
	*vitrine.Conn
	left  atomic.Int32 // Writes to come before reading
	ahead []byte       // what they wrote
	read  chan struct{}
}

func (e *early) Write(p []byte) (int, error) {
	left := e.left.Add(-1)
	if left < 0 {
		return e.Conn.Write(p)
	}
	if e.ahead = append(e.ahead, p...); left > 0 {
		return len(p), nil
	}
	defer close(e.read)
	_, err := e.Conn.WriteEarly(e.ahead)
	return len(p), err
}

func (e *early) Read(p []byte) (int, error) {
	<-e.read
	return e.Conn.Read(p)
}

// dial makes a connection with a ticket of the server that sends its first writes as early data.
func (s *earlyServer) dial(t *testing.T, writes int32, protocol string) *early {
	t.Helper()
	held := s.held.Swap(0)
	config := rig.ClientConfig(func(c *vitrine.Config) {
		c.MinVersion, c.MaxVersion = vitrine.VersionTLS13, vitrine.VersionTLS13
		c.ClientSessionCache = vitrine.NewLRUClientSessionCache(0)
		c.NextProtos = []string{protocol}
	})
	open := func() *vitrine.Conn {
		raw, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		raw.SetDeadline(rig.Deadline())
		t.Cleanup(func() { raw.Close() })
		return vitrine.Client(raw, config)
	}
	first := open()
	if protocol == http2 { // whose server speaks first
		if _, err := first.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	} else {
		fmt.Fprint(first, "GET /first HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if _, err := io.ReadAll(first); err != nil {
			t.Fatal(err)
		}
		s.wants(t, `GET /first early=""`)
	}
	s.held.Store(held)
	e := &early{Conn: open(), read: make(chan struct{})}
	e.left.Store(writes)
	return e
}

// RFC 8470 §5.2: a server refuses what may change something, and the connection goes on.
func TestUnsafeRequestsAreTooEarly(t *testing.T) {
	s := newEarlyServer(t, "http/1.1")
	s.held.Store(2)
	c := s.dial(t, 1, http1)
	for _, want := range []string{"HTTP/1.1 425 ", "HTTP/1.1 200 "} {
		if _, err := io.WriteString(c, "DELETE /a HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 4000)
		if n, err := c.Read(b); err != nil || !strings.HasPrefix(string(b[:n]), want) {
			t.Fatalf("got %q, %v", b[:n], err)
		}
		if c.left.Store(-1); c.ConnectionState().EarlyData != vitrine.EarlyDataAccepted {
			t.Error("no early data was accepted")
		}
	}
	s.wants(t, `DELETE /a early=""`)
}

// HTTP/2's server reads its preface and a request as early data.
func TestHTTP2GoesOverEarlyData(t *testing.T) {
	s := newEarlyServer(t, "h2")
	s.held.Store(1 << 30) // the handler lets go
	s.say = func(http.ResponseWriter, *http.Request) { close(s.free) }
	c := s.dial(t, 2, http2)
	cc, err := (&h2.Transport{}).NewClientConn(c)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodGet, s.url+"/a", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := cc.RoundTrip(req)
	if err != nil || res.StatusCode != http.StatusOK ||
		c.ConnectionState().EarlyData != vitrine.EarlyDataAccepted {
		t.Fatalf("%v, %v, %v", res, err, c.ConnectionState().EarlyData)
	}
	res.Body.Close()
	s.wants(t, `GET /a early="1"`)
}
