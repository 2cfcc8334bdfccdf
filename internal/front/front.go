// Package front is a TLS server for whoever comes: it lets connections in, bounds what those may cost that have not shaken hands yet,
// tells HTTP clients that forgot the s what they forgot, and hands the rest to what the server is for.
package front

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/diagnose"
)

// Server accepts connections, shakes hands and hands over. All fields are set before Serve.
type Server struct {
	Config   func(net.Conn) *vitrine.Config // of this connection
	Use      func(context.Context, *vitrine.Conn)
	Report   func(Visit)
	MaxConns int           // all together; when there are more, the one that has been shaking hands for the longest goes
	Patience time.Duration // for a handshake

	mu      sync.Mutex
	guests  map[*guest]bool
	waiting []*guest // those that have not shaken hands, the oldest first
	weight  int      // what the waiting ones may cost, in bytes
	all     sync.WaitGroup
}

// Visit is what became of a connection's handshake.
type Visit struct {
	At     time.Time
	Remote net.Addr
	Took   time.Duration
	State  vitrine.ConnectionState // if Err is nil
	Plain  bool                    // the client spoke HTTP in the clear
	Err    error
	First  []byte // how the client began
}

// The bounds of what those may cost together that have not shaken hands. A connection that says nothing costs about 20 KiB
// (measured); one that sends costs what it has sent.
const (
	idleWeight = 20 << 10
	maxWeight  = 60 << 20
)

// Errors of connections that were sent away.
var (
	ErrFull  = errors.New("front: no place left: --max-conns connections are open")
	ErrRoom  = errors.New("front: sent away to make room for others: it had been shaking hands for the longest time")
	errPlain = errors.New("front: the client speaks HTTP without TLS")
)

// Serve accepts from l until ctx ends; then it waits for those who are in, for at most grace, and sends the rest away. Its error is the
// listener's, and nil after ctx.
func (s *Server) Serve(ctx context.Context, l net.Listener, grace time.Duration) error {
	s.mu.Lock()
	s.guests = map[*guest]bool{}
	s.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	var err error
	for delay := time.Millisecond; ; {
		var conn net.Conn
		if conn, err = l.Accept(); err == nil {
			delay = time.Millisecond
			s.enter(ctx, conn)
			continue
		}
		if e, ok := errors.AsType[net.Error](err); ctx.Err() != nil || !ok || errors.Is(err, net.ErrClosed) || !passing(e) {
			break
		}
		time.Sleep(delay) // too many open files: they close again
		delay = min(2*delay, time.Second)
	}
	s.leave(grace)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// leave waits for those who are in.
func (s *Server) leave(grace time.Duration) {
	gone := make(chan struct{})
	go func() { s.all.Wait(); close(gone) }()
	select {
	case <-gone:
		return
	case <-time.After(grace):
	}
	s.mu.Lock()
	for g := range s.guests {
		g.Conn.Close()
	}
	s.mu.Unlock()
	<-gone
}

// enter lets a connection in, or not.
func (s *Server) enter(ctx context.Context, conn net.Conn) {
	g := &guest{Conn: conn, server: s, waits: true, closed: make(chan struct{})}
	s.mu.Lock()
	if len(s.guests) >= s.MaxConns && len(s.waiting) > 0 {
		s.sendAway(s.waiting[0])
	}
	full := len(s.guests) >= s.MaxConns
	if !full {
		s.guests[g] = true
		s.waiting = append(s.waiting, g)
		s.weigh(g, idleWeight)
	}
	s.mu.Unlock()
	if full {
		conn.Close()
		s.Report(Visit{At: time.Now(), Remote: conn.RemoteAddr(), Err: ErrFull})
		return
	}
	s.all.Add(1)
	go func() {
		defer s.all.Done()
		defer g.Close()
		s.welcome(ctx, g)
	}()
}

// welcome shakes hands and hands over.
func (s *Server) welcome(ctx context.Context, g *guest) {
	v := Visit{At: time.Now(), Remote: g.RemoteAddr()}
	conn := vitrine.Server(g, s.Config(g))
	g.SetDeadline(v.At.Add(s.Patience))
	v.Err = conn.HandshakeContext(ctx)
	g.SetDeadline(time.Time{})
	v.Took = time.Since(v.At)
	v.First, v.Plain = g.first, errors.Is(v.Err, errPlain)
	if g.dismissed() {
		v.Err = ErrRoom
	}
	if v.Err == nil {
		v.State = conn.ConnectionState()
		g.seated()
	}
	s.Report(v)
	switch {
	case v.Plain:
		g.sayPlain()
	case v.Err == nil:
		s.Use(ctx, conn)
	}
	conn.Close()
}

// sendAway closes a connection that has not shaken hands. It needs the lock.
func (s *Server) sendAway(g *guest) {
	g.away = true
	s.forget(g)
	delete(s.guests, g)
	g.Conn.Close()
}

// weigh adds to what a waiting connection costs, and sends away the oldest if all together cost too much. It needs the lock.
func (s *Server) weigh(g *guest, n int) {
	g.weight += n
	s.weight += n
	for s.weight > maxWeight && len(s.waiting) > 0 {
		s.sendAway(s.waiting[0])
	}
}

// forget takes a connection off the list of the waiting. It needs the lock.
func (s *Server) forget(g *guest) {
	if !g.waits {
		return
	}
	g.waits = false
	s.weight -= g.weight
	for i, other := range s.waiting {
		if other == g {
			s.waiting = append(s.waiting[:i], s.waiting[i+1:]...)
			return
		}
	}
}

func passing(e net.Error) bool {
	t, ok := e.(interface{ Temporary() bool })
	return ok && t.Temporary()
}

// guest is a connection while it is here.
type guest struct {
	net.Conn
	server *Server

	waits, away bool // guarded by the server's lock
	weight      int  // likewise

	first []byte // how it began; only the handshake's goroutine reads and writes it
	ahead []byte // of first, what was not read yet
	plain bool

	closed chan struct{}
	once   sync.Once
}

// sniffed is how many bytes tell HTTP from TLS: "OPTIONS /".
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
	return n, err
}

// sniff looks at the first bytes. What cannot begin a TLS record is read on until it can be told.
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
	g.server.mu.Lock()
	defer g.server.mu.Unlock()
	if g.waits && n > 0 {
		g.server.weigh(g, n)
	}
}

// Write says nothing to a client that would not understand it.
func (g *guest) Write(p []byte) (int, error) {
	if g.plain {
		return len(p), nil
	}
	return g.Conn.Write(p)
}

// sayPlain tells an HTTP client what is wrong. See RFC 9110 §15.5.1.
func (g *guest) sayPlain() {
	text := "This port speaks HTTPS, and you spoke plain HTTP to it: begin the URL with https://\n"
	g.Conn.SetDeadline(time.Now().Add(time.Second))
	fmt.Fprintf(g.Conn, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", len(text), text)
	g.CloseWrite()
	for buf, n := make([]byte, 4<<10), 0; n < 64<<10; { // unread bytes would make the close a reset
		m, err := g.Conn.Read(buf)
		if n += m; err != nil {
			break
		}
	}
}

// CloseWrite ends our direction.
func (g *guest) CloseWrite() error {
	if half, ok := g.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// Close lets it go.
func (g *guest) Close() error {
	s := g.server
	s.mu.Lock()
	s.forget(g)
	delete(s.guests, g)
	s.mu.Unlock()
	g.once.Do(func() { close(g.closed) })
	return g.Conn.Close()
}

func (g *guest) seated() {
	g.server.mu.Lock()
	defer g.server.mu.Unlock()
	g.server.forget(g)
}

func (g *guest) dismissed() bool {
	g.server.mu.Lock()
	defer g.server.mu.Unlock()
	return g.away
}
