package conformance_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/suite"
)

// RFC 4279, 4785, 5487, 5489, 6655, 7905, 8442.
func TestEveryPreSharedKeySuiteConnects(t *testing.T) {
	n := 0
	for _, s := range suite.All() {
		if !s.PreShared() {
			continue
		}
		n++
		t.Run(s.String(), func(t *testing.T) {
			client, server := rig.Configs(t)
			rig.Until12(client)
			key := []byte{0, 1, 2, 3, 4, 5, 6, 7, 8}
			client.CipherSuites = []uint16{uint16(s.ID)}
			server.CipherSuites = client.CipherSuites
			server.PSKIdentityHint = []byte("the garden gate")
			var heard []byte
			client.GetPSK = func(i *vitrine.PSKInfo) (*vitrine.PSK, error) {
				heard = i.Hint
				return &vitrine.PSK{Identity: []byte("gardener"), Key: key}, i.Context().Err()
			}
			server.GetPSK = func(i *vitrine.PSKInfo) (*vitrine.PSK, error) {
				if string(i.Identity) != "gardener" {
					return nil, nil
				}
				return &vitrine.PSK{Key: key}, i.Context().Err()
			}
			c, _, err := rig.Connect(t, client, server)
			if err != nil {
				t.Fatal(err)
			}
			if c.CipherSuite != uint16(s.ID) || !bytes.Equal(heard, server.PSKIdentityHint) {
				t.Errorf("got %#x with the hint %q", c.CipherSuite, heard)
			}

			key2 := bytes.Clone(key)
			key2[8]++
			server.GetPSK = func(*vitrine.PSKInfo) (*vitrine.PSK,
				error) {
				return &vitrine.PSK{Key: key2}, nil
			}
			if _, _, err := rig.Connect(t, client, server); err == nil {
				t.Error("another key was good enough")
			}
			server.GetPSK = func(*vitrine.PSKInfo) (*vitrine.PSK, error) { return nil, nil }
			_, _, err = rig.Connect(t, client, server)
			if r, ok := errors.AsType[*alert.Received](err); !ok ||
				r.Description != alert.UnknownPSKIdentity {
				t.Errorf("an unknown identity: got %v, expected unknown_psk_identity", err)
			}
		})
	}
	if n == 0 {
		t.Error("no suites")
	}
	t.Logf("%d suites", n)
}

func TestPreSharedKeySuitesNeedAKey(t *testing.T) {
	client, server := rig.Configs(t)
	rig.Until12(client)
	// TLS_PSK_WITH_AES_128_GCM_SHA256 first
	client.CipherSuites = []uint16{0x00A8, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
	server.CipherSuites = client.CipherSuites
	client.GetPSK = func(*vitrine.PSKInfo) (*vitrine.PSK,
		error) {
		return nil, errors.New("not asked")
	}
	c, _, err := rig.Connect(t, client, server)
	if err != nil || c.CipherSuite != tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 {
		t.Errorf("got %#x and %v", c.CipherSuite, err)
	}
}
