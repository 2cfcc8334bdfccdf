package trace

import (
	"fmt"
	"sync"
)

// Queue is a Sink that passes events on to another one, in their order and in a goroutine of its
// own, so that a handshake does not wait for a sink that is slow. What waits is bounded: see
// Bounded. When something was dropped, the other sink gets a Notice that says so. A sink that
// panics gets no more events: there is no one above that goroutine who could recover, and a program
// must not end because of what watches it.
type Queue struct {
	sink Sink

	mu      sync.Mutex
	idle    sync.Cond // nothing waits, and no goroutine runs
	waiting *Bounded
	running bool
	ended   bool    // sink panicked, or ended its goroutine
	told    Dropped // by a Notice
}

// NewQueue returns a Queue in front of sink, in which at most limit bytes of events wait, as
// Entry.Size counts them: half of them may have been taken out already, to be passed on.
func NewQueue(sink Sink, limit int) *Queue {
	q := &Queue{sink: sink, waiting: NewBounded(limit / 2)}
	q.idle.L = &q.mu
	return q
}

// Put takes e, or drops it if there is no room, and returns at once.
func (q *Queue) Put(e Entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.ended {
		return
	}
	q.waiting.Put(e)
	if !q.running {
		q.running = true
		go q.pass()
	}
}

// Flush waits until everything that was put has been passed on.
func (q *Queue) Flush() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.running {
		q.idle.Wait()
	}
}

// Dropped returns what was dropped so far.
func (q *Queue) Dropped() Dropped {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting.Dropped()
}

func (q *Queue) pass() {
	for {
		q.mu.Lock()
		batch, dropped := q.waiting.take(), q.waiting.Dropped()
		news := dropped != q.told
		q.told = dropped
		if len(batch) == 0 && !news || q.ended {
			q.running = false
			q.idle.Broadcast()
			q.mu.Unlock()
			return
		}
		q.mu.Unlock()
		for _, e := range batch {
			q.put(e)
		}
		if news {
			last := Entry{Event: &Notice{Text: dropped.String() + ": the sink is too slow"}}
			if len(batch) > 0 {
				e := batch[len(batch)-1]
				last.Seq, last.Role, last.Time = e.Seq, e.Role, e.Time
			}
			q.put(last)
		}
	}
}

// put passes an event on, unless the sink has panicked or ended its goroutine.
func (q *Queue) put(e Entry) {
	if q.broken() {
		return
	}
	whole := false
	defer func() {
		if whole {
			return
		}
		panicked := recover() != nil
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.ended = true; !panicked { // runtime.Goexit, as of testing.T.FailNow: pass ends here
			q.running = false
			q.idle.Broadcast()
		}
	}()
	q.sink.Put(e)
	whole = true
}

// broken reports whether the sink has panicked or ended its goroutine.
func (q *Queue) broken() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.ended
}

// Format prints how much waits, whatever the verb.
func (q *Queue) Format(f fmt.State, _ rune) { Print(f, q.described()) }

// MarshalText returns what Format prints.
func (q *Queue) MarshalText() ([]byte, error) { return Text(q.described()) }

func (q *Queue) described() string {
	q.mu.Lock()
	defer q.mu.Unlock()
	return fmt.Sprintf("trace.Queue, in which %d events wait", len(q.waiting.entries))
}
