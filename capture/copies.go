package capture

import (
	"bytes"
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
)

// A Repeater is a Handler that also receives other copies of bytes: a sender repeats lost segments,
// and a middlebox or an attacker may send different ones. The first copy of a byte is passed to
// Bytes; only authentication shows which copy the receiver used.
type Repeater interface {
	Handler

	// Again receives a copy of bytes that were passed to Bytes or Gap before. The first of them is
	// back bytes before the end of what was passed on. The bytes are valid during the call.
	Again(from iana.Side, back int64, b []byte)
}

// maxCopies bounds the bytes of copies that wait in all connections until the first copy was passed
// on.
const maxCopies = 4 << 20

// again passes on a copy of bytes that the lane has passed on before.
func (a *Assembler) again(l *lane, at uint64, b []byte) {
	if len(b) == 0 || !l.conn.handled {
		return
	}
	if r, ok := l.conn.handler.(Repeater); ok {
		r.Again(l.side(), int64(l.next-at), b)
	}
}

// keepCopy keeps those bytes of p that a waiting piece has differently.
func (a *Assembler) keepCopy(l *lane, held *piece, p piece) {
	from, to := max(held.at, p.at), min(held.end(), p.end())
	if held.b == nil || p.b == nil || from >= to {
		return
	}
	b := p.b[from-p.at : to-p.at]
	if bytes.Equal(b, held.b[from-held.at:to-held.at]) || a.copies+len(b) > maxCopies {
		return
	}
	a.copies += len(b)
	l.copies = append(l.copies, piece{at: from, b: bytes.Clone(b)})
}

// tellCopies passes on the copies of what has been passed on meanwhile.
func (a *Assembler) tellCopies(l *lane) {
	l.copies = slices.DeleteFunc(l.copies, func(p piece) bool {
		if p.end() > l.next {
			return false
		}
		a.again(l, p.at, p.b)
		a.copies -= len(p.b)
		return true
	})
}
