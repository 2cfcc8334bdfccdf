package observe

import (
	"fmt"
	"net/netip"
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

	// Failed is called, if set, with a panic while a connection was read, also one of the Source,
	// of a sink, or of the functions above but Open. It ends the reading of that connection alone,
	// whose Report then has the Code InternalError: a hostile capture must not end the program.
	Failed func(*Watched, error)

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
	Number         int // capture.Connection.Stream; negative if it is not one of TCP
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
	over       bool      // its last job was passed on
	ended      time.Time // the time from which it waits only for a secret
}

// job is bytes, a gap or the end, to be passed to a Stream.
type job struct {
	from iana.Side
	b    []byte
	gap  int64
	back int64 // if not 0, b is a copy of bytes that begin this many bytes before the end
	end  bool
	in   *arena
}

// arena is memory for bytes that were read. It is reused once all jobs in it are done.
type arena struct {
	b    []byte
	used int
	jobs atomic.Int32
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

// Inner reports whether the inner connection is read.
func (x *Watched) Inner() bool { return x.watch.Inner }

// memory returns how many bytes the connection and those inside it hold.
func (x *Watched) memory() int {
	n := x.Stream.memory()
	if x.inner != nil {
		n += x.inner.memory()
	}
	return n
}

// abandon frees everything that waits.
func (x *Watched) abandon() {
	x.Stream.abandon()
	if x.inner != nil {
		x.inner.abandon()
	}
}

// account counts the connection's memory in that of the Watch.
func (x *Watched) account() {
	n := x.memory()
	x.watch.held.Add(int64(n - x.held))
	x.held = n
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
	x.account()
}

// progress calls Progress once the handshake is done or has failed.
func (x *Watched) progress() {
	if c := x.Stream.conn; !x.progressed && x.watch.Progress != nil && c != nil &&
		(c.initial.Done() || c.failure != nil) {
		x.progressed = true
		x.watch.Progress(x)
	}
}

func (w *Watch) release(a *arena) {
	if a != nil && a.jobs.Add(-1) == 0 {
		w.free <- a
	}
}
