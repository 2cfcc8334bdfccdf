package recompute_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/recompute"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/trace"
)

// case13 is one or several connections of TLS 1.3, one after the other, in one stream of events.
type case13 struct {
	name           string
	client, server func(*vitrine.Config)
	connections    int                      // 0 is 1
	between        func(c, s *vitrine.Conn) // after the handshake, before the data
}

func groups(ids ...vitrine.CurveID) func(*vitrine.Config) {
	return func(c *vitrine.Config) { c.CurvePreferences = ids }
}

var cases13 = []case13{
	{name: "hybrid"},
	{name: "SecP256r1MLKEM768, by a retry", server: groups(vitrine.SecP256r1MLKEM768)},
	{name: "SecP384r1MLKEM1024, by a retry", server: groups(vitrine.SecP384r1MLKEM1024)},
	{name: "X25519", server: groups(vitrine.X25519)},
	{name: "P-256, by a retry", server: groups(vitrine.CurveP256)},
	{name: "P-384", client: groups(vitrine.CurveP384)},
	{name: "P-521", client: groups(vitrine.CurveP521)},
	{name: "X448", client: groups(30), server: groups(30)},
	{name: "ffdhe2048", client: groups(256), server: groups(256)},
	{name: "ffdhe4096, by a retry", client: groups(vitrine.X25519, 258), server: groups(258)},
	{name: "a client certificate",
		server: func(c *vitrine.Config) { c.ClientAuth = tls.RequireAndVerifyClientCert }},
	{name: "tickets", connections: 3},
	{name: "a ticket and a retry", connections: 2, server: groups(vitrine.CurveP256)},
	{name: "updated keys", between: updateKeys},
}

// updateKeys updates the keys of both directions, once on request.
func updateKeys(c, s *vitrine.Conn) {
	c.KeyUpdate(true)
	s.KeyUpdate(false)
}

// lines makes the connections of a case and returns their events.
func (c *case13) lines(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	events := trace.NewWriter(&out, trace.Reveal())
	ca := rig.Authority()
	client := rig.ClientConfig(func(o *vitrine.Config) {
		o.Certificates = []tls.Certificate{rig.IssueForClient(t, ca, throwaway.Ed25519)}
		o.ClientSessionCache = vitrine.NewLRUClientSessionCache(0)
	})
	server := rig.ServerConfig(t, func(o *vitrine.Config) { o.ClientCAs = ca.Pool() })
	for i, o := range []*vitrine.Config{client, server} {
		o.MinVersion, o.Trace = vitrine.VersionTLS13, events
		if edit := []func(*vitrine.Config){c.client, c.server}[i]; edit != nil {
			edit(o)
		}
	}
	for i := range max(1, c.connections) {
		a, b := rig.Pair(t, client, server)
		if got := a.ConnectionState().DidResume; got != (i > 0) {
			t.Fatalf("connection %d resumes: %v", i, got)
		}
		if c.between != nil {
			c.between(a, b)
		}
		talk(t, a, b)
	}
	if err := events.Err(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// talk sends data and close_notify both ways.
func talk(t testing.TB, client, server *vitrine.Conn) {
	t.Helper()
	var wait sync.WaitGroup
	wait.Go(func() {
		io.Copy(server, server)
		server.Close()
	})
	if _, err := client.Write([]byte("recompute this")); err != nil {
		t.Error(err)
	}
	if err := client.CloseWrite(); err != nil {
		t.Error(err)
	}
	if b, err := io.ReadAll(client); string(b) != "recompute this" || err != nil {
		t.Errorf("got %q, %v", b, err)
	}
	client.Close()
	wait.Wait()
}

// Everything that TLS 1.3 derives is recomputed, for every group and every way to resume.
func TestRecomputeTLS13(t *testing.T) {
	o := tool(t)
	total, ran, sum := recompute.Tally{}, 0, 0
	for _, c := range cases13 {
		t.Run(c.name, func(t *testing.T) {
			ran++
			tally, err := recompute.Check(o, bytes.NewReader(c.lines(t)))
			if err != nil {
				t.Error(err)
			}
			for kind, n := range tally {
				total[kind] += n
			}
		})
	}
	for _, kind := range slices.Sorted(maps.Keys(total)) {
		t.Logf("%6d %s", total[kind], kind)
		sum += total[kind]
	}
	t.Logf("%d cases, %d values recomputed, ML-KEM by %s", ran, sum, o.MLKEM())
	if sum < 100*ran || ran == 0 {
		t.Error("too few")
	}
}
