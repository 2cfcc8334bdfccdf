package message

import (
	"bytes"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/wire"
)

// The messages of TLS 1.3 that differ from TLS 1.2's. They are read, so that an observer can follow; nobody here says them yet.

// EncryptedExtensions is what the server answers under protection. See RFC 8446 §4.3.1.
type EncryptedExtensions struct{ Extensions Extensions }

// Type is encrypted_extensions.
func (*EncryptedExtensions) Type() iana.HandshakeType { return iana.EncryptedExtensions }

func (m *EncryptedExtensions) layout(c *wire.Codec) { block(c, &m.Extensions, iana.Server) }

// block is a list of extensions that is always there.
func block(c *wire.Codec, e *Extensions, from iana.Side) {
	if !c.Tail(true) {
		c.Failf("no extensions, expected at least their length")
	}
	if !c.Reading() && *e == nil {
		*e = Extensions{}
	}
	e.layout(c, from)
}

// Certificate13 carries a chain, each certificate with its extensions. See RFC 8446 §4.4.2.
type Certificate13 struct {
	Context []byte // of the request that it answers
	Entries []CertificateEntry
}

// CertificateEntry is one certificate and what comes with it: a stapled status, timestamps.
type CertificateEntry struct {
	DER        []byte
	Extensions Extensions
}

// Type is certificate.
func (*Certificate13) Type() iana.HandshakeType { return iana.Certificate }

func (m *Certificate13) layout(c *wire.Codec) {
	wire.Opaque8(c, "certificate_request_context", &m.Context, 0, 255)
	wire.Vector24(c, "certificate_list", &m.Entries, 0, 1<<24-1, func(c *wire.Codec, e *CertificateEntry) {
		wire.Struct(c, "certificate_entry", func(c *wire.Codec) {
			wire.Opaque24(c, "cert_data", &e.DER, 1, 1<<24-1)
			entryExtensions(c, &e.Extensions)
		})
	})
}

// Chain is the certificates alone.
func (m *Certificate13) Chain() (chain [][]byte) {
	for _, e := range m.Entries {
		chain = append(chain, e.DER)
	}
	return chain
}

// entryExtensions are kept as bytes: their contents are not those of the hellos.
func entryExtensions(c *wire.Codec, e *Extensions) {
	wire.Vector16(c, "extensions", (*[]Extension)(e), 0, 1<<16-1, func(c *wire.Codec, x *Extension) {
		wire.Struct(c, "extension", func(c *wire.Codec) {
			wire.Uint16(c, "extension_type", &x.Type)
			wire.Opaque16(c, "extension_data", &x.Data, 0, 1<<16-1)
		})
	})
}

// CertificateRequest13 asks the client for a certificate. See RFC 8446 §4.3.2.
type CertificateRequest13 struct {
	Context    []byte
	Extensions Extensions
}

// Type is certificate_request.
func (*CertificateRequest13) Type() iana.HandshakeType { return iana.CertificateRequest }

func (m *CertificateRequest13) layout(c *wire.Codec) {
	wire.Opaque8(c, "certificate_request_context", &m.Context, 0, 255)
	block(c, &m.Extensions, iana.Client) // signature_algorithms and certificate_authorities look as in a ClientHello
}

// Finished13 is Finished with the hash's own length. See RFC 8446 §4.4.4.
type Finished13 struct{ VerifyData []byte }

// Type is finished.
func (*Finished13) Type() iana.HandshakeType { return iana.Finished }

func (m *Finished13) layout(c *wire.Codec) { wire.Rest(c, "verify_data", &m.VerifyData) }

// NewSessionTicket13 gives the client a ticket, and what it needs to derive its key. See RFC 8446 §4.6.1.
type NewSessionTicket13 struct {
	Lifetime   uint32 // seconds
	AgeAdd     uint32
	Nonce      []byte
	Ticket     []byte
	Extensions Extensions
}

// Type is new_session_ticket.
func (*NewSessionTicket13) Type() iana.HandshakeType { return iana.NewSessionTicket }

func (m *NewSessionTicket13) layout(c *wire.Codec) {
	wire.Uint32(c, "ticket_lifetime", &m.Lifetime)
	wire.Uint32(c, "ticket_age_add", &m.AgeAdd)
	wire.Opaque8(c, "ticket_nonce", &m.Nonce, 0, 255)
	wire.Opaque16(c, "ticket", &m.Ticket, 1, 1<<16-1)
	entryExtensions(c, &m.Extensions)
}

// EndOfEarlyData ends what the client sent before the server had answered. See RFC 8446 §4.5.
type EndOfEarlyData struct{}

// Type is end_of_early_data.
func (*EndOfEarlyData) Type() iana.HandshakeType { return iana.EndOfEarlyData }

func (*EndOfEarlyData) layout(*wire.Codec) {}

// KeyUpdate says that its sender's next record is under new keys. See RFC 8446 §4.6.3.
type KeyUpdate struct{ RequestUpdate uint8 }

// Type is key_update.
func (*KeyUpdate) Type() iana.HandshakeType { return iana.KeyUpdate }

func (m *KeyUpdate) layout(c *wire.Codec) { wire.Uint8(c, "request_update", &m.RequestUpdate) }

// new13 gives an empty message of TLS 1.3, or nil for a type that looks as in TLS 1.2.
func new13(t iana.HandshakeType) Message {
	switch t {
	case iana.EncryptedExtensions:
		return &EncryptedExtensions{}
	case iana.Certificate:
		return &Certificate13{}
	case iana.CertificateRequest:
		return &CertificateRequest13{}
	case iana.Finished:
		return &Finished13{}
	case iana.NewSessionTicket:
		return &NewSessionTicket13{}
	case iana.EndOfEarlyData:
		return &EndOfEarlyData{}
	case iana.KeyUpdate:
		return &KeyUpdate{}
	}
	return nil
}

// retryRandom is the SHA-256 of "HelloRetryRequest". See RFC 8446 §4.1.3.
var retryRandom = [32]byte{0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
	0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C}

// IsHelloRetryRequest tells a HelloRetryRequest from the ServerHello that it looks like. raw is a whole message.
func IsHelloRetryRequest(raw []byte) bool {
	const random = HeaderLen + 2
	return len(raw) >= random+32 && iana.HandshakeType(raw[0]) == iana.ServerHello && bytes.Equal(raw[random:random+32], retryRandom[:])
}
