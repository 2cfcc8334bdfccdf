package trace

import (
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// Merge combines the two streams of one connection in an order that depends only on the streams:
// each keeps its own order, and no record is opened before it was sealed. The client goes first and
// continues until it opens a record that the server has yet to seal; then it is the server's turn,
// and so on. A fatal alert comes as late as possible, since it may answer a record that did not
// open, which leaves no event. The entries are numbered from 1.
//
// The two sides of a real connection run concurrently, so the order in which their events happened
// differs from run to run. This order does not.
func Merge(client, server []Entry) []Entry {
	merged := make([]Entry, 0, len(client)+len(server))
	turns := [2]turn{{me: iana.Client, rest: client}, {me: iana.Server, rest: server}}
	me := iana.Client
	for len(turns[0].rest)+len(turns[1].rest) > 0 {
		mine, other := &turns[me], &turns[me.Peer()]
		// If each waits for the other, somebody between them inserted a record: continue anyway.
		if mine.waitsFor(other) > other.waitsFor(mine) {
			me = me.Peer()
			continue
		}
		e := mine.rest[0]
		mine.rest = mine.rest[1:]
		if r, ok := e.Event.(*Record); ok && r.Direction == Sealed {
			mine.sealed = r.Number
		}
		e.Seq = len(merged) + 1
		merged = append(merged, e)
	}
	return merged
}

// turn is the rest of one stream, and the number of the last record that it has sealed.
type turn struct {
	me     iana.Side
	rest   []Entry
	sealed uint64
}

// patience orders the streams: the one with the lower value continues, the other waits.
type patience uint8

const (
	ready    patience = iota // it can continue
	answer                   // next is a fatal alert: what it answers comes first
	opens                    // next it opens a record that the other has yet to seal
	finished                 // it is empty
)

func (t *turn) waitsFor(other *turn) patience {
	if len(t.rest) == 0 {
		return finished
	}
	switch e := t.rest[0].Event.(type) {
	case *Alert:
		if e.From == t.me && e.Level == alert.Fatal {
			return answer
		}
	case *Record:
		if e.Direction == Opened && e.Number > other.sealed && len(other.rest) > 0 {
			return opens
		}
	}
	return ready
}
