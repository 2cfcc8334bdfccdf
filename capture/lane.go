package capture

import (
	"slices"
	"sort"
)

// unwrap returns the 64-bit number nearest to l.next. The first number seen becomes the base.
func (l *lane) unwrap(seq uint32) uint64 {
	if !l.based {
		l.based = true
		l.next, l.first = unwrapped+uint64(seq), seq
	}
	return l.next + uint64(int64(int32(seq-uint32(l.next))))
}

// begin sets the number of a direction's first byte. What came before the SYN is sorted again.
func (a *Assembler) begin(l *lane, seq uint32) {
	if l.opened || l.started {
		return
	}
	l.next = l.unwrap(seq)
	l.opened, l.started, l.first = true, true, seq
	early := l.held
	a.waiting -= l.size
	l.held, l.size = nil, 0
	a.holes.remove(l)
	for _, p := range early {
		a.hold(l, *p)
	}
	a.drain(l)
}

// reopened reports whether a SYN whose first byte has this number begins another connection: a
// repeated SYN has the same number.
func (l *lane) reopened(seq uint32) bool { return l.based && l.first != seq }

// finish says that the direction ends before this number.
func (l *lane) finish(seq uint32) {
	if !l.finished {
		l.end, l.finished = l.unwrap(seq), true
	}
}

// done reports whether everything up to a FIN was passed on.
func (l *lane) done() bool { return l.finished && l.started && l.next >= l.end && len(l.held) == 0 }

// insert takes the payload of a segment.
func (a *Assembler) insert(l *lane, seq uint32, s *segment) {
	at := l.unwrap(seq)
	if l.started && at <= l.next && len(l.held) == 0 { // in order, as nearly all are
		old := min(l.next-at, uint64(len(s.data)))
		a.again(l, at, s.data[:old])
		if old < uint64(len(s.data)) {
			b := s.data[old:]
			l.next += uint64(len(b))
			a.bytes(l, b)
		}
		if to := at + uint64(len(s.data)+s.cut); to > l.next {
			n := to - l.next
			l.next = to
			a.gap(l, int64(n))
		}
		return
	}
	a.hold(l, piece{at: at, b: s.data})
	a.hold(l, piece{at: at + uint64(len(s.data)), lost: uint64(s.cut)})
	switch {
	case l.started:
		a.drain(l)
	case l.size > maxBefore:
		a.startLane(l)
	}
	for l.size > 0 &&
		(l.conn.lanes[0].size+l.conn.lanes[1].size > a.Limits.Connection || len(l.held) > maxHeld) {
		a.giveUp(l)
	}
	for a.waiting > a.Limits.Waiting {
		a.giveUp(a.holes.first())
	}
}

// hold keeps those bytes of p that are not held already.
func (a *Assembler) hold(l *lane, p piece) {
	if l.started && p.at < l.next {
		if p.b != nil {
			a.again(l, p.at, p.b[:min(l.next-p.at, uint64(len(p.b)))])
		}
		if p.end() <= l.next {
			return
		}
		p = p.from(l.next)
	}
	i := sort.Search(len(l.held), func(i int) bool { return l.held[i].end() > p.at })
	for p.at < p.end() {
		if i == len(l.held) || l.held[i].at >= p.end() {
			a.place(l, i, p)
			return
		}
		h := l.held[i]
		a.keepCopy(l, h, p)
		if p.at < h.at {
			a.place(l, i, p.to(h.at))
			i = sort.Search(len(l.held), func(i int) bool { return l.held[i].at >= h.at })
		}
		if p.end() <= h.end() {
			return
		}
		p = p.from(h.end())
		i++
	}
}

func (p piece) from(at uint64) piece {
	if p.b == nil {
		return piece{at: at, lost: p.end() - at}
	}
	return piece{at: at, b: p.b[at-p.at:]}
}

func (p piece) to(at uint64) piece {
	if p.b == nil {
		return piece{at: p.at, lost: at - p.at}
	}
	return piece{at: p.at, b: p.b[:at-p.at]}
}

// place inserts a copy of p, which overlaps nothing, before held[i].
func (a *Assembler) place(l *lane, i int, p piece) {
	before := l.size
	if i > 0 && l.held[i-1].end() == p.at && (l.held[i-1].b == nil) == (p.b == nil) &&
		len(l.held[i-1].b)+len(p.b) <= maxPiece {
		h := l.held[i-1]
		l.size -= cap(h.b)
		h.b, h.lost = append(h.b, p.b...), h.lost+p.lost
		l.size += cap(h.b)
	} else {
		p.b = slices.Clone(p.b)
		l.held = slices.Insert(l.held, i, &p)
		l.size += pieceSize + cap(p.b)
	}
	a.waiting += l.size - before
	if !l.link.in {
		a.holes.push(l)
	}
}

// drain passes on the pieces that are next.
func (a *Assembler) drain(l *lane) {
	n := 0
	for n < len(l.held) && l.held[n].at == l.next {
		h := l.held[n]
		l.next = h.end()
		if h.b == nil {
			a.gap(l, int64(h.lost))
		} else {
			a.bytes(l, h.b)
		}
		l.size -= pieceSize + cap(h.b)
		a.waiting -= pieceSize + cap(h.b)
		n++
	}
	l.held = slices.Delete(l.held, 0, n)
	if len(l.copies) > 0 {
		a.tellCopies(l)
	}
	if n > 0 {
		a.holes.remove(l)
		if len(l.held) > 0 {
			a.holes.push(l) // another hole, and a younger one
		} else {
			l.held = nil
		}
	}
}

// acknowledge notes that the other side has everything before this number. A direction whose
// beginning is not known waits for that, since its first segments may have been captured in any
// order.
func (a *Assembler) acknowledge(l *lane, ack uint32) {
	known := l.based
	at := l.unwrap(ack)
	if known && !l.started && len(l.held) > 0 && at > l.held[0].at {
		a.startLane(l)
	}
}

// startLane starts a direction without a SYN at the earliest byte that came or, if it is earlier,
// the first number seen.
func (a *Assembler) startLane(l *lane) {
	l.started = true
	if first := l.held[0].at; first < l.next {
		l.next = first
	}
	a.giveUp(l)
}

// giveUp reports the bytes before the first piece as missing, and continues after them.
func (a *Assembler) giveUp(l *lane) {
	if !l.started {
		a.startLane(l)
		return
	}
	if n := l.held[0].at - l.next; n > 0 {
		l.next = l.held[0].at
		a.gap(l, int64(n))
	}
	a.drain(l)
}

// flush gives up everything that is missing, also before a FIN.
func (a *Assembler) flush(l *lane) {
	for len(l.held) > 0 {
		a.giveUp(l)
	}
	for _, p := range l.copies { // of bytes that were never passed on
		a.copies -= len(p.b)
	}
	l.copies = nil
	if l.finished && l.started && l.next < l.end {
		n := l.end - l.next
		l.next = l.end
		a.gap(l, int64(n))
	}
}
