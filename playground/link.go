package playground

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// Party is one of the two sides of a Link.
type Party interface {
	// Arrive takes bytes from the peer. It returns when the side waits for more, or has ended.
	Arrive(b []byte)
	// Ended takes the end of the peer's stream, and returns as Arrive does.
	Ended()
	// Sealed returns the records that the side has sent since it was last asked.
	Sealed() []byte
	// Over reports whether the side neither sends nor reads any more.
	Over() bool
}

// Link carries records between two sides, one at a time and in the order in which they were sealed.
// Acts change what arrives.
type Link struct {
	// Passing, if set, is called before an act is performed on a record, with its index. It may
	// change the act in the list that NewLink got.
	Passing func(act int, record []byte)

	acts    []Act
	used    []bool   // which acts have found their record, and their byte
	idle    []string // why an act that found its record changed nothing
	on      map[Place][]int
	behind  map[Place][]int // acts that replay, by what they arrive behind
	parties [2]Party
	between *trace.Log
	records []Record

	count  [2]int      // records that each side has sealed
	queue  []arrival   // what is on its way
	held   [2]*held    // a record that arrives behind the next one
	cut    [2]bool     // nothing of this side arrives any more
	ending [2]bool     // the end of this side's stream is on its way, or was
	reads  [2]int      // arrivals at the peer
	sent   [2][][]byte // the records of each side, as they were sealed
	copied int         // bytes of copies that acts have put on the wire
}

// arrival is something on its way to the peer of a side: bytes, or the end of the stream.
type arrival struct {
	from   iana.Side
	record int // an index of records
	bytes  []byte
	end    bool
}

// held is a record that waits for the next one of its side.
type held struct {
	arrival
	swaps []int // the acts
}

// NewLink returns a Link between two sides, by whom they are. Log gets a Delivery for each record.
// It returns an error if the acts make no sense: see Check.
func NewLink(parties [2]Party, acts []Act, log *trace.Log) (*Link, error) {
	if err := Check(acts); err != nil {
		return nil, err
	}
	return newLink(parties, acts, log), nil
}

func newLink(parties [2]Party, acts []Act, log *trace.Log) *Link {
	l := &Link{parties: parties, acts: acts, between: log, used: make([]bool, len(acts)),
		idle: make([]string, len(acts)), on: map[Place][]int{}, behind: map[Place][]int{}}
	for i := range acts {
		switch a := &acts[i]; {
		case a.Kind != Replay:
			at := Place{Side: a.Side, Record: a.Record}
			l.on[at] = append(l.on[at], i)
		case !a.Fresh:
			at := Place{Side: a.Side, Record: a.At}
			l.behind[at] = append(l.behind[at], i)
		}
	}
	return l
}

// Begin takes what a side has sent before anything has come to it.
func (l *Link) Begin(side iana.Side) { l.collect(side) }

// Records returns what was put on the wire so far.
func (l *Link) Records() []Record { return l.records }

// Sent returns how many records a side has sent.
func (l *Link) Sent(side iana.Side) int { return l.count[side] }

// Next performs one delivery: a record, or what somebody put in its place, or the end of a stream.
// It reports whether there was one.
func (l *Link) Next() bool {
	if len(l.queue) == 0 {
		l.release()
	}
	if len(l.queue) == 0 {
		return false
	}
	a := l.queue[0]
	l.queue = l.queue[1:]
	to := l.parties[a.from.Peer()]
	if a.end {
		to.Ended()
	} else {
		r := &l.records[a.record]
		l.reads[a.from]++
		r.Arrival = l.reads[a.from]
		r.Unread = to.Over()
		l.passed(r)
		to.Arrive(a.bytes)
	}
	l.collect(a.from.Peer())
	l.collect(a.from)
	return true
}

// passed writes to the events what becomes of a record.
func (l *Link) passed(r *Record) {
	d := trace.Delivery{From: r.Side, Fate: r.Fate, Number: uint64(r.Number),
		Arrival: uint64(r.Arrival)}
	if r.Fate == Changed || r.Sent == nil {
		d.Bytes = r.Got
	}
	l.between.Delivery(d)
}

// collect puts on the wire what a side has sealed, and the end of its stream.
func (l *Link) collect(side iana.Side) {
	x := l.parties[side]
	for _, b := range cutRecords(x.Sealed()) {
		l.put(side, b)
	}
	if x.Over() && !l.ending[side] && !l.cut[side] {
		l.ending[side] = true
		l.last(side)
	}
}

// release lets go of what waits for a record that did not come.
func (l *Link) release() {
	for side := range l.held {
		l.letGo(iana.Side(side))
	}
}

// letGo queues a record that nothing has overtaken, so that it was not swapped.
func (l *Link) letGo(side iana.Side) {
	h := l.held[side]
	if h == nil {
		return
	}
	l.held[side] = nil
	of := &l.records[h.record]
	if of.Fate == Moved {
		of.Fate = Delivered
	}
	for _, i := range h.swaps {
		l.idle[i] = fmt.Sprintf("the %v sends nothing that could overtake its record %d", side,
			of.Number)
	}
	l.queue = append(l.queue, h.arrival)
}

// last puts the end of a side's stream on the wire, behind all that was to come before it.
func (l *Link) last(side iana.Side) {
	l.letGo(side)
	l.replays(side, 0)
	l.queue = append(l.queue, arrival{from: side, end: true})
}

// replays puts records on the wire again that arrive behind a record; 0 is behind all.
func (l *Link) replays(side iana.Side, behind int) {
	for _, i := range l.behind[Place{Side: side, Record: behind}] {
		if n := l.acts[i].Record; n <= len(l.sent[side]) {
			l.used[i] = true
			l.copy(i, side, n, Replayed, l.sent[side][n-1])
		}
	}
}

// put puts a record on the wire, as the acts want it.
func (l *Link) put(side iana.Side, b []byte) {
	l.count[side]++
	n := l.count[side]
	l.sent[side] = append(l.sent[side], b)
	if l.cut[side] {
		l.records = append(l.records, Record{Number: n, Side: side, Fate: Dropped, Sent: b})
		l.passed(&l.records[len(l.records)-1])
		return
	}
	own := l.about(side, n, b)
	for _, i := range own {
		if a := &l.acts[i]; a.Kind == Inject {
			for _, forged := range cutRecords(a.Data) {
				l.add(side, 0, Forged, forged)
			}
		}
	}
	l.deliver(side, n, b, own)
	if !l.cut[side] {
		l.replays(side, n)
	}
}

// about returns which acts are on a record.
func (l *Link) about(side iana.Side, n int, b []byte) (own []int) {
	for _, i := range l.on[Place{Side: side, Record: n}] {
		if l.Passing != nil {
			l.Passing(i, b)
		}
		if l.used[i] = l.acts[i].meets(len(b)); l.used[i] {
			own = append(own, i)
		}
	}
	return own
}

// deliver puts a record on the wire with its own acts.
func (l *Link) deliver(side iana.Side, n int, b []byte, own []int) {
	of := Record{Number: n, Side: side, Fate: Delivered, Sent: b}
	got, drop := append([]byte(nil), b...), false
	var swaps, again []int
	for _, i := range own {
		switch a := &l.acts[i]; a.Kind {
		case Flip, Set:
			if l.idle[i] = a.apply(got); l.idle[i] == "" {
				of.Fate = Changed
			}
		case Drop:
			drop = true
		case Duplicate:
			again = append(again, i)
		case Swap:
			swaps = append(swaps, i)
		case Cut:
			l.cut[side] = true
			if a.Offset < len(got) {
				got, of.Fate = got[:a.Offset], Changed
			}
		}
	}
	if drop || len(got) == 0 {
		of.Fate = Dropped
	}
	l.records = append(l.records, of)
	if of.Fate == Dropped {
		l.passed(&l.records[len(l.records)-1])
	} else {
		l.send(side, got, swaps)
		for _, i := range again {
			l.copy(i, side, n, Duplicated, got)
		}
	}
	if l.cut[side] {
		l.ending[side] = true
		l.last(side)
	}
}

// send queues the record that was put on the wire last, or holds it back behind the next one.
func (l *Link) send(side iana.Side, got []byte, swaps []int) {
	mine := arrival{from: side, record: len(l.records) - 1, bytes: got}
	of := &l.records[mine.record]
	of.Got = got
	before := l.held[side]
	if len(swaps) > 0 && before == nil {
		if of.Fate == Delivered {
			of.Fate = Moved
		}
		l.held[side] = &held{mine, swaps}
		return
	}
	l.held[side] = nil
	l.queue = append(l.queue, mine)
	if before != nil {
		l.queue = append(l.queue, before.arrival)
	}
}

// add puts something on the wire that its side did not send there.
func (l *Link) add(side iana.Side, n int, f Fate, b []byte) {
	l.records = append(l.records, Record{Number: n, Side: side, Fate: f, Got: b})
	l.queue = append(l.queue, arrival{from: side, record: len(l.records) - 1, bytes: b})
}

// copy adds a copy of a record for an act, within the bound on all copies.
func (l *Link) copy(act int, side iana.Side, n int, f Fate, b []byte) {
	if l.copied+len(b) > allData {
		l.idle[act] = fmt.Sprintf("the copies before have %d bytes, which is as much as fits",
			l.copied)
		return
	}
	l.copied += len(b)
	l.add(side, n, f, b)
}

// Idle returns why an act has changed nothing, or an empty string if it has, or may still.
func (l *Link) Idle(i int) string {
	a := &l.acts[i]
	n := l.count[a.Side]
	switch {
	case l.used[i]:
		return l.idle[i]
	case a.Record > n:
		return fmt.Sprintf("there is no record %d of the %v", a.Record, a.Side)
	case a.Kind != Replay && !a.meets(len(l.sent[a.Side][a.Record-1])):
		return fmt.Sprintf("record %d of the %v has %d bytes, and no byte %d", a.Record, a.Side,
			len(l.sent[a.Side][a.Record-1]), a.Offset)
	case a.Fresh:
		return ""
	case a.At > n:
		return fmt.Sprintf("there is no record %d of the %v", a.At, a.Side)
	case l.cut[a.Side]:
		return fmt.Sprintf("the stream of the %v was cut before", a.Side)
	}
	return fmt.Sprintf("record %d of the %v is not sent before its record %d", a.Record, a.Side,
		a.At)
}
