package observe

import (
	"slices"
	"sync"
)

// This file decides between copies of the same bytes with different contents, as retransmissions
// have that were damaged or forged on the way. The copy that authenticates is used: a record that
// does not authenticate is kept for a while and tried again with each other copy of its bytes.

const (
	maxCopies = 16        // that wait in a direction
	maxCopied = 256 << 10 // bytes of these
	// maxDoubt is how many bytes are received behind a record that does not authenticate before it
	// is given up. A sender repeats a segment within a window, and where the network card cuts
	// them, a capture has segments of 64 KiB.
	maxDoubt = 256 << 10
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
