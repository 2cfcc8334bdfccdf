package vhttp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/vitrine-tls/vitrine"
)

// HTTP over early data: RFC 8470. Early data may be a replay of an earlier request, so only safe
// methods are allowed in it.

// earlyData is the header that marks requests that arrived as early data. See RFC 8470 §5.1.
const earlyData = "Early-Data"

// safe reports whether a request with this method may go as early data. See RFC 8470 §4 and RFC
// 9110 §9.2.1.
func safe(method string) bool {
	return slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodOptions,
		http.MethodTrace}, method)
}

// shakeHands performs the handshake, or only its first part if early data has come.
func (c *conn) shakeHands(ctx context.Context) error {
	early, err := c.Conn.AwaitEarly(ctx)
	switch {
	case err != nil:
		return err
	case !early:
		return c.Conn.HandshakeContext(ctx)
	}
	c.early.Store(true)
	return nil
}

// read reads early data, and then data from after the handshake.
func (s *served) read(p []byte) (int, error) {
	if s.early.Load() && len(p) > 0 {
		if n, err := s.Conn.ReadEarly(p); n > 0 || err != io.EOF {
			return n, err
		}
		if err := s.Conn.Handshake(); err != nil {
			return 0, err
		}
		s.early.Store(false)
	}
	return s.Conn.Read(p)
}

// write writes before the handshake is done if the request came as early data, and otherwise after
// it.
func (s *served) write(p []byte) (int, error) {
	if s.early.Load() {
		n, err := s.Conn.WriteEarly(p)
		if !errors.Is(err, vitrine.ErrNoEarlyData) {
			return n, err
		}
	}
	return s.Conn.Write(p)
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

// withEarly marks the context of a request that may go as early data.
type withEarly struct{}

// sender is a client's connection of HTTP/1.1 whose first request goes as early data if it is safe.
// The handshake continues when the answer is read.
type sender struct {
	stated
	transport *Transport
	at        place
	wrote     chan struct{} // closed by the first Write, or by Close
	first     sync.Once
	sent      atomic.Pointer[[]byte] // as early data; nil: none

	shaking sync.Mutex
	shaken  bool
	failed  error
}

func newSender(c *vitrine.Conn, t *Transport, at place) *sender {
	return &sender{stated: stated{Conn: c}, transport: t, at: at, wrote: make(chan struct{})}
}

// Write sends the head of a request with a safe method as early data.
func (s *sender) Write(p []byte) (n int, err error) {
	defer s.survive(&err)
	early := false
	s.first.Do(func() {
		defer close(s.wrote)
		method, _, _ := bytes.Cut(p, []byte(" "))
		if !safe(string(method)) {
			return
		}
		if n, err = s.Conn.WriteEarly(p); errors.Is(err, vitrine.ErrNoEarlyData) {
			return // too long for the ticket
		}
		early = true
		copied := bytes.Clone(p)
		s.sent.Store(&copied)
	})
	if early {
		return n, err
	}
	if err := s.finish(); err != nil {
		return 0, err
	}
	return s.stated.Write(p)
}

// Read waits for the first request: net/http reads before it writes.
func (s *sender) Read(p []byte) (n int, err error) {
	defer s.survive(&err)
	<-s.wrote
	if err := s.finish(); err != nil {
		return 0, err
	}
	return s.stated.Read(p)
}

// Close also ends a Read that waits for the first request.
func (s *sender) Close() error {
	s.first.Do(func() { close(s.wrote) })
	return s.stated.Close()
}

// finish completes the handshake. If the server did not accept the early data, it has not read it,
// and finish sends it again.
func (s *sender) finish() error {
	s.shaking.Lock()
	defer s.shaking.Unlock()
	if s.shaken {
		return s.failed
	}
	s.shaken = true
	s.failed = s.transport.handshake(context.Background(), &s.stated)
	if !errors.Is(s.failed, vitrine.ErrEarlyDataRejected) {
		return s.failed
	}
	if s.failed = s.takeState(); s.failed == nil && s.http2() {
		s.at.protocol = http2 // the early data was for the other protocol
		s.failed = &otherError{s.at}
	}
	if s.failed == nil {
		_, s.failed = s.Conn.Write(*s.sent.Load())
	}
	return s.failed
}

// current returns the state of the connection after an answer has arrived.
func (s *sender) current() *stated {
	s.shaking.Lock()
	defer s.shaking.Unlock()
	return &s.stated
}

var _ net.Conn = (*sender)(nil)

// tooEarly reports whether a server answered 425 (Too Early) to a request that was sent as early
// data. The request is then sent again. See RFC 8470 §5.2.
func tooEarly(res *http.Response, c *httptrace.GotConnInfo) bool {
	s, ours := c.Conn.(*sender)
	return ours && !c.Reused && res.StatusCode == http.StatusTooEarly && s.sent.Load() != nil
}

// discard reads the rest of an answer, unless it is long, so that its connection can be reused.
func discard(res *http.Response) {
	_, _ = io.CopyN(io.Discard, res.Body, 64<<10)
	_ = res.Body.Close()
}
