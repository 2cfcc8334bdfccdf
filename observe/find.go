package observe

import (
	"encoding/binary"
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
)

// effort bounds how many bytes are decrypted without success to find the next record of a direction
// after a hole: this many for each byte received, so that the work is proportional to the length of
// the capture, and maxEffort in all. A record pays for trying this many sequence numbers; after a
// hole of more records the next record continues with the numbers that are left.
const (
	effort    = 64
	maxEffort = 512 << 20
)

// effortSpent reports whether a direction has used up its effort for the bytes received so far.
func (l *lane) effortSpent() bool { return l.tried >= min(effort*l.fed, maxEffort) }

// regain looks for the next record after a hole that contains the beginning of a record: for a
// place where a header may be, and a sequence number with which what follows opens.
func (c *Connection) regain(l *lane) (t iana.ContentType, plain []byte, got outcome) {
	if (l.half.Protected() || l.blind) && l.inner {
		c.torn(l)
	}
	for {
		l.steps++
		for l.straight() < record.HeaderLen && len(l.holes) > 0 {
			l.lose()
		}
		if l.straight() < record.HeaderLen {
			break
		}
		h, good := header(l.buf[l.start:])
		if !good || !plausible(h, l.inner) {
			l.start++
			continue
		}
		whole := record.HeaderLen + h.Length
		switch {
		case l.straight() < whole && !l.closed && len(l.holes) == 0:
			return 0, nil, starved // it may be one
		case l.straight() < whole:
			l.start++
			continue
		case !l.half.Protected() && !l.blind:
			l.lost = false
			return 0, nil, passed
		}
		if t, plain, ok := c.retake(l, h); ok {
			return t, plain, opened
		}
		switch {
		case l.tried >= maxEffort:
			l.err = errLost
			return 0, nil, starved
		case l.effortSpent():
			l.passOver(h)
		default:
			l.start++ // it was no header
		}
	}
	if l.closed {
		l.err = errLost
	}
	return 0, nil, starved
}

// retake opens the record at the lane's start, if it is the next one. The latest keys are the most
// likely; only for these it is remembered which sequence numbers failed.
func (c *Connection) retake(l *lane, h record.Header) (t iana.ContentType, plain []byte, ok bool) {
	halves := c.ahead(l)
	slices.Reverse(halves)
	if l.half.Protected() {
		halves = append(halves, &l.half)
	}
	ruled := l.ruled
	for i, half := range halves {
		if half != &l.half {
			half.Seek(0)
		}
		if i > 0 {
			l.ruled = 0
		}
		if t, plain, ok = l.attempt(half, h); ok {
			if half != &l.half {
				c.changeKeys(l, half)
			}
			break
		}
		if i == 0 {
			ruled = l.ruled
		}
	}
	if l.ruled = ruled; !ok {
		return t, nil, false
	}
	l.start += record.HeaderLen + h.Length
	l.lost, l.skipped, l.ruled, l.over = false, 0, 0, 0
	l.read, l.fresh = true, false
	if t == iana.RecordApplicationData && !l.inner {
		c.torn(l)
	}
	return t, plain, true
}

// passOver skips what may be a record at the lane's start, without trying to open it.
func (l *lane) passOver(h record.Header) {
	l.start += record.HeaderLen + h.Length
	l.ruled++
	l.over++
	if h.Type == iana.RecordApplicationData {
		l.flow.Unread += int64(h.Length)
		l.flow.UnreadRecords++
	}
}

// attempt tries the record at the lane's start with all sequence numbers that it can have, or as
// many as the effort allows. It remembers which ones failed, if any were left to try.
func (l *lane) attempt(half *record.Half,
	h record.Header) (t iana.ContentType, plain []byte, ok bool) {
	const shortest = record.HeaderLen + 17
	fragment := l.buf[l.start+record.HeaderLen:][:h.Length]
	before := l.buf[max(l.since, l.start-chainTail):l.start]
	from, counted := half.SeqNum(), l.half.Number()
	last := from + uint64(l.skipped)/shortest + 1 + l.over
	scratch := make([]byte, len(fragment))
	try := func(seq uint64) bool {
		copy(scratch, fragment)
		l.tried += int64(len(fragment))
		half.Pass(0, before)
		half.Seek(seq)
		half.SetNumber(counted + seq - from + 1)
		var err error
		t, plain, err = half.Open(h, scratch)
		return err == nil
	}
	if explicit := guess(fragment); explicit >= from && explicit <= last && !l.effortSpent() {
		ok = try(explicit)
	}
	seq := max(from, l.ruled)
	for ; seq <= last && !ok && !l.effortSpent(); seq++ {
		ok = try(seq)
	}
	if !ok {
		half.Seek(from)
		half.SetNumber(counted)
	}
	if !ok && seq <= last {
		l.ruled = seq
	}
	return t, plain, ok
}

// guess returns the explicit part of a nonce, in which most implementations put the sequence
// number.
func guess(fragment []byte) uint64 {
	if len(fragment) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(fragment)
}

// plausible reports whether a header can be one of a record of data. Within ciphertext one place in
// some millions looks like one.
func plausible(h record.Header, inner bool) bool {
	return h.Length > 0 && h.Type <= iana.RecordApplicationData &&
		(!inner || h.HidesType())
}
