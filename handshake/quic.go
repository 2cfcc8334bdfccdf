package handshake

import (
	"context"
	"math"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// TLS inside QUIC: RFC 9001. The messages of TLS 1.3 are exchanged without records, QUIC protects
// what is sent, and each side adds an extension with QUIC's own parameters.

// PeerTransportParameters returns the content of the peer's quic_transport_parameters. ok is false
// until they have arrived. A client's are not authenticated before the handshake is done. See RFC
// 9001 §8.2.
func (m *Machine) PeerTransportParameters() (parameters []byte, ok bool) {
	switch {
	case m.me == iana.Server && m.ClientHello != nil:
		return m.ClientHello.Extensions.Get(iana.ExtQUICTransportParameters)
	case m.me == iana.Client && m.EncryptedExtensions != nil:
		return m.EncryptedExtensions.Extensions.Get(iana.ExtQUICTransportParameters)
	}
	return nil, false
}

// NewTicket returns a NewSessionTicket of a server of QUIC whose handshake is done, or nil if the
// client uses none. early lets the client send early data with it, if the server accepts such data.
// extra is kept in its session. NewTicket may block: ctx bounds it. See RFC 9001 §4.5.
func (m *Machine) NewTicket(ctx context.Context, early bool, extra [][]byte) ([]byte, error) {
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
				"got a request for a ticket for early data, which this server does not accept")
		}
	}
	if v.issued == math.MaxUint8 {
		return nil, alert.Fail(alert.InternalError, ref, "%d tickets were issued", v.issued)
	}
	v.extra = extra
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
