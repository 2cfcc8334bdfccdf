package vitrine

import (
	"fmt"
	"io"

	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// HandshakeError says where a handshake failed. Its cause is an *alert.Error that names the alert
// that we sent and the section that the peer broke, an *alert.Received, or an error of the network.
// Package diagnose makes likely causes and remedies of it.
type HandshakeError struct {
	Side     iana.Side // us
	Err      error
	Offered  *message.ClientHello // what was offered; nil if it did not come so far
	Answered *message.ServerHello // what was chosen, or nil
	Asked    bool                 // the server asked for a certificate
	// what should have come next: "the server's certificate (RFC 5246 §7.4.2)"
	Awaited string
}

func newHandshakeError(me iana.Side, m *handshake.Machine, err error) *HandshakeError {
	return &HandshakeError{Side: me, Err: err, Offered: m.ClientHello, Answered: m.ServerHello,
		Asked: m.CertificateRequest != nil, Awaited: m.Awaited()}
}

func (e *HandshakeError) Error() string {
	return "vitrine: " + e.Side.String() + ": handshake: " + e.Err.Error()
}

// Unwrap gives the cause.
func (e *HandshakeError) Unwrap() error { return e.Err }

// TruncatedError says that the peer ended the stream without close_notify. Anybody on the way can
// do that, so what came before may not be all that was sent. It is an io.ErrUnexpectedEOF. See RFC
// 5246 §7.2.1.
type TruncatedError struct {
	Peer iana.Side // who ended the stream
	// the end cuts a record or a handshake message, and is not between two of them
	Partial bool
}

func (e *TruncatedError) Error() string {
	where := "between two records"
	if e.Partial {
		where = "inside a record or message"
	}
	return fmt.Sprintf("the %v ended the connection %s and without close_notify (RFC 5246 "+
		"§7.2.1): %v",
		e.Peer, where, io.ErrUnexpectedEOF)
}

// Unwrap returns io.ErrUnexpectedEOF.
func (e *TruncatedError) Unwrap() error { return io.ErrUnexpectedEOF }
