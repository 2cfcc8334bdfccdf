package negotiation

import (
	"math"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// What QUIC requires of the hellos: RFC 9001 §8.

const (
	quicParametersRef = "RFC 9001 §8.2"

	// QUICMaxEarlyData is the only max_early_data_size of a ticket: QUIC limits early data by
	// itself. See RFC 9001 §4.6.1.
	QUICMaxEarlyData = math.MaxUint32
)

func offerTransportParameters(o *Offering) (message.Content, bool) {
	if o.QUIC == nil {
		return nil, false
	}
	return &message.TransportParameters{Parameters: o.QUIC.TransportParameters}, true
}

func answerTransportParameters(c *Config, _ *Answering) (message.Content, bool, error) {
	if c.QUIC == nil {
		return nil, false, nil
	}
	return &message.TransportParameters{Parameters: c.QUIC.TransportParameters}, true, nil
}

// OnlyQUIC returns an error if a ClientHello has the extension of QUIC and did not come over it.
// See RFC 9001 §8.2.
func (c *Config) OnlyQUIC(ch *message.ClientHello) error {
	if c.QUIC == nil && ch.Extensions.Has(iana.ExtQUICTransportParameters) {
		return alert.KindExtension.Fail(alert.UnsupportedExtension, quicParametersRef,
			"the client sends %v, but this is not QUIC", iana.ExtQUICTransportParameters)
	}
	return nil
}

// quicHello returns an error if QUIC does not allow a ClientHello.
func (c *Config) quicHello(ch *message.ClientHello) error {
	switch {
	case c.QUIC == nil:
		return nil
	case len(ch.SessionID) > 0:
		return alert.KindMalformed.Fail(alert.IllegalParameter, "RFC 9001 §8.4",
			"the client's legacy_session_id has %d bytes, expected none in QUIC",
			len(ch.SessionID))
	case !ch.Extensions.Has(iana.ExtQUICTransportParameters):
		return missingParameters(iana.Client)
	case !ch.Extensions.Has(iana.ExtALPN):
		return noProtocol("the client offers no application protocol, which QUIC needs")
	case len(c.Protocols) == 0:
		return noProtocol("we have no application protocol, which QUIC needs")
	}
	return nil
}

// QuicAnswer returns an error if QUIC does not allow a server's answer.
func (c *Config) QuicAnswer(m *message.EncryptedExtensions, a *Agreed) error {
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

// QuicTicket returns an error if a ticket's early_data has another size than QUIC's.
func (c *Config) QuicTicket(size uint32) error {
	if c.QUIC == nil || size == QUICMaxEarlyData {
		return nil
	}
	return alert.KindMalformed.Fail(alert.IllegalParameter, "RFC 9001 §4.6.1",
		"got a max_early_data_size of %d, expected %d in QUIC", size, uint32(QUICMaxEarlyData))
}
