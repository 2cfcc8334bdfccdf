package message

import (
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/wire"
)

// ClientHello opens a handshake: the client's random and what it offers, in order of preference.
// See RFC 5246 §7.4.1.2.
type ClientHello struct {
	Version            iana.Version // the highest offered; TLS 1.2 if supported_versions is present
	Random             [32]byte     // client_random
	SessionID          []byte       // up to 32 bytes; empty unless a session is offered
	CipherSuites       []iana.CipherSuite
	CompressionMethods []iana.CompressionMethod
	Extensions         Extensions // nil: the message ends before the block
}

// Type is client_hello.
func (*ClientHello) Type() iana.HandshakeType { return iana.ClientHello }

func (m *ClientHello) layout(c *wire.Codec) {
	wire.Uint16(c, "client_version", &m.Version)
	wire.Fixed(c, "random", m.Random[:])
	wire.Opaque8(c, "session_id", &m.SessionID, 0, 32)
	wire.Uint16s(c, "cipher_suites", "cipher_suite", &m.CipherSuites, 2, 1<<16-2)
	wire.Vector8(c, "compression_methods", &m.CompressionMethods, 1, 255,
		func(c *wire.Codec, v *iana.CompressionMethod) {
			wire.Uint8(c, "compression_method", v)
		})
	m.Extensions.optional(c, InClientHello)
}

// Offers reports whether the client offers the suite.
func (m *ClientHello) Offers(s iana.CipherSuite) bool {
	return slices.Contains(m.CipherSuites, s)
}
