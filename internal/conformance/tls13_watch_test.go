package conformance_test

import (
	"bytes"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/observe"
	"github.com/vitrine-tls/vitrine/trace"
)

// taped keeps what is written.
type taped struct {
	net.Conn
	mu   sync.Mutex
	tape bytes.Buffer
}

func (c *taped) Write(p []byte) (int, error) {
	c.mu.Lock()
	c.tape.Write(p)
	c.mu.Unlock()
	return c.Conn.Write(p)
}

// The three players agree on TLS 1.3: what client and server derive is equal, their key logs are,
// and with either an observer reads what they sent.
func TestTLS13IsSeenByAllThree(t *testing.T) {
	for what, groups := range map[string][2][]vitrine.CurveID{
		"full": {}, "retry": {{vitrine.X25519, vitrine.CurveP256}, {vitrine.CurveP256}},
	} {
		a, b := rig.Wires(t)
		tapes := [2]*taped{{Conn: a}, {Conn: b}}
		var logs [2]bytes.Buffer
		var events [2]trace.Memory
		client := rig.ClientConfig(rig.Only13, func(c *vitrine.Config) {
			c.KeyLogWriter, c.Trace, c.CurvePreferences = &logs[0], &events[0], groups[0]
		})
		server := rig.ServerConfig(t, rig.Only13, func(c *vitrine.Config) {
			c.KeyLogWriter, c.Trace, c.CurvePreferences = &logs[1], &events[1], groups[1]
		})
		c, s := vitrine.Client(tapes[0], client), vitrine.Server(tapes[1], server)
		if err, other := rig.Shake(c, s); err != nil || other != nil {
			t.Fatalf("%s: client: %v; server: %v", what, err, other)
		}
		converse(t, c, s, 64)
		if logs[0].String() != logs[1].String() || strings.Count(logs[0].String(), "\n") != 5 {
			t.Errorf("%s: the client logs\n%s\nand the server\n%s", what, &logs[0], &logs[1])
		}
		if mine, theirs := derived(events[0].Entries), derived(events[1].Entries); mine != theirs ||
			len(mine) == 0 {
			t.Errorf("%s: the client derives\n%s\nand the server\n%s", what, mine, theirs)
		}
		got, o := observeTapes(t, &logs[1], tapes, nil)
		want := strings.Repeat("vitrine!", 8)
		if got != [2]string{want, want} {
			t.Errorf("%s: an observer reads %q: %v", what, got, o.Report().Reason)
		}
	}
}

// observeTapes lets an observer with a key log read both tapes. It returns the data of each side.
func observeTapes(t *testing.T, keys io.Reader, tapes [2]*taped,
	sink trace.Sink) (data [2]string, o *observe.Connection) {
	t.Helper()
	log, err := keylog.Read(keys)
	if err != nil {
		t.Fatal(err)
	}
	o = observe.New(observe.KeyLog(log), sink)
	o.Data = func(from iana.Side, plain []byte) { data[from] += string(plain) }
	for side, tape := range tapes {
		if err := o.Feed(iana.Side(side), tape.tape.Bytes()); err != nil {
			t.Error(err)
		}
	}
	o.Close()
	return data, o
}

// derived are the outputs of the key schedule, in the order of their names.
func derived(entries []trace.Entry) string {
	var outputs []string
	for _, e := range entries {
		if d, ok := e.Event.(*trace.Derived); ok && strings.HasSuffix(d.Name, "_secret") {
			outputs = append(outputs, d.Name+" "+trace.Hex(d.Output).String())
		}
	}
	return strings.Join(outputs, "\n")
}
