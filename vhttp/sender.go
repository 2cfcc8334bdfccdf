package vhttp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"

	"github.com/vitrine-tls/vitrine"
)

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
