package vitrine

// shakingTransport is a Conn as the engine's Transport in a handshake. Its user holds both halves.
type shakingTransport Conn

// Send sends what is sealed, unless it can go with the next data.
func (t *shakingTransport) Send() error {
	if c := (*Conn)(t); !c.defers() {
		return c.send()
	}
	return nil
}

// Receive receives with the outbound half unlocked, except in a renegotiation, during which nothing
// else may be sent.
func (t *shakingTransport) Receive() error {
	c := (*Conn)(t)
	if !c.renegotiating.Load() {
		c.out.Unlock()
		defer c.out.Lock()
	}
	return c.receive()
}

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
