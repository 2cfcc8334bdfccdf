//go:build unix

package socket

import (
	"io"
	"net"
	"os"
	"syscall"
)

// A system reads from a socket of the operating system.
type system struct {
	conn net.Conn
	raw  syscall.RawConn
	try  func(fd uintptr) bool // s.attempt, made once

	room Room // of the read that waits
	n    int
	err  error
}

// ofSystem returns the Reader of the operating system's socket, or nil if conn is of another kind.
func ofSystem(conn net.Conn) Reader {
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
	s := &system{conn: conn, raw: raw}
	s.try = s.attempt
	return s
}

// ReadInto is conn.Read into room.
func (s *system) ReadInto(room Room) (int, error) {
	s.room, s.n, s.err = room, 0, nil
	err := s.raw.Read(s.try)
	s.room = nil
	if err != nil || s.err != nil {
		return 0, s.failed(err)
	}
	if s.n == 0 {
		return 0, io.EOF
	}
	return s.n, nil
}

// failed returns the error that conn.Read returns. waiting is that of the wait, if it failed:
// the connection is closed, or the deadline has passed.
func (s *system) failed(waiting error) error {
	err := waiting
	if op, ok := waiting.(*net.OpError); ok {
		err = op.Err
	} else if waiting == nil {
		err = os.NewSyscallError("read", s.err)
	}
	local, remote := s.conn.LocalAddr(), s.conn.RemoteAddr()
	return &net.OpError{Op: "read", Net: local.Network(), Source: local, Addr: remote, Err: err}
}

// attempt reads what has come. It reports false, and gives the buffer back, if nothing has: it is
// called again when something has.
func (s *system) attempt(fd uintptr) bool {
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
