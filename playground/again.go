package playground

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/iana"
)

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

// replayed sets the verdict of a run in which nothing was done but to replay to another connection.
func (r *Result) replayed() {
	v, other := &r.Verdict, &r.Again.Verdict
	first, second := r.Ends[iana.Server].Early, r.Again.Ends[iana.Server].Early
	switch {
	case second != "":
		v.Outcome, v.Changes = Undetected, r.changes()
		v.Sentence = "Undetected: the server read the request twice."
		if second != first {
			v.Sentence = "Undetected: the server read a part of the request twice."
		}
		if other.Outcome == Caught {
			v.Sentence += " It refused only what came behind it."
		}
	case first != "" && r.Setup.Careless != AnyReplay &&
		r.Again.has(iana.Client, iana.RecordApplicationData, Replayed):
		v.Outcome, v.By, v.Check, v.Section = Caught, iana.Server, "the use of the ticket",
			"RFC 8446 §8.1"
		v.Sentence = "Refused: the ticket was used before, so the second connection's early " +
			"data is not read (" + v.Section + ")."
	case other.Outcome == Caught:
		*v = *other
		v.Step, v.Index = 0, 0 // they are of the other connection
		v.Sentence = fmt.Sprintf("Caught by the %v in the second connection: %s, %s.", v.By,
			v.Check, v.Section)
	default:
		v.Outcome, v.Sentence = other.Outcome, other.Sentence
	}
}
