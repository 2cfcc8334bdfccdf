package conformance_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/session"
)

// zeroRTT are two sides whose connections can have early data, each with a clock of its own.
type zeroRTT struct {
	client, server           *vitrine.Config
	clientClock, serverClock *clock
}

// clock is a time that a test sets forward.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time            { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration)   { c.ahead.Add(int64(d)) }
func (c *clock) config(to *vitrine.Config) { to.Time = c.now }
func (z *zeroRTT) advance(d time.Duration) { z.clientClock.advance(d); z.serverClock.advance(d) }

// newZeroRTT makes both sides. The client has a ticket for early data, which the server accepts.
func newZeroRTT(t *testing.T, edits ...func(client, server *vitrine.Config)) *zeroRTT {
	t.Helper()
	z := &zeroRTT{clientClock: &clock{}, serverClock: &clock{}}
	z.client = rig.ClientConfig(only13, z.clientClock.config)
	z.server = rig.ServerConfig(t, only13, z.serverClock.config)
	z.client.ClientSessionCache = vitrine.NewLRUClientSessionCache(0)
	z.client.NextProtos, z.server.NextProtos = []string{"a", "b"}, []string{"a", "b"}
	z.server.SessionStore, z.server.MaxEarlyData = session.NewMemory(100), 1000
	for _, edit := range edits {
		edit(z.client, z.server)
	}
	z.ticket(t)
	z.advance(time.Minute) // the server is not new any more
	return z
}

// ticket gets the client a ticket.
func (z *zeroRTT) ticket(t *testing.T) {
	t.Helper()
	c, s := rig.Pair(t, z.client, z.server)
	converse(t, c, s, 8) // behind which the ticket came
}

// arrived is what a server has read.
type arrived struct {
	conn  *vitrine.Conn
	early []byte
	err   error
}

// hear is a server that reads early data to its end, and shakes hands.
func hear(conn *vitrine.Conn) (a arrived) {
	a.conn = conn
	if a.early, a.err = readEarly(conn); a.err == nil {
		a.err = conn.Handshake()
	}
	return a
}

// readEarly reads early data to its end.
func readEarly(c *vitrine.Conn) (all []byte, err error) {
	for b := make([]byte, 300); ; {
		n, err := c.ReadEarly(b)
		all = append(all, b[:n]...)
		if err != nil {
			if err == io.EOF {
				err = nil
			}
			return all, err
		}
	}
}

// visit makes a connection whose client sends early data.
func (z *zeroRTT) visit(t *testing.T, early []byte) (client *vitrine.Conn, server arrived, wrote,
	shook error) {
	t.Helper()
	a, b := rig.Wires(t)
	done := make(chan arrived, 1)
	go func() { done <- hear(vitrine.Server(b, z.server)) }()
	client = vitrine.Client(a, z.client)
	_, wrote = client.WriteEarly(early)
	shook = client.Handshake()
	return client, <-done, wrote, shook
}

// RFC 8446 §2.3: a client with a ticket sends data with its first flight.
func TestEarlyDataIsReadAndAnsweredBeforeTheHandshakeIsDone(t *testing.T) {
	z := newZeroRTT(t)
	a, b := rig.Wires(t)
	client, server := vitrine.Client(a, z.client), vitrine.Server(b, z.server)
	for _, part := range []string{"early ", "data"} {
		if n, err := client.WriteEarly([]byte(part)); n != len(part) || err != nil {
			t.Fatalf("WriteEarly: %d, %v", n, err)
		}
	}
	got := make([]byte, 10)
	for n := 0; n < len(got); {
		m, err := server.ReadEarly(got[n:])
		if n += m; err != nil {
			t.Fatal(err)
		}
	}
	s := server.ConnectionState()
	if string(got) != "early data" || s.HandshakeComplete ||
		s.EarlyData != vitrine.EarlyDataAccepted ||
		s.NegotiatedProtocol != "a" || !s.DidResume {
		t.Errorf("got %q, %+v", got, s)
	}
	// The client has not even read the server's first flight.
	if _, err := server.WriteEarly([]byte("an early answer")); err != nil {
		t.Fatal(err)
	}
	exported, err := server.ExportEarlyKeyingMaterial("EXPORTER-vitrine", []byte("x"), 20)
	if err != nil {
		t.Fatal(err)
	}
	if ours, err := client.ExportEarlyKeyingMaterial("EXPORTER-vitrine", []byte("x"),
		20); err != nil ||
		!bytes.Equal(ours, exported) {
		t.Errorf("exported %x and %x, %v", ours, exported, err)
	}
	done := make(chan arrived, 1)
	go func() { done <- hear(server) }()
	answer := make([]byte, 15)
	if _, err := io.ReadFull(client, answer); err != nil || string(answer) != "an early answer" {
		t.Errorf("got %q, %v", answer, err)
	}
	if end := <-done; end.err != nil || len(end.early) > 0 {
		t.Errorf("later: %q, %v", end.early, end.err)
	}
	if _, err := server.WriteEarly([]byte("late")); !errors.Is(err, vitrine.ErrNoEarlyData) {
		t.Errorf("WriteEarly after the handshake: %v", err)
	}
	converse(t, client, server, 1<<10)
	for _, c := range []*vitrine.Conn{client, server} {
		if s := c.ConnectionState(); s.EarlyData != vitrine.EarlyDataAccepted ||
			!s.HandshakeComplete {
			t.Errorf("%+v", s)
		}
	}
}

// refusal is why a server does not accept early data.
type refusal struct {
	what    string
	change  func(*testing.T, *zeroRTT)
	resumes bool // the ticket is good for the rest
}

var refusals = []refusal{
	{"§8.3: the client's clock is fast", func(_ *testing.T, z *zeroRTT) {
		z.clientClock.advance(11 * time.Second)
	}, true},
	{"§8.3: the ticket is older than the client says", func(_ *testing.T, z *zeroRTT) {
		z.serverClock.advance(11 * time.Second)
	}, true},
	{"§4.2.10: another protocol", func(_ *testing.T, z *zeroRTT) {
		z.server.NextProtos = []string{"b", "a"}
	}, true},
	{"§4.2.10: none is allowed any more", func(_ *testing.T, z *zeroRTT) {
		z.server.MaxEarlyData = 0
	}, true},
	{"§4.2.10: less is allowed than the ticket says", func(_ *testing.T, z *zeroRTT) {
		z.server.MaxEarlyData = 999
	}, true},
	{"§4.2.10: a retry", func(_ *testing.T, z *zeroRTT) {
		z.server.CurvePreferences = []vitrine.CurveID{vitrine.CurveP256}
	}, true},
	{"§8.1: the store has forgotten the ticket", func(_ *testing.T, z *zeroRTT) {
		z.server.SessionStore = session.NewMemory(100)
	}, true},
	{"§8.1: the store fails", func(_ *testing.T, z *zeroRTT) {
		z.server.SessionStore = failing{session.NewMemory(100)}
	}, true},
	{"§4.2.10: no ticket is opened", func(_ *testing.T, z *zeroRTT) {
		z.server.TicketKeys = session.FixedKeys{session.NewTicketKey([32]byte{9})}
	}, false},
	{"§8.2: a server that was just started", func(t *testing.T, z *zeroRTT) {
		old := z.server
		z.server = rig.ServerConfig(t, only13, z.serverClock.config)
		z.server.Certificates, z.server.NextProtos = old.Certificates, old.NextProtos
		z.server.SessionStore, z.server.MaxEarlyData = old.SessionStore, old.MaxEarlyData
		z.server.TicketKeys = old.Clone().TicketKeys
	}, true},
	{"the program's last word comes later", func(_ *testing.T, z *zeroRTT) {
		z.server.VerifyConnection = func(vitrine.ConnectionState) error { return nil }
	}, true},
}

// failing is a store that takes nothing.
type failing struct{ *session.Memory }

func (failing) Take(context.Context, []byte) ([]byte, error) {
	return []byte{1}, errors.New("the store is away")
}

// Rejected early data is reported to the client, never reaches the server's program, and does not
// end the connection.
func TestRejectedEarlyDataIsNeverRead(t *testing.T) {
	for _, r := range refusals {
		t.Run(r.what, func(t *testing.T) {
			z := newZeroRTT(t)
			z.server = z.server.Clone()
			r.change(t, z)
			client, server, wrote, shook := z.visit(t, []byte("early data"))
			if wrote != nil || !errors.Is(shook, vitrine.ErrEarlyDataRejected) ||
				server.err != nil ||
				len(server.early) > 0 {
				t.Fatalf("the client: %v, %v; the server: %q, %v", wrote, shook, server.early,
					server.err)
			}
			converse(t, client, server.conn, 1<<10)
			for _, s := range []vitrine.ConnectionState{client.ConnectionState(),
				server.conn.ConnectionState()} {
				if s.EarlyData != vitrine.EarlyDataRejected || s.DidResume != r.resumes {
					t.Errorf("%+v", s)
				}
			}
		})
	}
}

// begin returns both ends of a connection whose client has sent early data.
func (z *zeroRTT) begin(t *testing.T) (client, server *vitrine.Conn) {
	t.Helper()
	a, b := rig.Wires(t)
	client, server = vitrine.Client(a, z.client), vitrine.Server(b, z.server)
	if _, err := client.WriteEarly([]byte("early data")); err != nil {
		t.Fatal(err)
	}
	return client, server
}

// A server reads early data with ReadEarly only.
func TestWhoDoesNotAskForEarlyDataGetsNone(t *testing.T) {
	z := newZeroRTT(t)
	client, server := z.begin(t)
	shaken := make(chan error, 1)
	go func() { shaken <- server.Handshake() }()
	err, other := client.Handshake(), <-shaken
	if !errors.Is(err, vitrine.ErrEarlyDataRejected) || other != nil {
		t.Fatalf("%v, %v", err, other)
	}
	converse(t, client, server, 8)
	if n, err := server.ReadEarly(make([]byte, 10)); n != 0 || err != io.EOF {
		t.Errorf("ReadEarly: %d, %v", n, err)
	}
}

// Read and Write return the rejection until the program has seen it: otherwise it would wait for
// the answer to data that was lost.
func TestReadAndWriteTellThatEarlyDataWasRejected(t *testing.T) {
	z := newZeroRTT(t)
	z.server.MaxEarlyData = 0
	client, server := z.begin(t)
	shaken := make(chan error, 1)
	go func() { shaken <- server.Handshake() }()
	for range 2 {
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, vitrine.ErrEarlyDataRejected) {
			t.Errorf("Read: %v", err)
		}
		if n, err := client.Write([]byte("late")); n != 0 ||
			!errors.Is(err, vitrine.ErrEarlyDataRejected) {
			t.Errorf("Write: %d, %v", n, err)
		}
	}
	if err := <-shaken; err != nil {
		t.Fatal(err)
	}
	for i, want := range []error{vitrine.ErrEarlyDataRejected, nil} {
		if err := client.Handshake(); !errors.Is(err, want) {
			t.Errorf("Handshake %d: %v", i, err)
		}
	}
	converse(t, client, server, 8)
}

// Read continues with the data after early data, and never skips early data.
func TestReadWaitsForTheEndOfEarlyData(t *testing.T) {
	z := newZeroRTT(t)
	client, server := z.begin(t)
	if n, err := server.ReadEarly(make([]byte, 5)); n != 5 || err != nil {
		t.Fatal(n, err)
	}
	if err, other := rig.Shake(client, server); err != nil || other != nil {
		t.Fatal(err, other)
	}
	if n, err := server.Read(make([]byte, 5)); n > 0 || err == nil {
		t.Errorf("Read: %d, %v", n, err)
	}
	if rest, err := readEarly(server); string(rest) != " data" || err != nil {
		t.Errorf("ReadEarly: %q, %v", rest, err)
	}
	converse(t, client, server, 8)
}

// RFC 8446 §4.2.10: without a ticket that allows it, and beyond what it allows, a client sends
// none.
func TestEarlyDataNeedsATicketThatAllowsIt(t *testing.T) {
	none := func(t *testing.T, z *zeroRTT, data []byte) {
		t.Helper()
		client, server, wrote, shook := z.visit(t, data)
		if !errors.Is(wrote, vitrine.ErrNoEarlyData) || shook != nil || server.err != nil ||
			len(server.early) > 0 {
			t.Fatalf("the client: %v, %v; the server: %q, %v", wrote, shook, server.early,
				server.err)
		}
		converse(t, client, server.conn, 8)
	}
	t.Run("no ticket", func(t *testing.T) {
		z := newZeroRTT(t)
		z.client.ClientSessionCache = nil
		none(t, z, []byte("early data"))
	})
	t.Run("a ticket without", func(t *testing.T) {
		none(t, newZeroRTT(t, func(_, s *vitrine.Config) { s.MaxEarlyData = 0 }), []byte("data"))
	})
	t.Run("a store that gives none away", func(t *testing.T) {
		z := newZeroRTT(t, func(_, s *vitrine.Config) {
			s.SessionStore = forgetful{session.NewMemory(100)}
		})
		none(t, z, []byte("data"))
	})
	t.Run("too much", func(t *testing.T) { none(t, newZeroRTT(t), make([]byte, 1001)) })
	t.Run("a protocol that we do not speak", func(t *testing.T) {
		z := newZeroRTT(t)
		z.client.NextProtos = []string{"b"}
		none(t, z, []byte("data"))
	})
	t.Run("a program that declines", func(t *testing.T) {
		z := newZeroRTT(t)
		cache := z.client.ClientSessionCache
		s, _ := cache.Get(rig.ServerName)
		ticket, state, err := s.ResumptionState()
		if err != nil || !state.EarlyData {
			t.Fatal(state, err)
		}
		state.EarlyData = false
		raw, err := state.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if state, err = vitrine.ParseSessionState(raw); err != nil || state.EarlyData {
			t.Fatal(state, err)
		}
		if s, err = vitrine.NewResumptionState(ticket, state); err != nil {
			t.Fatal(err)
		}
		cache.Put(rig.ServerName, s)
		none(t, z, []byte("data"))
	})
}

// forgetful is a store that no ticket can be announced to.
type forgetful struct{ *session.Memory }

func (forgetful) Put(context.Context, []byte, []byte, time.Duration) error {
	return errors.New("the store is away")
}

func TestEarlyDataNeedsAStoreThatGivesAway(t *testing.T) {
	for what, store := range map[string]session.Store{"none": nil, "no Taker": keeper{}} {
		c := rig.ServerConfig(t, only13)
		c.SessionStore, c.MaxEarlyData = store, 1
		_, b := rig.Wires(t) // the client says nothing: the Config alone is wrong
		began := time.Now()
		if err := vitrine.Server(b, c).Handshake(); err == nil ||
			!strings.Contains(err.Error(), "session.Taker") || time.Since(began) > rig.Patience/2 {
			t.Errorf("%s: %v after %v", what, err, time.Since(began))
		}
	}
}

// keeper is a store without Take.
type keeper struct{ session.Store }
