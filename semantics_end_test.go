package vitrine_test

import (
	"bytes"
	"context"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/script"
)

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
