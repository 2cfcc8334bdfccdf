package capture

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
)

// Tap returns a connection that works as conn does and records it in w, with the addresses of conn.
// me is the side that uses it. Tap one of the two sides only. See Conversation.
func Tap(conn net.Conn, w *Writer, me iana.Side) *TappedConn {
	mine, theirs := addrPort(conn.LocalAddr()), addrPort(conn.RemoteAddr())
	t := &TappedConn{Conn: conn, me: me}
	if me == iana.Client {
		t.out = w.Connection(mine, theirs)
	} else {
		t.out = w.Connection(theirs, mine)
	}
	return t
}

// TappedConn is a connection that is recorded. An error of the Writer does not affect the
// connection: see Err.
type TappedConn struct {
	net.Conn
	me  iana.Side
	out *Conversation

	write sync.Mutex // keeps the order of recording and sending the same
	mu    sync.Mutex
	err   error
}

// Read reads from the connection and records what it read.
func (t *TappedConn) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	if n > 0 {
		t.note(t.out.Send(t.me.Peer(), time.Time{}, p[:n]))
	}
	if errors.Is(err, io.EOF) {
		t.note(t.out.Finish(t.me.Peer(), time.Time{}))
	}
	return n, err
}

// Write records p and then sends it, so that no answer is recorded before it. If sending fails, the
// capture has bytes that the peer may not have.
func (t *TappedConn) Write(p []byte) (int, error) {
	t.write.Lock()
	defer t.write.Unlock()
	t.note(t.out.Send(t.me, time.Time{}, p))
	return t.Conn.Write(p)
}

// CloseWrite closes the sending direction. It returns errors.ErrUnsupported if the connection
// cannot.
func (t *TappedConn) CloseWrite() error {
	half, ok := t.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	t.note(t.out.Finish(t.me, time.Time{}))
	return half.CloseWrite()
}

// Close closes the connection.
func (t *TappedConn) Close() error {
	t.note(t.out.Close())
	return t.Conn.Close()
}

// Err returns the first error of recording.
func (t *TappedConn) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

func (t *TappedConn) note(err error) {
	if err == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil {
		t.err = err
	}
}

// addrPort returns an invalid address for those that TCP does not have, such as a net.Pipe's.
func addrPort(a net.Addr) netip.AddrPort {
	if t, ok := a.(*net.TCPAddr); ok {
		return t.AddrPort()
	}
	return netip.AddrPort{}
}
