package main

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/rig"
)

// Clients of other protocols are named in the log, each in one line, and who only looks whether the
// port is open is one as well.
func TestServeNamesOtherProtocols(t *testing.T) {
	s, _ := serving(t)
	for _, c := range []struct{ sent, said string }{
		{"GET / HTTP/1.1\r\n\r\n", "failed: plain HTTP on a TLS port"},
		{"PROXY TCP4 192.0.2.1 192.0.2.2 1 443\r\n",
			"not TLS: the PROXY protocol, version 1 (what stands before this server"},
		{"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c", "not TLS: the PROXY protocol, version 2"},
		{"SSH-2.0-OpenSSH_9.2\r\n", "not TLS: SSH"},
		{"\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00",
			"not TLS: RDP"},
		{"\x80\x1c\x01\x00\x02\x00\x03\x00\x00\x00\x10\x07\x00\xc0" + strings.Repeat("x", 16),
			"it offers no other version: no policy has it (RFC 6176)"},
		{"\x16\x03\x01\x01\x00", "the client broke off before its ClientHello was whole"},
		{"\x18\x03\x02\x00\x03\x01\x40\x00", "not TLS: a heartbeat of TLS before any handshake " +
			"(somebody looks whether this server has Heartbleed"},
		{"\xff\xfd\x18\xff\xfd\x20", "not TLS: telnet"},
		{"\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10" + strings.Repeat("x", 37),
			"has the form of SSL 2.0, which is taken by policy legacy alone)"},
		{"", "came and left without a word"},
	} {
		conn, err := net.Dial("tcp", s.addr)
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(rig.Patience))
		io.WriteString(conn, c.sent)
		conn.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, conn)
		conn.Close()
		for end := time.Now().Add(rig.Patience); strings.Count(s.out.String(), c.said) != 1; {
			if time.Now().After(end) {
				t.Fatalf("%q: logged %q, expected %q once", c.sent, s.out.String(), c.said)
			}
			time.Sleep(time.Millisecond)
		}
	}
}
