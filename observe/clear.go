package observe

import (
	"errors"

	"github.com/vitrine-tls/vitrine/iana"
)

// errClear ends a direction that goes on in the clear. It is no failure.
var errClear = errors.New("observe: what follows is in the clear")

// clear counts bytes of a direction that continues without TLS.
func (c *Connection) clear(from iana.Side, n int) {
	l := &c.lanes[from]
	l.flow.Clear += int64(n)
	if l.err == nil {
		l.err = errClear
	}
}

// toClear ends a direction whose next bytes are not records but the protocol that TLS protected.
func (l *lane) toClear() {
	l.err = errClear
	l.flow.Clear += int64(len(l.buf) - l.start)
	l.start = len(l.buf)
}
