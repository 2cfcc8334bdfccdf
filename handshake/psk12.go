package handshake

import (
	"context"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/negotiation"
)

// Pre-shared keys up to TLS 1.2, on both sides. See RFC 4279 §2.

// psk finds the key of a handshake of TLS 1.2. identity is nil at a client.
func (l *live) psk(v iana.Version, hint, identity []byte) (*negotiation.PSK, error) {
	k, err := l.shared.await("a pre-shared key",
		func(ctx context.Context) (*negotiation.PSK, error) {
			return l.FindKey(ctx,
				negotiation.KeyRequest{Version: v, Hint: hint, Identity: identity})
		})
	switch {
	case err != nil:
		return nil, err
	case k == nil:
		// RFC 4279 §2 allows continuing with a random key, which hides whether an identity exists.
		// Identities are sent in the clear anyway, and an error that names the cause is more
		// useful.
		return nil, alert.KindPSK.Fail(alert.UnknownPSKIdentity, "RFC 4279 §2",
			"there is no pre-shared key for the identity %q", identity)
	}
	if l.peer.PSKIdentity = identity; identity == nil {
		l.peer.PSKIdentity = k.Identity
	}
	return k, k.Check()
}

// mixIn returns the pre_master_secret from the pre-shared key and the other key exchange's result,
// which it overwrites.
func (l *live) mixIn(k *negotiation.PSK, other []byte) []byte {
	l.Log.SharedSecret("psk", k.Key, "RFC 4279 §2")
	defer clear(other)
	return keys.PreSharedPreMaster(other, k.Key)
}
