package playground

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
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

// again performs the acts that replay to another connection of the same server what the client has
// sent, up to a record. There is no client at its other end.
func (w *Wire) again() *Result {
	for i, a := range w.acts {
		if a.Kind != Replay || !a.Fresh || a.Record > len(w.sent[iana.Client]) {
			continue
		}
		w.used[i] = true
		other := w.x.connect(w.ends[iana.Server].plan, w.number, nil)
		other.ends[iana.Client].absent, other.ending[iana.Client] = true, true
		for n, b := range w.sent[iana.Client][:a.Record] {
			other.count[iana.Client] = n
			other.add(iana.Client, n+1, Replayed, b)
		}
		for len(other.queue) > 0 && other.Next() {
		}
		return other.Result()
	}
	return nil
}

// Result returns what has happened so far. While the connection goes on, its Verdict is that of
// now.
func (w *Wire) Result() *Result {
	r := &Result{
		Setup:   w.ends[iana.Server].Setup,
		Acts:    w.acts,
		Records: append([]Record(nil), w.records...),
		Before:  w.before,
		Again:   w.replay,
		Entries: append([]trace.Entry(nil), w.events.Entries...),
	}
	r.Run = explain.Run{Command: "vitrine playground", Seed: w.x.seedName(), Client: "client",
		Server: "server"}
	for i, used := range w.used {
		if !used {
			r.Unused = append(r.Unused, i)
		}
		if why := w.Link.Idle(i); why != "" {
			r.Idle = append(r.Idle, Idle{i, why})
		}
	}
	for side, x := range w.ends {
		r.Ends[side] = x.outcome(r.Entries)
	}
	r.Digest = digest(r.Records)
	r.describe()
	w.judge(r)
	r.Run.Tampered = r.tampered()
	return r
}

// seedName returns the seed as the glass shows it, which must not be empty.
func (p *plan) seedName() string {
	if p.Seed == "" {
		return "0"
	}
	return p.Seed
}

func (x *end) outcome(entries []trace.Entry) End {
	e := End{Done: x.e.Machine().Done(), Closed: x.said && x.heard, Early: string(x.early),
		Received: string(x.received), Err: x.err}
	if x.err != nil {
		e.Error = x.err.Error()
	}
	for _, entry := range entries {
		if a, ok := entry.Event.(*trace.Alert); ok && a.From == x.me &&
			entry.Role == trace.Role(x.me.String()) && a.Level == alert.Fatal {
			e.Alert = a.Description.String()
		}
	}
	return e
}

func digest(records []Record) string {
	h := sha256.New()
	for _, r := range records {
		h.Write([]byte(r.Side.String() + "\x00"))
		h.Write(r.Got)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// describe says what each record carries.
func (r *Result) describe() {
	type place struct {
		side   iana.Side
		number int
	}
	sealed, carried := map[place]*trace.Record{}, map[place][]Carried{}
	var last [2]int // record that each side has sealed
	for _, e := range r.Entries {
		if x, ok := e.Event.(*trace.Record); ok && x.Direction == trace.Sealed {
			last[x.From] = int(x.Number)
			sealed[place{x.From, last[x.From]}] = x
		}
	}
	for _, g := range explain.Rungs(r.Entries) {
		at := place{g.From, g.Place.Record + 1}
		carried[at] = append(carried[at], Carried{carriedName(&g), g.Number})
		if other := (place{g.From.Peer(), last[g.From.Peer()]}); g.BothWays &&
			carried[other] == nil {
			carried[other] = []Carried{{carriedName(&g), g.Number}}
		}
	}
	for i := range r.Records {
		x := &r.Records[i]
		at := place{x.Side, x.Number}
		if len(x.Bytes()) > 0 {
			x.Type = iana.ContentType(x.Bytes()[0])
		}
		if s := sealed[at]; s != nil {
			x.Type, x.Encrypted = s.ContentType, s.Protection != ""
			if x.Carries = carried[at]; x.Carries == nil {
				x.Carries = []Carried{{Name: contentName(s)}}
			}
		}
		x.TypeName = x.Type.String()
	}
}

func carriedName(g *explain.Rung) string {
	if g.Message != nil && message.IsHelloRetryRequest(g.Message.Raw) {
		return "hello_retry_request"
	}
	if g.Message != nil {
		return g.Message.Type.String()
	}
	return contentName(g.Record)
}

// contentName names what a record carries that is no handshake message.
func contentName(r *trace.Record) string {
	if r.ContentType == iana.RecordAlert && len(r.Plaintext) == 2 {
		return alert.Description(r.Plaintext[1]).String()
	}
	return r.ContentType.String()
}
