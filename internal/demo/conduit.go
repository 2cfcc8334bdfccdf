package demo

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/playground"
	"github.com/vitrine-tls/vitrine/trace"
)

// conduit is one side's end of a playground.Link, as the net.Conn of the program above it. Only one
// of the two programs runs at a time: a delivery returns once the program waits for more.
type conduit struct {
	side iana.Side

	mu      sync.Mutex
	changed sync.Cond
	in, out []byte
	eof     bool        // the peer's stream has ended
	closed  bool        // by the program
	stopped bool        // nothing will come any more: Read ends as at a deadline
	reading int         // goroutines that wait in Read
	over    bool        // the program has returned
	busy    func() bool // if set, reports that another goroutine of the program is about to go on
}

func newConduit(side iana.Side) *conduit {
	c := &conduit{side: side}
	c.changed.L = &c.mu
	return c
}

// run runs the program, and returns once it waits.
func (c *conduit) run(program func()) {
	go func() {
		program()
		c.update(func() { c.over = true })
	}()
	c.rest()
}

// update changes the state, and tells who waits for it.
func (c *conduit) update(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
	c.changed.Broadcast()
}

// rest waits until the program waits for bytes, or is over.
func (c *conduit) rest() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.over && (c.reading == 0 || c.readable() || c.busy != nil && c.busy()) {
		c.changed.Wait()
	}
}

// readable reports whether a Read returns at once.
func (c *conduit) readable() bool { return len(c.in) > 0 || c.eof || c.closed || c.stopped }

// Arrive, Ended, Sealed and Over implement playground.Party.

func (c *conduit) Arrive(b []byte) {
	c.update(func() { c.in = append(c.in, b...) })
	c.rest()
}

func (c *conduit) Ended() {
	c.update(func() { c.eof = true })
	c.rest()
}

func (c *conduit) Sealed() (b []byte) {
	c.update(func() { b, c.out = c.out, nil })
	return b
}

func (c *conduit) Over() (over bool) {
	c.update(func() { over = c.closed })
	return over
}

// stop ends a program that waits for what never comes.
func (c *conduit) stop() {
	c.update(func() { c.stopped = true })
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.over {
		c.changed.Wait()
	}
}

// Read implements net.Conn. As with a socket, what has arrived is read before its end.
func (c *conduit) Read(b []byte) (n int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading++
	c.changed.Broadcast()
	for !c.readable() {
		c.changed.Wait()
	}
	c.reading--
	switch {
	case c.closed:
		return 0, net.ErrClosed
	case len(c.in) > 0:
		n = copy(b, c.in)
		c.in = c.in[n:]
		return n, nil
	case c.eof:
		return 0, io.EOF
	}
	return 0, os.ErrDeadlineExceeded
}

// Write implements net.Conn. It never waits.
func (c *conduit) Write(b []byte) (n int, err error) {
	n, err = len(b), nil
	c.update(func() {
		if c.closed {
			n, err = 0, net.ErrClosed
			return
		}
		c.out = append(c.out, b...)
	})
	return n, err
}

// Close implements net.Conn.
func (c *conduit) Close() error {
	c.update(func() { c.closed = true })
	return nil
}

// The rest of net.Conn: no time passes here, so a deadline has no effect.

func (c *conduit) LocalAddr() net.Addr              { return address(c.side.String()) }
func (c *conduit) RemoteAddr() net.Addr             { return address(c.side.Peer().String()) }
func (c *conduit) SetDeadline(time.Time) error      { return nil }
func (c *conduit) SetReadDeadline(time.Time) error  { return nil }
func (c *conduit) SetWriteDeadline(time.Time) error { return nil }

// address is that of a side which has none.
type address string

func (a address) Network() string { return "playground" }
func (a address) String() string  { return string(a) }

// between performs a connection over the playground's wire, with somebody in between. Its result is
// the same each time, since one side runs after the other.
func (s *setup) between(ctx context.Context, m *middle) (*Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	out := &Outcome{Wanted: s.Data}
	out.Run.Client, out.Run.Server = "client", "server"
	all := &numbered{}
	for side := range s.configs {
		for _, e := range s.events[side].Entries {
			all.Put(e)
		}
		s.configs[side].Trace = all
	}
	var ends [2]*conduit
	var parties [2]playground.Party
	for side := range ends {
		ends[side] = newConduit(iana.Side(side))
		parties[side] = ends[side]
		defer context.AfterFunc(ctx, func() { ends[side].Close() })()
	}
	link, err := playground.NewLink(parties, m.acts,
		trace.New(trace.Between, all, s.configs[iana.Client].Time))
	if err != nil {
		return nil, err
	}
	link.Passing = m.passing
	ends[iana.Server].run(func() { out.ServerError = s.serve(ctx, ends[iana.Server], out) })
	ends[iana.Client].run(func() { out.ClientError = s.ask(ctx, ends[iana.Client], out) })
	link.Begin(iana.Client)
	for link.Next() {
	}
	for _, end := range ends {
		end.stop()
	}
	out.Entries = all.Entries
	out.Run.Tampered = m.report(link, out.Entries)
	out.Run.Tampered.Stall = timedOut(out.ClientError) || timedOut(out.ServerError)
	return out, ctx.Err()
}

// numbered numbers events as they happen.
type numbered struct {
	mu sync.Mutex
	trace.Memory
}

func (n *numbered) Put(e trace.Entry) {
	n.mu.Lock()
	defer n.mu.Unlock()
	e.Seq = len(n.Entries) + 1
	n.Memory.Put(e)
}
