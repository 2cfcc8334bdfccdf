package vitrine

import (
	"net"

	"github.com/vitrine-tls/vitrine/engine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
)

// first holds a client's first message, until the engine reads it. The zero value holds nothing.
type first struct {
	header [record.HeaderLen]byte // where buf begins, so that silence needs no memory
	buf    []byte                 // what has come, and was not read
	err    error                  // of the read that got no more

	message engine.First
}

// leastFirst is how many bytes of memory a client gets that has sent the header of a record: a
// first flight with a hybrid share, a ticket and a short request fits, in one read.
const leastFirst = 2 << 10

// knocked waits at a server for the client's first message. Only then a connection gets a
// handshake, buffers, and the stack that they need: whoever connects and says nothing, or stops
// before it has sent a whole hello, costs little more than what it has sent. An error is kept for
// the handshake, which reports it. That of a Config does not wait for a client.
//
// It reads in its own frame: one more, and the wait does not fit into a stack of 2 KiB.
func (c *Conn) knocked() {
	if c.me == iana.Client || c.engine != nil || !c.sound() {
		return
	}
	f := &c.first
	for f.err == nil && f.more() {
		var n int
		n, f.err = c.conn.Read(f.buf[len(f.buf):cap(f.buf)])
		f.buf = f.buf[:len(f.buf)+n]
	}
}

// sound reports whether a handshake can begin with the Config. Of one that was found sound this is
// remembered.
func (c *Conn) sound() bool {
	if !c.config.sound.Load() {
		if _, err := c.config.handshake(c.me, c); err != nil {
			return false // begin reports it
		}
		c.config.sound.Store(true)
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

// read reads what has come before anybody read it, and then from conn.
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
