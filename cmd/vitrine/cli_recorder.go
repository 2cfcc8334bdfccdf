package main

import (
	"sync"

	"github.com/vitrine-tls/vitrine/trace"
)

// maxRecorded bounds what is kept of the events of one connection, in bytes.
const maxRecorded = 64 << 20

// recorder keeps the events of a connection up to maxRecorded. It can be read while more events
// come.
type recorder struct {
	mu   sync.Mutex
	size int
	all  []trace.Entry
}

// Put keeps e, unless the bound was reached before.
func (r *recorder) Put(e trace.Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if rec, ok := e.Event.(*trace.Record); ok {
		r.size += 3 * len(rec.Fragment) // its plaintext and its anatomy are copies
	}
	if r.size <= maxRecorded { // the size never shrinks, so nothing is kept after a gap
		r.all = append(r.all, e)
	}
}

func (r *recorder) entries() []trace.Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all[:len(r.all):len(r.all)]
}

// stop makes Put drop every further event.
func (r *recorder) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.size = maxRecorded + 1
}
