package handshake

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
)

// Pending is returned by Take and Speak when the handshake waits for something slow: a key that
// lives elsewhere, a session in a store, a program's callback. The state is unchanged. A caller
// that may block calls Do, and then Speak to continue.
type Pending struct {
	What string
	Do   func(context.Context) error
}

func (p *Pending) Error() string { return "handshake: waiting for " + p.What }

// slow is the result of an operation that may be slow, once it is available.
type slow[T any] struct {
	done  bool
	value T
}

// await returns the result, or a *Pending that calls f.
func (s *slow[T]) await(what string, f func(context.Context) (T, error)) (T, error) {
	if s.done {
		return s.value, nil
	}
	return s.value, &Pending{what, func(ctx context.Context) (err error) {
		s.value, err = f(ctx)
		s.done = err == nil
		return err
	}}
}

// get is await for the result of a private key operation, which it computes at once if the key is
// in this process.
func (s *slow[T]) get(key crypto.PrivateKey, what string,
	f func(context.Context) (T, error)) (T, error) {
	if local(key) {
		return f(context.Background())
	}
	return s.await(what, f)
}

// local reports whether a private key is in the memory of this process: using it is fast and needs
// no Pending.
func local(key crypto.PrivateKey) bool {
	switch key.(type) {
	case *rsa.PrivateKey, *ecdsa.PrivateKey, ed25519.PrivateKey:
		return true
	}
	return false
}
