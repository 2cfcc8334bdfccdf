package observe

import (
	"runtime"

	"github.com/vitrine-tls/vitrine/iana"
)

// Work returns the work for a direction so far: bytes decrypted without success, and steps.
func (c *Connection) Work() (fed, tried, steps int64) {
	for i := range c.lanes {
		l := &c.lanes[i]
		fed, tried, steps = fed+l.fed, tried+l.tried, steps+l.steps
	}
	return fed, tried, steps
}

// Effort is how many bytes may be decrypted without success for each byte received.
const Effort = effort

// Idle waits until no goroutine works for x.
func (x *Watched) Idle() {
	for {
		x.mu.Lock()
		busy := x.busy
		x.mu.Unlock()
		if !busy {
			return
		}
		runtime.Gosched()
	}
}

// Copied returns how many bytes of other copies a direction keeps.
func (c *Connection) Copied(from iana.Side) (n int) {
	for _, k := range c.lanes[from].copies {
		n += len(k.b)
	}
	return n
}

// Rest does what a Watch does between the bytes that come for x.
func (s *Stream) Rest() {
	s.shrink()
	s.memory()
}

// SetCores sets how many cores may open records ahead of their turn.
func (c *Connection) SetCores(n int) { c.cores = n }

// HoldsBatch reports whether a lane still has memory of a batch.
func (c *Connection) HoldsBatch() bool {
	for i := range c.lanes {
		if b := &c.lanes[i].batch; b.batchMemory != nil || b.records != nil || b.twins != nil {
			return true
		}
	}
	return false
}

// Ahead returns how many records of both directions were opened ahead of their turn.
func (c *Connection) Ahead() int64 { return c.lanes[0].ahead + c.lanes[1].ahead }
