package vitrine

import "github.com/vitrine-tls/vitrine/engine"

// shakingTransport is a Conn as the engine's Transport in a handshake. Its user holds both halves.
type shakingTransport Conn

// Send sends what is sealed, unless it can go with the next data.
func (t *shakingTransport) Send() error {
	if c := (*Conn)(t); !c.defers() {
		return c.send()
	}
	return nil
}

// Receive does not wait: perform does, with less on the stack.
func (t *shakingTransport) Receive() error { return engine.ErrMore }

// confirmingTransport is a shakingTransport that waits itself.
type confirmingTransport struct{ *shakingTransport }

func (t confirmingTransport) Receive() error { return (*Conn)(t.shakingTransport).await() }

// readingTransport is a Conn as the engine's Transport after the handshake. Its user holds the
// inbound half.
type readingTransport Conn

// Send sends the answers to what was received, or leaves them to a Write that holds the lock.
func (t *readingTransport) Send() error {
	(*Conn)(t).answerFromRead()
	return nil
}

// Receive receives, after sending what could wait for an answer of ours.
func (t *readingTransport) Receive() error {
	c := (*Conn)(t)
	c.sendDeferred()
	return c.receive()
}
