package vitrine

import (
	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// HandshakeError says where a handshake failed. Its cause is an *alert.Error that names the alert that we sent and the section that
// the peer broke, an *alert.Received, or an error of the network. Package diagnose makes likely causes and remedies of it.
type HandshakeError struct {
	Side     iana.Side // us
	Err      error
	Offered  *message.ClientHello // what was offered; nil if it did not come so far
	Answered *message.ServerHello // what was chosen, or nil
	Asked    bool                 // the server asked for a certificate
	Awaited  string               // what should have come next: "the server's certificate (RFC 5246 §7.4.2)"
}

func newHandshakeError(me iana.Side, m *handshake.Machine, err error) *HandshakeError {
	return &HandshakeError{Side: me, Err: err, Offered: m.ClientHello, Answered: m.ServerHello, Asked: m.CertificateRequest != nil, Awaited: m.Awaited()}
}

func (e *HandshakeError) Error() string {
	return "vitrine: " + e.Side.String() + ": handshake: " + e.Err.Error()
}

// Unwrap gives the cause.
func (e *HandshakeError) Unwrap() error { return e.Err }
