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

// Tap gives a connection that does what conn does and writes it down in w, with the addresses of
// conn. me is the side that uses it; a tap on one of the two sides is enough. See Conversation.
func Tap(conn net.Conn, w *Writer, me iana.Side) *TappedConn {
	mine, theirs := addrPort(conn.LocalAddr()), addrPort(conn.RemoteAddr())
	t := &TappedConn{Conn: conn, me: me}
	if me == iana.Client {
		t.said = w.Connection(mine, theirs)
	} else {
		t.said = w.Connection(theirs, mine)
	}
	return t
}

// TappedConn is a connection that is written down. An error of the Writer does not stop the
// connection: see Err.
type TappedConn struct {
	net.Conn
	me   iana.Side
	said *Conversation

	write sync.Mutex // what is written down first is sent first
	mu    sync.Mutex
	err   error
}

// Read reads, and writes down what came.
func (t *TappedConn) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	if n > 0 {
		t.note(t.said.Say(t.me.Peer(), time.Time{}, p[:n]))
	}
	if errors.Is(err, io.EOF) {
		t.note(t.said.Finish(t.me.Peer(), time.Time{}))
	}
	return n, err
}

// Write writes p down, and then sends it: an answer must not stand before what it answers. If
// sending fails, the capture has bytes that the peer may not have.
func (t *TappedConn) Write(p []byte) (int, error) {
	t.write.Lock()
	defer t.write.Unlock()
	t.note(t.said.Say(t.me, time.Time{}, p))
	return t.Conn.Write(p)
}

// CloseWrite closes one direction, if the connection can.
func (t *TappedConn) CloseWrite() error {
	half, ok := t.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	t.note(t.said.Finish(t.me, time.Time{}))
	return half.CloseWrite()
}

// Close closes both.
func (t *TappedConn) Close() error {
	t.note(t.said.Close())
	return t.Conn.Close()
}

// Err is the first error of writing down.
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

// addrPort is invalid for addresses that TCP does not have, such as those of a net.Pipe.
func addrPort(a net.Addr) netip.AddrPort {
	if t, ok := a.(*net.TCPAddr); ok {
		return t.AddrPort()
	}
	return netip.AddrPort{}
}
