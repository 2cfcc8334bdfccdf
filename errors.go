package vitrine

import (
	"bytes"
	"crypto/x509"
	"errors"
	"time"

	"github.com/vitrine-tls/vitrine/engine"
	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/cause"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
)

// A HandshakeError reports a failed handshake. Its cause is an *alert.Error with the alert that
// this side sent and the section that the peer violated, an *alert.Received, or another error, such
// as one of the network. Which failure it is, for a program that must tell them apart, is what
// alert.KindOf returns. Its text says what can be inferred; package diagnose finds out what would
// help, as the command vitrine connect does.
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
	// First is how the peer's bytes began, if they are no record of TLS: at most 16 of them.
	First []byte
}

// newHandshakeError returns the error of a handshake. first is how the peer's bytes began, if they
// were not read as a record.
func newHandshakeError(me iana.Side, m *handshake.Machine, first []byte,
	err error) *HandshakeError {
	e := &HandshakeError{Side: me, Err: err, Offered: m.Hello(), Answered: m.ServerHello,
		Asked: m.CertificateRequest != nil, Awaited: m.Awaited()}
	if m.Done() { // the handshake has freed its messages
		e.Offered, e.Answered = nil, answered(m.Agreed)
		e.Awaited = "the " + me.Peer().String() + "'s first record"
	}
	if _, foreign := cause.NotTLS(first); foreign &&
		(me == iana.Client && e.Answered == nil || me == iana.Server && e.Offered == nil) {
		e.First = bytes.Clone(first[:min(len(first), 16)])
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

// Error returns the side, the cause, and what can be inferred from it: see Inferred.
func (e *HandshakeError) Error() string {
	text := "vitrine: " + e.Side.String() + ": handshake: " + e.Err.Error()
	known := e.known()
	if _, unknown := errors.AsType[x509.UnknownAuthorityError](e.Err); known.Trust != nil &&
		!unknown {
		return text // its text already contains the cause
	}
	for _, why := range known.Explain(time.Now()).Inferred {
		text += "; " + why
	}
	return text
}

// Inferred returns what can be inferred from the failure without trying anything, the most specific
// cause first. Package diagnose has what was seen as well, and finds out what would help.
func (e *HandshakeError) Inferred() []string { return e.known().Explain(time.Now()).Inferred }

func (e *HandshakeError) known() *cause.Failure {
	f := &cause.Failure{Side: e.Side, Err: e.Err, Offered: e.Offered, Answered: e.Answered,
		Asked: e.Asked, Awaited: e.Awaited, First: e.First}
	f.Read()
	return f
}

// Unwrap returns the cause.
func (e *HandshakeError) Unwrap() error { return e.Err }

// A TruncatedError reports that the stream ended without close_notify. An attacker on the network
// can cause that, so the data received may be incomplete. It wraps io.ErrUnexpectedEOF. See
// RFC 5246 §7.2.1 and RFC 8446 §6.1.
type TruncatedError = engine.TruncatedError
