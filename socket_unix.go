//go:build unix

package vitrine

import (
	"io"
	"net"
	"os"
	"syscall"
)

// A socket reads from a connection of the operating system without a buffer to wait with: whoever
// waits in Read, as most of many connections do, then holds none, and nothing is read twice.
type socket struct {
	conn net.Conn
	raw  syscall.RawConn
	try  func(fd uintptr) bool // s.attempt, made once

	room buffer // of the read that waits
	n    int
	err  error
}

// socketOf returns the socket of conn, or nil if conn is of another kind. A type that embeds one of
// these two may read in its own way, and is of another kind.
func socketOf(conn net.Conn) *socket {
	var raw syscall.RawConn
	var err error
	switch c := conn.(type) {
	case *net.TCPConn:
		raw, err = c.SyscallConn()
	case *net.UnixConn:
		raw, err = c.SyscallConn()
	}
	if raw == nil || err != nil {
		return nil
	}
	s := &socket{conn: conn, raw: raw}
	s.try = s.attempt
	return s
}

// read is conn.Read into room.
func (s *socket) read(room buffer) (int, error) {
	s.room, s.n, s.err = room, 0, nil
	err := s.raw.Read(s.try)
	s.room = nil
	switch {
	case err != nil: // closed, or the deadline has passed
		if op, ok := err.(*net.OpError); ok {
			err = op.Err
		}
	case s.err != nil:
		err = os.NewSyscallError("read", s.err)
	case s.n == 0:
		return 0, io.EOF
	default:
		return s.n, nil
	}
	local, remote := s.conn.LocalAddr(), s.conn.RemoteAddr()
	return 0, &net.OpError{Op: "read", Net: local.Network(), Source: local, Addr: remote, Err: err}
}

// attempt reads what has come. It reports false, and gives the buffer back, if nothing has: it is
// called again when something has.
func (s *socket) attempt(fd uintptr) bool {
	into := s.room.Space()
	for {
		s.n, s.err = syscall.Read(int(fd), into)
		if s.err != syscall.EINTR {
			break
		}
	}
	if s.err == nil {
		return true
	}
	s.n = 0
	s.room.Drained()
	return s.err != syscall.EAGAIN
}
