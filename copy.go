package vitrine

import (
	"errors"
	"io"
	"sync"

	"github.com/vitrine-tls/vitrine/engine"
)

// Methods for io.Copy, which neither allocate nor copy what is in a buffer of the connection.

var (
	errInvalidWrite = errors.New("vitrine: the Writer returned an impossible count from Write")
	errInvalidRead  = errors.New("vitrine: the Reader returned an impossible count from Read")
)

// WriteTo writes the application data that Read would return to w, until the peer's close_notify,
// which is no error here. The data goes to w from where it was decrypted, in a buffer that another
// connection uses later: w must not keep it. Read, ReadEarly, AwaitEarly, Renegotiate and another
// WriteTo wait until WriteTo returns, so w must not call them. What w did not take can be read.
func (c *Conn) WriteTo(w io.Writer) (n int64, err error) {
	if err := c.ready(); err != nil {
		return 0, err
	}
	c.in.Lock()
	defer c.in.Unlock()
	for {
		if err := c.awaitData(); err == io.EOF {
			return n, nil
		} else if err != nil {
			return n, err
		}
		data := c.engine.Buffered()
		m, err := w.Write(data)
		if m < 0 || m > len(data) { // w is wrong: nobody knows what it took
			m = 0
			if err == nil {
				err = errInvalidWrite
			}
		}
		n += int64(m)
		c.engine.Discard(m)
		if err == nil && m < len(data) {
			err = io.ErrShortWrite
		}
		if err != nil {
			return n, err
		}
	}
}

// chunks are buffers of ReadFrom, shared by all connections. They are wiped before they return.
var chunks = sync.Pool{New: func() any { return new([engine.MaxBurst]byte) }}

// ReadFrom sends what it reads from r, until io.EOF, which is no error here: each Read of r takes
// at most what fills two records, and is sent before the next. It returns io.ErrNoProgress if r
// returns neither data nor an error many times in a row.
func (c *Conn) ReadFrom(r io.Reader) (n int64, err error) {
	b := chunks.Get().(*[engine.MaxBurst]byte)
	used := len(b) // as long as a Read may panic
	defer func() {
		clear(b[:used])
		chunks.Put(b)
	}()
	for most, idle := 0, 0; ; {
		used = len(b)
		m, err := r.Read(b[:])
		if m < 0 || m > len(b) {
			return n, errInvalidRead
		}
		most = max(most, m)
		used = most
		if m > 0 {
			sent, err := c.Write(b[:m])
			n += int64(sent)
			if err != nil {
				return n, err
			}
		}
		if err == io.EOF {
			return n, nil
		} else if err != nil {
			return n, err
		}
		if idle++; m > 0 {
			idle = 0
		} else if idle == maxIdleReads {
			return n, io.ErrNoProgress
		}
	}
}

// maxIdleReads is how often in a row a Reader may return nothing, as in package bufio.
const maxIdleReads = 100
