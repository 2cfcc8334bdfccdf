package playground

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// Wire is what lies between the two sides of a connection. Records travel in the order in which
// they were sealed; acts change what arrives.
type Wire struct {
	x       *ends
	acts    []Act
	used    []bool // which acts have found their record, and their byte
	ends    [2]*end
	events  *trace.Memory
	records []Record
	number  int     // of the connection, from 0
	before  *Result // of the connection that is resumed
	replay  *Result // of another connection, once it was made
	log     [2]*trace.Log
	between *trace.Log

	count  [2]int      // records that each side has sealed
	queue  []arrival   // what is on its way
	held   [2]*held    // a record that arrives behind the next one
	cut    [2]bool     // nothing of this side arrives any more
	ending [2]bool     // the end of this side's stream is on its way, or was
	reads  [2]int      // arrivals at the peer
	sent   [2][][]byte // the records of each side, as they were sealed
}

// arrival is something on its way to the peer of a side: bytes, or the end of the stream.
type arrival struct {
	from   iana.Side
	record int // an index of records
	bytes  []byte
	end    bool
}

type held struct{ arrivals []arrival }

// New returns a Wire on which the client is about to speak.
func New(s Setup, acts []Act) (*Wire, error) {
	p, err := s.plan()
	if err != nil {
		return nil, err
	}
	for i := range acts {
		if err := acts[i].check(); err != nil {
			return nil, err
		}
	}
	x, err := newEnds(p)
	if err != nil {
		return nil, err
	}
	var before *Result
	if s.Resume {
		first := *p
		first.EarlyData = false
		if before, err = x.connect(&first, 0, nil).finish(); err != nil {
			return nil, err
		}
		w := x.connect(p, 1, acts)
		w.before = before
		return w, w.begin()
	}
	w := x.connect(p, 0, acts)
	return w, w.begin()
}

// connect returns the wire of a connection, which is number n of the run, from 0.
func (x *ends) connect(p *plan, n int, acts []Act) *Wire {
	w := &Wire{x: x, acts: acts, number: n, used: make([]bool, len(acts)), events: &trace.Memory{}}
	sink := numbered{w.events}
	w.between = trace.New(trace.Between, sink, nil)
	for side := range w.ends {
		me := iana.Side(side)
		w.log[me] = trace.New(trace.Role(me.String()), sink, nil)
		w.ends[me] = newEnd(p, me, x.config(me, n, w.log[me]))
		w.ends[me].events, w.ends[me].key = w.events, x.server.PrivateKey
	}
	return w
}

// numbered numbers the events of both sides as they happen.
type numbered struct{ *trace.Memory }

func (n numbered) Put(e trace.Entry) {
	e.Seq = len(n.Entries) + 1
	n.Memory.Put(e)
}

func (w *Wire) begin() error {
	if err := w.x.throwawayKey(w.log[iana.Server]); err != nil {
		return err
	}
	w.ends[iana.Client].proceed()
	w.collect(iana.Client)
	return nil
}

// finish performs the rest of the run.
func (w *Wire) finish() (*Result, error) {
	if err := w.begin(); err != nil {
		return nil, err
	}
	for w.Next() {
	}
	return w.Result(), nil
}

// Next performs one delivery: a record, or what somebody put in its place, or the end of a stream.
// It reports whether there was one.
func (w *Wire) Next() bool {
	if len(w.queue) == 0 {
		w.release()
	}
	if len(w.queue) == 0 {
		if w.replay == nil {
			w.replay = w.again()
		}
		return false
	}
	a := w.queue[0]
	w.queue = w.queue[1:]
	to := w.ends[a.from.Peer()]
	if a.end {
		to.ended()
	} else {
		r := &w.records[a.record]
		w.reads[a.from]++
		r.Arrival = w.reads[a.from]
		r.Unread = to.over()
		w.passed(r)
		to.arrive(a.bytes)
		if to.err != nil && !r.Unread {
			to.failedAt = a.record + 1
		}
	}
	w.collect(a.from.Peer())
	w.collect(a.from)
	return true
}

// passed writes to the events what becomes of a record.
func (w *Wire) passed(r *Record) {
	d := trace.Delivery{From: r.Side, Fate: r.Fate, Number: uint64(r.Number),
		Arrival: uint64(r.Arrival)}
	if r.Fate == Changed || r.Sent == nil {
		d.Bytes = r.Got
	}
	w.between.Delivery(d)
}

// collect puts on the wire what a side has sealed, and the end of its stream.
func (w *Wire) collect(side iana.Side) {
	x := w.ends[side]
	for _, b := range cutRecords(x.sealed()) {
		w.put(side, b)
	}
	if x.over() && !w.ending[side] && !w.cut[side] {
		w.ending[side] = true
		w.last(side)
	}
}

// release lets go of what waits for a record that did not come.
func (w *Wire) release() {
	for side, h := range w.held {
		if h != nil {
			w.held[side] = nil
			w.queue = append(w.queue, h.arrivals...)
		}
	}
}

// last puts the end of a side's stream on the wire, behind all that was to come before it.
func (w *Wire) last(side iana.Side) {
	if h := w.held[side]; h != nil {
		w.held[side] = nil
		w.queue = append(w.queue, h.arrivals...)
	}
	for i, a := range w.acts {
		if a.Side == side && a.Kind == Replay && a.At == 0 && !a.Fresh &&
			a.Record <= len(w.sent[side]) {
			w.used[i] = true
			w.add(side, a.Record, Replayed, w.sent[side][a.Record-1])
		}
	}
	w.queue = append(w.queue, arrival{from: side, end: true})
}

// put puts a record on the wire, as the acts want it.
func (w *Wire) put(side iana.Side, b []byte) {
	w.count[side]++
	n := w.count[side]
	w.sent[side] = append(w.sent[side], b)
	if w.cut[side] {
		w.records = append(w.records, Record{Number: n, Side: side, Fate: Dropped, Sent: b})
		w.passed(&w.records[len(w.records)-1])
		return
	}
	own := w.about(side, n, len(b))
	for _, a := range own {
		if a.Kind == Inject {
			for _, forged := range cutRecords(a.Data) {
				w.add(side, 0, Forged, forged)
			}
		}
	}
	w.deliver(side, n, b, own)
	for i, a := range w.acts {
		if a.Side == side && a.Kind == Replay && !a.Fresh && a.At == n && a.Record <= n {
			w.used[i] = true
			w.add(side, a.Record, Replayed, w.sent[side][a.Record-1])
		}
	}
}

// about returns the acts on a record of size bytes.
func (w *Wire) about(side iana.Side, n, size int) (list []Act) {
	for i, a := range w.acts {
		if a.Side == side && a.Record == n && a.Kind != Replay && a.meets(size) {
			w.used[i] = true
			list = append(list, a)
		}
	}
	return list
}

// deliver puts a record on the wire with its own acts.
func (w *Wire) deliver(side iana.Side, n int, b []byte, own []Act) {
	got, fate, again, swap := append([]byte(nil), b...), Delivered, 0, false
	for _, a := range own {
		switch a.Kind {
		case Flip, Set:
			if a.apply(got) {
				fate = Changed
			}
		case Drop:
			fate = Dropped
		case Duplicate:
			again++
		case Swap:
			swap = true
		case Cut:
			got, w.cut[side] = got[:min(a.Offset, len(got))], true
			if fate = Changed; len(got) == 0 {
				fate = Dropped
			}
		}
	}
	w.records = append(w.records, Record{Number: n, Side: side, Fate: fate, Sent: b})
	if fate == Dropped {
		w.passed(&w.records[len(w.records)-1])
	} else {
		mine := arrival{from: side, record: len(w.records) - 1, bytes: got}
		w.records[mine.record].Got = got
		before := w.held[side]
		if swap && before == nil {
			w.records[mine.record].Fate = moved(fate)
			w.held[side] = &held{[]arrival{mine}}
		} else {
			w.held[side] = nil
			w.queue = append(w.queue, mine)
			if before != nil {
				w.queue = append(w.queue, before.arrivals...)
			}
		}
		for range again {
			w.add(side, n, Duplicated, got)
		}
	}
	if w.cut[side] {
		w.ending[side] = true
		w.last(side)
	}
}

// moved returns the fate of a record that arrives behind the next one.
func moved(f Fate) Fate {
	if f == Changed {
		return Changed
	}
	return Moved
}

// add puts something on the wire that its side did not send there.
func (w *Wire) add(side iana.Side, n int, f Fate, b []byte) {
	w.records = append(w.records, Record{Number: n, Side: side, Fate: f, Got: b})
	w.queue = append(w.queue, arrival{from: side, record: len(w.records) - 1, bytes: b})
}
