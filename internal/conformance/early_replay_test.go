package conformance_test

import (
	"bytes"
	"cmp"
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
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

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

// RFC 8446 §8.3: the age of a delayed ClientHello is checked when it arrives, not when its
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

// RFC 8446 §4.2.11: early data belongs to the client certificate of the earlier connection.
func TestEarlyDataBelongsToTheClientsCertificate(t *testing.T) {
	z := newZeroRTT(t, func(c, s *vitrine.Config) {
		c.Certificates = append(c.Certificates, rig.IssueForClient(t, rig.Authority(),
			throwaway.ECDSA))
		s.ClientAuth, s.ClientCAs = vitrine.RequireAndVerifyClientCert, rig.Authority().Pool()
	})
	client, server, wrote, shook := z.visit(t, []byte("early data"))
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
	if err := server.Handshake(); first == nil || first == io.EOF || again != first ||
		err != first {
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
		got, o := observeTapes(t, &logs[0], tapes, nil)
		if got != [2]string{"early data, vitrine!", "vitrine!"} {
			t.Errorf("accepted %t: an observer reads %q: %v", accepted, got, o.Report().Reason)
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
