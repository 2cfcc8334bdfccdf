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
