package vitrine_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/script"
)

// More than every socket buffer holds, so that a Read that waited for a Write would wait for ever.
func TestBothSidesSend64MiBAtOnce(t *testing.T) { rig.EachVersion(t, testBothSidesSend64MiBAtOnce) }

func testBothSidesSend64MiBAtOnce(t *testing.T, version func(*vitrine.Config)) {
	size := 64 << 20
	if testing.Short() {
		size = 8 << 20
	}
	client, server := rig.Pair(t, rig.ClientConfig(version), rig.ServerConfig(t, version))
	client.SetDeadline(time.Now().Add(2 * time.Minute))
	server.SetDeadline(time.Now().Add(2 * time.Minute))
	pattern := make([]byte, 1<<20)
	for i := range pattern {
		pattern[i] = byte(i * 7 >> 3)
	}
	want := sha256.New()
	for range size >> 20 {
		want.Write(pattern)
	}
	var wg sync.WaitGroup
	for _, c := range []*vitrine.Conn{client, server} {
		wg.Go(func() {
			for range size >> 20 {
				if _, err := c.Write(pattern); err != nil {
					t.Error(err)
					return
				}
			}
			if err := c.CloseWrite(); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			got := sha256.New()
			n, err := io.Copy(got, c)
			if err != nil || n != int64(size) || !bytes.Equal(got.Sum(nil), want.Sum(nil)) {
				t.Errorf("got %d bytes and %v, expected %d, unchanged", n, err, size)
			}
		})
	}
	wg.Wait()
}

func TestReadDeadlinePassesAndReadingGoesOn(t *testing.T) {
	rig.EachVersion(t, testReadDeadlinePassesAndReadingGoesOn)
}

func testReadDeadlinePassesAndReadingGoesOn(t *testing.T, version func(*vitrine.Config)) {
	client, server := rig.Pair(t, rig.ClientConfig(version), rig.ServerConfig(t, version))
	b := make([]byte, 10)
	for range 3 {
		client.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
		n, err := client.Read(b)
		if timeout, ok := errors.AsType[net.Error](err); n != 0 || !ok || !timeout.Timeout() ||
			!errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("got %d bytes and %v, expected a time-out", n, err)
		}
	}
	client.SetReadDeadline(rig.Deadline())
	server.Write([]byte("still here"))
	if n, err := client.Read(b); string(b[:n]) != "still here" || err != nil {
		t.Errorf("got %q and %v", b[:n], err)
	}
}

// Half a record came before the deadline: it is not lost.
func TestReadDeadlineInsideARecordLosesNothing(t *testing.T) {
	rig.EachVersion(t, testReadDeadlineInsideARecordLosesNothing)
}

func testReadDeadlineInsideARecordLosesNothing(t *testing.T, version func(*vitrine.Config)) {
	a, b := rig.Wires(t)
	wire := &rig.Middle{TCPConn: b.(*net.TCPConn)}
	client, server := vitrine.Client(a, rig.ClientConfig(version)),
		vitrine.Server(wire, rig.ServerConfig(t, version))
	if err, serverErr := rig.Shake(client, server); err != nil || serverErr != nil {
		t.Fatal(err, serverErr)
	}
	var rest []byte
	wire.SetEdit(func(b []byte) [][]byte { rest = b[7:]; return [][]byte{b[:7]} })
	server.Write([]byte("in two parts"))
	got := make([]byte, 20)
	client.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if n, err := client.Read(got); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("got %d bytes and %v", n, err)
	}
	client.SetReadDeadline(rig.Deadline())
	wire.TCPConn.Write(rest)
	if n, err := client.Read(got); string(got[:n]) != "in two parts" || err != nil {
		t.Errorf("got %q and %v", got[:n], err)
	}
}

func TestWriteDeadlineEndsWriting(t *testing.T) { rig.EachVersion(t, testWriteDeadlineEndsWriting) }

func testWriteDeadlineEndsWriting(t *testing.T, version func(*vitrine.Config)) {
	client, server := rig.Pair(t, rig.ClientConfig(version), rig.ServerConfig(t, version))
	client.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
	_, err := client.Write(make([]byte, 64<<20)) // nobody reads
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("got %v, expected a time-out", err)
	}
	client.SetWriteDeadline(time.Time{})
	if _, err := client.Write([]byte("more")); err == nil {
		t.Error("a record was sent behind half a record")
	}
	server.Write([]byte("reading goes on"))
	b := make([]byte, 20)
	if n, err := client.Read(b); string(b[:n]) != "reading goes on" || err != nil {
		t.Errorf("got %q and %v", b[:n], err)
	}
}

func TestADeadlineEndsTheHandshake(t *testing.T) {
	rig.EachVersion(t, testADeadlineEndsTheHandshake)
}

func testADeadlineEndsTheHandshake(t *testing.T, version func(*vitrine.Config)) {
	for _, me := range []iana.Side{iana.Client, iana.Server} {
		a, b := rig.Wires(t) // nobody answers at b
		a.SetDeadline(time.Now().Add(20 * time.Millisecond))
		c := vitrine.Client(a, rig.ClientConfig(version))
		if me == iana.Server {
			c = vitrine.Server(a, rig.ServerConfig(t, version))
		}
		for range 2 { // the failure lasts
			if err := c.Handshake(); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%v: got %v, expected a time-out", me, err)
			}
		}
		if err := c.Close(); err != nil {
			t.Errorf("%v: Close: %v", me, err)
		}
		heard, _ := io.ReadAll(b)
		if i := bytes.IndexByte(heard, byte(iana.RecordAlert)); me == iana.Server && i >= 0 {
			t.Errorf("a server whose time was up blamed somebody: %x", heard)
		}
	}
}

func TestHandshakeContextEndsAndCloses(t *testing.T) {
	rig.EachVersion(t, testHandshakeContextEndsAndCloses)
}

func testHandshakeContextEndsAndCloses(t *testing.T, version func(*vitrine.Config)) {
	for what, start := range map[string]func() (context.Context, context.CancelFunc){
		"cancelled": func() (context.Context,
			context.CancelFunc) {
			return context.WithCancel(context.Background())
		},
		"past its timeout": func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), 10*time.Millisecond)
		},
	} {
		a, b := rig.Wires(t)
		c := vitrine.Client(a, rig.ClientConfig(version))
		ctx, cancel := start()
		if what == "cancelled" {
			time.AfterFunc(10*time.Millisecond, cancel)
		}
		err := c.HandshakeContext(ctx)
		cancel()
		if !errors.Is(err, ctx.Err()) {
			t.Errorf("%s: got %v, expected %v", what, err, ctx.Err())
		}
		if _, err := io.ReadAll(b); err != nil {
			t.Errorf("%s: the connection was not closed: %v", what, err)
		}
		if _, err := c.Write([]byte("secret")); err == nil {
			t.Errorf("%s: data was sent", what)
		}
	}
}

// A waiter's context ends the waiting, not the handshake.
func TestManyMayWaitForOneHandshake(t *testing.T) {
	rig.EachVersion(t, testManyMayWaitForOneHandshake)
}

func testManyMayWaitForOneHandshake(t *testing.T, version func(*vitrine.Config)) {
	a, b := rig.Wires(t)
	wire := &rig.Counting{Conn: a}
	client, server := vitrine.Client(wire, rig.ClientConfig(version)),
		vitrine.Server(b, rig.ServerConfig(t, version))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := client.Handshake(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Go(func() {
		if n, err := client.Read(make([]byte, 10)); n != 2 || err != nil {
			t.Errorf("Read: %d, %v", n, err)
		}
	})
	for wire.Writes.Load() == 0 { // ClientHello is out: somebody else performs the handshake
		runtime.Gosched()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if err := client.HandshakeContext(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, expected the waiter's own time-out", err)
	}
	if err := server.Handshake(); err != nil {
		t.Fatal(err)
	}
	server.Write([]byte("ok"))
	wg.Wait()
}

func TestReadsWritesAndClosesAtOnce(t *testing.T) {
	rig.EachVersion(t, testReadsWritesAndClosesAtOnce)
}

func testReadsWritesAndClosesAtOnce(t *testing.T, version func(*vitrine.Config)) {
	for range 30 {
		client, server := rig.Pair(t, rig.ClientConfig(version), rig.ServerConfig(t, version))
		var wg sync.WaitGroup
		for _, c := range []*vitrine.Conn{client, server} {
			for range 2 {
				wg.Go(func() {
					for b := make([]byte, 5000); ; {
						if _, err := c.Write(b); err != nil {
							return
						}
					}
				})
				wg.Go(func() {
					for b := make([]byte, 5000); ; {
						if _, err := c.Read(b); err != nil {
							return
						}
					}
				})
			}
		}
		time.Sleep(time.Millisecond)
		for range 2 {
			wg.Go(func() { client.Close() })
		}
		wg.Wait() // the server ends by the client's end
		server.Close()
		if err := client.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("closing again: %v", err)
		}
		if _, err := client.Read(make([]byte, 1)); err == nil {
			t.Error("reading goes on after Close")
		}
		if _, err := client.Write([]byte("x")); err == nil {
			t.Error("writing goes on after Close")
		}
	}
}

func TestCloseWriteLeavesReading(t *testing.T) { rig.EachVersion(t, testCloseWriteLeavesReading) }

func testCloseWriteLeavesReading(t *testing.T, version func(*vitrine.Config)) {
	client, server := rig.Pair(t, rig.ClientConfig(version), rig.ServerConfig(t, version))
	client.Write([]byte("question"))
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if err := client.CloseWrite(); err != nil {
		t.Errorf("CloseWrite again: %v", err)
	}
	if _, err := client.Write([]byte("more")); err == nil {
		t.Error("a Write after CloseWrite went out")
	}
	if b, err := io.ReadAll(server); string(b) != "question" || err != nil {
		t.Fatalf("got %q and %v", b, err)
	}
	if n, err := server.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("reading again: %d, %v", n, err)
	}
	server.Write([]byte("answer"))
	server.Close()
	if b, err := io.ReadAll(client); string(b) != "answer" || err != nil {
		t.Errorf("got %q and %v", b, err)
	}
	if err := vitrine.Client(nil, nil).CloseWrite(); err == nil {
		t.Error("CloseWrite before the handshake said nothing")
	}
}

// io.EOF is for close_notify alone, RFC 5246 §7.2.1 and RFC 8446 §6.1.
func TestTruncationIsNoEOF(t *testing.T) { rig.EachVersion(t, testTruncationIsNoEOF) }

func testTruncationIsNoEOF(t *testing.T, version func(*vitrine.Config)) {
	client, server := rig.Pair(t, rig.ClientConfig(version), rig.ServerConfig(t, version))
	section := "RFC 5246 §7.2.1"
	if client.ConnectionState().Version == vitrine.VersionTLS13 {
		section = "RFC 8446 §6.1"
	}
	server.Write([]byte("all of it?"))
	server.NetConn().Close()
	b, err := io.ReadAll(client)
	if string(b) != "all of it?" || !errors.Is(err, io.ErrUnexpectedEOF) ||
		!strings.Contains(err.Error(), section) {
		t.Errorf("got %q and %v", b, err)
	}
}

// script against a connection that holds: what a peer may still say.
func afterHandshake(t *testing.T,
	lines ...script.Item) (conn *vitrine.Conn, peer *script.Peer, done chan struct{}) {
	ours, wire := rig.Wires(t)
	peer = rig.Script(t, iana.Server, wire, rig.Certificate(t, "ecdsa"),
		script.Edits{Last: script.Add(lines...)})
	done = make(chan struct{})
	go func() {
		defer close(done)
		peer.Serve(rig.ECDSAGCM)
	}()
	conn = vitrine.Client(ours, rig.ClientConfig())
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	return conn, peer, done
}

// RFC 5246 §7.2.2 and RFC 5746 §4.5.
func TestHelloRequestIsAnsweredWithNoRenegotiation(t *testing.T) {
	conn, peer, done := afterHandshake(t, script.Message(iana.HelloRequest))
	b := make([]byte, 10)
	if n, err := conn.Read(b); string(b[:n]) != "forged" || err != nil {
		t.Fatalf("got %q and %v", b[:n], err)
	}
	<-done
	typ, got, err := peer.NextRecord()
	if typ != iana.RecordAlert ||
		!bytes.Equal(got, []byte{byte(alert.Warning), byte(alert.NoRenegotiation)}) || err != nil {
		t.Errorf("got %v %x (%v), expected the warning no_renegotiation", typ, got, err)
	}
	conn.Write([]byte("and on"))
	if typ, got, err := peer.NextRecord(); typ != iana.RecordApplicationData ||
		string(got) != "and on" || err != nil {
		t.Errorf("got %v %q (%v)", typ, got, err)
	}
}
