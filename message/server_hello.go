package message

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/wire"
)

// ServerHello answers with the server's nonce and its choice from what the client offered. See RFC 5246 §7.4.1.3.
type ServerHello struct {
	Version           iana.Version
	Random            [32]byte // server_random; its last 8 bytes may be a downgrade sentinel, RFC 8446 §4.1.3
	SessionID         []byte   // the client's own, if its session is resumed
	CipherSuite       iana.CipherSuite
	CompressionMethod iana.CompressionMethod
	Extensions        Extensions // nil: no extensions block at all
}

// Type is server_hello.
func (*ServerHello) Type() iana.HandshakeType { return iana.ServerHello }

func (m *ServerHello) layout(c *wire.Codec) {
	wire.Uint16(c, "server_version", &m.Version)
	wire.Fixed(c, "random", m.Random[:])
	wire.Opaque8(c, "session_id", &m.SessionID, 0, 32)
	wire.Uint16(c, "cipher_suite", &m.CipherSuite)
	wire.Uint8(c, "compression_method", &m.CompressionMethod)
	m.Extensions.layout(c, iana.Server)
}
