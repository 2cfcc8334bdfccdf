package main

import (
	"io"
	"net"
	"strings"
	"testing"
)

// What a try shows is not more than it showed: a server that has gone has refused nothing, one that
// is silent was asked to the end, and one that begins an answer is not silent.
func TestTriesSayNoMoreThanTheyShow(t *testing.T) {
	for name, c := range map[string]struct {
		serve       func(net.Listener, net.Conn)
		code        int
		want, never []string
	}{
		"ends with its first connection": {func(l net.Listener, conn net.Conn) {
			l.Close()
			conn.Read(make([]byte, 1))
			conn.Close()
		}, exitFailed, []string{"not known: ", ": after our hello it cannot be reached any more"},
			[]string{"drops every connection", "none of these changes"}},
		"is silent": {func(_ net.Listener, conn net.Conn) { io.Copy(io.Discard, conn) },
			exitUnreached, []string{"--no-sni: no: the server sends nothing",
				"--max 1.2: no: the server sends nothing", "none of these changes alone"},
			[]string{"not known"}},
		"begins an answer": {func(_ net.Listener, conn net.Conn) {
			conn.Write([]byte{0x16, 3, 3})
			io.Copy(io.Discard, conn)
		}, exitUnreached, []string{"did not end the answer that it began (160303)",
			"--no-sni: no: the server does not end its answer", ": the server answers too slowly"},
			[]string{"said nothing more", "sends nothing"}},
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				go c.serve(l, conn)
			}
		}()
		code, stdout, stderr := command(t, "connect", l.Addr().String(), "-i=false", "--timeout",
			"400ms", "--sni", "localhost")
		text := strings.Join(strings.Fields(stdout+stderr), " ")
		if code != c.code {
			t.Errorf("a server that %s: exit code %d, expected %d", name, code, c.code)
		}
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("a server that %s: nothing says %q:\n%s", name, want, stdout+stderr)
			}
		}
		for _, never := range c.never {
			if strings.Contains(text, never) {
				t.Errorf("a server that %s: %q is false:\n%s", name, never, stdout+stderr)
			}
		}
	}
}
