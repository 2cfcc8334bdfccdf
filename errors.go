package vitrine

import (
	"fmt"
	"io"

	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
)

// A HandshakeError reports a failed handshake. Its cause is an *alert.Error with the alert that
// this side sent and the section that the peer violated, an *alert.Received, or another error, such
// as one of the network. Which failure it is, for a program that must tell them apart, is what
// alert.KindOf returns. Package diagnose derives likely causes and remedies from it.
type HandshakeError struct {
	Side iana.Side // this side
	Err  error
	// Offered is nil if there was no ClientHello yet, and if the handshake failed after its last
	// message: see Config.AwaitServer.
	Offered  *message.ClientHello
	Answered *message.ServerHello // nil if there was none yet
	Asked    bool                 // the server asked for a certificate
	// Awaited is the message expected next: "the server's certificate (RFC 5246 §7.4.2)".
	Awaited string
}

func newHandshakeError(me iana.Side, m *handshake.Machine, err error) *HandshakeError {
	e := &HandshakeError{Side: me, Err: err, Offered: m.ClientHello, Answered: m.ServerHello,
		Asked: m.CertificateRequest != nil, Awaited: m.Awaited()}
	if m.Done() { // the machine has dropped its messages
		e.Offered, e.Answered = nil, answered(m.Agreed)
		e.Awaited = "the " + me.Peer().String() + "'s first record"
	}
	return e
}

// answered returns a ServerHello with what a server has chosen, and nothing else.
func answered(a *negotiation.Agreed) *message.ServerHello {
	m := &message.ServerHello{Version: min(a.Version, iana.TLS12), CipherSuite: a.Suite.ID}
	if a.Version >= iana.TLS13 {
		if err := m.Extensions.Add(iana.ExtSupportedVersions,
			&message.SelectedVersion{Version: a.Version}); err != nil {
			return nil
		}
	}
	return m
}

func (e *HandshakeError) Error() string {
	return "vitrine: " + e.Side.String() + ": handshake: " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *HandshakeError) Unwrap() error { return e.Err }

// A TruncatedError reports that the stream ended without close_notify. An attacker on the network
// can cause that, so the data received may be incomplete. It wraps io.ErrUnexpectedEOF. See
// RFC 5246 §7.2.1.
type TruncatedError struct {
	Peer iana.Side // who ended the stream
	// Partial reports whether the stream ended inside a record or a handshake message.
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
