package trace

import "github.com/vitrine-tls/vitrine/iana"

// Merge puts the two streams of one connection into one order, which depends on nothing but the streams: each keeps its own
// order, and nothing is opened before it was sealed. The client goes first and goes on until it opens something that the
// server has yet to seal; then it is the server's turn, and so on. The entries count from 1.
//
// Two players on a socket run side by side, so the order in which their events happened differs from run to run. This one does not.
func Merge(client, server []Entry) []Entry {
	merged := make([]Entry, 0, len(client)+len(server))
	turns := [2]turn{{rest: client}, {rest: server}}
	me := iana.Client
	for len(turns[0].rest)+len(turns[1].rest) > 0 {
		mine, other := &turns[me], &turns[me.Peer()]
		if mine.waitsFor(other) && !other.waitsFor(mine) || len(mine.rest) == 0 {
			me = me.Peer()
			continue
		}
		// When each waits for the other, something between them made a record of its own: go on, rather than stop.
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
	rest           []Entry
	sealed, opened int
}

// waitsFor tells whether the next entry opens a record that the other has yet to seal.
func (t *turn) waitsFor(other *turn) bool {
	if len(t.rest) == 0 {
		return true
	}
	r, ok := t.rest[0].Event.(*Record)
	return ok && r.Direction == Opened && t.opened >= other.sealed && len(other.rest) > 0
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
