package conformance_test

import (
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/internal/rig"
)

// Attacks of docs/security.md that no other test covers.

// Selfie, RFC 9257 §4.1: an attacker reflects the messages of a node that is both client and server
// of one pre-shared key, so that it talks to itself. Keys that are imported with both roles named
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
		// The client and the server of this connection are the same node.
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

// ALPACA: an attacker redirects a client of one protocol to a server of another, whose certificate
// is valid for both. A server with NextProtos refuses clients of other protocols, and one with
// UnknownNamesRefused those that ask for another name. See RFC 7301 §3.2 and RFC 6066 §3.
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
