package observe

import (
	"slices"
	"time"
)

func (x *Watched) finish() {
	if x.closed {
		return
	}
	x.closed = true
	x.leave()
	x.enforceBounds()
	x.watch.held.Add(int64(-x.held))
	x.held = 0
	x.progress()
	if x.watch.Done != nil {
		x.watch.Done(x)
	}
}

// leave ends the inner connection.
func (x *Watched) leave() {
	if x.inner == nil {
		return
	}
	in := x.inner
	in.Stream.End()
	if c := in.Stream.conn; c != nil && c.Waiting() {
		c.GiveUp()
	}
	in.finish()
	x.inner = nil
}

// retried looks for a secret again, and reports whether the connection is finished.
func (x *Watched) retried() bool {
	x.Stream.conn.Retry()
	if x.Stream.conn.Waiting() {
		return false
	}
	x.finish()
	return true
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
		x.Stream.conn.GiveUp()
		x.finish()
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
