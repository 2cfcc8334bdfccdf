package vitrine

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"

	"github.com/vitrine-tls/vitrine/iana"
)

// What is sent by a Read: answers to what it received.

// answer sends the replies that reading has queued. The caller must hold the outbound half.
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

// answerFromRead calls answer from a Read, which must never wait for a Write: the Write may wait
// for the peer, and the peer for our reading. A Write that holds the lock sends the replies before
// it unlocks.
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

// renegotiate performs another handshake. It waits for a Write in flight, and holds the outbound
// half while it reads: Close must not wait for it. The caller holds the inbound half.
func (c *Conn) renegotiate(ctx context.Context) error {
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
	return c.perform(ctx, nil)
}

// Renegotiate performs another handshake inside a client's connection, up to TLS 1.2, though the
// server did not ask for one. Config.Renegotiation must allow it, and the server must speak secure
// renegotiation. Most servers refuse; then, or if ctx ends, the connection is over. See RFC 5246
// §7.4.1.2 and RFC 5746 §3.5.
func (c *Conn) Renegotiate(ctx context.Context) error {
	if err := c.HandshakeContext(ctx); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { c.conn.Close() }) // which ends a Read, too
	defer stop()
	c.in.Lock()
	defer c.in.Unlock()
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("vitrine: renegotiation: %w", ctx.Err())
	case c.readError != nil:
		return c.readError
	case c.me != iana.Client || c.config.Renegotiation == tls.RenegotiateNever,
		c.config.Renegotiation == tls.RenegotiateOnceAsClient && c.renegs > 0:
		return errors.New("vitrine: Config.Renegotiation does not allow another handshake")
	case !c.engine.Machine().Agreed.SecureRenegotiation:
		return errors.New("vitrine: the server has not shown that it can renegotiate securely")
	}
	err := c.renegotiate(ctx)
	if !stop() {
		err = fmt.Errorf("vitrine: renegotiation: %w", ctx.Err())
	}
	if err != nil {
		c.fail(err, false)
	}
	return err
}
