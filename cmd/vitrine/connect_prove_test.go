package main

import (
	"crypto/tls"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/broken"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// What a try shows is not more than it showed: a server that has gone has refused nothing, one that
// is silent was asked to the end, and one that begins an answer is not silent.
func TestTriesSayNoMoreThanTheyShow(t *testing.T) {
	config := &tls.Config{Certificates: []tls.Certificate{rig.Certificate(t, throwaway.ECDSA)}}
	var later atomic.Bool
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
		"passes over its first connection": {func(_ net.Listener, conn net.Conn) {
			if later.Swap(true) {
				tls.Server(conn, config).Handshake()
			}
			io.Copy(io.Discard, conn)
		}, exitUnreached, []string{"the same again: is answered now",
			"nothing in our hello was the reason"}, []string{"the server fails at", "proved"}},
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

// A change that cannot help is not tried: the limits of versions where the policy has none that the
// server has, and a policy where the server does not take our certificate.
func TestChangesThatCannotHelpAreNotTried(t *testing.T) {
	cert, key := broken.Files(t, rig.Certificate(t, throwaway.ECDSA))
	for _, tt := range []struct{ server, flags, want, never string }{
		{broken.Named(t, "OpenSSL: TLS 1.0 and 1.1 alone").Start(t), "--min 1.2",
			"the server speaks TLS 1.1, TLS 1.0", "without --min"},
		{broken.OpenSSL(t, "-Verify", "1", "-verify_return_error", "-CAfile", cert),
			"--max 1.2 --cert " + cert + " --key " + key, "and ours was not shown", "--policy"},
	} {
		_, stdout, stderr := command(t, append([]string{"connect", tt.server, "-i=false", "-k"},
			strings.Fields(tt.flags)...)...)
		text := strings.Join(strings.Fields(stdout+stderr), " ")
		if !strings.Contains(text, tt.want) || strings.Contains(text, tt.never) {
			t.Errorf("%s: expected %q and no %q:\n%s", tt.flags, tt.want, tt.never, stdout+stderr)
		}
	}
}
