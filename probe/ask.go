package probe

import (
	"context"
	"maps"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Server is a server to ask questions, with the limits for asking.
type Server struct {
	// Dial reaches the server: over TCP, through a proxy, behind STARTTLS. Each question is a
	// connection of its own.
	Dial func(context.Context) (net.Conn, error)

	// Name is sent in server_name. If it is empty, server_name is not sent.
	Name string

	// OtherNames are further names that the server may have, for questions that need two names.
	OtherNames []string

	// Timeout bounds each connection after Dial; 0 is 5 seconds.
	Timeout time.Duration

	// Parallel is how many connections there are at once, at most; 0 is 2.
	Parallel int

	// Interval is the least time between the beginnings of two connections.
	Interval time.Duration

	// Progress, if set, is called with the question that is asked next. It must not block.
	Progress func(what string)

	asked   atomic.Int64
	address atomic.Pointer[net.Addr] // of the first connection
	first   time.Duration            // how long the first answer took
	gate    chan struct{}
	begin   chan time.Time // the earliest beginning of the next connection
	lost    atomic.Int32   // connections in a row that could not be made

	mu      sync.Mutex
	retries map[Outcome]int
	hellos  fates
}

// Asked returns how many connections were made so far, those that failed among them.
func (s *Server) Asked() int { return int(s.asked.Load()) }

// open prepares the limits. It is called once, before the first question.
func (s *Server) open() {
	if s.Timeout <= 0 {
		s.Timeout = 5 * time.Second
	}
	if s.Parallel <= 0 {
		s.Parallel = 2
	}
	s.gate, s.begin = make(chan struct{}, s.Parallel), make(chan time.Time, 1)
	s.begin <- time.Time{}
}

// connect makes a connection for a question, when the limits allow one, and returns what ends it.
func (s *Server) connect(ctx context.Context) (net.Conn, func(), error) {
	select {
	case s.gate <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	return s.dial(ctx, func() { <-s.gate })
}

// dial is connect beside the limit of connections at once. It calls leave at the end.
func (s *Server) dial(ctx context.Context, leave func()) (net.Conn, func(), error) {
	if err := s.pause(ctx); err != nil {
		leave()
		return nil, nil, err
	}
	s.asked.Add(1)
	conn, err := s.Dial(ctx)
	if err != nil {
		s.lost.Add(1)
		leave()
		return nil, nil, err
	}
	s.lost.Store(0)
	if a := conn.RemoteAddr(); a != nil {
		s.address.CompareAndSwap(nil, &a)
	}
	conn.SetDeadline(time.Now().Add(s.Timeout))
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	return conn, func() { stop(); conn.Close(); leave() }, nil
}

// pause waits until the next connection may begin.
func (s *Server) pause(ctx context.Context) error {
	at := <-s.begin
	now := time.Now()
	next := at
	if now.After(at) {
		next = now
	}
	s.begin <- next.Add(s.Interval)
	if wait := time.Until(at); wait > 0 && !sleep(ctx, wait) {
		return ctx.Err()
	}
	return nil
}

// Ask offers o to the server in a connection of its own and returns what it answered.
func (s *Server) Ask(ctx context.Context, o *Offer) *Answer {
	a := &Answer{offer: o}
	conn, end, err := s.connect(ctx)
	if err != nil {
		a.Outcome, a.Err = Unreached, err
		return a
	}
	defer end()
	raw, err := o.encode(s.Name)
	if err != nil {
		a.Outcome, a.Err = Malformed, err
		return a
	}
	a.sent = raw
	if err := o.write(conn, raw); err != nil {
		a.end(err) // the server may have given a reason
	}
	a.read(&reader{conn: conn})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hellos.add(a)
	return a
}

// insist asks again if there was no answer: a lost connection is not a refusal, and a server that
// cannot be reached may answer a moment later.
func (s *Server) insist(ctx context.Context, o *Offer) *Answer {
	a := s.Ask(ctx, o)
	for wait := range 3 {
		switch a.Outcome {
		case Closed, Reset, Cut, Malformed:
			if wait > 0 {
				return a
			}
		case Unreached:
			if s.lost.Load() > givenUp || !sleep(ctx, time.Duration(wait)*500*time.Millisecond) {
				return a
			}
		default:
			return a
		}
		s.again(a.Outcome)
		a = s.Ask(ctx, o)
	}
	return a
}

// givenUp is the number of failed connections in a row after which no question is repeated.
const givenUp = 8

// sleep waits, and reports whether ctx is not done.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// again counts a question that is asked again, by its outcome.
func (s *Server) again(o Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.retries == nil {
		s.retries = map[Outcome]int{}
	}
	s.retries[o]++
}

func (s *Server) retried() map[Outcome]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.retries)
}

// progress says what is asked next.
func (s *Server) progress(what string) {
	if s.Progress != nil {
		s.Progress(what)
	}
}
