package conformance_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/script"
)

// A memory is what a client has of a session: the cache that holds it, and what a script needs to
// play either side of it.
type memory struct {
	script.Session
	cache vitrine.ClientSessionCache

	encoded []byte // what SessionState.Bytes says
}

// sessionIn is what follows the session ID and the ticket's deadline.
func sessionIn(encoded []byte) []byte { return encoded[1+int(encoded[0])+8:] }

// remember makes a session by a full handshake of these two.
func remember(t *testing.T, client, server *vitrine.Config) *memory {
	t.Helper()
	cache := vitrine.NewLRUClientSessionCache(1)
	log := &bytes.Buffer{}
	client = client.Clone()
	client.ClientSessionCache, client.KeyLogWriter = cache, log
	c, s := rig.Pair(t, client, server)
	if s.ConnectionState().DidResume {
		t.Fatal("the first connection was resumed")
	}
	m := &memory{cache: cache}
	m.Suite, m.ServerName = iana.CipherSuite(c.ConnectionState().CipherSuite), rig.ServerName
	var random []byte
	if _, err := fmt.Sscanf(log.String(), "CLIENT_RANDOM %x %x", &random, &m.Master); err != nil {
		t.Fatal(err)
	}
	kept, ok := cache.Get(rig.ServerName)
	if !ok {
		t.Fatal("no session was kept")
	}
	ticket, state, err := kept.ResumptionState()
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := state.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	m.Ticket, m.ID, m.encoded = ticket, encoded[1:1+encoded[0]], encoded
	c.Close()
	s.Close()
	return m
}
