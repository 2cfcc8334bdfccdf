package vhttp

import (
	"errors"
	"log"
	"net/http"
	"sync/atomic"

	"github.com/vitrine-tls/vitrine/internal/bug"
)

// served is a connection of a server whose handshake is done. net/http and x/net/http2 read and
// write in goroutines of their own, where a panic would end the program: here it ends the
// connection.
type served struct {
	stated
	server *http.Server
	early  atomic.Bool // it began with early data, and the handshake is not done
	broken atomic.Bool // after a panic: locks may be held, so that only the socket can be used
}

// Read reads application data.
func (s *served) Read(p []byte) (n int, err error) {
	defer func() {
		if failed := bug.From(recover()); failed != nil {
			n, err = 0, s.fail(failed)
		}
	}()
	return s.read(p)
}

// Write writes application data.
func (s *served) Write(p []byte) (n int, err error) {
	defer func() {
		if failed := bug.From(recover()); failed != nil {
			n, err = 0, s.fail(failed)
		}
	}()
	return s.write(p)
}

// Close closes the connection.
func (s *served) Close() error {
	if s.broken.Load() {
		return s.NetConn().Close()
	}
	err := s.stated.Close()
	if failed, ok := errors.AsType[*bug.Error](err); ok {
		return s.fail(failed)
	}
	return err
}

// fail ends a connection after a panic.
func (s *served) fail(err error) error {
	s.broken.Store(true)
	logf(s.server, "http: TLS error from %v: %v", s.RemoteAddr(), err)
	s.NetConn().Close()
	return err
}

// logf writes to the server's log.
func logf(s *http.Server, format string, args ...any) {
	if s.ErrorLog != nil {
		s.ErrorLog.Printf(format, args...)
	} else {
		log.Printf(format, args...)
	}
}
