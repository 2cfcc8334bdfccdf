package message

import (
	"fmt"

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

// ParseHello2 reads a ClientHello in the form of SSL 2.0, by which old clients offered SSL 3.0 or
// TLS. raw begins with msg_type. The challenge becomes the random, with zeros before it if it is
// shorter. See RFC 5246 appendix E.2.
func ParseHello2(raw []byte) (*ClientHello, error) {
	var typ iana.HandshakeType
	m := &ClientHello{CompressionMethods: []iana.CompressionMethod{iana.CompressionNull}}
	var suites, id, challenge uint16
	err := wire.Decode(raw, "client_hello", func(c *wire.Codec) {
		wire.Uint8(c, "msg_type", &typ)
		wire.Uint16(c, "version", &m.Version)
		wire.Uint16(c, "cipher_spec_length", &suites)
		wire.Uint16(c, "session_id_length", &id)
		wire.Uint16(c, "challenge_length", &challenge)
		var rest []byte
		wire.Rest(c, "rest", &rest)
		if typ != iana.ClientHello || suites%3 != 0 ||
			len(rest) != int(suites)+int(id)+int(challenge) || challenge > 32 || id > 32 {
			c.Failf("got %d bytes for cipher_specs of %d, a session_id of %d and a challenge of %d",
				len(rest), suites, id, challenge)
			return
		}
		for ; suites > 0; suites -= 3 {
			if rest[0] == 0 { // the others are suites of SSL 2.0
				m.CipherSuites = append(m.CipherSuites,
					iana.CipherSuite(rest[1])<<8|iana.CipherSuite(rest[2]))
			}
			rest = rest[3:]
		}
		m.SessionID = rest[:id]
		copy(m.Random[32-challenge:], rest[id:])
	})
	if err != nil {
		return nil, fmt.Errorf("message: %w", err)
	}
	return m, nil
}
