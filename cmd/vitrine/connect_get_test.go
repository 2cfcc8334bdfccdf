package main

import (
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/reach"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// A request that fails has a last line for people, who ended the connection is as it was, and
// --json prints all of the report.
func TestConnectSaysWhyARequestFailed(t *testing.T) {
	roots := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE",
		Bytes: rig.Authority().Cert.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	const early, head = "before it answered --get /x", "in the head of its answer to --get /x"
	// notified leaves by close_notify.
	notified := func(c *tls.Conn) { c.CloseWrite(); io.Copy(io.Discard, c) }
	for _, c := range []struct {
		name, answer string
		leave        func(*tls.Conn)
		end, summary string
	}{
		{"resets", "", reset, "the server reset the connection",
			"the server reset the connection " + early},
		{"leaves", "", notified, "the server said close_notify first",
			"the server ended the connection " + early},
		{"goes without a word", "", func(c *tls.Conn) { c.NetConn().Close() },
			"without close_notify", "the server ended the connection " + early},
		{"stays", "", func(c *tls.Conn) { io.Copy(io.Discard, c) }, "",
			"the server fell silent " + early + ": nothing came for 2s"},
		{"breaks off in the head", "HTTP/1.1 200 OK\r\nServer: x", notified,
			"the server said close_notify first", "the server ended the connection " + head},
		{"breaks off in the status", "HTTP/1.1 ", notified, "",
			"the server ended the connection " + head},
		{"breaks off in the body", "HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\nno", notified,
			"the server said close_notify first",
			"the server ended the connection after 2 of the 300 bytes of its answer to --get /x"},
		{"informs before it answers", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" +
			"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\nno", notified, "",
			"the server ended the connection after 2 of the 300 bytes of its answer to --get /x"},
		{"resets in the body", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n",
			reset, "the server reset the connection",
			"the server reset the connection after 2 bytes of its answer to --get /x"},
		{"is no HTTP server", "SSH-2.0-x\r\n", notified, "",
			"what the server answers to --get /x is not HTTP/1: malformed HTTP response " +
				`"SSH-2.0-x"`},
		{"is no HTTP server, and says much", strings.Repeat("x", 1000) + "\r\n", notified, "",
			"what the server answers to --get /x is not HTTP/1: malformed HTTP response " +
				`"` + strings.Repeat("x", maxQuoted-len(`malformed HTTP response "`)) + "…"},
		{"never ends its head", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", maxHead), notified,
			"", "the head of the answer to --get /x does not end in 1048576 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			cert := rig.Certificate(t, throwaway.ECDSA)
			l, err := tls.Listen("tcp", "127.0.0.1:0",
				&tls.Config{Certificates: []tls.Certificate{cert}})
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					s := conn.(*tls.Conn)
					s.Read(make([]byte, 1000))
					io.WriteString(s, c.answer)
					c.leave(s)
					conn.Close()
				}
			}()
			code, stdout, stderr := command(t, "connect", l.Addr().String(), "--ca", roots, "--sni",
				rig.ServerName, "--json", "--get", "/x", "--timeout", "2s")
			var r struct {
				Negotiated, Offered *struct{}
				Chain               []struct{}
				Trusted             bool
				End, Summary        string
			}
			if err := json.Unmarshal([]byte(stdout), &r); err != nil || code != exitFailed {
				t.Fatalf("exit code %d, %v: %s", code, err, stdout)
			}
			want := "connected to " + l.Addr().String() + ", and then: " + c.summary
			if r.Summary != want || !strings.Contains(r.End, c.end) || r.Negotiated == nil ||
				r.Offered == nil || len(r.Chain) == 0 || !r.Trusted {
				t.Errorf("the report is %s", stdout)
			}
			if flat := strings.Join(strings.Fields(stderr), " "); flat != "vitrine: "+want {
				t.Errorf("the last line is %q", flat)
			}
		})
	}
}

// reset ends a connection by RST.
func reset(c *tls.Conn) {
	c.NetConn().(*net.TCPConn).SetLinger(0)
	c.NetConn().Close()
}

// Of each address that was tried the report says what came of it: one that was given up for a
// faster one has not failed. See RFC 8305 §5.
func TestTheReportTellsEachAddress(t *testing.T) {
	a := &attempt{err: io.EOF, events: &recorder{}, phases: []reach.Phase{
		{Name: "name", Detail: "x.example → ::1, 192.0.2.1, 192.0.2.2", Took: time.Millisecond},
		{Name: "tcp", Detail: "[::1]:443", Took: time.Millisecond, Err: &net.OpError{Op: "dial",
			Err: syscall.ECONNREFUSED}},
		{Name: "tcp", Detail: "192.0.2.1:443", Took: time.Second, Err: reach.ErrSlower},
		{Name: "tcp", Detail: "192.0.2.2:443", Took: time.Millisecond},
	}}
	var text strings.Builder
	c := &caller{connectOptions: &connectOptions{},
		config: &vitrine.Config{Policy: vitrine.Modern}}
	newReport(c, a).writeHead(&text)
	for _, want := range []string{
		"  name        x.example → ::1, 192.0.2.1, 192.0.2.2: 1.0 ms\n",
		"  tcp         [::1]:443: failed after 1.0 ms: connection refused\n",
		"  tcp         192.0.2.1:443: given up after 1000.0 ms: another address was faster\n",
		"  tcp         192.0.2.2:443: 1.0 ms\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no line %q in\n%s", want, text.String())
		}
	}
}
