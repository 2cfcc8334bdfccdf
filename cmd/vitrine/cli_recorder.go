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
	limit  int     // in bytes; 0 is maxRecorded
	shared *budget // for all recorders that share it, or nil

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
	if r.size+n > limit || r.shared != nil && !r.shared.take(n) {
		r.full = true
		return
	}
	r.size += n
	r.all = append(r.all, e)
}

// budget is a number of bytes that recorders share, and that is a part of a larger one, or nil.
type budget struct {
	left  atomic.Int64
	whole *budget
}

func newBudget(n int64, whole *budget) *budget {
	b := &budget{whole: whole}
	b.left.Store(n)
	return b
}

// take takes n bytes, if so many are left here and in the whole.
func (b *budget) take(n int) bool {
	if b.left.Add(int64(-n)) < 0 || b.whole != nil && !b.whole.take(n) {
		b.left.Add(int64(n))
		return false
	}
	return true
}

// give gives n bytes back.
func (b *budget) give(n int) {
	b.left.Add(int64(n))
	if b.whole != nil {
		b.whole.give(n)
	}
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
		r.shared.give(r.size)
	}
	r.all, r.size, r.full = nil, 0, true
	return nil
}
