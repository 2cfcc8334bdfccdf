package observe

import (
	"bytes"
	"slices"
	"sync"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
)

// This file decides between copies of the same bytes with different contents, as retransmissions
// have that were damaged or forged on the way. The copy that authenticates is used: a record that
// does not authenticate is kept for a while and tried again with each other copy of its bytes.

// otherCopy is bytes of a direction, from the place at of all that were received.
type otherCopy struct {
	at int64
	b  []byte
}

const (
	maxCopies = 16       // that wait in a direction
	maxCopied = 64 << 10 // bytes of these
	// maxDoubt is how many bytes are received behind a record that does not authenticate before it
	// is given up. A sender repeats a segment within a window.
	maxDoubt = 64 << 10

	scratchSize = record.MaxCiphertext
)

// scratches are buffers in which records are opened whose bytes may be needed again.
var scratches = sync.Pool{New: func() any { return new([scratchSize]byte) }}

// spared returns a fragment to be opened in place. It is a copy if another one may come.
func (c *Connection) spared(fragment []byte) []byte {
	if !c.Repeats || len(fragment) > scratchSize {
		return fragment
	}
	if c.scratch == nil {
		c.scratch = scratches.Get().(*[scratchSize]byte)
	}
	return c.scratch[:copy(c.scratch[:], fragment)]
}

// Again takes another copy of bytes that Bytes has received before. They begin back bytes before
// the end of what it has received. The Connection must have Repeats.
func (s *Stream) Again(from iana.Side, back int64, b []byte) {
	w := &s.ways[from]
	switch {
	case w.started && w.splitter == nil:
		s.conn.again(s.side(from), back, b)
		return
	case w.started || s.ended:
		return
	}
	// No hello was found, so what is there may be the wrong copy.
	at := int64(len(w.kept)) - back
	if at < 0 {
		b, at = b[min(int64(len(b)), -at):], 0
	}
	if at >= int64(len(w.kept)) || copy(w.kept[at:], b) == 0 {
		return
	}
	w.seen = min(w.seen, max(0, int(at)-headLen))
	s.Bytes(from, nil)
}

// again keeps a copy of bytes that wait, if it differs.
func (c *Connection) again(from iana.Side, back int64, b []byte) {
	l := &c.lanes[from]
	at := l.fed - back
	base := l.fed - int64(len(l.buf))                 // the place of buf[0]
	if skip := base + int64(l.start) - at; skip > 0 { // these were already processed
		if skip >= int64(len(b)) {
			return
		}
		b, at = b[skip:], at+skip
	}
	i := int(at - base)
	if i >= len(l.buf) || len(l.holes) > 0 || l.err != nil {
		return
	}
	b = b[:min(len(b), len(l.buf)-i)]
	if bytes.Equal(b, l.buf[i:i+len(b)]) || len(l.copies) >= maxCopies {
		return
	}
	held := len(b)
	for _, k := range l.copies {
		held += len(k.b)
	}
	if held > maxCopied {
		return
	}
	l.copies = append(l.copies, otherCopy{at, bytes.Clone(b)})
	if l.doubt {
		l.doubt = false
		c.run()
	}
}

// waitsForCopy reports whether the next record is invalid and another copy of it may still come.
func (l *lane) waitsForCopy() bool {
	l.doubt = l.doubt && !l.closed && len(l.buf)-l.start < maxDoubt && len(l.holes) == 0
	return l.doubt
}

// reconsider is called for what begins at a place in buf and is not a record, or one that does not
// authenticate. It reports whether the direction must try again from there, because bytes were
// replaced by another copy or one may still come.
func (c *Connection) reconsider(l *lane, start, n int) bool {
	if !c.Repeats || len(l.holes) > 0 || l.lost {
		return false
	}
	base := l.fed - int64(len(l.buf))
	from, to := base+int64(start), base+int64(start+n)
	l.copies = slices.DeleteFunc(l.copies, func(k otherCopy) bool {
		return k.at+int64(len(k.b)) <= from // of what was passed
	})
	i := slices.IndexFunc(l.copies, func(k otherCopy) bool { return k.at < to })
	switch {
	case i >= 0 && !l.effortSpent():
		k := l.copies[i]
		l.copies = slices.Delete(l.copies, i, i+1)
		l.tried += int64(n)
		b := k.b[max(0, from-k.at):]
		copy(l.buf[max(k.at, from)-base:], b)
	case l.closed || len(l.buf)-start >= maxDoubt:
		return false
	default:
		l.doubt = true
	}
	l.start = start
	return true
}
