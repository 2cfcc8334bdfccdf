package observe

import (
	"cmp"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// Watch reads all connections of a capture at once, on all cores. Its Handler goes to a
// capture.Assembler. The sessions of each connection are available to the others. Its fields must
// be set before the first Handler. Its functions may be called by several goroutines, but never by
// two at once for one connection.
type Watch struct {
	Source Source // nil: no secrets

	// Late says that secrets may still come, until Close. See Connection.
	Late bool

	// Inner says that TLS inside the data of a connection is read too, as a connection of its own,
	// whose Outer is that one. It is done before that one is. It has no Sink.
	Inner bool

	// Sink returns a sink for the events of a connection, or nil for none. A nil Sink means none at
	// all.
	Sink func(*Watched) trace.Sink

	// Open is called, if set, at a connection's first bytes, before the other functions; Data with
	// application data; Progress when the first handshake is done or has failed; and Done at the
	// connection's end.
	Open     func(*Watched)
	Data     func(w *Watched, from iana.Side, plain []byte)
	Progress func(*Watched)
	Done     func(*Watched)

	start    sync.Once
	sessions Sessions
	ready    chan *Watched
	working  sync.WaitGroup
	free     chan *arena
	fill     *arena
	touched  []*Watched // since the last dispatch
	held     atomic.Int64

	mu       sync.Mutex
	deferred []*Watched // ended, and waiting for a secret
}

// Watched is one connection of a capture.
type Watched struct {
	Number         int // Wireshark's tcp.stream; negative if it is not one of TCP
	Client, Server netip.AddrPort
	Carrier        string    // what carries it, if not TCP; see capture.Connection
	Names          [2]string // of client and server, if they have no addresses
	Start          time.Time
	Stream         Stream
	Value          any // the program's own

	Inside bool     // another TLS handshake begins in its data
	Outer  *Watched // the connection in whose data this one is, or nil

	inner  *Watched
	depth  int
	sought int // bytes of data in which a ClientHello was looked for

	watch      *Watch
	about      *capture.Connection
	facts      capture.Facts // since End
	queue      []job         // since the last Flush; used by the reading goroutine only
	mu         sync.Mutex
	jobs       []job
	busy       bool
	held       int
	progressed bool // Progress was called
	closed     bool
	ended      time.Time // the time from which it waits only for a secret
}

const (
	arenaSize = 256 << 10
	// maxHeld bounds what waits in all connections together. Above it, a connection that holds more
	// than lesser gives up; above four times as much, one that holds more than least is abandoned.
	maxHeld = 96 << 20
	lesser  = 1 << 20
	least   = 4 << 10
	// maxQueue is how many jobs an idle connection keeps room for.
	maxQueue = 32
	// gapRoom is the space that a gap takes in an arena, so that gaps alone also make the reader
	// wait.
	gapRoom = 64
	// maxResumed bounds what waits for the session that a connection resumes. The session was made
	// by an earlier connection, so it should be known before as much as this was read.
	maxResumed = 16 << 20
	// maxDeferred bounds how many ended connections wait for a secret.
	maxDeferred = 1 << 14
)

// Handler is for the field New of a capture.Assembler.
func (w *Watch) Handler(c *capture.Connection) capture.Handler {
	w.start.Do(w.begin)
	x := &Watched{Number: c.Stream, Client: c.Client, Server: c.Server, Start: c.Start, watch: w,
		Carrier: c.Carrier, Names: c.Names, about: c}
	x.Stream.New = x.connection
	if w.Open != nil {
		w.Open(x)
	}
	return x
}

func (w *Watch) begin() {
	n := runtime.GOMAXPROCS(0)
	w.ready = make(chan *Watched, 4*n)
	w.free = make(chan *arena, 4*n)
	for range cap(w.free) {
		w.free <- &arena{b: make([]byte, arenaSize)}
	}
	for range n {
		w.working.Go(func() {
			for x := range w.ready {
				x.work()
			}
		})
	}
}

// connection returns a Connection when TLS begins.
func (x *Watched) connection() *Connection {
	w := x.watch
	var sink trace.Sink
	if w.Sink != nil {
		sink = w.Sink(x)
	}
	c := New(w.Source, sink)
	c.Repeats = x.Outer == nil
	c.Sessions, c.Late, c.Name = &w.sessions, w.Late, x.Label()
	c.Data = x.decrypted
	return c
}

// Label returns how other connections refer to this one.
func (x *Watched) Label() string {
	if x.Number < 0 {
		return fmt.Sprintf("EAP conversation %d", -x.Number)
	}
	if x.depth > 0 {
		return fmt.Sprintf("stream %d, inside", x.Number)
	}
	return fmt.Sprintf("stream %d", x.Number)
}

// work does a connection's jobs, in one goroutine at a time.
func (x *Watched) work() {
	for {
		x.mu.Lock()
		jobs := x.jobs
		x.jobs = nil
		if len(jobs) == 0 {
			x.busy = false
		}
		x.mu.Unlock()
		if len(jobs) == 0 {
			return
		}
		for _, j := range jobs {
			x.do(j)
		}
		if !jobs[len(jobs)-1].end { // otherwise another goroutine may be finishing it
			x.Stream.shrink()
			x.enforceBounds()
		}
	}
}

func (x *Watched) do(j job) {
	w := x.watch
	switch {
	case j.end:
		x.Stream.Facts = &x.facts
		x.Stream.End()
		x.Stream.shrink()
		if c := x.Stream.conn; c != nil && c.Waiting() {
			x.enforceBounds()
			x.ended = time.Now()
			w.mu.Lock()
			w.deferred = append(w.deferred, x)
			full := len(w.deferred) > maxDeferred
			w.mu.Unlock()
			if full {
				w.Expire(0)
			}
			return
		}
		x.finish()
	case j.gap > 0:
		x.Stream.Gap(j.from, j.gap)
		w.release(j.in)
	case j.back > 0:
		x.Stream.Again(j.from, j.back, j.b)
		w.release(j.in)
	default:
		x.Stream.Bytes(j.from, j.b)
		w.release(j.in)
	}
	x.enforceBounds()
	x.progress()
}

// enforceBounds keeps the memory of waiting connections within the bounds.
func (x *Watched) enforceBounds() {
	w, n := x.watch, x.memory()
	all := w.held.Load()
	switch c := x.Stream.conn; {
	case n > least && all > 4*maxHeld:
		x.abandon()
	case c == nil:
	case n > lesser && all > maxHeld, n > maxResumed && c.Waiting() && !w.Late:
		c.GiveUp()
	}
	n = x.memory()
	w.held.Add(int64(n - x.held))
	x.held = n
}

// progress calls Progress once the handshake is done or has failed.
func (x *Watched) progress() {
	if c := x.Stream.conn; !x.progressed && x.watch.Progress != nil && c != nil &&
		(c.initial.Done() || c.failure != nil) {
		x.progressed = true
		x.watch.Progress(x)
	}
}

func (x *Watched) finish() {
	if x.closed {
		return
	}
	x.closed = true
	x.leave()
	x.enforceBounds()
	x.watch.held.Add(int64(-x.held))
	x.held = 0
	x.progress()
	if x.watch.Done != nil {
		x.watch.Done(x)
	}
}

// Retry says that the Source has new secrets. It may be called while packets are read.
func (w *Watch) Retry() {
	w.sessions.learned.Add(1)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deferred = slices.DeleteFunc(w.deferred, (*Watched).retried)
}

// Expire gives up connections that ended at least age ago and still wait for a secret.
func (w *Watch) Expire(age time.Duration) {
	w.mu.Lock()
	var old []*Watched
	w.deferred = slices.DeleteFunc(w.deferred, func(x *Watched) bool {
		expired := time.Since(x.ended) >= age
		if expired {
			old = append(old, x)
		}
		return expired
	})
	w.mu.Unlock()
	for _, x := range old {
		x.Stream.conn.GiveUp()
		x.finish()
	}
}

// Close ends the Watch, after the Assembler's Close. What still waits for a secret, or for another
// connection's session, is tried a last time.
func (w *Watch) Close() {
	w.start.Do(w.begin)
	w.Flush()
	close(w.ready)
	w.working.Wait()
	slices.SortFunc(w.deferred, func(a, b *Watched) int { return cmp.Compare(a.Number, b.Number) })
	w.unwind()
	for _, x := range w.deferred {
		if !x.closed {
			x.Stream.conn.GiveUp()
			x.finish()
		}
	}
	w.deferred = nil
}

// unwind retries the ended connections as long as one learns a session that another one waits for.
// Each is tried once, and again for each of its sessions that becomes known. Trying all of them in
// rounds would, for a chain of connections each of which resumes the next, cost the square of its
// length.
func (w *Watch) unwind() {
	w.sessions.note()
	waiting := map[string][]*Watched{}
	for _, x := range w.deferred {
		if x.retried() {
			continue
		}
		s := &x.Stream.conn.machine.Score
		for _, name := range protocolOf(s).sessionNames(s) {
			waiting[string(name)] = append(waiting[string(name)], x)
		}
	}
	for news := w.sessions.news(); len(news) > 0; news = w.sessions.news() {
		for _, name := range news {
			for _, x := range waiting[name] {
				if !x.closed {
					x.retried()
				}
			}
			delete(waiting, name)
		}
	}
}

// retried looks for a secret again, and reports whether the connection is finished.
func (x *Watched) retried() bool {
	x.Stream.conn.Retry()
	if x.Stream.conn.Waiting() {
		return false
	}
	x.finish()
	return true
}
