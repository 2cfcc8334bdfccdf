package vitrine_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
)

// soon is long enough for anything that waits for nobody, and shorter than any timeout of Close.
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
	a, b := wires(t)
	wire := newDeaf(a)
	client, server := vitrine.Client(wire, clientConfig()), vitrine.Server(b, serverConfig(t))
	if err, serverErr := shake(client, server); err != nil || serverErr != nil {
		t.Fatal(err, serverErr)
	}
	close(wire.stuck)
	written := make(chan error, 1)
	go func() {
		_, err := client.Write([]byte("nobody reads this"))
		written <- err
	}()
	<-wire.entered
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
	*deaf
	deadline chan time.Time
}

func (s *slowWriter) Write(b []byte) (int, error) {
	select {
	case <-s.stuck:
	default:
		return s.Conn.Write(b)
	}
	s.entered <- struct{}{}
	select {
	case t := <-s.deadline:
		time.Sleep(time.Until(t))
		return 0, errors.New("the deadline has passed")
	case <-s.closed:
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
	ours, theirs := wires(t)
	wire := &slowWriter{newDeaf(ours), make(chan time.Time, 1)}
	peer := newScript(
		t,
		iana.Server,
		theirs,
		certificate(t, "ecdsa"),
		edits{last: add(says(iana.HelloRequest))},
	)
	go peer.serve(ecdsaGCM)
	conn := vitrine.Client(wire, clientConfig())
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	close(wire.stuck)
	go conn.Read(make([]byte, 100))
	<-wire.entered
	closesSoon(t, conn)
}

// The server asks for a renegotiation and then says nothing.
func TestCloseEndsARenegotiationAtOnce(t *testing.T) {
	ours, theirs := wires(t)
	peer := newScript(
		t,
		iana.Server,
		theirs,
		certificate(t, "ecdsa"),
		edits{last: add(says(iana.HelloRequest))},
	)
	asked := make(chan error, 1)
	go func() {
		err := peer.serve(ecdsaGCM)
		if err == nil {
			_, _, err = peer.hear() // the client's second hello
		}
		asked <- err
	}()
	conn := vitrine.Client(
		ours,
		clientConfig(func(c *vitrine.Config) { c.Renegotiation = tls.RenegotiateFreelyAsClient }),
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

// Config.Renegotiation is a client's: a server answers a client that asks with no_renegotiation, and
// never with a ClientHello.
func TestServerDoesNotRenegotiateWhateverItsConfigSays(t *testing.T) {
	ours, wire := wires(t)
	peer := newScript(
		t,
		iana.Client,
		wire,
		tls.Certificate{},
		edits{last: add(says(iana.ClientHello))},
	)
	done := make(chan error, 1)
	go func() { done <- peer.call(ecdsaGCM) }()
	conn := vitrine.Server(
		ours,
		serverConfig(
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
	typ, got, err := peer.next()
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
	for what, end := range map[string]func(*vitrine.Conn) error{
		"Close": (*vitrine.Conn).Close, "CloseWrite": (*vitrine.Conn).CloseWrite,
	} {
		a, b := wires(t)
		wire := &dated{Conn: a}
		client, server := vitrine.Client(wire, clientConfig()), vitrine.Server(b, serverConfig(t))
		if err, serverErr := shake(client, server); err != nil || serverErr != nil {
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
