package observe

import (
	"sync"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/framing"
	"github.com/vitrine-tls/vitrine/record"
)

// lane is one direction: from bytes to records to messages. Unlike a peer it continues after a
// record that does not open, and after missing bytes.
type lane struct {
	from iana.Side
	half record.Half

	buf      []byte // from start on, not cut into records yet
	start    int
	holes    []hole // in buf, in order
	gone     int64  // bytes in the holes
	probe    probe  // how far first has searched
	messages record.Joiner
	held     *item // it waits for its place in the figure

	epoch handshake.Epoch // TLS 1.3: of the keys that it has
	// under the keys of later epochs, while these are tried; see ahead
	later [handshake.Application + 1]*record.Half
	// since the keys changed, and before that
	sealed, before sealedRecords

	batch batch                  // records that were opened ahead; see openAhead
	keys  *handshake.TrafficKeys // of half
	opens int                    // records that opened one by one, since one did not

	refused refused // early data that waits; see openRefused

	copies []otherCopy // of bytes that wait, with other contents
	// the next record is not what it should be, and another copy may come
	doubt     bool
	framing   *framing.Framing // what carried its records during the handshake
	inner     bool             // TLS 1.3: records have their type inside
	blind     bool             // protected by keys that we do not have
	early     bool             // what comes is early data, up to a boundary that may not be marked
	read      bool             // a protected record opened
	fresh     bool             // no record opened since the keys changed
	keysFound bool             // the keys of its data were found by trial
	lost      bool             // a hole contains the place where a record begins
	since     int              // where in buf the hole was
	skipped   int64            // bytes in the hole, which bound the next record's number
	unread    int              // bytes to come of a record that is skipped
	unaligned bool             // the boundaries of records are not known any more
	inflate   *inflater
	// a fatal alert in the clear, where records have keys
	outer  *alert.Description
	closed bool   // no more bytes will come
	err    error  // why the direction cannot be read further
	fed    int64  // bytes received
	ruled  uint64 // after a hole: the next record has no number below this one
	over   uint64 // records that were skipped since, for lack of effort
	tried  int64  // bytes of records decrypted to find the next one; see effort
	steps  int64  // records, places and holes examined: for tests
	ahead  int64  // records opened ahead: for tests

	flow Flow
}

// item is a message of a lane that has its place in a figure.
type item struct {
	typ  iana.ContentType
	body []byte
}

// hole is a place where n bytes are missing, before buf[at].
type hole struct {
	at int
	n  int64
}

// holeSize is the memory of a hole, in bytes.
const holeSize = 16

// probe is a place after start at the beginning of a record, and whether a ChangeCipherSpec
// precedes it.
type probe struct {
	at     int
	passed bool
}

// sealed is a record as on the wire.
type sealed struct {
	record.Header
	fragment []byte
	torn     bool // part of it is missing: fragment has zeros there
	tail     int  // how many of its last bytes are there
}

// A sealedRecords counts records of application_data that opened under no key.
type sealedRecords struct {
	bytes   int64
	records int
	last    int // length of the last one
}

// otherCopy is bytes of a direction, from the place at of all that were received.
type otherCopy struct {
	at int64
	b  []byte
}

// refused is early data of a direction that waits.
type refused struct {
	records []byte // whole, from the first on, each behind its number of four bytes
	full    bool   // the next one is not there
}

// add appends the next bytes. They are copied, since records are opened in place.
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

// makeRoom makes room for n more bytes. Its copying is paid for by the bytes received: it moves the
// bytes of a long buffer down only if they are fewer than those that it drops, and otherwise grows
// the buffer by a quarter.
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

// move copies what waits into another buffer, which may be the beginning of the same one.
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

// kept returns where the bytes begin that are still needed. After a hole, those before a record
// that is tried are needed to decrypt it.
func (l *lane) kept() int {
	if l.lost {
		return max(l.since, l.start-chainTail)
	}
	return l.start
}

// chainTail is how many bytes before a record may be needed to decrypt it: a block and, after it, a
// MAC.
const chainTail = 16 + 48

// bufferSize is enough for a record and the segments that come with its end, in bytes.
const bufferSize = 32 << 10

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// rest frees the buffer while it is empty: there may be many lanes.
func (l *lane) rest() {
	if l.start < len(l.buf) || len(l.holes) > 0 || l.lost || l.buf == nil {
		return
	}
	l.move(nil)
	l.buf, l.start, l.since = nil, 0, 0
}

// shrink limits the buffer to about what waits in it.
func (l *lane) shrink() {
	if n := len(l.buf) - l.kept(); cap(l.buf) > 2*n && l.buf != nil {
		l.move(make([]byte, 0, n))
	}
}

// memory returns how many bytes the lane holds.
func (l *lane) memory() int {
	n := cap(l.buf) + holeSize*cap(l.holes) + l.messages.Cap() + l.inflate.memory() +
		cap(l.refused.records)
	for _, k := range l.copies {
		n += len(k.b)
	}
	if l.held != nil {
		n += len(l.held.body)
	}
	return n
}

// gap notes that n bytes are missing here.
func (l *lane) gap(n int64) {
	l.flow.Missing += n
	l.gone += n
	if k := len(l.holes); k > 0 && l.holes[k-1].at == len(l.buf) {
		l.holes[k-1].n += n
		return
	}
	l.holes = append(l.holes, hole{len(l.buf), n})
}

// waiting returns how many bytes wait in the lane, including the memory of holes.
func (l *lane) waiting() int { return len(l.buf) - l.start + holeSize*len(l.holes) }

// straight returns how many bytes there are up to the first hole.
func (l *lane) straight() int {
	if len(l.holes) > 0 {
		return l.holes[0].at - l.start
	}
	return len(l.buf) - l.start
}

// peek returns the type of the next record, if its first byte has come.
func (l *lane) peek() (t iana.ContentType, ok bool) {
	if l.straight() == 0 {
		return 0, false
	}
	return iana.ContentType(l.buf[l.start]), true
}

// fill drops the first hole and returns how many bytes are missing there.
func (l *lane) fill() int64 {
	n := l.holes[0].n
	l.holes = l.holes[1:]
	l.gone -= n
	return n
}

// lose drops the beginning of a header that a hole cuts off, and the hole. The beginning of the
// next record must then be found.
func (l *lane) lose() {
	l.start = l.holes[0].at
	l.since = l.start
	l.skipped += l.fill()
	l.lost = true
}

// place returns where the byte at a place in buf is among all that were received.
func (l *lane) place(at int) int64 { return l.fed - int64(len(l.buf)) + int64(at) }

// batchSize is the memory of a batch, in bytes: what a Watch passes on at once.
const batchSize = 256 << 10

// maxBatch is how many records a batch has at most.
const maxBatch = 1 << 10

// A batch has records of one direction that were opened ahead, in their order. It lasts no longer
// than a run, so that a connection that waits holds nothing of it.
type batch struct {
	*batchMemory
	records []aheadRecord
	next    int
	twins   []*record.Half // the lane's half again, each for one core
}

// batchMemory is what a batch is made of.
type batchMemory struct {
	bytes [batchSize]byte
	room  [maxBatch]aheadRecord
}

var batches = sync.Pool{New: func() any { return new(batchMemory) }}

// An aheadRecord is a record that was opened ahead.
type aheadRecord struct {
	record.Header
	fragment []byte // in the batch's memory
	at       int64  // where it begins among all bytes that were received
	t        iana.ContentType
	plain    []byte
	opened   bool
}

// dropBatch forgets records that were opened ahead, and gives their memory back.
func (l *lane) dropBatch() {
	if m := l.batch.batchMemory; m != nil {
		clear(m.room[:])
		batches.Put(m)
	}
	l.batch = batch{}
}

// setKeys keeps the keys of a direction, for its twins. Nil are keys that its records cannot be
// opened ahead with.
func (l *lane) setKeys(k *handshake.TrafficKeys) {
	l.dropBatch()
	l.keys, l.opens = k, 0
}
