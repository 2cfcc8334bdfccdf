package explain_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/trace"
)

// case13 is one or several connections of TLS 1.3, one after the other.
type case13 struct {
	name           string
	client, server func(*vitrine.Config)
	connections    int // 0 is 1
	update         bool
	late           bool // the client shows its certificate after the handshake
}

func groups(ids ...vitrine.CurveID) func(*vitrine.Config) {
	return func(c *vitrine.Config) { c.CurvePreferences = ids }
}

var cases13 = []case13{
	{name: "hybrid"},
	{name: "SecP256r1MLKEM768, by a retry", server: groups(vitrine.SecP256r1MLKEM768)},
	{name: "SecP384r1MLKEM1024, by a retry", server: groups(vitrine.SecP384r1MLKEM1024)},
	{name: "P-521 and updated keys", client: groups(vitrine.CurveP521), update: true},
	{name: "X448", client: groups(30), server: groups(30)},
	{name: "ffdhe2048", client: groups(256), server: groups(256)},
	{name: "a client certificate", server: func(c *vitrine.Config) {
		groups(vitrine.X25519)(c)
		c.ClientAuth = tls.RequireAndVerifyClientCert
	}},
	{name: "a ticket and a retry", connections: 2, server: groups(vitrine.CurveP256)},
}

// events makes the connections of a case and returns their events.
func (c *case13) events(t testing.TB) []trace.Entry {
	t.Helper()
	var events trace.Memory
	ca := rig.Authority()
	client := rig.ClientConfig(func(o *vitrine.Config) {
		o.Certificates = []tls.Certificate{rig.IssueForClient(t, ca, throwaway.Ed25519)}
		o.ClientSessionCache = vitrine.NewLRUClientSessionCache(0)
	})
	server := rig.ServerConfig(t, func(o *vitrine.Config) { o.ClientCAs = ca.Pool() })
	for i, o := range []*vitrine.Config{client, server} {
		o.MinVersion, o.Trace = vitrine.VersionTLS13, &events
		if edit := []func(*vitrine.Config){c.client, c.server}[i]; edit != nil {
			edit(o)
		}
	}
	for range max(1, c.connections) {
		a, b := rig.Pair(t, client, server)
		if c.update {
			a.KeyUpdate(true)
		}
		if c.late {
			showLate(t, a, b)
		}
		talk(t, a, b)
	}
	return events.Entries
}

// showLate makes a client show its certificate after the handshake.
func showLate(t testing.TB, client, server *vitrine.Conn) {
	t.Helper()
	got := make([]byte, 1)
	if err := server.RequestClientCertificate(tls.RequireAndVerifyClientCert); err != nil {
		t.Fatal(err)
	}
	server.Write(got)
	client.Read(got)
	client.Write(got)
	if _, err := server.Read(got); err != nil {
		t.Error(err)
	}
}

// talk sends data and close_notify both ways.
func talk(t testing.TB, client, server *vitrine.Conn) {
	t.Helper()
	var wait sync.WaitGroup
	wait.Go(func() {
		io.Copy(server, server)
		server.Close()
	})
	client.Write([]byte("by hand"))
	client.CloseWrite()
	if b, err := io.ReadAll(client); string(b) != "by hand" || err != nil {
		t.Errorf("got %q, %v", b, err)
	}
	client.Close()
	wait.Wait()
}

// expected13 returns the values of an event of TLS 1.3 that its commands must print.
func expected13(e trace.Event) [][]byte {
	switch e := e.(type) {
	case *trace.Ephemeral:
		if len(e.Public) > 512 {
			return nil // a hybrid's, in two halves: see TestCommandsComputeBothHalvesOfAHybrid
		}
		return [][]byte{e.Public}
	case *trace.SharedSecret:
		if len(e.Output) == 64 || len(e.Output) == 80 {
			return nil // likewise
		}
		return [][]byte{e.Output}
	case *trace.Derived:
		return [][]byte{e.Output}
	case *trace.Record:
		if e.Protection == "" {
			return nil
		}
		inner := append(bytes.Clone(e.Plaintext), byte(e.ContentType))
		return [][]byte{e.Nonce, inner, e.Tag}
	}
	return nil
}

// Every value of TLS 1.3 has a command of another tool that prints it.
func TestCommandsOfTLS13PrintShownValues(t *testing.T) {
	needTools(t)
	ran, sum := map[string]int{}, 0
	for _, c := range testkit.Sample(t, "cases", 12, cases13) {
		t.Run(c.name, func(t *testing.T) {
			for name, n := range runAll(t, c.events(t), expected13) {
				ran[name] += n
				sum += n
			}
		})
	}
	for _, name := range slices.Sorted(maps.Keys(ran)) {
		t.Logf("%4d %s", ran[name], name)
	}
	t.Logf("%d commands run", sum)
}

// A hybrid's secret and public key are computed in two halves: ML-KEM's with OpenSSL 3.5, where
// RFC 10024 puts it.
func TestCommandsComputeBothHalvesOfAHybrid(t *testing.T) {
	for i, kemFirst := range []bool{true, false, false} {
		c := cases13[i]
		halves := 0
		var notebook explain.Notebook
		for _, e := range c.events(t) {
			commands := notebook.Commands(e)
			var want []byte
			switch x := e.Event.(type) {
			case *trace.SharedSecret:
				want = x.Output
			case *trace.Ephemeral:
				want = x.Public
			default:
				continue
			}
			if e.Role == trace.Server {
				continue // it comes before the client's key, with which ML-KEM decapsulates
			}
			if len(commands) != 2 || (commands[0].Tool == explain.MLKEMTool) != kemFirst ||
				(commands[1].Tool == explain.MLKEMTool) == kemFirst ||
				!bytes.Equal(slices.Concat(commands[0].Output, commands[1].Output), want) {
				t.Errorf("%s: %s: %d commands do not make the %d bytes", c.name, e.Name(),
					len(commands), len(want))
			}
			halves += len(commands)
		}
		if halves != 4 {
			t.Errorf("%s: %d halves, expected 4", c.name, halves)
		}
	}
}
