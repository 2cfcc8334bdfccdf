package vhttp_test

import (
	"bytes"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/vhttp"
)

// lockedBuffer is a buffer that several goroutines use.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// HTTP without TLS gets 400 in the clear, as from net/http, and no alert before it; what else is
// not TLS is named in the log.
func TestOtherProtocolsAreAnsweredAndNamed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var logged lockedBuffer
	server := &http.Server{ErrorLog: log.New(&logged, "", 0)}
	go vhttp.Serve(vhttp.NewListener(l, rig.ServerConfig(t)), server)
	t.Cleanup(func() { server.Close() })
	for _, c := range []struct{ sent, answer, said string }{
		{"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
			"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
			"client sent an HTTP request to an HTTPS server"},
		{"OPTIONS * HTTP/1.1\r\n\r\n", "HTTP/1.0 400 Bad Request",
			"client sent an HTTP request to an HTTPS server"},
		{"PROXY TCP4 192.0.2.1 192.0.2.2 1 443\r\n", "\x15\x03", "send the PROXY protocol"},
		{"SSH-2.0-OpenSSH_9.2\r\n", "\x15\x03", "the client begins as SSH does"},
	} {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(rig.Patience))
		io.WriteString(conn, c.sent)
		got := make([]byte, len(c.answer))
		if _, err := io.ReadFull(conn, got); err != nil || string(got) != c.answer {
			t.Errorf("%q: got %q and %v, expected %q", c.sent, got, err, c.answer)
		}
		io.Copy(io.Discard, conn)
		conn.Close()
		for end := time.Now().Add(rig.Patience); !strings.Contains(logged.String(), c.said); {
			if time.Now().After(end) {
				t.Fatalf("%q: logged %q, expected %q", c.sent, logged.String(), c.said)
			}
			time.Sleep(time.Millisecond)
		}
	}
}
