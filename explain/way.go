package explain

import (
	"bytes"
	"slices"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// way is what became of records between the two sides, as far as events say.
type way struct {
	first [2]map[uint64]*trace.Delivery // what became of a record first, by its number
	known [2]bool                       // somebody was in between
}

func newWay(entries []trace.Entry) way {
	w := way{first: [2]map[uint64]*trace.Delivery{{}, {}}}
	for _, e := range entries {
		d, ok := e.Event.(*trace.Delivery)
		if !ok {
			continue
		}
		w.known[d.From] = true
		if d.Number > 0 && w.first[d.From][d.Number] == nil && !added(d.Fate) {
			w.first[d.From][d.Number] = d
		}
	}
	return w
}

// added reports whether a record is one that its side did not send there.
func added(f trace.Fate) bool {
	return f == trace.FateForged || f == trace.FateReplayed || f == trace.FateDuplicated
}

// of returns what became of a record that its sender sealed, or nil if nobody says.
func (w way) of(r *trace.Record) *trace.Delivery { return w.first[r.From][r.Number] }

// arrival returns the number that a record has at its receiver, and whether it has one.
func (w way) arrival(r *trace.Record) (number uint64, ok bool) {
	if !w.known[r.From] {
		return r.Number, true
	}
	if d := w.of(r); d != nil {
		return d.Arrival, d.Arrival > 0
	}
	return 0, false
}

// arrived returns the record that has a number, or nil.
func (v *view) arrived(from iana.Side, number uint64) *trace.Record {
	if v.numbered[from] == nil {
		list := v.records[from]
		v.numbered[from] = make(map[uint64]*trace.Record, len(list))
		for _, r := range slices.Backward(list) {
			v.numbered[from][r.Number] = r
		}
	}
	return v.numbered[from][number]
}

// begin returns the messages that begin in a record, as this side saw them.
func (v *view) begin(r *trace.Record) (list []*trace.Message) {
	if r.Direction == trace.Opened {
		return v.received(r.From, r.Number)
	}
	sent := v.sent[r.From]
	if sent == nil {
		sent = map[uint64]*trace.Message{}
		for _, m := range v.messages[r.From] {
			sent[m.Number] = m
		}
		v.sent[r.From] = sent
	}
	for n := range min(r.Messages, uint64(len(sent))) {
		if m := sent[r.FirstMessage+n]; m != nil {
			list = append(list, m)
		}
	}
	return list
}

// received returns the messages that begin in the record that has a number as it arrived.
func (v *view) received(from iana.Side, number uint64) []*trace.Message {
	if v.within[from] == nil {
		v.within[from] = map[uint64][]*trace.Message{}
		for _, m := range v.messages[from] {
			v.within[from][m.Record] = append(v.within[from][m.Record], m)
		}
	}
	return v.within[from][number]
}

// alertIn returns the alert that a record carries, or nil if this side logged none.
func (v *view) alertIn(r *trace.Record) *trace.Alert {
	if len(r.Plaintext) == 2 {
		return &trace.Alert{From: r.From, Level: alert.Level(r.Plaintext[0]),
			Description: alert.Description(r.Plaintext[1]), Record: r.Number}
	}
	if v.carried[r.From] == nil {
		v.carried[r.From] = map[uint64]*trace.Alert{}
		for _, a := range v.alerts[r.From] {
			v.carried[r.From][a.Record] = a
		}
	}
	return v.carried[r.From][r.Number]
}

const recordHeader = 5

// fates has what a line says of a record that did not arrive in its place. What was changed is told
// by its bytes.
var fates = map[trace.Fate]string{
	trace.FateDropped: "(never arrived)", trace.FateMoved: "(arrived behind the next)",
	trace.FateDuplicated: "(a copy, sent by nobody)",
	trace.FateReplayed:   "(a copy, sent by nobody)", trace.FateForged: "(forged)",
}

// changed reports whether some of a record arrived as other bytes: so many of its plaintext from an
// offset, if it is in the clear, or else any.
func changed(d *trace.Delivery, r *trace.Record, from, n int) bool {
	if d == nil || d.Bytes == nil {
		return false
	}
	sent := append(append([]byte(nil), r.Header...), r.Fragment...)
	from += len(r.Header)
	n = min(n, len(sent)-from) // the rest is in the next record
	if r.Protection != "" || len(d.Bytes) != len(sent) || n < 0 ||
		!bytes.Equal(sent[:len(r.Header)], d.Bytes[:len(r.Header)]) {
		return !bytes.Equal(sent, d.Bytes)
	}
	return !bytes.Equal(sent[from:from+n], d.Bytes[from:from+n])
}
