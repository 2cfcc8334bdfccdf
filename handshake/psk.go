package handshake

import (
	"context"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
)

// PSK is a key that both sides have held before, and what a client calls it. See RFC 4279 §2.
type PSK struct {
	Identity []byte // at most 128 bytes are sure to be taken everywhere
	Key      []byte // 1 to 65535 bytes
}

// PreShared is how pre-shared keys are found. The zero value has none, and their suites are neither
// offered nor chosen.
type PreShared struct {
	// Hint is what a server sends to help clients choose; nil sends none.
	Hint []byte
	// FindKey gives a client its key for a server's hint, or a server its key for a client's
	// identity; nil for an identity that nobody has. It may be slow: it is called under Pending.
	FindKey func(ctx context.Context, hint, identity []byte) (*PSK, error)
}

// psk finds the key of this handshake. identity is nil at a client.
func (l *live) psk(hint, identity []byte) (*PSK, error) {
	k, err := l.shared.await("a pre-shared key",
		func(ctx context.Context) (*PSK, error) { return l.FindKey(ctx, hint, identity) })
	switch {
	case err != nil:
		return nil, err
	case k == nil:
		// RFC 4279 §2 allows to go on with a random key, which tells nobody who exists; identities
		// are sent in the clear, so they are no secret, and an error that says what is wrong is
		// worth more.
		return nil, alert.Fail(alert.UnknownPSKIdentity, "RFC 4279 §2",
			"there is no pre-shared key for the identity %q", identity)
	case len(k.Key) == 0 || len(k.Key) > 1<<16-1 || len(k.Identity) > 1<<16-1:
		return nil, alert.Fail(alert.InternalError, "RFC 4279 §5.3",
			"a pre-shared key of %d bytes, expected 1 to 65535", len(k.Key))
	}
	l.peer.PSKIdentity = identity
	return k, nil
}

// mixIn makes the pre_master_secret of the pre-shared key and what the exchange beside it gave.
func (l *live) mixIn(k *PSK, other []byte) []byte {
	l.Log.SharedSecret("psk", k.Key, "RFC 4279 §2")
	return keys.PreSharedPreMaster(other, k.Key)
}

// speaksPSK tells whether a suite can be used as far as pre-shared keys go.
func (c *Config) speaksPSK(k iana.KeyExchange) bool { return !k.PreShared() || c.FindKey != nil }

// hintOf is what the server's ServerKeyExchange, which may be left out, says about the key.
func hintOf(m *message.ServerKeyExchange) []byte {
	if m == nil {
		return nil
	}
	return m.PSKIdentityHint
}
