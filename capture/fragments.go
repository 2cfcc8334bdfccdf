package capture

import "slices"

// fragments reassembles IP datagrams. Where fragments overlap, the first copy of a byte wins, as
// for TCP. See RFC 791 §3.2 and RFC 8200 §4.5.
type fragments struct {
	limit   int // bytes of incomplete datagrams
	held    int
	pending map[datagram]*partial
	oldest  *partial // of a queue: beyond limit the oldest is dropped
	newest  *partial
	spare   []byte // buffer of a dropped one, so that a flood of fragments does not allocate
}

// datagram is what the fragments of a datagram have in common.
type datagram struct {
	src, dst [16]byte
	id       uint32
	v6       bool
	proto    uint8
}

// partial is a datagram of which something is missing.
type partial struct {
	key        datagram
	prev, next *partial
	b          []byte
	have       []uint64 // which units of 8 bytes are there
	got        int      // units
	total      int      // bytes, 0 until the last fragment came
}

const (
	maxDatagram = 1 << 16
	unit        = 8                    // offsets count in these
	partialSize = 256 + maxDatagram/64 // of memory, besides b; have is as long as it needs to be
)

// add takes a fragment. If that completes a datagram, it returns its payload and true.
func (f *fragments) add(k datagram, offset int, more bool, body part) (part, bool) {
	end := offset + body.length
	if len(body.b) < body.length || end > maxDatagram || (more && body.length%unit != 0) ||
		body.length == 0 {
		// Truncated by the capture, or invalid: it will be a gap in the TCP stream.
		return part{}, false
	}
	d := f.pending[k]
	if d == nil {
		d = f.start(k)
	}
	if !more && d.total == 0 {
		d.total = end
	}
	f.grow(d, end)
	for at := offset; at < end; at += unit {
		u := at / unit
		if d.have[u/64]&(1<<(u%64)) != 0 {
			continue
		}
		d.have[u/64] |= 1 << (u % 64)
		d.got++
		copy(d.b[at:end], body.b[at-offset:min(at-offset+unit, body.length)])
	}
	if d.total > 0 && d.got*unit >= d.total && d.complete() {
		f.drop(d)
		return part{d.b[:d.total], d.total}, true
	}
	for f.held > f.limit && f.oldest != nil {
		f.spare = f.oldest.b
		f.drop(f.oldest)
	}
	return part{}, false
}

// complete reports whether every unit up to the end is there; a hostile fragment may lie after it.
func (d *partial) complete() bool {
	for at := 0; at < d.total; at += unit {
		if u := at / unit; d.have[u/64]&(1<<(u%64)) == 0 {
			return false
		}
	}
	return true
}

func (f *fragments) start(k datagram) *partial {
	d := &partial{key: k, prev: f.newest, b: f.spare[:0]}
	f.spare = nil
	if f.newest != nil {
		f.newest.next = d
	} else {
		f.oldest = d
	}
	f.newest = d
	if f.pending == nil {
		f.pending = map[datagram]*partial{}
	}
	f.pending[k] = d
	f.held += partialSize + cap(d.b)
	return d
}

// grow makes room for bytes up to end.
func (f *fragments) grow(d *partial, end int) {
	if end <= len(d.b) {
		return
	}
	before := cap(d.b)
	d.b = slices.Grow(d.b, end-len(d.b))[:end]
	f.held += cap(d.b) - before
	if words := (end + 64*unit - 1) / (64 * unit); words > len(d.have) {
		d.have = append(d.have, make([]uint64, words-len(d.have))...)
	}
}

func (f *fragments) drop(d *partial) {
	delete(f.pending, d.key)
	f.held -= partialSize + cap(d.b)
	if d.prev != nil {
		d.prev.next = d.next
	} else {
		f.oldest = d.next
	}
	if d.next != nil {
		d.next.prev = d.prev
	} else {
		f.newest = d.prev
	}
}
