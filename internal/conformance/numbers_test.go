package conformance_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/script"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/observe"
	"github.com/vitrine-tls/vitrine/trace"
)

// filmed is a connection of which there is everything: what both sides sent, and what each logged.
type filmed struct {
	tapes [2]*taped
	logs  [2]trace.Memory
	keys  bytes.Buffer
}

// film returns a connection to be filmed, and makes its configurations log.
func film(t *testing.T, client, server *vitrine.Config) *filmed {
	t.Helper()
	a, b := rig.Wires(t)
	f := &filmed{tapes: [2]*taped{{Conn: a}, {Conn: b}}}
	client.Trace, client.KeyLogWriter = &f.logs[iana.Client], &f.keys
	if server != nil {
		server.Trace = &f.logs[iana.Server]
	}
	return f
}

func (f *filmed) shake(t *testing.T, client, server *vitrine.Config) (c, s *vitrine.Conn) {
	t.Helper()
	c, s = vitrine.Client(f.tapes[0], client), vitrine.Server(f.tapes[1], server)
	if err, other := rig.Shake(c, s); err != nil || other != nil {
		t.Fatal(err, other)
	}
	return c, s
}

// scenes are connections in which records and messages do not come one by one.
var scenes = map[string]func(*testing.T) *filmed{
	"TLS 1.2": func(t *testing.T) *filmed {
		client, server := rig.ClientConfig(rig.Until12), rig.ServerConfig(t, rig.Until12)
		f := film(t, client, server)
		c, s := f.shake(t, client, server)
		converse(t, c, s, 40<<10)
		c.Close()
		s.Close()
		return f
	},
	"TLS 1.3": func(t *testing.T) *filmed {
		client, server := rig.ClientConfig(rig.Only13), rig.ServerConfig(t, rig.Only13)
		f := film(t, client, server)
		c, s := f.shake(t, client, server)
		for range 5 {
			converse(t, c, s, 64)
		}
		return f
	},
	"renegotiation": filmRenegotiation,
	"HelloRetryRequest": func(t *testing.T) *filmed {
		client, server := rig.ClientConfig(rig.Only13), rig.ServerConfig(t, rig.Only13)
		client.CurvePreferences = []vitrine.CurveID{vitrine.X25519, vitrine.CurveP256}
		server.CurvePreferences = []vitrine.CurveID{vitrine.CurveP256}
		f := film(t, client, server)
		c, s := f.shake(t, client, server)
		converse(t, c, s, 64)
		c.Close()
		return f
	},
	"skipped early data": func(t *testing.T) *filmed {
		z := newZeroRTT(t)
		z.server = z.server.Clone()
		z.server.CurvePreferences = []vitrine.CurveID{vitrine.CurveP256} // RFC 8446 §4.2.10
		z.client = z.client.Clone()
		f := film(t, z.client, z.server)
		c := vitrine.Client(f.tapes[0], z.client)
		done := make(chan arrived, 1)
		go func() { done <- hear(vitrine.Server(f.tapes[1], z.server)) }()
		if _, err := c.WriteEarly([]byte("early data")); err != nil {
			t.Fatal(err)
		}
		if err := c.Handshake(); !errors.Is(err, vitrine.ErrEarlyDataRejected) {
			t.Fatal(err)
		}
		server := <-done
		if server.err != nil {
			t.Fatal(server.err)
		}
		converse(t, c, server.conn, 64)
		return f
	},
	"new keys and a late certificate": func(t *testing.T) *filmed {
		late := func(c *vitrine.Config) { c.PostHandshakeAuth = true }
		client := rig.ClientConfig(rig.Only13, late)
		client.Certificates = []tls.Certificate{rig.IssueForClient(t, rig.Authority(),
			throwaway.ECDSA)}
		server := rig.ServerConfig(t, rig.Only13, late)
		server.ClientCAs = rig.Authority().Pool()
		f := film(t, client, server)
		c, s := f.shake(t, client, server)
		if err := c.KeyUpdate(true); err != nil {
			t.Fatal(err)
		}
		if errs := ask(t, c, s, tls.RequireAndVerifyClientCert); errs != [2]error{} {
			t.Fatal(errs)
		}
		c.Close()
		return f
	},
}

// filmRenegotiation returns a connection whose server asks for a second handshake, and for a third,
// which its client declines with a warning.
func filmRenegotiation(t *testing.T) *filmed {
	config := rig.ClientConfig(rig.Until12)
	config.Renegotiation = tls.RenegotiateOnceAsClient
	f := film(t, config, nil)
	peer := rig.Script(t, iana.Server, f.tapes[1], rig.Certificate(t, throwaway.ECDSA),
		script.Edits{})
	done := asksTwice(peer)
	conn := vitrine.Client(f.tapes[0], config)
	for range 3 {
		if _, err := conn.Read(make([]byte, 6)); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	refusesRenegotiation(t, peer)
	return f
}

// The numbers of records, messages and alerts are those of the wire, whoever logs them: a client, a
// server, or an observer, with a key log or without one.
func TestNumbersAreThoseOfTheWire(t *testing.T) {
	for name, scene := range scenes {
		t.Run(name, func(t *testing.T) {
			f := scene(t)
			for side := range f.logs {
				if log := f.logs[side].Entries; len(log) > 0 {
					f.compare(t, iana.Side(side).String(), log)
				}
			}
			var seen, blind trace.Memory
			observeTapes(t, bytes.NewReader(f.keys.Bytes()), f.tapes, &seen)
			observeTapes(t, bytes.NewReader(nil), f.tapes, &blind)
			f.compare(t, "observer", seen.Entries)
			f.compare(t, "observer without keys", blind.Entries)
			if s := explain.Tell(seen.Entries, explain.Run{}); !s.Result.Ending.Partial {
				t.Error("an observer is told as one who misses nothing")
			}
		})
	}
}

// compare compares the numbers of a log with what was sent.
func (f *filmed) compare(t *testing.T, who string, log []trace.Entry) {
	t.Helper()
	var wire [2][][]byte
	for side, tape := range f.tapes {
		for b := tape.tape.Bytes(); len(b) >= 5; {
			n := 5 + int(b[3])<<8 + int(b[4])
			wire[side], b = append(wire[side], b[:n]), b[n:]
		}
	}
	var content [2]map[uint64]*trace.Record
	sent := map[uint64]uint64{} // the record of a message that this role sent
	for side := range content {
		content[side] = map[uint64]*trace.Record{}
	}
	for _, e := range log {
		r, ok := e.Event.(*trace.Record)
		if !ok {
			continue
		}
		if r.Number == 0 || r.Number > uint64(len(wire[r.From])) ||
			!bytes.Equal(wire[r.From][r.Number-1], slices.Concat(r.Header, r.Fragment)) {
			t.Errorf("%s: record %d of the %v is not what that sent", who, r.Number, r.From)
		}
		content[r.From][r.Number] = r
		for n := range r.Messages {
			sent[r.FirstMessage+n] = r.Number
		}
	}
	messages := 0
	var at [2]struct {
		record uint64
		offset int
	}
	for _, e := range log {
		switch x := e.Event.(type) {
		case *trace.Message:
			messages++
			number := x.Record
			if string(e.Role) == x.From.String() {
				number = sent[x.Number]
			}
			r, p := content[x.From][number], &at[x.From]
			if number != p.record {
				p.record, p.offset = number, 0
			}
			i := -1
			if r != nil {
				i = bytes.Index(r.Plaintext[p.offset:], x.Raw[:min(len(x.Raw),
					len(r.Plaintext)-p.offset)])
			}
			if i < 0 {
				t.Errorf("%s: the %v's message %d, a %v, is not in its record %d", who, x.From,
					x.Number, x.Type, number)
				continue
			}
			p.offset = min(p.offset+i+len(x.Raw), len(r.Plaintext))
		case *trace.Alert:
			if r := content[x.From][x.Record]; r == nil || !bytes.Equal(r.Plaintext,
				[]byte{byte(x.Level), byte(x.Description)}) {
				t.Errorf("%s: the %v's %v is not in its record %d", who, x.From, x.Description,
					x.Record)
			}
		}
	}
	if messages < 2 { // all that is in the clear in TLS 1.3: the hellos
		t.Errorf("%s: %d messages", who, messages)
	}
}

// An observer that misses records numbers those behind them as their sequence numbers tell.
func TestAnObserverCountsWhatItMisses(t *testing.T) {
	for _, name := range []string{"TLS 1.2", "TLS 1.3"} {
		f := scenes[name](t)
		log, err := keylog.Read(&f.keys)
		if err != nil {
			t.Fatal(err)
		}
		var starts []int // of the client's records
		tape := f.tapes[iana.Client].tape.Bytes()
		for at := 0; at < len(tape); at += 5 + int(tape[at+3])<<8 + int(tape[at+4]) {
			starts = append(starts, at)
		}
		// from the middle of the last record but three to that of the next, whose end has no header
		from, to := starts[len(starts)-4]+8, starts[len(starts)-3]+8
		var seen trace.Memory
		o := observe.New(observe.KeyLog(log), &seen)
		o.Feed(iana.Server, f.tapes[iana.Server].tape.Bytes())
		o.Feed(iana.Client, tape[:from])
		o.Gap(iana.Client, int64(to-from))
		o.Feed(iana.Client, tape[to:])
		o.Close()
		f.compare(t, name, seen.Entries)
		last := uint64(0)
		for _, e := range seen.Entries {
			if r, ok := e.Event.(*trace.Record); ok && r.From == iana.Client {
				last = r.Number
			}
		}
		if last != uint64(len(starts)) {
			t.Errorf("%s: the last record has the number %d, expected %d", name, last, len(starts))
		}
	}
}
