package handshake

import (
	"context"
	"errors"
	"math"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// TLS inside QUIC: RFC 9001. The messages of TLS 1.3 are exchanged without records, QUIC protects
// what is sent, and each side adds an extension with QUIC's own parameters.

const (
	quicParametersRef = "RFC 9001 §8.2"

	// QUICMaxEarlyData is the only max_early_data_size of a ticket: QUIC limits early data by itself.
	// See RFC 9001 §4.6.1.
	QUICMaxEarlyData = math.MaxUint32
)

// QUIC is what a handshake needs to know from QUIC.
type QUIC struct {
	// TransportParameters is the content of our quic_transport_parameters. The handshake waits as
	// long as it is nil. See RFC 9000 §18.
	TransportParameters []byte
}

// ErrNoTransportParameters is returned by the Do of a Pending that waits for
// QUIC.TransportParameters.
var ErrNoTransportParameters = errors.New("handshake: no QUIC transport parameters yet")

// awaitParameters returns a Pending if this is QUIC and our transport parameters are not known.
func (c *Config) awaitParameters() error {
	if c.QUIC == nil || c.QUIC.TransportParameters != nil {
		return nil
	}
	return &Pending{"QUIC's transport parameters",
		func(context.Context) error { return ErrNoTransportParameters }}
}

func offerTransportParameters(o *offering) (message.Content, bool) {
	if o.QUIC == nil {
		return nil, false
	}
	return &message.TransportParameters{Parameters: o.QUIC.TransportParameters}, true
}

func answerTransportParameters(c *Config, _ *answering) (message.Content, bool, error) {
	if c.QUIC == nil {
		return nil, false, nil
	}
	return &message.TransportParameters{Parameters: c.QUIC.TransportParameters}, true, nil
}

// PeerTransportParameters returns the content of the peer's quic_transport_parameters. ok is false
// as long as they have not come. A client's are not authenticated before the handshake is done. See
// RFC 9001 §8.2.
func (m *Machine) PeerTransportParameters() (parameters []byte, ok bool) {
	switch {
	case m.me == iana.Server && m.ClientHello != nil:
		return m.ClientHello.Extensions.Get(iana.ExtQUICTransportParameters)
	case m.me == iana.Client && m.EncryptedExtensions != nil:
		return m.EncryptedExtensions.Extensions.Get(iana.ExtQUICTransportParameters)
	}
	return nil, false
}

// onlyQUIC returns an error if a ClientHello has the extension of QUIC and did not come over it.
// See RFC 9001 §8.2.
func (v *server) onlyQUIC(ch *message.ClientHello) error {
	if v.QUIC == nil && ch.Extensions.Has(iana.ExtQUICTransportParameters) {
		return alert.KindExtension.Fail(alert.UnsupportedExtension, quicParametersRef,
			"the client sends %v, and this is not QUIC", iana.ExtQUICTransportParameters)
	}
	return nil
}

// quicHello returns an error if QUIC does not allow a ClientHello.
func (v *server) quicHello(ch *message.ClientHello) error {
	switch {
	case v.QUIC == nil:
		return nil
	case len(ch.SessionID) > 0:
		return alert.KindMalformed.Fail(alert.IllegalParameter, "RFC 9001 §8.4",
			"the client's legacy_session_id has %d bytes, expected none in QUIC",
			len(ch.SessionID))
	case !ch.Extensions.Has(iana.ExtQUICTransportParameters):
		return missingParameters(iana.Client)
	case !ch.Extensions.Has(iana.ExtALPN):
		return noProtocol("the client offers no application protocol, which QUIC needs")
	case len(v.Protocols) == 0:
		return noProtocol("we have no application protocol, which QUIC needs")
	}
	return nil
}

// quicAnswer returns an error if QUIC does not allow a server's answer.
func (c *client) quicAnswer(m *message.EncryptedExtensions, a *Agreed) error {
	switch {
	case c.QUIC == nil:
		return nil
	case !m.Extensions.Has(iana.ExtQUICTransportParameters):
		return missingParameters(iana.Server)
	case a.ALPN == "":
		return noProtocol("the server chose no application protocol, which QUIC needs")
	}
	return nil
}

func missingParameters(from iana.Side) error {
	return alert.KindMissing.Fail(alert.MissingExtension, quicParametersRef,
		"the %v sends no %v", from, iana.ExtQUICTransportParameters)
}

func noProtocol(why string) error {
	return alert.KindProtocol.Fail(alert.NoApplicationProtocol, "RFC 9001 §8.1", "%s", why)
}

// quicTicket returns an error if a ticket's early_data has another size than QUIC's.
func (c *client) quicTicket(size uint32) error {
	if c.QUIC == nil || size == QUICMaxEarlyData {
		return nil
	}
	return alert.KindMalformed.Fail(alert.IllegalParameter, "RFC 9001 §4.6.1",
		"a max_early_data_size of %d, expected %d in QUIC", size, uint32(QUICMaxEarlyData))
}

// NewTicket returns a NewSessionTicket of a server of QUIC whose handshake is done, or nil if the
// client uses none. early lets the client send early data with it, if the server accepts such data.
// NewTicket may block: ctx bounds it. See RFC 9001 §4.5.
func (m *Machine) NewTicket(ctx context.Context, early bool) ([]byte, error) {
	const ref = "RFC 8446 §4.6.1"
	v, ok := m.player.(*server)
	if !ok || !m.done {
		return nil, alert.Fail(alert.InternalError, ref,
			"only a server whose handshake is done issues tickets")
	}
	if !v.usesTickets {
		return nil, nil
	}
	max := uint32(0)
	if early {
		if max = v.allowsEarly(); max == 0 {
			return nil, alert.Fail(alert.InternalError, ref,
				"a ticket for early data, which this server does not accept")
		}
	}
	if v.issued == math.MaxUint8 {
		return nil, alert.Fail(alert.InternalError, ref, "%d tickets were issued", v.issued)
	}
	t, err := v.newTicket13(ctx, &m.Score, v.issued, max)
	if err != nil || t == nil || len(t.Ticket) == 0 {
		return nil, err
	}
	v.issued++
	raw, err := m.dialect().Encode(t)
	if err == nil {
		m.log.Message(iana.Server, iana.NewSessionTicket, raw, ref)
	}
	return raw, err
}
