package observe

import "runtime"

// Work is what a direction cost so far: bytes that were decrypted to find the way back, and steps.
func (c *Connection) Work() (fed, tried, steps int64) {
	for i := range c.lanes {
		l := &c.lanes[i]
		fed, tried, steps = fed+l.fed, tried+l.tried, steps+l.steps
	}
	return fed, tried, steps
}

// Effort is how much may be decrypted in vain for each byte.
const Effort = effort

// Idle waits until nobody works for a connection.
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
