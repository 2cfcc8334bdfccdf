package engine

import (
	"context"
	"errors"

	"github.com/vitrine-tls/vitrine/handshake"
)

// The loop that drives an engine, whatever carries its bytes: a socket, QUIC, or somebody who hands
// them on.

// A Transport carries the bytes of an Engine.
type Transport interface {
	// Send sends what the engine has sealed. What it leaves is sent later.
	Send() error
	// Receive adds bytes from the peer to the engine's input. It returns ErrMore if it cannot wait
	// for them: Drive is then to be called again when there are some.
	Receive() error
}

// Fault says where an error of Drive comes from.
type Fault uint8

// The faults. Only after OfPeer can the peer be told.
const (
	OfPeer    Fault = iota // what the peer sent, or what we make of it
	OfContext              // the context has ended
	OfSending              // of the transport
	OfReceiving
)

// Wait calls step again as long as it returns a *handshake.Pending, after doing what that waits
// for.
func Wait(ctx context.Context, step func() error) error {
	for {
		err := step()
		if err == ErrMore {
			return err // each Read ends a step so, and AsType is slow
		}
		pending, ok := errors.AsType[*handshake.Pending](err)
		if !ok {
			return err
		}
		if err := pending.Do(ctx); err != nil {
			return err
		}
	}
}

// Drive calls step, and does what it waits for, until it returns another error than ErrMore, or
// nil: after ErrMore with more bytes from the peer. What step seals is sent before that, and before
// Drive returns nil.
func Drive(ctx context.Context, t Transport, step func() error) (Fault, error) {
	for {
		err := Wait(ctx, step)
		switch {
		case err != nil && err != ErrMore && ctx.Err() != nil:
			return OfContext, err
		case err != nil && err != ErrMore:
			return OfPeer, err
		}
		if err := t.Send(); err != nil {
			return OfSending, err
		}
		if err == nil {
			return OfPeer, nil
		}
		if err := t.Receive(); err != nil {
			return OfReceiving, err
		}
	}
}

// Perform drives the handshake until it is done or, if enough is not nil, enough reports true.
func (e *Engine) Perform(ctx context.Context, t Transport, enough func() bool) (Fault, error) {
	over := func() bool { return e.machine.Done() || enough != nil && enough() }
	return Drive(ctx, t, func() error {
		if over() {
			return nil
		}
		if err := e.Advance(); err != nil || over() {
			return err
		}
		return ErrMore
	})
}

// AwaitData receives until there is application data, which is then Buffered and can be Read.
func (e *Engine) AwaitData(ctx context.Context, t Transport) (Fault, error) {
	return Drive(ctx, t, e.data)
}

// Proceed continues the handshake until more bytes are needed or it is done, as Advance does, and
// does what it waits for. What there is to send is then in Out.
func (e *Engine) Proceed(ctx context.Context) error { return Wait(ctx, e.Advance) }
