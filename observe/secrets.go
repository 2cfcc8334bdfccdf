package observe

import (
	"crypto"
	"errors"

	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/keys"
)

// Nothing knows no secret.
func Nothing(*handshake.Score) (handshake.Input, error) {
	return handshake.Input{}, handshake.ErrNoSecret
}

// KeyLog finds secrets by client_random.
func KeyLog(log *keylog.Log) handshake.Secrets {
	return func(s *handshake.Score) (handshake.Input, error) {
		secret := func(l keylog.Label) []byte { return log.Secret(l, s.ClientHello.Random[:]) }
		if s.TLS13() {
			t := &handshake.TrafficSecrets{
				Early:       secret(keylog.ClientEarlyTraffic),
				Handshake:   [2][]byte{secret(keylog.ClientHandshake), secret(keylog.ServerHandshake)},
				Application: [2][]byte{secret(keylog.ClientTraffic), secret(keylog.ServerTraffic)},
			}
			if t.Handshake[iana.Server] == nil {
				return Nothing(s)
			}
			return handshake.Input{Traffic: t}, nil
		}
		if master := secret(keylog.ClientRandom); master != nil {
			return handshake.Input{Master: master}, nil
		}
		return Nothing(s)
	}
}

// RSAKey opens RSA key exchange with the server's private key. It can do nothing for an ephemeral exchange: that is what forward
// secrecy means.
func RSAKey(key crypto.Decrypter) handshake.Secrets {
	return func(s *handshake.Score) (handshake.Input, error) {
		if s.Agreed.Suite.Kex != iana.KexRSA || s.ClientKeyExchange == nil {
			return Nothing(s)
		}
		pre, err := kex.OpenPreMaster(key, s.ClientKeyExchange.EncryptedPreMaster, s.ClientHello.Version)
		if err != nil {
			return handshake.Input{}, errors.Join(handshake.ErrNoSecret, err)
		}
		return handshake.Input{PreMaster: pre}, nil
	}
}

// Ephemeral finishes a Diffie-Hellman exchange with the private key that one side made for it.
func Ephemeral(whose iana.Side, private []byte) handshake.Secrets {
	return func(s *handshake.Score) (handshake.Input, error) {
		g, err := s.KexGroup()
		if g == nil || err != nil {
			return Nothing(s)
		}
		offer, err := g.Recall(private)
		if err != nil {
			return handshake.Input{}, err
		}
		z, err := offer.Finish(s.Public(whose.Peer()))
		if err != nil {
			return handshake.Input{}, err
		}
		if s.Agreed.Suite.Kex.FiniteField() {
			z = keys.FiniteFieldPreMaster(z)
		}
		return handshake.Input{PreMaster: z}, nil
	}
}
