package main

import (
	"sync"

	"github.com/vitrine-tls/vitrine/trace"
)

// maxRecorded bounds the events that are kept of one connection.
const maxRecorded = 64 << 20

// recorder keeps events, up to a number of bytes, for somebody who reads them while more come.
type recorder struct {
	mu   sync.Mutex
	size int
	all  []trace.Entry
}

// Put keeps e.
func (r *recorder) Put(e trace.Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if rec, ok := e.Event.(*trace.Record); ok {
		r.size += 3 * len(rec.Fragment) // its plaintext and its anatomy are copies
	}
	if r.size <= maxRecorded { // once too much, too much for good
		r.all = append(r.all, e)
	}
}

func (r *recorder) entries() []trace.Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all[:len(r.all):len(r.all)]
}

// stop keeps nothing more.
func (r *recorder) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.size = maxRecorded + 1
}
