package vitrine

import (
	"cmp"
	"context"
	"net"
)

// What a Read sends.

// answer sends what reading made us say. It needs the outbound half.
func (c *Conn) answer() {
	if c.writeError != nil {
		return
	}
	ended, told, err := c.engine.SealReplies()
	if err == nil {
		err = c.send()
	}
	if told {
		c.alerted.Store(true)
	}
	c.endWriting(cmp.Or(ended, err))
}

// answerFromRead is answer for a reader, which must never wait for a writer: the writer may wait
// for the peer, and the peer for our reading. A writer that holds the lock answers when it lets go.
func (c *Conn) answerFromRead() {
	for c.engine.Answering() && c.out.TryLock() {
		c.answerLocked()
	}
}

func (c *Conn) answerLocked() {
	whole := false
	defer c.letGo(&whole)
	c.answer()
	whole = true
}

// renegotiate performs another handshake, since the server asked for one. It waits for a Write in
// flight, and holds the outbound half while it reads: Close must not wait for it.
func (c *Conn) renegotiate() error {
	c.renegotiating.Store(true)
	defer c.renegotiating.Store(false)
	c.out.Lock()
	defer c.out.Unlock()
	switch {
	case c.calls.closed(): // Close may be waiting for the lock
		return net.ErrClosed
	case c.writeError != nil:
		return c.writeError
	}
	c.renegs++
	c.engine.Renegotiate()
	return c.perform(context.Background(), nil)
}
