package observe

import (
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/internal/bug"
)

// guard calls f, which reads the connection or reports about it. A panic ends the reading of this
// connection: nobody above these goroutines could recover, and the other connections go on.
func (x *Watched) guard(f func()) {
	err := bug.Survive(f)
	if err == nil {
		return
	}
	x.Stream.breakOff(err)
	x.account()
	if x.watch.Failed != nil {
		bug.Survive(func() { x.watch.Failed(x, err) })
	}
	if x.over {
		x.finish()
	}
}

// finish ends the reading, once.
func (x *Watched) finish() {
	if x.closed {
		return
	}
	x.closed = true
	x.leave()
	x.guard(x.enforceBounds)
	x.watch.held.Add(int64(-x.held))
	x.held = 0
	x.guard(x.progress)
	if x.watch.Done != nil {
		x.guard(func() { x.watch.Done(x) })
	}
}

// leave ends the inner connection.
func (x *Watched) leave() {
	if x.inner == nil {
		return
	}
	in := x.inner
	x.inner, in.over = nil, true
	in.guard(func() {
		in.Stream.End()
		if c := in.Stream.conn; c != nil && c.Waiting() {
			c.GiveUp()
		}
	})
	in.finish()
}

// retried looks for a secret again, and reports whether the connection is finished.
func (x *Watched) retried() bool {
	waits := false
	x.guard(func() {
		x.Stream.conn.Retry()
		waits = x.Stream.conn.Waiting()
	})
	if !waits {
		x.finish()
	}
	return !waits
}

// giveUp finishes a connection that has ended and waits for a secret.
func (x *Watched) giveUp() {
	x.guard(func() { x.Stream.conn.GiveUp() })
	x.finish()
}

// Retry says that the Source has new secrets. It may be called while packets are read.
func (w *Watch) Retry() {
	w.sessions.learned.Add(1)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deferred = slices.DeleteFunc(w.deferred, (*Watched).retried)
}

// Expire gives up connections that ended at least age ago and still wait for a secret.
func (w *Watch) Expire(age time.Duration) {
	w.mu.Lock()
	var old []*Watched
	w.deferred = slices.DeleteFunc(w.deferred, func(x *Watched) bool {
		expired := time.Since(x.ended) >= age
		if expired {
			old = append(old, x)
		}
		return expired
	})
	w.mu.Unlock()
	for _, x := range old {
		x.giveUp()
	}
}

// unwind retries the ended connections as long as one learns a session that another one waits for.
// Each is tried once, and again for each of its sessions that becomes known. Trying all of them in
// rounds would, for a chain of connections each of which resumes the next, cost the square of its
// length.
func (w *Watch) unwind() {
	w.sessions.note()
	waiting := map[string][]*Watched{}
	for _, x := range w.deferred {
		if x.retried() {
			continue
		}
		s := &x.Stream.conn.machine.Score
		for _, name := range protocolOf(s).sessionNames(s) {
			waiting[string(name)] = append(waiting[string(name)], x)
		}
	}
	for news := w.sessions.news(); len(news) > 0; news = w.sessions.news() {
		for _, name := range news {
			for _, x := range waiting[name] {
				if !x.closed {
					x.retried()
				}
			}
			delete(waiting, name)
		}
	}
}
