package faults

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// A Kind is what a network does to a stream.
type Kind string

// The kinds. The first three change nothing but when and in what pieces bytes arrive; the others
// happen at one byte.
const (
	None            Kind = ""
	Single          Kind = "single bytes"
	Coalesce        Kind = "coalesced"
	Delay           Kind = "delayed"
	Truncate        Kind = "truncated"
	Reset           Kind = "reset"
	Corrupt         Kind = "corrupted"
	Duplicate       Kind = "a byte twice"
	Drop            Kind = "a byte lost"
	DuplicateRecord Kind = "a record twice"
)

// Harmless reports whether a connection must survive the fault.
func (k Kind) Harmless() bool {
	return k == None || k == Single || k == Coalesce || k == Delay
}

// A Fault is what happens to one direction of a connection.
type Fault struct {
	Kind Kind
	At   int // the byte at which it happens, from 0; with DuplicateRecord, the record
}

// A network is a connection in memory that has faults. Its lock guards everything.
type network struct {
	mu      sync.Mutex
	changed *sync.Cond
	ends    [2]*end
}

// end is one end of a network. Writes never block; a Read waits.
type end struct {
	n     *network
	other *end
	fault Fault // of what this end writes

	sent    []byte // everything, as it was written
	applied bool   // the fault has happened
	records int
	partial []byte // with DuplicateRecord: a record that is not whole

	in      []byte // what can be read
	err     error  // after that
	reading bool   // a Read waits
	closed  bool
	expired bool // the deadline of reading has passed
}

// newNetwork returns two ends. faults are those of what the first and the second end write.
func newNetwork(faults [2]Fault) *network {
	n := &network{}
	n.changed = sync.NewCond(&n.mu)
	for i, f := range faults {
		n.ends[i] = &end{n: n, fault: f}
	}
	n.ends[0].other, n.ends[1].other = n.ends[1], n.ends[0]
	return n
}

// hang ends what still waits, after the time in which everything should have ended.
func (n *network) hang() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, e := range n.ends {
		e.err = os.ErrDeadlineExceeded
	}
	n.changed.Broadcast()
}

func (e *end) Read(p []byte) (int, error) {
	e.n.mu.Lock()
	defer e.n.mu.Unlock()
	e.reading = true
	defer func() { e.reading = false }()
	e.n.changed.Broadcast() // somebody may wait for us to wait
	for {
		if e.starves() && e.other.starves() {
			e.expired, e.other.expired = true, true
			e.n.changed.Broadcast()
		}
		switch {
		case e.closed:
			return 0, net.ErrClosed
		case len(e.in) > 0 && e.ready():
			if e.other.fault.Kind == Single {
				p = p[:min(1, len(p))]
			}
			n := copy(p, e.in)
			e.in = e.in[n:]
			return n, nil
		case len(e.in) == 0 && e.err != nil:
			return 0, e.err
		case e.expired:
			return 0, os.ErrDeadlineExceeded
		}
		e.n.changed.Wait()
	}
}

// starves reports whether the end waits for bytes that have not come. If both do, none ever will:
// all that would happen is that the deadline of reading passes, and so it passes at once.
func (e *end) starves() bool { return e.reading && len(e.in) == 0 && e.err == nil && !e.closed }

// ready reports whether what has arrived may be read. Coalesced bytes arrive when their sender has
// nothing more to say.
func (e *end) ready() bool {
	o := e.other
	return o.fault.Kind != Coalesce || o.closed || e.err != nil || o.reading && len(o.in) == 0
}

func (e *end) Write(p []byte) (int, error) {
	if e.fault.Kind == Delay {
		time.Sleep(time.Millisecond)
	}
	e.n.mu.Lock()
	defer e.n.mu.Unlock()
	switch {
	case e.closed:
		return 0, net.ErrClosed
	case e.applied && e.fault.Kind == Reset:
		return 0, syscall.ECONNRESET
	}
	at := e.fault.At - len(e.sent)
	e.sent = append(e.sent, p...)
	o := e.other
	if e.fault.Kind == DuplicateRecord {
		e.repeat(p)
	} else if hit := at >= 0 && at < len(p) && !e.fault.Kind.Harmless(); !hit {
		if !e.applied || e.fault.Kind != Truncate {
			o.in = append(o.in, p...)
		}
	} else {
		e.apply(p[:at], p[at], p[at+1:])
	}
	e.n.changed.Broadcast()
	return len(p), nil
}

// apply makes the fault happen at a byte that is written.
func (e *end) apply(before []byte, b byte, after []byte) {
	e.applied = true
	o := e.other
	o.in = append(o.in, before...)
	switch e.fault.Kind {
	case Truncate:
		o.err = io.EOF
		return
	case Reset: // what was not read is lost, in both directions
		o.in, e.in = nil, nil
		o.err, e.err = syscall.ECONNRESET, syscall.ECONNRESET
		return
	case Corrupt:
		o.in = append(o.in, b^1<<(e.fault.At%8))
	case Duplicate:
		o.in = append(o.in, b, b)
	}
	o.in = append(o.in, after...)
}

// repeat passes p on, and the record with the number of the fault twice.
func (e *end) repeat(p []byte) {
	e.partial = append(e.partial, p...)
	for {
		n := recordLen(e.partial)
		if n == 0 {
			return
		}
		record := e.partial[:n]
		e.other.in = append(e.other.in, record...)
		if e.records == e.fault.At {
			e.other.in = append(e.other.in, record...)
			e.applied = true
		}
		e.records++
		e.partial = e.partial[n:]
	}
}

// recordLen returns the length of the record at the beginning of b, or 0 if it is not whole.
func recordLen(b []byte) int {
	if len(b) < 5 {
		return 0
	}
	if n := 5 + int(b[3])<<8 + int(b[4]); n <= len(b) {
		return n
	}
	return 0
}

// Close ends both directions. What the other end has not read it can still read.
func (e *end) Close() error {
	e.n.mu.Lock()
	defer e.n.mu.Unlock()
	e.closed = true
	if e.other.err == nil {
		e.other.err = io.EOF
	}
	e.n.changed.Broadcast()
	return nil
}

// Deadlines are passed over: a Write never waits, and see starves for a Read.
func (e *end) SetDeadline(time.Time) error      { return nil }
func (e *end) SetReadDeadline(time.Time) error  { return nil }
func (e *end) SetWriteDeadline(time.Time) error { return nil }

func (e *end) LocalAddr() net.Addr  { return address{} }
func (e *end) RemoteAddr() net.Addr { return address{} }

type address struct{}

func (address) Network() string { return "faults" }
func (address) String() string  { return "memory" }
