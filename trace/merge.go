package trace

import (
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// Merge puts the two streams of one connection into one order, which depends on nothing but the
// streams: each keeps its own order, and nothing is opened before it was sealed. The client goes
// first and goes on until it opens something that the server has yet to seal; then it is the
// server's turn, and so on. A fatal alert comes as late as it can: it answers something that was
// heard, and a record that did not open leaves no event. The entries count from 1.
//
// Two players on a socket run side by side, so the order in which their events happened differs
// from run to run. This one does not.
func Merge(client, server []Entry) []Entry {
	merged := make([]Entry, 0, len(client)+len(server))
	turns := [2]turn{{me: iana.Client, rest: client}, {me: iana.Server, rest: server}}
	me := iana.Client
	for len(turns[0].rest)+len(turns[1].rest) > 0 {
		mine, other := &turns[me], &turns[me.Peer()]
		// When each waits for the other, something between them made a record of its own: go on,
		// rather than stop.
		if mine.waitsFor(other) > other.waitsFor(mine) {
			me = me.Peer()
			continue
		}
		e := mine.rest[0]
		mine.rest = mine.rest[1:]
		mine.count(e)
		e.Seq = len(merged) + 1
		merged = append(merged, e)
	}
	return merged
}

// turn is one stream, how far it has come, and the records that it has sealed and opened so far.
type turn struct {
	me             iana.Side
	rest           []Entry
	sealed, opened int
}

// patience is how long a turn has reason to wait for the other.
type patience uint8

const (
	ready patience = iota // it can go on
	// it answers something: let the other say all that it has to say before
	answer
	opens    // it opens what the other has yet to seal
	finished // there is no more
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
		if e.Direction == Opened && t.opened >= other.sealed && len(other.rest) > 0 {
			return opens
		}
	}
	return ready
}

func (t *turn) count(e Entry) {
	if r, ok := e.Event.(*Record); ok {
		if r.Direction == Sealed {
			t.sealed++
		} else {
			t.opened++
		}
	}
}
