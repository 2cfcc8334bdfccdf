package vhttp

import (
	"errors"
	"io"
	"log"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/bug"
)

// served is a connection of a server whose handshake is done.
type served struct {
	stated
	server *http.Server
	told   sync.Once   // of a panic
	early  atomic.Bool // it began with early data, and the handshake is not done
}

// Read reads application data.
func (s *served) Read(p []byte) (n int, err error) {
	defer s.tell(&err)
	defer s.survive(&err)
	return s.read(p)
}

// Write writes application data.
func (s *served) Write(p []byte) (n int, err error) {
	defer s.tell(&err)
	defer s.survive(&err)
	return s.write(p)
}

// Close closes the connection.
func (s *served) Close() (err error) {
	defer s.tell(&err)
	return s.stated.Close()
}

// tell writes a panic to the server's log.
func (s *served) tell(err *error) {
	if failed, ok := errors.AsType[*bug.Error](*err); ok {
		s.told.Do(func() { logf(s.server, "http: TLS error from %v: %v", s.RemoteAddr(), failed) })
	}
}

// logf writes to the server's log.
func logf(s *http.Server, format string, args ...any) {
	if s.ErrorLog != nil {
		s.ErrorLog.Printf(format, args...)
	} else {
		log.Printf(format, args...)
	}
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
