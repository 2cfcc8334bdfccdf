package observe

import (
	"time"

	"github.com/vitrine-tls/vitrine/iana"
)

// This file passes what the reading goroutine assembles to the goroutines that work on connections.

// Bytes implements capture.Handler. It keeps a copy for other goroutines.
func (x *Watched) Bytes(from iana.Side, _ time.Time, b []byte) {
	w := x.watch
	for len(b) > 0 {
		a := w.filling()
		n := copy(a.b[a.used:], b)
		part := a.b[a.used : a.used+n]
		a.used, b = a.used+n, b[n:]
		if k := len(x.queue); k > 0 && x.queue[k-1].in == a && x.queue[k-1].from == from &&
			x.queue[k-1].back == 0 && &part[0] == behind(x.queue[k-1].b) {
			x.queue[k-1].b = x.queue[k-1].b[:len(x.queue[k-1].b)+n]
		} else {
			a.jobs.Add(1)
			x.post(job{from: from, b: part, in: a})
		}
		if a.used == len(a.b) {
			w.Flush()
		}
	}
}

// Again implements capture.Repeater.
func (x *Watched) Again(from iana.Side, back int64, b []byte) {
	w := x.watch
	for len(b) > 0 {
		a := w.filling()
		n := copy(a.b[a.used:], b)
		a.jobs.Add(1)
		x.post(job{from: from, b: a.b[a.used : a.used+n], back: back, in: a})
		a.used, b, back = a.used+n, b[n:], back-int64(n)
		if a.used == len(a.b) {
			w.Flush()
		}
	}
}

// filling returns the arena for what is read next.
func (w *Watch) filling() *arena {
	if w.fill == nil {
		w.fill = <-w.free
		w.fill.used = 0
		w.fill.jobs.Store(1) // used by the reading goroutine
	}
	return w.fill
}

// behind returns a pointer to the byte after b in the same memory, or nil if that ends.
func behind(b []byte) *byte {
	if len(b) == cap(b) {
		return nil
	}
	return &b[:len(b)+1][len(b)]
}

// Gap implements capture.Handler.
func (x *Watched) Gap(from iana.Side, n int64) {
	if k := len(x.queue); k > 0 && x.queue[k-1].from == from && x.queue[k-1].gap > 0 {
		x.queue[k-1].gap += n
		return
	}
	a := x.watch.filling()
	a.used = min(a.used+gapRoom, len(a.b))
	a.jobs.Add(1)
	x.post(job{from: from, gap: n, in: a})
	if a.used == len(a.b) {
		x.watch.Flush()
	}
}

// End implements capture.Handler.
func (x *Watched) End() {
	x.facts = x.about.Facts
	x.post(job{end: true})
}

func (x *Watched) post(j job) {
	if len(x.queue) == 0 {
		x.watch.touched = append(x.watch.touched, x)
	}
	x.queue = append(x.queue, j)
	if len(x.watch.touched) > 1<<12 {
		x.watch.Flush()
	}
}

// Flush passes everything read so far to the working goroutines. It waits if they are behind.
func (w *Watch) Flush() {
	for _, x := range w.touched {
		x.mu.Lock()
		x.jobs = append(x.jobs, x.queue...)
		idle := !x.busy
		x.busy = true
		x.mu.Unlock()
		clear(x.queue)
		if x.queue = x.queue[:0]; cap(x.queue) > maxQueue {
			x.queue = nil
		}
		if idle {
			w.ready <- x
		}
	}
	w.touched = w.touched[:0]
	if w.fill != nil {
		w.release(w.fill)
		w.fill = nil
	}
}
