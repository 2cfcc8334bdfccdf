package observe

import (
	"cmp"
	"runtime"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/capture"
)

// Handler is for the field New of a capture.Assembler.
func (w *Watch) Handler(c *capture.Connection) capture.Handler {
	w.start.Do(w.begin)
	x := &Watched{Number: c.Stream, Client: c.Client, Server: c.Server, Start: c.Start, watch: w,
		Carrier: c.Carrier, Names: c.Names, about: c}
	x.Stream.New = x.connection
	if w.Open != nil {
		w.Open(x)
	}
	return x
}

func (w *Watch) begin() {
	n := runtime.GOMAXPROCS(0)
	w.ready = make(chan *Watched, 4*n)
	w.free = make(chan *arena, 4*n)
	for range cap(w.free) {
		w.free <- &arena{b: make([]byte, arenaSize)}
	}
	for range n {
		w.working.Go(func() {
			for x := range w.ready {
				x.work()
			}
		})
	}
}

// work does a connection's jobs, in one goroutine at a time.
func (x *Watched) work() {
	for {
		x.mu.Lock()
		jobs := x.jobs
		x.jobs = nil
		if len(jobs) == 0 {
			x.busy = false
		}
		x.mu.Unlock()
		if len(jobs) == 0 {
			return
		}
		for _, j := range jobs {
			x.do(j)
		}
		if !jobs[len(jobs)-1].end { // otherwise another goroutine may be finishing it
			x.guard(func() {
				x.Stream.shrink()
				x.enforceBounds()
			})
		}
	}
}

func (x *Watched) do(j job) {
	x.over = j.end
	x.guard(func() { x.pass(j) })
	x.watch.release(j.in)
}

// pass passes a job to the Stream.
func (x *Watched) pass(j job) {
	w := x.watch
	switch {
	case j.end:
		x.Stream.Facts = &x.facts
		x.Stream.End()
		x.Stream.shrink()
		if c := x.Stream.conn; c != nil && c.Waiting() {
			x.enforceBounds()
			x.ended = time.Now()
			w.mu.Lock()
			w.deferred = append(w.deferred, x)
			full := len(w.deferred) > maxDeferred
			w.mu.Unlock()
			if full {
				w.Expire(0)
			}
			return
		}
		x.finish()
	case j.gap > 0:
		x.Stream.Gap(j.from, j.gap)
	case j.back > 0:
		x.Stream.Again(j.from, j.back, j.b)
	default:
		x.Stream.Bytes(j.from, j.b)
	}
	x.enforceBounds()
	x.progress()
}

// Close ends the Watch, after the Assembler's Close. What still waits for a secret, or for another
// connection's session, is tried a last time.
func (w *Watch) Close() {
	w.start.Do(w.begin)
	w.Flush()
	close(w.ready)
	w.working.Wait()
	slices.SortFunc(w.deferred, func(a, b *Watched) int { return cmp.Compare(a.Number, b.Number) })
	w.unwind()
	for _, x := range w.deferred {
		if !x.closed {
			x.giveUp()
		}
	}
	w.deferred = nil
}
