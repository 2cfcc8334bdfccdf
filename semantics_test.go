package vitrine_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/record"
)

// More than every socket buffer holds, so that a Read that waited for a Write would wait for ever.
func TestBothSidesSend64MiBAtOnce(t *testing.T) {
	size := 64 << 20
	if testing.Short() {
		size = 8 << 20
	}
	client, server := pair(t, clientConfig(), serverConfig(t))
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
	client, server := pair(t, clientConfig(), serverConfig(t))
	b := make([]byte, 10)
	for range 3 {
		client.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
		n, err := client.Read(b)
		if timeout, ok := errors.AsType[net.Error](err); n != 0 || !ok || !timeout.Timeout() || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("got %d bytes and %v, expected a time-out", n, err)
		}
	}
	client.SetReadDeadline(deadline())
	server.Write([]byte("still here"))
	if n, err := client.Read(b); string(b[:n]) != "still here" || err != nil {
		t.Errorf("got %q and %v", b[:n], err)
	}
}

// Half a record came before the deadline: it is not lost.
func TestReadDeadlineInsideARecordLosesNothing(t *testing.T) {
	a, b := wires(t)
	wire := &middle{TCPConn: b.(*net.TCPConn)}
	client, server := vitrine.Client(a, clientConfig()), vitrine.Server(wire, serverConfig(t))
	if err, serverErr := shake(client, server); err != nil || serverErr != nil {
		t.Fatal(err, serverErr)
	}
	var rest []byte
	wire.set(func(b []byte) [][]byte { rest = b[7:]; return [][]byte{b[:7]} })
	server.Write([]byte("in two parts"))
	got := make([]byte, 20)
	client.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	if n, err := client.Read(got); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("got %d bytes and %v", n, err)
	}
	client.SetReadDeadline(deadline())
	wire.TCPConn.Write(rest)
	if n, err := client.Read(got); string(got[:n]) != "in two parts" || err != nil {
		t.Errorf("got %q and %v", got[:n], err)
	}
}

func TestWriteDeadlineEndsWriting(t *testing.T) {
	client, server := pair(t, clientConfig(), serverConfig(t))
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

func TestHandshakeDeadline(t *testing.T) {
	for _, me := range []iana.Side{iana.Client, iana.Server} {
		a, b := wires(t) // nobody answers at b
		a.SetDeadline(time.Now().Add(20 * time.Millisecond))
		c := vitrine.Client(a, clientConfig())
		if me == iana.Server {
			c = vitrine.Server(a, serverConfig(t))
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
	for what, start := range map[string]func() (context.Context, context.CancelFunc){
		"cancelled": func() (context.Context, context.CancelFunc) { return context.WithCancel(context.Background()) },
		"past its timeout": func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), 10*time.Millisecond)
		},
	} {
		a, b := wires(t)
		c := vitrine.Client(a, clientConfig())
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
	a, b := wires(t)
	wire := &counting{Conn: a}
	client, server := vitrine.Client(wire, clientConfig()), vitrine.Server(b, serverConfig(t))
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
	for wire.writes.Load() == 0 { // ClientHello is out: somebody else performs the handshake
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
	for range 30 {
		client, server := pair(t, clientConfig(), serverConfig(t))
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

func TestCloseWriteLeavesReading(t *testing.T) {
	client, server := pair(t, clientConfig(), serverConfig(t))
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

// io.EOF is for close_notify alone, RFC 5246 §7.2.1.
func TestTruncationIsNoEOF(t *testing.T) {
	client, server := pair(t, clientConfig(), serverConfig(t))
	server.Write([]byte("all of it?"))
	server.NetConn().Close()
	b, err := io.ReadAll(client)
	if string(b) != "all of it?" || !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "RFC 5246 §7.2.1") {
		t.Errorf("got %q and %v", b, err)
	}
}

// script against a connection that holds: what a peer may still say.
func afterHandshake(t *testing.T, lines ...line) (conn *vitrine.Conn, peer *script, done chan struct{}) {
	ours, wire := wires(t)
	peer = newScript(t, iana.Server, wire, certificate(t, "ecdsa"), edits{last: add(lines...)})
	done = make(chan struct{})
	go func() {
		defer close(done)
		peer.serve(ecdsaGCM)
	}()
	conn = vitrine.Client(ours, clientConfig())
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	return conn, peer, done
}

// RFC 5246 §7.2.2 and RFC 5746 §4.5.
func TestHelloRequestIsAnsweredWithNoRenegotiation(t *testing.T) {
	conn, peer, done := afterHandshake(t, says(iana.HelloRequest))
	b := make([]byte, 10)
	if n, err := conn.Read(b); string(b[:n]) != "forged" || err != nil {
		t.Fatalf("got %q and %v", b[:n], err)
	}
	<-done
	typ, got, err := peer.next()
	if typ != iana.RecordAlert || !bytes.Equal(got, []byte{byte(alert.Warning), byte(alert.NoRenegotiation)}) || err != nil {
		t.Errorf("got %v %x (%v), expected the warning no_renegotiation", typ, got, err)
	}
	conn.Write([]byte("and on"))
	if typ, got, err := peer.next(); typ != iana.RecordApplicationData || string(got) != "and on" || err != nil {
		t.Errorf("got %v %q (%v)", typ, got, err)
	}
}

// A reader that has something to answer while a writer waits must not wait for it: the peer may be waiting for our reading.
func TestReaderNeverWaitsForAWriter(t *testing.T) {
	conn, peer, done := afterHandshake(t, says(iana.HelloRequest))
	<-done
	written := make(chan error, 1)
	go func() {
		_, err := conn.Write(make([]byte, 64<<20)) // more than the sockets hold, and the peer does not read yet
		written <- err
	}()
	time.Sleep(50 * time.Millisecond)
	conn.SetReadDeadline(deadline())
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
	case <-time.After(patience / 2):
		t.Fatal("a Read waits for a Write")
	}
	answered := false
	for n := 0; n < 64<<20 || !answered; { // the answer comes when the writer lets go
		typ, b, err := peer.next()
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
	conn, peer, done := afterHandshake(t, content(iana.RecordAlert, byte(alert.Fatal), byte(alert.InternalError)))
	_, err := conn.Read(make([]byte, 10))
	if got, ok := receivedAlert(err); !ok || got != alert.InternalError {
		t.Fatalf("got %v", err)
	}
	if _, err := conn.Write([]byte("secret")); err == nil {
		t.Error("data was sent after a fatal alert")
	}
	conn.Close()
	<-done
	if typ, b, err := peer.next(); err == nil {
		t.Errorf("the peer got %v %x", typ, b)
	}
}

// counting counts the calls of a connection.
type counting struct {
	net.Conn
	reads, writes atomic.Int64
}

func (c *counting) Read(b []byte) (int, error)  { c.reads.Add(1); return c.Conn.Read(b) }
func (c *counting) Write(b []byte) (int, error) { c.writes.Add(1); return c.Conn.Write(b) }

func TestTwoRecordsForEachSystemCall(t *testing.T) {
	a, b := wires(t)
	wire := &counting{Conn: a}
	other := &counting{Conn: b}
	client, server := vitrine.Client(wire, clientConfig()), vitrine.Server(other, serverConfig(t))
	if err, serverErr := shake(client, server); err != nil || serverErr != nil {
		t.Fatal(err, serverErr)
	}
	if n := wire.writes.Load(); n != 2 {
		t.Errorf("a client's handshake took %d writes, expected 2 flights", n)
	}
	if n := other.writes.Load(); n != 2 {
		t.Errorf("a server's handshake took %d writes, expected 2 flights", n)
	}
	wire.writes.Store(0)
	other.reads.Store(0)
	const size = 4 << 20
	go client.Write(make([]byte, size))
	if _, err := io.ReadFull(server, make([]byte, size)); err != nil {
		t.Fatal(err)
	}
	const records = size / record.MaxPlaintext
	if n := wire.writes.Load(); n != records/2 {
		t.Errorf("%d writes for %d records, expected %d", n, records, records/2)
	}
	if n := other.reads.Load(); n > records*3/2 { // one for each header and one for each body would be twice
		t.Errorf("%d reads for %d records", n, records)
	}
	t.Logf("%d records: %d writes, %d reads", records, wire.writes.Load(), other.reads.Load())
}

func TestOneReadTakesInManyRecords(t *testing.T) {
	a, b := wires(t)
	wire := &counting{Conn: a}
	client, server := vitrine.Client(wire, clientConfig()), vitrine.Server(b, serverConfig(t))
	if err, serverErr := shake(client, server); err != nil || serverErr != nil {
		t.Fatal(err, serverErr)
	}
	for range 50 {
		server.Write([]byte("record"))
	}
	time.Sleep(10 * time.Millisecond)
	wire.reads.Store(0)
	if _, err := io.ReadFull(client, make([]byte, 300)); err != nil {
		t.Fatal(err)
	}
	if n := wire.reads.Load(); n != 1 {
		t.Errorf("50 short records took %d reads", n)
	}
}

// An empty record is legal and useless, and 17 in a row end a connection.
func TestWritingNothingSendsNothing(t *testing.T) {
	a, b := wires(t)
	wire := &counting{Conn: a}
	client, server := vitrine.Client(wire, clientConfig()), vitrine.Server(b, serverConfig(t))
	done := make(chan error, 1)
	go func() { done <- server.Handshake() }()
	if n, err := client.Write(nil); n != 0 || err != nil { // which performs the handshake
		t.Fatal(n, err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	wire.writes.Store(0)
	for range 20 {
		client.Write([]byte{})
	}
	if n := wire.writes.Load(); n != 0 {
		t.Errorf("nothing took %d writes", n)
	}
	if n, err := client.Read(nil); n != 0 || err != nil {
		t.Errorf("reading nothing: %d, %v", n, err)
	}
	client.Close()
	if _, err := client.Write(nil); err == nil {
		t.Error("nothing was written after Close, and nothing said")
	}
}

func TestNoGoroutineIsLeftBehind(t *testing.T) {
	run := func() {
		client, server := pair(t, clientConfig(), serverConfig(t))
		client.Close()
		io.ReadAll(server)
		server.Close()
		a, b := wires(t)
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		vitrine.Client(a, clientConfig()).HandshakeContext(ctx)
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

// recut cuts the handshake messages of a cleartext flight into records of n bytes, and sends each write in pieces.
func recut(n, piece int) func([]byte) [][]byte {
	clear := true
	return func(b []byte) (out [][]byte) {
		var cut []byte
		for len(b) > 0 {
			h, err := record.ParseHeader(b)
			if err != nil {
				return [][]byte{b}
			}
			body := b[record.HeaderLen:][:h.Length]
			if clear && h.Type == iana.RecordHandshake {
				for part := range slices.Chunk(body, n) {
					cut = append(append(cut, b[0], b[1], b[2], byte(len(part)>>8), byte(len(part))), part...)
				}
			} else {
				cut = append(cut, b[:record.HeaderLen+h.Length]...)
			}
			clear = clear && h.Type != iana.RecordChangeCipherSpec
			b = b[record.HeaderLen+h.Length:]
		}
		return slices.Collect(slices.Chunk(cut, piece))
	}
}

// RFC 5246 §6.2.1: "client message boundaries are not preserved in the record layer".
func TestHandshakeMessagesMayBeFragmented(t *testing.T) {
	count := 0
	for _, n := range []int{1, 2, 3, 4, 5, 7, 64, 500, 16384} {
		for _, piece := range []int{1, 6, 1 << 20} {
			count++
			a, b := wires(t)
			client := vitrine.Client(&middle{TCPConn: a.(*net.TCPConn), edit: recut(n, piece)}, clientConfig(func(c *vitrine.Config) {
				c.Certificates = []tls.Certificate{issueForClient(t, authority(), "ecdsa")}
			}))
			server := vitrine.Server(&middle{TCPConn: b.(*net.TCPConn), edit: recut(n, piece)}, serverConfig(t, func(c *vitrine.Config) {
				c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, authority().Pool()
			}))
			if err, serverErr := shake(client, server); err != nil || serverErr != nil {
				t.Errorf("records of %d, pieces of %d bytes: %v; %v", n, piece, err, serverErr)
				continue
			}
			go server.Write([]byte("whole"))
			got := make([]byte, 5)
			if _, err := io.ReadFull(client, got); string(got) != "whole" || err != nil {
				t.Errorf("records of %d, pieces of %d bytes: %q, %v", n, piece, got, err)
			}
			a.Close()
			b.Close()
		}
	}
	t.Logf("%d ways to cut", count)
}

// longest is the longest record of application data, as plaintext, that passed a middle.
func longest(overhead int, into *int) func([]byte) [][]byte {
	protected := false
	return func(b []byte) [][]byte {
		for rest := b; len(rest) > 0; {
			h, err := record.ParseHeader(rest)
			if err != nil {
				break
			}
			n := h.Length
			if protected {
				n -= overhead
			}
			*into = max(*into, n)
			protected = protected || h.Type == iana.RecordChangeCipherSpec
			rest = rest[record.HeaderLen+h.Length:]
		}
		return [][]byte{b}
	}
}

func TestLimitsOfRecordsAreObeyed(t *testing.T) {
	rsl := func(n int) func(*vitrine.Config) { return func(c *vitrine.Config) { c.RecordSizeLimit = n } }
	mfl := func(n int) func(*vitrine.Config) { return func(c *vitrine.Config) { c.MaxFragmentLength = n } }
	for _, c := range []struct {
		what           string
		client, server func(*vitrine.Config)
		most           [2]int // by sender, under protection
	}{
		{"no limit", rsl(0), rsl(0), [2]int{16384, 16384}},
		{"max_fragment_length 512, RFC 6066 §4", mfl(512), rsl(0), [2]int{512, 512}},
		{"max_fragment_length 4096", mfl(4096), rsl(0), [2]int{4096, 4096}},
		{"record_size_limit 64 on both sides, RFC 8449 §4", rsl(64), rsl(64), [2]int{64, 64}},
		{"record_size_limit 64 of the client", rsl(64), rsl(16384), [2]int{16384, 64}},
		{"record_size_limit 64 of the server", rsl(16384), rsl(64), [2]int{64, 16384}},
		{"record_size_limit that the server does not know", rsl(64), rsl(0), [2]int{16384, 16384}},
		{"both, and the server knows both, RFC 8449 §5", func(c *vitrine.Config) { rsl(100)(c); mfl(512)(c) }, rsl(200), [2]int{200, 100}},
		{"both, and the server knows max_fragment_length alone", func(c *vitrine.Config) { rsl(100)(c); mfl(512)(c) }, rsl(0), [2]int{512, 512}},
	} {
		a, b := wires(t)
		var most [2]int
		const gcm = 24
		client := vitrine.Client(&middle{TCPConn: a.(*net.TCPConn), edit: longest(gcm, &most[0])}, clientConfig(c.client))
		server := vitrine.Server(&middle{TCPConn: b.(*net.TCPConn), edit: longest(gcm, &most[1])}, serverConfig(t, c.server))
		if err, serverErr := shake(client, server); err != nil || serverErr != nil {
			t.Errorf("%s: %v; %v", c.what, err, serverErr)
			continue
		}
		most = [2]int{}
		sent := make([]byte, 40000)
		for _, ends := range [][2]*vitrine.Conn{{client, server}, {server, client}} {
			go ends[0].Write(sent)
			if _, err := io.ReadFull(ends[1], make([]byte, len(sent))); err != nil {
				t.Errorf("%s: %v", c.what, err)
			}
		}
		if most != c.most {
			t.Errorf("%s: the longest records hold %d bytes, expected %d", c.what, most, c.most)
		}
	}
}
