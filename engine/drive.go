package engine

import (
	"context"
	"errors"

	"github.com/vitrine-tls/vitrine/handshake"
)

// The loops that drive an Engine, whatever carries its bytes: a socket, or somebody who hands them
// on.

// Wait calls f again as long as it returns a *handshake.Pending, after doing what that waits for.
func Wait(ctx context.Context, f func() error) error {
	for {
		err := f()
		pending, ok := errors.AsType[*handshake.Pending](err)
		if !ok {
			return err
		}
		if err := pending.Do(ctx); err != nil {
			return err
		}
	}
}

// Proceed continues the handshake until more bytes are needed or it is done, as Advance does, and
// does what it waits for. What there is to send is then in Out.
func (e *Engine) Proceed(ctx context.Context) error { return Wait(ctx, e.Advance) }

// Receive is Read, and does what Read waits for.
func (e *Engine) Receive(ctx context.Context, p []byte) (n int, err error) {
	err = Wait(ctx, func() (err error) { n, err = e.Read(p); return err })
	return n, err
}
