package front

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/vitrine-tls/vitrine/diagnose"
	"github.com/vitrine-tls/vitrine/internal/socket"
	"github.com/vitrine-tls/vitrine/record"
)

// farewell is how long a connection that was idle for too long has to send close_notify.
const farewell = 5 * time.Second

// guest is an accepted connection.
type guest struct {
	net.Conn
	socket socket.Reader // of Conn, if it has one
	server *Server
	addr   string // as returned by AddressKey
	ctx    context.Context
	cancel context.CancelFunc
	came   time.Time // set by open

	waits, away bool // guarded by the server's lock
	weight      int  // likewise
	began       bool // likewise: the client has sent the header of a record
	sent        int  // likewise: how many bytes the client has sent, before it began

	first []byte // the first bytes; used by the goroutine of the handshake only
	ahead []byte // the part of first that was not read yet
	plain bool

	watch   *time.Timer  // nil without a limit for idle connections
	active  atomic.Int64 // time of the last byte in either direction, in Unix nanoseconds
	expired atomic.Bool  // it was idle for too long
	reset   atomic.Bool  // the client has reset it

	writing sync.Mutex
	until   time.Time // the deadline of SetWriteDeadline; guarded by writing

	closed chan struct{}
	once   sync.Once

	kept io.Closer // set by Keep; guarded by the server's lock
}

func newGuest(ctx context.Context, s *Server, conn net.Conn) *guest {
	g := &guest{
		Conn:   conn,
		socket: socket.Of(conn),
		server: s,
		addr:   AddressKey(conn.RemoteAddr()),
		closed: make(chan struct{}),
	}
	// ctx does not end with the server's, which grants some time
	g.ctx, g.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return g
}

// sniffed is the number of bytes that tell HTTP from TLS: the length of "OPTIONS /".
const sniffed = 9

func (g *guest) Read(p []byte) (int, error) {
	if g.first == nil {
		if err := g.sniff(); err != nil {
			return 0, err
		}
	}
	if len(g.ahead) > 0 {
		n := copy(p, g.ahead)
		g.ahead = g.ahead[n:]
		return n, nil
	}
	n, err := g.Conn.Read(p)
	g.received(n)
	g.note(err)
	return n, err
}

// ReadInto is Read into room, and needs no space in it while it waits.
func (g *guest) ReadInto(room socket.Room) (int, error) {
	if g.first == nil {
		if err := g.sniff(); err != nil {
			return 0, err
		}
	}
	if len(g.ahead) > 0 || g.socket == nil {
		return g.Read(room.Space())
	}
	n, err := g.socket.ReadInto(room)
	g.received(n)
	g.note(err)
	return n, err
}

// note remembers how the socket failed.
func (g *guest) note(err error) {
	if err != nil && (errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)) {
		g.reset.Store(true)
	}
}

// sniff reads the first bytes. If they cannot begin a TLS record, it reads until HTTP is recognized
// or excluded.
func (g *guest) sniff() error {
	var buf [sniffed]byte
	n, err := g.Conn.Read(buf[:])
	for err == nil && n < sniffed && buf[0] >= 'A' && buf[0] <= 'Z' {
		var more int
		more, err = g.Conn.Read(buf[n:])
		n += more
	}
	g.received(n)
	g.first, g.ahead = buf[:n:n], buf[:n:n]
	if diagnose.IsHTTP(g.first) {
		g.plain = true
		return errPlain
	}
	if n > 0 {
		return nil
	}
	return err
}

func (g *guest) received(n int) {
	if n == 0 {
		return
	}
	g.touch()
	g.server.mu.Lock()
	defer g.server.mu.Unlock()
	if !g.waits {
		return
	}
	weight := byteWeight * n
	if !g.began {
		if g.sent += n; g.sent >= record.HeaderLen {
			g.began = true
			weight += begunWeight
		}
	}
	g.server.weigh(g, weight)
}

// Write sends nothing to a client without TLS, and waits for a client no longer than the limit.
func (g *guest) Write(p []byte) (int, error) {
	if g.plain {
		return len(p), nil
	}
	if limit := g.server.Limits.Write; limit > 0 {
		g.writing.Lock()
		until := time.Now().Add(limit)
		if !g.until.IsZero() && g.until.Before(until) {
			until = g.until
		}
		g.Conn.SetWriteDeadline(until)
		g.writing.Unlock()
	}
	n, err := g.Conn.Write(p)
	if n > 0 {
		g.touch()
	}
	g.note(err)
	return n, err
}

// SetDeadline sets both deadlines.
func (g *guest) SetDeadline(t time.Time) error {
	return errors.Join(g.SetReadDeadline(t), g.SetWriteDeadline(t))
}

// SetReadDeadline sets the read deadline, unless the connection was idle for too long.
func (g *guest) SetReadDeadline(t time.Time) error {
	if g.expired.Load() {
		return os.ErrDeadlineExceeded
	}
	return g.Conn.SetReadDeadline(t)
}

// SetWriteDeadline sets the write deadline. The server's limit for writes holds as well.
func (g *guest) SetWriteDeadline(t time.Time) error {
	g.writing.Lock()
	defer g.writing.Unlock()
	g.until = t
	return g.Conn.SetWriteDeadline(t)
}

// seated marks the handshake as done. From now on the limit for idle connections holds.
func (g *guest) seated() {
	g.server.mu.Lock()
	defer g.server.mu.Unlock()
	g.server.forget(g)
	if g.server.Limits.Idle > 0 {
		g.touch()
		g.watch = time.AfterFunc(math.MaxInt64, g.look) // begins with Reset: look needs the timer
		g.watch.Reset(g.server.Limits.Idle)
	}
}

func (g *guest) touch() { g.active.Store(time.Now().UnixNano()) }

// look ends a connection that has been idle for too long: its next Read fails, so that its user
// sends close_notify. If the user waits for something else, the connection is cut.
func (g *guest) look() {
	idle := g.server.Limits.Idle
	if left := idle - time.Since(time.Unix(0, g.active.Load())); left > 0 {
		g.watch.Reset(left)
		return
	}
	g.expired.Store(true)
	g.Conn.SetReadDeadline(time.Unix(1, 0))
	time.AfterFunc(min(idle, farewell), func() { g.cut() })
}

// sayPlain answers an HTTP client without TLS. See RFC 9110 §15.5.1.
func (g *guest) sayPlain() {
	text := "This port speaks HTTPS, and you spoke plain HTTP to it: begin the URL with https://\n"
	g.Conn.SetDeadline(time.Now().Add(time.Second))
	fmt.Fprintf(g.Conn,
		"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: "+
			"%d\r\nConnection: close\r\n\r\n%s", len(text), text)
	g.CloseWrite()
	for buf, n := make([]byte, 4<<10), 0; n < 64<<10; { // unread bytes would make the close a reset
		m, err := g.Conn.Read(buf)
		if n += m; err != nil {
			break
		}
	}
}

// CloseWrite closes the sending direction.
func (g *guest) CloseWrite() error {
	if half, ok := g.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// Close closes the connection and frees its seat.
func (g *guest) Close() error {
	s := g.server
	s.mu.Lock()
	s.release(g)
	if g.watch != nil {
		g.watch.Stop()
	}
	s.mu.Unlock()
	g.once.Do(func() { close(g.closed) })
	g.drop()
	return g.cut()
}

// cut closes the connection, and ends its context for the goroutines that wait on the client's
// behalf.
func (g *guest) cut() error {
	g.cancel()
	return g.Conn.Close()
}

func (g *guest) dismissed() bool {
	g.server.mu.Lock()
	defer g.server.mu.Unlock()
	return g.away
}
