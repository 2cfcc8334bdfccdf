package vitrine_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/observe"
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
func (z *zeroRTT) visit(t *testing.T, early []byte) (client *vitrine.Conn, wrote error,
	shook error, server arrived) {
	t.Helper()
	a, b := rig.Wires(t)
	done := make(chan arrived, 1)
	go func() { done <- hear(vitrine.Server(b, z.server)) }()
	client = vitrine.Client(a, z.client)
	_, wrote = client.WriteEarly(early)
	shook = client.Handshake()
	return client, wrote, shook, <-done
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
	if string(got) != "early data" || s.HandshakeComplete || s.EarlyData != vitrine.EarlyDataAccepted ||
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
	if ours, err := client.ExportEarlyKeyingMaterial("EXPORTER-vitrine", []byte("x"), 20); err != nil ||
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
		if s := c.ConnectionState(); s.EarlyData != vitrine.EarlyDataAccepted || !s.HandshakeComplete {
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

// What is rejected is told to the client, never reaches the server's program, and costs nobody the
// connection.
func TestRejectedEarlyDataIsNeverRead(t *testing.T) {
	for _, r := range refusals {
		t.Run(r.what, func(t *testing.T) {
			z := newZeroRTT(t)
			z.server = z.server.Clone()
			r.change(t, z)
			client, wrote, shook, server := z.visit(t, []byte("early data"))
			if wrote != nil || !errors.Is(shook, vitrine.ErrEarlyDataRejected) || server.err != nil ||
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

// A server gets early data by ReadEarly alone.
func TestWhoDoesNotAskForEarlyDataGetsNone(t *testing.T) {
	z := newZeroRTT(t)
	a, b := rig.Wires(t)
	client, server := vitrine.Client(a, z.client), vitrine.Server(b, z.server)
	if _, err := client.WriteEarly([]byte("early data")); err != nil {
		t.Fatal(err)
	}
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

// Until the program was told, nothing goes on: it would wait for the answer to what was lost.
func TestReadAndWriteTellThatEarlyDataWasRejected(t *testing.T) {
	z := newZeroRTT(t)
	z.server.MaxEarlyData = 0
	a, b := rig.Wires(t)
	client, server := vitrine.Client(a, z.client), vitrine.Server(b, z.server)
	if _, err := client.WriteEarly([]byte("early data")); err != nil {
		t.Fatal(err)
	}
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

// Read goes on with what comes behind early data, and never skips any.
func TestReadWaitsForTheEndOfEarlyData(t *testing.T) {
	z := newZeroRTT(t)
	a, b := rig.Wires(t)
	client, server := vitrine.Client(a, z.client), vitrine.Server(b, z.server)
	if _, err := client.WriteEarly([]byte("early data")); err != nil {
		t.Fatal(err)
	}
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

// RFC 8446 §4.2.10: without a ticket that allows it, and beyond what it allows, a client sends none.
func TestEarlyDataNeedsATicketThatAllowsIt(t *testing.T) {
	none := func(t *testing.T, z *zeroRTT, data []byte) {
		t.Helper()
		client, wrote, shook, server := z.visit(t, data)
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
		_, b := rig.Wires(t)
		if err := vitrine.Server(b, c).Handshake(); err == nil ||
			!strings.Contains(err.Error(), "session.Taker") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// keeper is a store without Take.
type keeper struct{ session.Store }

// recorded makes a client's first flight with early data, for an attacker to send.
func (z *zeroRTT) recorded(t *testing.T) (flight []byte) {
	t.Helper()
	a, b := net.Pipe()
	defer a.Close()
	go func() {
		defer b.Close()
		if _, err := vitrine.Client(b, z.client).WriteEarly([]byte("pay")); err != nil {
			t.Error(err)
		}
	}()
	flight, err := io.ReadAll(a)
	if err != nil {
		t.Fatal(err)
	}
	return flight
}

// replay sends a flight to a server, and returns the early data that it reads.
func (z *zeroRTT) replay(t *testing.T, flight []byte) []byte {
	a, b := rig.Wires(t)
	if _, err := a.Write(flight); err != nil {
		t.Error(err)
	}
	a.(*net.TCPConn).CloseWrite()
	return hear(vitrine.Server(b, z.server)).early
}

// RFC 8446 §8: whoever has recorded early data sends it again, later or at the same time.
func TestReplayedEarlyDataIsReadOnce(t *testing.T) {
	z := newZeroRTT(t)
	flight := z.recorded(t)
	for i, want := range []string{"pay", "", ""} {
		if got := z.replay(t, flight); string(got) != want {
			t.Errorf("flight %d: the server read %q", i, got)
		}
	}
	z.ticket(t)
	flight = z.recorded(t)
	var read atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { read.Add(int32(len(z.replay(t, flight)))) })
	}
	all.Wait()
	if read.Load() != 3 {
		t.Errorf("the servers read %d bytes, expected 3", read.Load())
	}
	z.ticket(t)
	flight = z.recorded(t)
	z.serverClock.advance(11 * time.Second)
	if got := z.replay(t, flight); len(got) > 0 {
		t.Errorf("eleven seconds later the server read %q", got)
	}
}

// RFC 8446 §8.3: a hello that is held back is as old as it is when it comes, however long ago its
// connection was made.
func TestEarlyDataThatWasHeldBackIsRejected(t *testing.T) {
	for held, want := range map[time.Duration]string{9 * time.Second: "pay", 11 * time.Second: ""} {
		z := newZeroRTT(t)
		flight := z.recorded(t)
		a, b := rig.Wires(t)
		got := make(chan arrived, 1)
		asked := make(chan struct{})
		go func() { got <- hear(vitrine.Server(&waiting{Conn: b, asked: asked}, z.server)) }()
		<-asked // the handshake has begun
		z.serverClock.advance(held)
		if _, err := a.Write(flight); err != nil {
			t.Fatal(err)
		}
		a.(*net.TCPConn).CloseWrite()
		if end := <-got; string(end.early) != want {
			t.Errorf("held for %v: the server read %q, expected %q", held, end.early, want)
		}
	}
}

// waiting says when it is first read.
type waiting struct {
	net.Conn
	once  sync.Once
	asked chan struct{}
}

func (w *waiting) Read(p []byte) (int, error) {
	w.once.Do(func() { close(w.asked) })
	return w.Conn.Read(p)
}

// RFC 8446 §4.2.10 and §5.2: early data is protected.
func TestGarbageInsteadOfEarlyDataEndsTheConnection(t *testing.T) {
	z := newZeroRTT(t)
	flight := z.recorded(t)
	flight[len(flight)-1] ^= 1
	a, b := rig.Wires(t)
	if _, err := a.Write(flight); err != nil {
		t.Fatal(err)
	}
	got := hear(vitrine.Server(b, z.server))
	if d, ok := rig.AlertOf(got.err); len(got.early) > 0 || !ok || d != alert.BadRecordMAC {
		t.Errorf("the server read %q, %v", got.early, got.err)
	}
}

// RFC 8446 §4.2.11: what is sent early is sent under the client's certificate of before.
func TestEarlyDataOfAClientWithACertificate(t *testing.T) {
	z := newZeroRTT(t, func(c, s *vitrine.Config) {
		c.Certificates = append(c.Certificates, rig.IssueForClient(t, rig.Authority(),
			throwaway.ECDSA))
		s.ClientAuth, s.ClientCAs = vitrine.RequireAndVerifyClientCert, rig.Authority().Pool()
	})
	client, wrote, shook, server := z.visit(t, []byte("early data"))
	if wrote != nil || shook != nil || server.err != nil || string(server.early) != "early data" ||
		len(server.conn.ConnectionState().PeerCertificates) == 0 {
		t.Fatalf("the client: %v, %v; the server: %q, %v", wrote, shook, server.early, server.err)
	}
	converse(t, client, server.conn, 8)
}

// A panic of a callback, or an error, ends the handshake for good, wherever it began.
func TestWriteEarlyAndReadEarlyReturnTheHandshakesError(t *testing.T) {
	z := newZeroRTT(t)
	z.server.GetConfigForClient = func(*vitrine.ClientHelloInfo) (*vitrine.Config, error) {
		return nil, errors.New("no")
	}
	a, b := rig.Wires(t)
	client, server := vitrine.Client(a, z.client), vitrine.Server(b, z.server)
	if _, err := client.WriteEarly([]byte("early data")); err != nil {
		t.Fatal(err)
	}
	_, first := server.ReadEarly(make([]byte, 9))
	_, again := server.ReadEarly(make([]byte, 9))
	if err := server.Handshake(); first == nil || first == io.EOF || again != first || err != first {
		t.Errorf("%v, %v, %v", first, again, err)
	}
	if err := client.Handshake(); err == nil || errors.Is(err, vitrine.ErrEarlyDataRejected) {
		t.Errorf("the client: %v", err)
	}
	if _, err := client.WriteEarly([]byte("more")); err == nil ||
		errors.Is(err, vitrine.ErrNoEarlyData) {
		t.Errorf("WriteEarly: %v", err)
	}
	if _, err := client.ReadEarly(nil); err == nil {
		t.Error("a client reads early data")
	}
}

// An observer with the key log reads early data, whether the server has read it or not: RFC 9850.
func TestAnObserverReadsEarlyData(t *testing.T) {
	for _, accepted := range []bool{true, false} {
		z := newZeroRTT(t)
		if !accepted {
			z.server.MaxEarlyData = 0
		}
		var logs [2]bytes.Buffer
		z.client.KeyLogWriter, z.server.KeyLogWriter = &logs[0], &logs[1]
		a, b := rig.Wires(t)
		tapes := [2]*taped{{Conn: a}, {Conn: b}}
		client, server := vitrine.Client(tapes[0], z.client), vitrine.Server(tapes[1], z.server)
		if _, err := client.WriteEarly([]byte("early data, ")); err != nil {
			t.Fatal(err)
		}
		done := make(chan arrived, 1)
		go func() { done <- hear(server) }()
		if err := client.Handshake(); accepted != (err == nil) {
			t.Fatal(err)
		}
		if end := <-done; end.err != nil {
			t.Fatal(end.err)
		}
		converse(t, client, server, 8)
		mine, theirs := slices.Sorted(strings.Lines(logs[0].String())),
			slices.Sorted(strings.Lines(logs[1].String()))
		if accepted && !slices.Equal(mine, theirs) { // a server derives early secrets later
			t.Errorf("the client logs\n%s\nand the server\n%s", mine, theirs)
		}
		for _, label := range []string{"CLIENT_EARLY_TRAFFIC_SECRET ", "EARLY_EXPORTER_SECRET "} {
			if strings.Count(logs[0].String(), label) != 1 {
				t.Errorf("no %s in the key log", label)
			}
		}
		var log keylog.Log
		if err := log.Merge(&logs[0]); err != nil {
			t.Fatal(err)
		}
		o := observe.New(observe.KeyLog(&log), nil)
		var got [2]bytes.Buffer
		o.Data = func(from iana.Side, plain []byte) { got[from].Write(plain) }
		for side, tape := range tapes {
			if err := o.Feed(iana.Side(side), tape.tape.Bytes()); err != nil {
				t.Error(err)
			}
		}
		o.Close()
		if got[0].String() != "early data, vitrine!" || got[1].String() != "vitrine!" {
			t.Errorf("accepted %t: an observer reads %q and %q: %v", accepted, &got[0], &got[1],
				o.Report().Reason)
		}
	}
}

// A server that ends the connection when it has answered early data does so in order, although the
// handshake was not done.
func TestCloseAfterAnEarlyAnswer(t *testing.T) {
	z := newZeroRTT(t)
	a, b := rig.Wires(t)
	client, server := vitrine.Client(a, z.client), vitrine.Server(b, z.server)
	if _, err := client.WriteEarly([]byte("early data")); err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	go func() {
		_, err := server.ReadEarly(make([]byte, 10))
		if err == nil {
			_, err = server.WriteEarly([]byte("an answer"))
		}
		closed <- cmp.Or(err, server.Close())
	}()
	if all, err := io.ReadAll(client); string(all) != "an answer" || err != nil {
		t.Errorf("got %q, %v", all, err)
	}
	client.Close()
	if err := <-closed; err != nil {
		t.Error(err)
	}
}
