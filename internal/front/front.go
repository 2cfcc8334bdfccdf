// Package front is a TLS server for any client: it accepts connections, bounds what each of them
// and all together may cost, tells HTTP clients without TLS to use https, and passes the rest to
// what the server is for. A panic ends only the connection that caused it.
package front

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/bug"
)

// Server accepts connections, performs their handshakes and calls Use. All fields are set before
// Serve.
type Server struct {
	Config func(net.Conn) *vitrine.Config       // returns the Config of a connection
	Use    func(context.Context, *vitrine.Conn) // its context ends when the connection does
	Report func(Visit)                          // receives the result of each handshake
	// receives a panic that ended a connection; may be nil
	Bug    func(remote net.Addr, err error)
	Limits Limits
	Early  bool // Use reads early data, and may get a connection whose handshake is not done

	mu     sync.Mutex
	guests map[*guest]bool
	seats  seats
	all    sync.WaitGroup
}

// Limits bound what connections may cost. A time of 0 is no limit.
type Limits struct {
	// MaxConns is the number of connections at a time.
	MaxConns int
	// PerAddr is the number of connections of one address when at most a quarter of MaxConns is
	// left; 0 is an eighth of MaxConns, at least 8.
	PerAddr int
	// Handshake is how long a handshake may take.
	Handshake time.Duration
	// Idle is how long a connection may neither send nor receive a byte after its handshake.
	Idle time.Duration
	// Write is how long a write to the socket, of at most two records, may wait for the client.
	Write time.Duration
}

// Visit is the result of a connection's handshake.
type Visit struct {
	At     time.Time
	Remote net.Addr
	Took   time.Duration
	State  vitrine.ConnectionState // if Err is nil
	Plain  bool                    // the client spoke HTTP in the clear
	Err    error
	First  []byte   // the first bytes of the client
	Conn   net.Conn // for Kept; nil if it was refused at the door
}

// Errors of connections that were refused or closed before their handshake was done.
var (
	ErrFull  = errors.New("front: the maximum number of connections is open")
	ErrShare = errors.New("front: this address has its share of the connections, and few are left")
	ErrRoom  = errors.New("front: closed to make room for others: its handshake took the longest")
	errPlain = errors.New("front: the client speaks HTTP without TLS")
)

// Serve accepts connections from l until ctx ends. Then it waits for the open ones for at most
// grace, and closes the rest. It returns nil after the end of ctx, and otherwise the error of the
// listener.
func (s *Server) Serve(ctx context.Context, l net.Listener, grace time.Duration) error {
	s.mu.Lock()
	s.guests, s.seats = map[*guest]bool{}, newSeats(s.Limits.MaxConns, s.Limits.PerAddr)
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
		if e, ok := errors.AsType[net.Error](err); ctx.Err() != nil || !ok ||
			errors.Is(err, net.ErrClosed) || !passing(e) {
			break
		}
		time.Sleep(delay) // too many open files, for example, which others will close
		delay = min(2*delay, time.Second)
	}
	s.leave(grace)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// leave waits for the open connections, for at most grace, and closes the rest.
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
		g.cut()
	}
	s.mu.Unlock()
	<-gone
}

// enter serves a connection, or refuses it.
func (s *Server) enter(ctx context.Context, conn net.Conn) {
	g := newGuest(ctx, s, conn)
	s.mu.Lock()
	refused := s.admit(g)
	s.mu.Unlock()
	if refused != nil {
		g.cut()
		s.report(Visit{At: time.Now(), Remote: conn.RemoteAddr(), Err: refused})
		return
	}
	s.all.Add(1)
	go s.welcome(ctx, g)
}

// welcome performs the handshake and calls Use. Most of its life it waits for the client, and so
// its stack is kept small: what needs more of it is in functions of its own.
func (s *Server) welcome(ctx context.Context, g *guest) {
	defer s.farewell(g)
	conn := s.open(g)
	early, err := s.awaitEarly(ctx, conn)
	if err == nil && !early {
		err = conn.HandshakeContext(ctx)
	}
	switch err = s.visited(g, conn, err); {
	case errors.Is(err, errPlain):
		g.sayPlain()
	case err == nil:
		s.Use(g.ctx, conn)
	}
	conn.Close()
}

// open returns the connection of a guest, whose handshake has so long from now.
func (s *Server) open(g *guest) *vitrine.Conn {
	g.came = time.Now()
	if limit := s.Limits.Handshake; limit > 0 {
		g.SetDeadline(g.came.Add(limit))
	}
	return vitrine.Server(g, s.Config(g))
}

// awaitEarly reports whether a connection has early data for Use, if Use reads any.
func (s *Server) awaitEarly(ctx context.Context, conn *vitrine.Conn) (bool, error) {
	if !s.Early {
		return false, nil
	}
	return conn.AwaitEarly(ctx)
}

// farewell ends a connection, also after a panic, which it reports.
func (s *Server) farewell(g *guest) {
	defer s.all.Done()
	defer g.Close()
	s.tell(g.RemoteAddr(), bug.From(recover()))
}

// visited reports the result of a handshake, and returns it, or why the connection was closed.
func (s *Server) visited(g *guest, conn *vitrine.Conn, err error) error {
	g.SetDeadline(time.Time{})
	v := Visit{At: g.came, Took: time.Since(g.came), Remote: g.RemoteAddr(), Conn: g,
		First: g.first, Plain: errors.Is(err, errPlain), Err: err}
	if g.dismissed() {
		v.Err = ErrRoom
	}
	if v.Err == nil {
		v.State = conn.ConnectionState()
		g.seated()
	}
	s.report(v)
	return v.Err
}

// report calls Report and recovers its panics, since the goroutine that accepts connections calls
// it too.
func (s *Server) report(v Visit) {
	defer func() { s.tell(v.Remote, bug.From(recover())) }()
	s.Report(v)
}

// tell reports a panic to Bug, if there was one.
func (s *Server) tell(remote net.Addr, err error) {
	if err != nil && s.Bug != nil {
		s.Bug(remote, err)
	}
}

func passing(e net.Error) bool {
	t, ok := e.(interface{ Temporary() bool })
	return ok && t.Temporary()
}
