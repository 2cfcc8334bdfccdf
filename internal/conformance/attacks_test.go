package conformance_test

import (
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/internal/rig"
)

// Attacks of docs/security.md that no other test is about.

// Selfie, RFC 9257 §4.1: a node that is both client and server of one pre-shared key is brought to
// talk to itself, by sending back to it what it says. Keys that are imported with both roles named
// do not allow it. Keys that are used as they are allow it: see PSK.
func TestAnImportedKeyIsNotReflected(t *testing.T) {
	for _, c := range []struct {
		what    string
		context func(client, server string) []byte // nil: the key as it is
		talks   bool
	}{
		{"the key as it is", nil, true},
		{"imported with both roles named",
			func(client, server string) []byte { return []byte(client + " asks " + server) },
			false},
	} {
		as := func(client, server string) vitrine.PSK {
			return changed(gardener, func(k *vitrine.PSK) {
				if k.Import = c.context != nil; k.Import {
					k.Context = c.context(client, server)
				}
			})
		}
		// Whoever calls the gardener's client is the gardener's server: both are the gardener.
		client, server := pskAlone(as("gardener", "pump"), as("pump", "gardener"))
		if _, _, err := rig.Connect(t, client, server); (err == nil) != c.talks {
			t.Errorf("%s: %v", c.what, err)
		}
		// The two nodes understand each other.
		client, server = pskAlone(as("gardener", "pump"), as("gardener", "pump"))
		if _, _, err := rig.Connect(t, client, server); err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

// ALPACA: a client of one protocol is led to a server of another, whose certificate holds for both.
// A server that is told its protocols refuses a client of others, and one that is told to refuses
// those who look for somebody else. See RFC 7301 §3.2 and RFC 6066 §3.
func TestAServerOfAnotherProtocolRefuses(t *testing.T) {
	rig.EachVersion(t, func(t *testing.T, version func(*vitrine.Config)) {
		client := rig.ClientConfig(version,
			func(c *vitrine.Config) { c.NextProtos = []string{"http/1.1"} })
		server := rig.ServerConfig(t, version,
			func(c *vitrine.Config) { c.NextProtos = []string{"ftp"} })
		_, _, err := rig.Connect(t, client, server)
		if got, _ := rig.ReceivedAlert(err); got != alert.NoApplicationProtocol {
			t.Errorf("got %v, expected no_application_protocol", err)
		}
	})
}
