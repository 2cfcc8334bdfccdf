package vitrine_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/script"
)

// soon is long enough for every operation that does not wait for the peer, and shorter than any
// timeout of Close.
const soon = 2 * time.Second

// closesSoon calls Close, which must not wait for the peer.
func closesSoon(t *testing.T, c *vitrine.Conn) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- c.Close() }()
	select {
	case err := <-done:
		if err != nil && !errors.Is(err, net.ErrClosed) {
			t.Errorf("Close: %v", err)
		}
	case <-time.After(soon):
		t.Fatal("Close waits for the peer")
	}
}

// As with crypto/tls: Close is also how a program ends a Write that waits for ever.
func TestCloseEndsABlockedWriteAtOnce(t *testing.T) {
	rig.EachVersion(t, testCloseEndsABlockedWriteAtOnce)
}

func testCloseEndsABlockedWriteAtOnce(t *testing.T, version func(*vitrine.Config)) {
	a, b := rig.Wires(t)
	wire := rig.NewDeaf(a)
	client, server := vitrine.Client(wire, rig.ClientConfig(version)),
		vitrine.Server(b, rig.ServerConfig(t, version))
	if err, serverErr := rig.Shake(client, server); err != nil || serverErr != nil {
		t.Fatal(err, serverErr)
	}
	close(wire.Stuck)
	written := make(chan error, 1)
	go func() {
		_, err := client.Write([]byte("nobody reads this"))
		written <- err
	}()
	<-wire.Entered
	closesSoon(t, client)
	if err := <-written; err == nil {
		t.Error("the Write succeeded")
	}
	if _, err := client.Write([]byte("more")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a Write after Close: %v, expected %v", err, net.ErrClosed)
	}
}

// slowWriter is a connection whose writes, once it is stuck, wait for their deadline.
type slowWriter struct {
	*rig.Deaf
	deadline chan time.Time
}

func (s *slowWriter) Write(b []byte) (int, error) {
	select {
	case <-s.Stuck:
	default:
		return s.Conn.Write(b)
	}
	s.Entered <- struct{}{}
	select {
	case t := <-s.deadline:
		time.Sleep(time.Until(t))
		return 0, errors.New("the deadline has passed")
	case <-s.Closed:
		return 0, net.ErrClosed
	}
}

func (s *slowWriter) SetWriteDeadline(t time.Time) error {
	select {
	case s.deadline <- t:
	default:
	}
	return nil
}

// A Read that answers a HelloRequest writes, and that Write may wait for the peer too.
func TestCloseDoesNotWaitForAnAnswerThatIsBlocked(t *testing.T) {
	ours, theirs := rig.Wires(t)
	wire := &slowWriter{rig.NewDeaf(ours), make(chan time.Time, 1)}
	peer := rig.Script(
		t,
		iana.Server,
		theirs,
		rig.Certificate(t, "ecdsa"),
		script.Edits{Last: script.Add(script.Message(iana.HelloRequest))},
	)
	go peer.Serve(rig.ECDSAGCM)
	conn := vitrine.Client(wire, rig.ClientConfig(rig.Until12))
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	close(wire.Stuck)
	go conn.Read(make([]byte, 100))
	<-wire.Entered
	closesSoon(t, conn)
}

// The server requests a renegotiation and then sends nothing.
func TestCloseEndsARenegotiationAtOnce(t *testing.T) {
	ours, theirs := rig.Wires(t)
	peer := rig.Script(
		t,
		iana.Server,
		theirs,
		rig.Certificate(t, "ecdsa"),
		script.Edits{Last: script.Add(script.Message(iana.HelloRequest))},
	)
	asked := make(chan error, 1)
	go func() {
		err := peer.Serve(rig.ECDSAGCM)
		if err == nil {
			_, _, err = peer.Receive() // the client's second hello
		}
		asked <- err
	}()
	conn := vitrine.Client(
		ours,
		rig.ClientConfig(
			rig.Until12,
			func(c *vitrine.Config) { c.Renegotiation = tls.RenegotiateFreelyAsClient },
		),
	)
	read := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, conn)
		read <- err
	}()
	if err := <-asked; err != nil {
		t.Fatal(err)
	}
	closesSoon(t, conn)
	select {
	case err := <-read:
		if err == nil {
			t.Error("the Read ended as if by close_notify")
		}
	case <-time.After(soon):
		t.Error("the Read goes on after Close")
	}
}

// Config.Renegotiation is a client's: a server answers a client that asks with no_renegotiation,
// and never with a ClientHello.
func TestServerDoesNotRenegotiateWhateverItsConfigSays(t *testing.T) {
	ours, wire := rig.Wires(t)
	peer := rig.Script(
		t,
		iana.Client,
		wire,
		tls.Certificate{},
		script.Edits{Last: script.Add(script.Message(iana.ClientHello))},
	)
	done := make(chan error, 1)
	go func() { done <- peer.Connect(rig.ECDSAGCM) }()
	conn := vitrine.Server(
		ours,
		rig.ServerConfig(
			t,
			func(c *vitrine.Config) { c.Renegotiation = tls.RenegotiateFreelyAsClient },
		),
	)
	b := make([]byte, 7)
	if _, err := io.ReadFull(conn, b); string(b) != "genuine" || err != nil {
		t.Fatalf("got %q and %v", b, err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	typ, got, err := peer.NextRecord()
	if typ == iana.RecordHandshake {
		t.Errorf("a server sent a %v", iana.HandshakeType(got[0]))
	}
	if want := []byte{
		1,
		100,
	}; typ != iana.RecordAlert || string(got) != string(want) ||
		err != nil {
		t.Errorf("got %v %x (%v), expected the warning no_renegotiation", typ, got, err)
	}
}

// dated is a connection that notes the deadline under which it was written to last.
type dated struct {
	net.Conn
	deadline, used time.Time
}

func (d *dated) SetWriteDeadline(t time.Time) error {
	d.deadline = t
	return d.Conn.SetWriteDeadline(t)
}
func (d *dated) Write(b []byte) (int, error) { d.used = d.deadline; return d.Conn.Write(b) }

// The peer may not read, and close_notify not find room: crypto/tls gives it five seconds.
func TestCloseNotifyWaitsFiveSecondsAtMost(t *testing.T) {
	rig.EachVersion(t, testCloseNotifyWaitsFiveSecondsAtMost)
}

func testCloseNotifyWaitsFiveSecondsAtMost(t *testing.T, version func(*vitrine.Config)) {
	for what, end := range map[string]func(*vitrine.Conn) error{
		"Close": (*vitrine.Conn).Close, "CloseWrite": (*vitrine.Conn).CloseWrite,
	} {
		a, b := rig.Wires(t)
		wire := &dated{Conn: a}
		client, server := vitrine.Client(wire, rig.ClientConfig(version)),
			vitrine.Server(b, rig.ServerConfig(t, version))
		if err, serverErr := rig.Shake(client, server); err != nil || serverErr != nil {
			t.Fatal(err, serverErr)
		}
		before := time.Now()
		if err := end(client); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if wire.used.Before(before) || wire.used.After(time.Now().Add(5*time.Second)) {
			t.Errorf(
				"%s: close_notify was written under the deadline %v at %v",
				what,
				wire.used,
				before,
			)
		}
	}
}

// A reader that has something to answer while a writer waits must not wait for it: the peer may be
// waiting for our reading.
func TestReaderNeverWaitsForAWriter(t *testing.T) {
	conn, peer, done := afterHandshake(t, script.Message(iana.HelloRequest))
	<-done
	written := make(chan error, 1)
	go func() {
		// more than the sockets hold, and the peer does not read yet
		_, err := conn.Write(make([]byte, 64<<20))
		written <- err
	}()
	time.Sleep(50 * time.Millisecond)
	conn.SetReadDeadline(rig.Deadline())
	read := make(chan error, 1)
	go func() {
		_, err := conn.Read(make([]byte, 10))
		read <- err
	}()
	select {
	case err := <-read:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(rig.Patience / 2):
		t.Fatal("a Read waits for a Write")
	}
	answered := false
	for n := 0; n < 64<<20 || !answered; { // the answer comes when the writer lets go
		typ, b, err := peer.NextRecord()
		if err != nil {
			t.Fatalf("after %d bytes: %v", n, err)
		}
		if typ == iana.RecordAlert {
			answered = bytes.Equal(b, []byte{byte(alert.Warning), byte(alert.NoRenegotiation)})
		} else {
			n += len(b)
		}
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
}

// A fatal alert ends both directions, RFC 5246 §7.2.2.
func TestFatalAlertEndsWritingToo(t *testing.T) {
	conn, peer, done := afterHandshake(t,
		script.Record(iana.RecordAlert, byte(alert.Fatal), byte(alert.InternalError)))
	_, err := conn.Read(make([]byte, 10))
	if got, ok := rig.ReceivedAlert(err); !ok || got != alert.InternalError {
		t.Fatalf("got %v", err)
	}
	if _, err := conn.Write([]byte("secret")); err == nil {
		t.Error("data was sent after a fatal alert")
	}
	conn.Close()
	<-done
	if typ, b, err := peer.NextRecord(); err == nil {
		t.Errorf("the peer got %v %x", typ, b)
	}
}

// RFC 5246 §7.2.2 and RFC 8446 §6: no data is sent or received behind an error alert.
func TestNothingGoesOnBehindAFatalAlert(t *testing.T) {
	rig.EachVersion(t, func(t *testing.T, version func(*vitrine.Config)) {
		client, server := rig.Pair(t, rig.ClientConfig(version), rig.ServerConfig(t, version))
		defer client.Close()
		defer server.Close()
		forged := append([]byte{byte(iana.RecordApplicationData), 3, 3, 0, 64}, make([]byte, 64)...)
		if _, err := client.NetConn().Write(forged); err != nil {
			t.Fatal(err)
		}
		if _, err := server.Read(make([]byte, 10)); alert.Of(err) != alert.BadRecordMAC {
			t.Fatalf("the server read a forged record: %v", err)
		}
		for range 2 {
			_, err := client.Read(make([]byte, 10))
			if got, ok := rig.ReceivedAlert(err); !ok || got != alert.BadRecordMAC {
				t.Errorf("the client read %v", err)
			}
			for who, c := range map[string]*vitrine.Conn{"client": client, "server": server} {
				if n, err := c.Write([]byte("data")); n != 0 || err == nil {
					t.Errorf("the %s sent %d bytes of data", who, n)
				}
			}
		}
	})
}

func TestNoGoroutineIsLeftBehind(t *testing.T) { rig.EachVersion(t, testNoGoroutineIsLeftBehind) }

func testNoGoroutineIsLeftBehind(t *testing.T, version func(*vitrine.Config)) {
	run := func() {
		client, server := rig.Pair(t, rig.ClientConfig(version), rig.ServerConfig(t, version))
		client.Close()
		io.ReadAll(server)
		server.Close()
		a, b := rig.Wires(t)
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		vitrine.Client(a, rig.ClientConfig(version)).HandshakeContext(ctx)
		cancel()
		b.Close()
	}
	run()
	before := runtime.NumGoroutine()
	for range 20 {
		run()
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}
