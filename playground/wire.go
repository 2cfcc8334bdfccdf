package playground

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// Wire is a run: a Link between the two ends of a connection.
type Wire struct {
	Link
	x      *ends
	ends   [2]*end
	events *trace.Memory
	number int     // of the connection, from 0
	before *Result // of the connection that is resumed
	replay *Result // of another connection, once it was made
	log    [2]*trace.Log
}

// New returns a Wire on which the client is about to speak.
func New(s Setup, acts []Act) (*Wire, error) {
	p, err := s.plan()
	if err != nil {
		return nil, err
	}
	if err := Check(acts); err != nil {
		return nil, err
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
	w := &Wire{x: x, number: n, events: &trace.Memory{}}
	sink := numbered{w.events}
	var parties [2]Party
	for side := range w.ends {
		me := iana.Side(side)
		w.log[me] = trace.New(trace.Role(me.String()), sink, nil)
		w.ends[me] = newEnd(p, me, x.config(me, n, w.log[me]))
		w.ends[me].events, w.ends[me].key = w.events, x.server.PrivateKey
		parties[me] = w.ends[me]
	}
	w.Link = *newLink(parties, acts, trace.New(trace.Between, sink, nil))
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
	w.Begin(iana.Client)
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

// Next performs one delivery, and behind the last one what is replayed to another connection. It
// reports whether there was a delivery.
func (w *Wire) Next() bool {
	if w.Link.Next() {
		return true
	}
	if w.replay == nil {
		w.replay = w.again()
	}
	return false
}
