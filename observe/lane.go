package observe

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/record"
)

const (
	maxMessage = 1 << 20 // of a handshake message: no chain of certificates comes near
	heartbeat  = iana.ContentType(24)
)

// lane is one direction: what came, from bytes to records to messages. Unlike a peer it goes on
// behind a record that does not open, and behind bytes that were not captured.
type lane struct {
	from iana.Side
	half record.Half

	buf     []byte // from start on, not cut into records yet
	start   int
	holes   []hole       // in buf, in order
	gone    int64        // bytes in the holes
	probe   probe        // how far first has looked
	message []byte       // handshake bytes that are no whole message yet
	held    *item        // it waits for its turn
	landed  *record.Half // under the keys of its data, where they are tried; see landing

	inner bool // TLS 1.3: records have their type inside
	blind bool // protected by keys that we do not have
	// records that do not open are dropped, until one does: early data that was refused
	forgives bool
	leapt    bool  // it has the keys of its data, although the handshake is not done
	lost     bool  // a hole took the place where a record begins
	since    int   // where in buf the hole was
	skipped  int64 // bytes in the hole, then: they bound the next record's number
	unread   int   // bytes of a record that is passed over, still to come
	deaf     bool  // where records begin is not known any more
	inflate  *inflater
	closed   bool   // nothing more will come
	err      error  // where this direction stopped making sense
	fed      int64  // bytes that came
	ruled    uint64 // behind a hole: no number below this one is the next record's
	over     uint64 // how many records were passed over since, for want of effort
	tried    int64  // bytes of records that were opened to find the way back; see effort
	steps    int64  // what else was looked at, by records, places and holes: for tests

	flow Flow
}

// item is one thing of a lane that has its place among the lines of a figure.
type item struct {
	typ  iana.ContentType
	body []byte
}

// hole is where bytes are missing: n of them, before buf[at].
type hole struct {
	at int
	n  int64
}

// holeSize is the memory of a hole, in bytes.
const holeSize = 16

// probe is a place behind start, at the beginning of a record, and whether a ChangeCipherSpec
// stands before.
type probe struct {
	at     int
	passed bool
}

// sealed is a record as it stands on the wire.
type sealed struct {
	record.Header
	fragment []byte
	torn     bool // part of it is missing: fragment has zeros there
	tail     int  // so many of its last bytes are there
}

// add takes the next bytes. They are copied: records are opened in place.
func (l *lane) add(b []byte) {
	l.fed += int64(len(b))
	if l.start > 0 && l.start == len(l.buf) && len(l.holes) == 0 {
		l.buf, l.start, l.since = l.buf[:0], 0, 0
	}
	if len(l.buf)+len(b) > cap(l.buf) {
		l.makeRoom(len(b))
	}
	l.buf = append(l.buf, b...)
}

// makeRoom makes room for n more bytes. What it copies is paid for by what came: it moves the bytes
// of a long buffer down only if they are fewer than those that it drops, and else makes it longer
// by a quarter.
func (l *lane) makeRoom(n int) {
	need := len(l.buf) - l.kept() + n
	switch {
	case need <= cap(l.buf) && (cap(l.buf) == bufferSize || l.kept() > len(l.buf)/2):
		l.move(l.buf[:0])
	case need <= bufferSize:
		l.move((*buffers.Get().(*[bufferSize]byte))[:0])
	default:
		l.move(make([]byte, 0, need+need/4))
	}
}

// move puts what waits into another buffer, which may be the beginning of the same one.
func (l *lane) move(to []byte) {
	from, old := l.kept(), l.buf
	l.buf = append(to, l.buf[from:]...)
	l.steps += int64(len(l.buf) + len(l.holes))
	for i := range l.holes {
		l.holes[i].at -= from
	}
	l.start, l.since = l.start-from, max(0, l.since-from)
	if cap(old) == bufferSize && cap(l.buf) != bufferSize {
		buffers.Put((*[bufferSize]byte)(old[:bufferSize]))
	}
}

// kept is where the bytes begin that are still needed: behind a hole, what stands before a record
// that is tried tells how its decryption begins.
func (l *lane) kept() int {
	if l.lost {
		return max(l.since, l.start-chainTail)
	}
	return l.start
}

// bufferSize is what a lane needs for a record and the segments that come with its end.
const bufferSize = 32 << 10

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// rest gives the buffer back as long as the lane is quiet: there may be many.
func (l *lane) rest() {
	if l.start < len(l.buf) || len(l.holes) > 0 || l.lost || l.buf == nil {
		return
	}
	l.move(nil)
	l.buf, l.start, l.since = nil, 0, 0
}

// shrink lets the lane take no more memory than what waits in it needs, about.
func (l *lane) shrink() {
	if n := len(l.buf) - l.kept(); cap(l.buf) > 2*n && l.buf != nil {
		l.move(make([]byte, 0, n))
	}
}

// memory is how many bytes the lane holds.
func (l *lane) memory() int {
	n := cap(l.buf) + holeSize*cap(l.holes) + cap(l.message) + l.inflate.memory()
	if l.held != nil {
		n += len(l.held.body)
	}
	return n
}

// gap says that n bytes are missing here.
func (l *lane) gap(n int64) {
	l.flow.Missing += n
	l.gone += n
	if k := len(l.holes); k > 0 && l.holes[k-1].at == len(l.buf) {
		l.holes[k-1].n += n
		return
	}
	l.holes = append(l.holes, hole{len(l.buf), n})
}

// waiting is how many bytes wait in the lane, with what it takes to know where some are missing.
func (l *lane) waiting() int { return len(l.buf) - l.start + holeSize*len(l.holes) }

// straight is how many bytes there are up to the first hole.
func (l *lane) straight() int {
	if len(l.holes) > 0 {
		return l.holes[0].at - l.start
	}
	return len(l.buf) - l.start
}

// peek is the type of the record that comes next, if that has begun to arrive.
func (l *lane) peek() (t iana.ContentType, ok bool) {
	if l.straight() == 0 {
		return 0, false
	}
	return iana.ContentType(l.buf[l.start]), true
}

// header reads a record's header. Heartbeats (RFC 6520) are records, too.
func header(b []byte) (h record.Header, ok bool) {
	h = record.Header{Type: iana.ContentType(b[0]),
		Version: iana.Version(binary.BigEndian.Uint16(b[1:])),
		Length:  int(binary.BigEndian.Uint16(b[3:]))}
	return h, h.Type >= iana.RecordChangeCipherSpec && h.Type <= heartbeat && h.Version>>8 == 3 &&
		h.Version <= iana.TLS13 && h.Length <= record.MaxCiphertext
}

// cut takes the next record off what has arrived, once it is whole, or known never to be.
func (l *lane) cut() (r sealed, got outcome) {
	n := l.straight()
	if n < record.HeaderLen {
		if len(l.holes) == 0 {
			return r, starved
		}
		l.lose()
		return r, passed
	}
	b := l.buf[l.start:]
	h, good := header(b)
	if !good {
		l.err = fmt.Errorf("observe: what the %v sends is no record of TLS any more: %x", l.from,
			b[:record.HeaderLen])
		return r, starved
	}
	whole := record.HeaderLen + h.Length
	if n >= whole {
		l.start += whole
		return sealed{Header: h, fragment: b[record.HeaderLen:whole:whole]}, opened
	}
	if len(l.holes) == 0 {
		return r, starved
	}
	return l.mend(h)
}

// mend cuts a record that has holes: zeros take their place.
func (l *lane) mend(h record.Header) (r sealed, got outcome) {
	if int64(record.HeaderLen+h.Length) > int64(len(l.buf)-l.start)+l.gone {
		return r, starved
	}
	whole, tail := make([]byte, 0, record.HeaderLen+h.Length), 0
	for left := cap(whole); left > 0; {
		n := min(left, l.straight())
		whole, l.start, left, tail = append(whole, l.buf[l.start:l.start+n]...), l.start+n, left-n,
			n
		if left == 0 {
			break
		}
		n = int(min(int64(left), l.holes[0].n))
		whole, left, tail = append(whole, make([]byte, n)...), left-n, 0
		l.gone -= int64(n)
		if l.holes[0].n -= int64(n); l.holes[0].n == 0 {
			l.holes = l.holes[1:]
		}
	}
	return sealed{h, whole[record.HeaderLen:], true, min(tail, h.Length)}, opened
}

// lose drops the beginning of a header that a hole cut off, and the hole: where the next record
// begins must be found.
func (l *lane) lose() {
	l.start = l.holes[0].at
	l.since = l.start
	l.skipped += l.fill()
	l.lost = true
}

// wholeMessage cuts a handshake message off what records have brought; nil until one is whole.
func (l *lane) wholeMessage() []byte {
	if len(l.message) < message.HeaderLen {
		return nil
	}
	n := message.Length(l.message)
	if n > maxMessage {
		l.err = fmt.Errorf("observe: the %v's %v has %d bytes", l.from,
			iana.HandshakeType(l.message[0]), n)
		return nil
	}
	if len(l.message) < n {
		return nil
	}
	raw, rest := l.message[:n:n], l.message[n:]
	if l.message = rest; len(rest) == 0 {
		l.message = nil
	}
	return raw
}

// first finds the first record behind the ChangeCipherSpec that is to come, or in TLS 1.3 the first
// of application_data: a sample to try keys on. known is false as long as it may still come; sample
// is nil if it never does. It goes on where it ended the last time, as nothing is taken from the
// lane meanwhile.
func (l *lane) first(tls13, passed bool) (h record.Header, sample []byte, known bool) {
	p := &l.probe
	for p.passed = p.passed || passed; ; l.steps++ {
		at, end := l.start+p.at, len(l.buf)
		if len(l.holes) > 0 {
			end = l.holes[0].at
		}
		hole := len(l.holes) > 0 || l.closed
		if end-at < record.HeaderLen {
			return h, nil, hole
		}
		h, ok := header(l.buf[at:])
		whole := at + record.HeaderLen + h.Length
		switch {
		case !ok:
			return h, nil, true
		case whole > end:
			return h, nil, hole
		case p.passed && (!tls13 || h.Type == iana.RecordApplicationData):
			return h, slices.Clone(l.buf[at+record.HeaderLen : whole]), true
		case h.Type == iana.RecordAlert:
			return h, nil, true
		case h.Type == iana.RecordChangeCipherSpec && !tls13:
			p.passed = true
		}
		p.at = whole - l.start
	}
}

// count passes over records that cannot be read.
func (l *lane) count() {
	for {
		n := l.straight()
		if l.unread > 0 {
			k := min(n, l.unread)
			l.start, l.unread, n = l.start+k, l.unread-k, n-k
		}
		switch {
		case l.deaf:
			l.flow.Unread += int64(n)
			l.start += n
		case l.unread == 0 && n >= record.HeaderLen:
			h, ok := header(l.buf[l.start:])
			if !ok {
				l.deaf = true
				continue
			}
			if h.Type == iana.RecordApplicationData {
				l.flow.Unread += int64(h.Length)
				l.flow.UnreadRecords++
			}
			l.start, l.unread = l.start+record.HeaderLen, h.Length
			continue
		}
		if len(l.holes) == 0 {
			return
		}
		if lost := l.holes[0].n; lost <= int64(l.unread) && l.straight() == 0 {
			l.unread -= int(lost)
		} else {
			l.deaf, l.unread, l.start = true, 0, l.holes[0].at
		}
		l.fill()
	}
}

// fill drops the first hole, and returns how many bytes are missing there.
func (l *lane) fill() int64 {
	n := l.holes[0].n
	l.holes = l.holes[1:]
	l.gone -= n
	return n
}
