package vitrine

import (
	"net"

	"github.com/vitrine-tls/vitrine/engine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
)

// first holds a client's first message, until the engine reads it. The zero value holds nothing.
type first struct {
	// where buf begins, so that a client that sends nothing needs no memory
	header [record.HeaderLen]byte
	buf    []byte // what has arrived and was not read yet
	err    error  // the error of the last read

	message engine.First
}

// leastFirst is how many bytes of memory a client gets that has sent the header of a record: a
// first flight with a hybrid share, a ticket and a short request fits, in one read.
const leastFirst = 2 << 10

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
	for f.err == nil && f.more() {
		var n int
		n, f.err = c.conn.Read(f.buf[len(f.buf):cap(f.buf)])
		f.buf = f.buf[:len(f.buf)+n]
	}
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

// more reports whether to read on, and makes room for it.
func (f *first) more() bool {
	if f.buf == nil {
		f.buf = f.header[:0]
	}
	if !f.message.More(f.buf) {
		return false
	}
	if len(f.buf) == cap(f.buf) {
		grown := make([]byte, len(f.buf), max(leastFirst, 2*len(f.buf)))
		copy(grown, f.buf)
		f.buf = grown
	}
	return true
}

// read reads what has already arrived, and then from conn.
func (f *first) read(conn net.Conn, p []byte) (int, error) {
	if len(f.buf) > 0 {
		n := copy(p, f.buf)
		if f.buf = f.buf[n:]; len(f.buf) == 0 {
			f.buf = nil
		}
		return n, nil
	}
	if err := f.err; err != nil {
		f.err = nil
		return 0, err
	}
	return conn.Read(p)
}
