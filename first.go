package vitrine

import (
	"sync"

	"github.com/vitrine-tls/vitrine/engine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
)

// first holds a client's first message, until the engine reads it. The zero value holds nothing.
type first struct {
	header [record.HeaderLen]byte // where buf begins, so that silence needs no memory
	socket bool                   // a socket, which waits without a buffer, needs no header
	buf    []byte                 // what has come
	taken  int                    // how much of it the engine has read
	err    error                  // of the read that got no more

	message engine.First
}

// leastFirst is how many bytes of memory a client gets that has sent something: a first flight with
// a hybrid share, a ticket and a short request fits, in one read.
const leastFirst = 2 << 10

var firsts = sync.Pool{New: func() any { return new([leastFirst]byte) }}

// awaitHello waits at a server for the client's first message. Only after it does a connection get
// a handshake and buffers: a client that sends nothing, or part of a hello, costs little more
// memory than what it has sent. A read error is kept for the handshake, which reports it. It does
// not wait if the Config is invalid.
//
// It calls Read itself and not through another function: with one more frame the waiting goroutine
// would not fit into a stack of 2 KiB.
func (c *Conn) awaitHello() {
	if c.me == iana.Client || c.engine != nil || !c.validConfig() {
		return
	}
	f := &c.first
	f.socket = c.socket != nil
	for f.err == nil && f.message.More(f.buf) {
		var n int
		if f.socket {
			n, f.err = c.socket.ReadInto(f)
		} else {
			n, f.err = c.conn.Read(f.Space())
		}
		f.buf = f.buf[:len(f.buf)+n]
	}
	f.Drained()
}

// validConfig reports whether a handshake can begin with the Config. A positive result is
// remembered in the Config.
func (c *Conn) validConfig() bool {
	if !c.config.validConfig.Load() {
		if _, err := c.config.handshake(c.me, c, nil); err != nil {
			return false // begin reports it
		}
		c.config.validConfig.Store(true)
	}
	return true
}

// Space returns room for more of the message.
func (f *first) Space() []byte {
	switch have := f.buf; {
	case have == nil && !f.socket:
		f.buf = f.header[:0]
	case len(have) < cap(have):
	case len(have) < leastFirst:
		f.buf = append(firsts.Get().(*[leastFirst]byte)[:0], have...)
	default:
		f.buf = append(make([]byte, 0, 2*len(have)), have...)
		give(have)
	}
	return f.buf[len(f.buf):cap(f.buf)]
}

// Drained gives the buffer back if nothing is in it, or so little that it fits into the header.
func (f *first) Drained() {
	buf := f.buf
	switch {
	case len(buf) == f.taken:
		f.buf, f.taken = nil, 0
	case f.taken == 0 && len(buf) <= len(f.header) && cap(buf) > len(f.header):
		f.buf = append(f.header[:0], buf...)
	default:
		return
	}
	give(buf)
}

// give returns a buffer to the pool if it is from there. What is in it, everybody could read on its
// way.
func give(buf []byte) {
	if cap(buf) == leastFirst {
		firsts.Put((*[leastFirst]byte)(buf[:leastFirst]))
	}
}

// waits reports whether something waits that was read, or the error of a read.
func (f *first) waits() bool { return f.buf != nil || f.err != nil }

// read reads what waits.
func (f *first) read(p []byte) (int, error) {
	if f.buf != nil {
		n := copy(p, f.buf[f.taken:])
		f.taken += n
		f.Drained()
		return n, nil
	}
	err := f.err
	f.err = nil
	return 0, err
}
