package vitrine

import (
	"net"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
)

// first holds the header of a client's first record, until the engine reads it. The zero value
// holds nothing.
type first struct {
	header [record.HeaderLen]byte
	n, got int   // how many bytes have come, and how many of them were read
	err    error // of the read that got less
}

// knocked waits at a server for the header of the first record. Only then a connection gets a
// handshake, buffers, and the stack that they need: whoever connects and says nothing costs little.
// An error is kept for the handshake, which reports it. That of a Config does not wait for a client.
func (c *Conn) knocked() {
	if c.me == iana.Client || c.engine != nil {
		return
	}
	if !c.config.sound.Load() {
		if _, err := c.config.handshake(c.me, c); err != nil {
			return // to begin, which reports it
		}
		c.config.sound.Store(true)
	}
	f := &c.first
	for f.n < len(f.header) && f.err == nil {
		var n int
		n, f.err = c.conn.Read(f.header[f.n:])
		f.n += n
	}
}

// read reads what has come before anybody read it, and then from conn.
func (f *first) read(conn net.Conn, p []byte) (int, error) {
	if f.got < f.n {
		n := copy(p, f.header[f.got:f.n])
		f.got += n
		return n, nil
	}
	if err := f.err; err != nil {
		f.err = nil
		return 0, err
	}
	return conn.Read(p)
}
