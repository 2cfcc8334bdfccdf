package message

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/wire"
)

// The messages that exist in TLS 1.3 only.

// EncryptedExtensions holds the server's extensions that are sent under protection. See RFC 8446
// §4.3.1.
type EncryptedExtensions struct{ Extensions Extensions }

// Type is encrypted_extensions.
func (*EncryptedExtensions) Type() iana.HandshakeType { return iana.EncryptedExtensions }

func (m *EncryptedExtensions) layout(c *wire.Codec) {
	m.Extensions.layout(c, InEncryptedExtensions)
}

// EndOfEarlyData ends the client's early data. See RFC 8446 §4.5.
type EndOfEarlyData struct{}

// Type is end_of_early_data.
func (*EndOfEarlyData) Type() iana.HandshakeType { return iana.EndOfEarlyData }

func (*EndOfEarlyData) layout(*wire.Codec) {}

// KeyUpdate says that its sender's next record is protected by new keys. See RFC 8446 §4.6.3.
type KeyUpdate struct {
	RequestUpdate iana.KeyUpdateRequest // whether the receiver must update its keys, too
}

// Type is key_update.
func (*KeyUpdate) Type() iana.HandshakeType { return iana.KeyUpdate }

func (m *KeyUpdate) layout(c *wire.Codec) { wire.Uint8(c, "request_update", &m.RequestUpdate) }

// new13 returns an empty message of a type that only TLS 1.3 has, or nil.
func new13(t iana.HandshakeType) Message {
	switch t {
	case iana.EncryptedExtensions:
		return &EncryptedExtensions{}
	case iana.EndOfEarlyData:
		return &EndOfEarlyData{}
	case iana.KeyUpdate:
		return &KeyUpdate{}
	case iana.CompressedCertificate:
		return &CompressedCertificate{}
	}
	return nil
}

// CompressedCertificate is a compressed Certificate of TLS 1.3. See RFC 8879 §4.
type CompressedCertificate struct {
	Algorithm    iana.CertificateCompressionAlgorithm
	Uncompressed []byte // uncompressed_length, 3 bytes, big-endian
	Data         []byte

	inside *Certificate // once it is known
}

// Type is compressed_certificate.
func (*CompressedCertificate) Type() iana.HandshakeType { return iana.CompressedCertificate }

func (m *CompressedCertificate) layout(c *wire.Codec) {
	wire.Uint16(c, "algorithm", &m.Algorithm)
	if m.Uncompressed == nil {
		m.Uncompressed = make([]byte, 3)
	}
	wire.Fixed(c, "uncompressed_length", m.Uncompressed)
	wire.Opaque24(c, "compressed_certificate_message", &m.Data, 1, 1<<24-1)
}
