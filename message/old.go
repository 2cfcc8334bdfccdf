package message

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/wire"
)

// The messages of this file occur in captures. Vitrine never sends them.

// NextProtocol is the client's choice in next_protocol_negotiation, the predecessor of ALPN:
// draft-agl-tls-nextprotoneg-04. It is protected and precedes Finished.
type NextProtocol struct{ Selected, Padding []byte }

// Type is next_protocol.
func (*NextProtocol) Type() iana.HandshakeType { return iana.NextProtocol }

func (m *NextProtocol) layout(c *wire.Codec) {
	wire.Text8(c, "selected_protocol", &m.Selected, 0, 255)
	wire.Opaque8(c, "padding", &m.Padding, 0, 255)
}
