package handshake

import (
	"bytes"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
)

// A keeper is a player that keeps the slices of the secrets that its handshake is given.
type keeper struct {
	player
	given *[][]byte
}

func (k keeper) secret(s *Score) (Input, error) {
	in, err := k.player.secret(s)
	if in.PreMaster != nil {
		*k.given = append(*k.given, in.PreMaster)
	}
	if in.Shared != nil {
		*k.given = append(*k.given, in.Shared)
	}
	return in, err
}

// Once the next stage is derived, nothing is left of a shared secret or a pre_master_secret.
func TestSharedSecretsAreOverwritten(t *testing.T) {
	for _, c := range []struct {
		what   string
		config func(seed string) *negotiation.Config
		kind   throwaway.Kind
	}{
		{"ECDHE", func(seed string) *negotiation.Config { return config(seed, ecdheECDSA) },
			throwaway.Ed25519},
		{"RSA", func(seed string) *negotiation.Config { return config(seed, rsaRSA) },
			throwaway.RSA},
		{"TLS 1.3", config13, throwaway.Ed25519},
		{"TLS 1.3, hybrid", func(seed string) *negotiation.Config {
			c := config13(seed)
			c.Groups = []iana.Group{iana.X25519MLKEM768}
			return c
		}, throwaway.Ed25519},
	} {
		client, server := c.config("client"), c.config("server")
		server.Credentials = []*pki.Credential{credential(t, c.kind, name)}
		var given [][]byte
		_, _, _, errs := performBy(client, server, func(p player) player {
			return keeper{p, &given}
		})
		if errs != [2]error{} || len(given) != 2 {
			t.Fatalf("%s: %v, and %d secrets", c.what, errs, len(given))
		}
		for _, b := range given {
			if !bytes.Equal(b, make([]byte, len(b))) || len(b) < 32 {
				t.Errorf("%s: %d bytes of a secret are left", c.what, len(b))
			}
		}
	}
	other := []byte{1, 2, 3}
	pre := (&live{Config: &negotiation.Config{}}).mixIn(&negotiation.PSK{Key: []byte{4}}, other)
	if want := []byte{0, 3, 1, 2, 3, 0, 1, 4}; !bytes.Equal(pre, want) ||
		!bytes.Equal(other, make([]byte, 3)) {
		t.Errorf("got the pre_master_secret %x, and %x is left, expected %x and zeros", pre, other,
			want)
	}
}
