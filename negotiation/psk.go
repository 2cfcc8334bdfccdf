package negotiation

import (
	"context"
	"crypto"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// PSK is a key that both sides have before the handshake. See RFC 4279 §2 and RFC 8446 §4.2.11.
//
// One client and one server should hold it, each in that role alone. If a key is used in both
// roles, an attacker can reflect a client's messages to itself, so that it talks to itself (the
// Selfie attack: RFC 9257 §4.1). An imported key prevents this if its Context names both sides and
// their roles.
type PSK struct {
	Identity []byte // the name that the client sends; every server accepts up to 128 bytes
	Key      []byte // 1 to 65535 bytes, of 128 bits of entropy or more

	// Hash is the hash of the key, which TLS 1.3 binds it to; 0 is SHA-256. Unless the key is
	// imported, only suites with this hash use it.
	Hash crypto.Hash
	// Import uses keys in TLS 1.3 that are derived from this one for each hash of the suites, and
	// the key itself in TLS 1.2 alone. Context is what both sides bind the imported keys to, at
	// most 65535 bytes; it may be empty. See RFC 9258.
	Import  bool
	Context []byte
}

// Check returns an internal_error if the program's key cannot be used.
func (k *PSK) Check() error {
	if len(k.Key) == 0 || len(k.Key) > 1<<16-1 || len(k.Identity) > 1<<16-1 {
		return alert.Fail(alert.InternalError, "RFC 4279 §5.3",
			"got a pre-shared key of %d bytes, expected 1 to 65535", len(k.Key))
	}
	return nil
}

// hash returns the hash of the key. See RFC 8446 §4.2.11.
func (k *PSK) hash() crypto.Hash {
	if k.Hash == 0 {
		return crypto.SHA256
	}
	return k.Hash
}

// KeyRequest is what is known when a pre-shared key is needed.
type KeyRequest struct {
	// Version is TLS 1.3 for a key that a client offers in its ClientHello or a server is offered
	// in one, and the negotiated version for a suite of TLS 1.2 and earlier.
	Version iana.Version
	Hint    []byte // the server's psk_identity_hint, or nil; not in TLS 1.3
	// Identity is nil at a client. At a server it is the client's; of an imported key it is the
	// external_identity, and Context the context.
	Identity []byte
	Imported bool
	Context  []byte
}

// PreShared is how pre-shared keys are found. The zero value has none, and their suites are neither
// offered nor chosen.
type PreShared struct {
	// Hint is what a server sends to help clients choose; nil sends none. See RFC 4279 §2.
	Hint []byte
	// FindKey returns a client's key, or a server's key for a client's identity; nil for an unknown
	// identity. It may be slow: it is called through Pending.
	FindKey func(context.Context, KeyRequest) (*PSK, error)
	// FindKeys, if set, returns the keys of a client that it offers in TLS 1.3, best first, in
	// place of FindKey, which must be set, too.
	FindKeys func(context.Context) ([]*PSK, error)
	// Modes are the modes of TLS 1.3, for tickets too, best first; nil is psk_dhe_ke alone. With
	// psk_ke a connection is not forward secret. See RFC 8446 §4.2.9.
	Modes []iana.PSKKeyExchangeMode
}

// HintOf returns the psk_identity_hint of a ServerKeyExchange, which may be nil.
func HintOf(m *message.ServerKeyExchange) []byte {
	if m == nil {
		return nil
	}
	return m.PSKIdentityHint
}
