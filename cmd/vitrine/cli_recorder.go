package main

import (
	"sync"
	"sync/atomic"

	"github.com/vitrine-tls/vitrine/trace"
)

// maxRecorded bounds what is kept of the events of one connection, in bytes, unless the recorder
// has a limit of its own.
const maxRecorded = 64 << 20

// recorder keeps the events of a connection up to a limit. It can be read while more events come.
type recorder struct {
	limit  int           // in bytes; 0 is maxRecorded
	shared *atomic.Int64 // what is left for all recorders that share it, or nil

	mu   sync.Mutex
	size int
	full bool // it does not keep events any more
	all  []trace.Entry
}

// Put keeps e, unless a limit was reached before: nothing is kept after a gap.
func (r *recorder) Put(e trace.Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.full {
		return
	}
	limit, n := r.limit, e.Size()
	if limit == 0 {
		limit = maxRecorded
	}
	if r.size+n > limit || r.shared != nil && !take(r.shared, n) {
		r.full = true
		return
	}
	r.size += n
	r.all = append(r.all, e)
}

// take takes n from left, if there is so much.
func take(left *atomic.Int64, n int) bool {
	if left.Add(int64(-n)) < 0 {
		left.Add(int64(n))
		return false
	}
	return true
}

// entries returns the events that were kept so far.
func (r *recorder) entries() []trace.Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all[:len(r.all):len(r.all)]
}

// cut reports whether events were left out, because a limit was reached.
func (r *recorder) cut() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.full
}

// stop makes Put drop every further event.
func (r *recorder) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.full = true
}

// Close forgets the events, and gives back what they took of the shared limit.
func (r *recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.shared != nil {
		r.shared.Add(int64(r.size))
	}
	r.all, r.size, r.full = nil, 0, true
	return nil
}
