package playground

import (
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
