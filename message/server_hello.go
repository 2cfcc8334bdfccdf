package message

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/wire"
)

// ServerHello carries the server's random and its choice from the client's offers. In form, a
// HelloRetryRequest is one too. See RFC 5246 §7.4.1.3 and RFC 8446 §4.1.3.
type ServerHello struct {
	Version           iana.Version
	Random            [32]byte // its last 8 bytes may be a downgrade sentinel, RFC 8446 §4.1.3
	SessionID         []byte   // the client's if its session is resumed, and in TLS 1.3
	CipherSuite       iana.CipherSuite
	CompressionMethod iana.CompressionMethod
	Extensions        Extensions // nil: the message ends before the block
}

// Type is server_hello.
func (*ServerHello) Type() iana.HandshakeType { return iana.ServerHello }

func (m *ServerHello) layout(c *wire.Codec) {
	wire.Uint16(c, "server_version", &m.Version)
	wire.Fixed(c, "random", m.Random[:])
	wire.Opaque8(c, "session_id", &m.SessionID, 0, 32)
	wire.Uint16(c, "cipher_suite", &m.CipherSuite)
	wire.Uint8(c, "compression_method", &m.CompressionMethod)
	m.Extensions.optional(c, m.place())
}

func (m *ServerHello) place() Place {
	if m.IsRetry() {
		return InHelloRetryRequest
	}
	return InServerHello
}

// retryRandom is the random that marks a ServerHello as a HelloRetryRequest: the SHA-256 of
// "HelloRetryRequest". See RFC 8446 §4.1.3.
var retryRandom = [32]byte{
	0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
	0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
}

// RetryRandom returns the random that makes a ServerHello a HelloRetryRequest.
func RetryRandom() [32]byte { return retryRandom }

// IsRetry reports whether m is a HelloRetryRequest, which is a ServerHello in form.
func (m *ServerHello) IsRetry() bool { return m.Random == retryRandom }

// IsHelloRetryRequest reports whether raw, a whole message, is a HelloRetryRequest.
func IsHelloRetryRequest(raw []byte) bool {
	const random = HeaderLen + 2
	return len(raw) >= random+32 && iana.HandshakeType(raw[0]) == iana.ServerHello &&
		[32]byte(raw[random:random+32]) == retryRandom
}
