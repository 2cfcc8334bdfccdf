package interop_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/interop"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/session"
)

// early is what clients send before the handshake is done.
const early = "early data of a client\n"

// takesEarly makes a server one that was started long ago, and accepts early data.
func takesEarly(c *vitrine.Config) {
	c.SessionStore, c.MaxEarlyData = session.NewMemory(10), 1000
	c.Time = func() time.Time { return time.Now().Add(-time.Hour) }
	a, b := net.Pipe()
	a.Close()
	vitrine.Server(b, c).Handshake() // the first use of c
	c.Time = nil
}

// readEarly reads early data to its end.
func readEarly(c *vitrine.Conn) (string, error) {
	var all strings.Builder
	for b := make([]byte, 100); ; {
		n, err := c.ReadEarly(b)
		all.Write(b[:n])
		switch {
		case err == io.EOF:
			return all.String(), nil
		case err != nil:
			return "", err
		}
	}
}

// shakeEarly reads early data to its end and performs the handshake.
func shakeEarly(c *vitrine.Conn) (got string, err error) {
	c.SetDeadline(time.Now().Add(deadline))
	if got, err = readEarly(c); err == nil {
		err = c.Handshake()
	}
	return got, err
}

// visitor starts a client of another stack that makes several connections. next serves the one that
// comes next: it returns the early data, when the handshake is done.
func visitor(ctx context.Context, t *testing.T, with *interop.Stack, config *vitrine.Config,
	setup *interop.Setup) (peer *interop.Peer, next func() (*vitrine.Conn, string, error)) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	l.(*net.TCPListener).SetDeadline(time.Now().Add(deadline))
	if peer, err = with.Connect(ctx, l.Addr().String(), setup); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(peer.Kill)
	return peer, func() (*vitrine.Conn, string, error) {
		under, err := l.Accept()
		if err != nil {
			t.Fatalf("%v; they say %s", err, peer.Output())
		}
		conn := vitrine.Server(under, config)
		got, err := shakeEarly(conn)
		return conn, got, err
	}
}

// sendEarly connects to a server of another stack and sends early data. wrote is the error of
// WriteEarly, and shook that of the handshake.
func sendEarly(ctx context.Context, t *testing.T, server *interop.Peer,
	config *vitrine.Config) (conn *vitrine.Conn, wrote, shook error) {
	t.Helper()
	under, err := server.Dial(ctx)
	if err != nil {
		t.Fatal(err)
	}
	under.SetDeadline(time.Now().Add(deadline))
	conn = vitrine.Client(under, config)
	_, wrote = conn.WriteEarly([]byte(early))
	return conn, wrote, conn.Handshake()
}

// earlyFile is a file for a tool that sends early data.
func earlyFile(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "early")
	if err := os.WriteFile(name, []byte(early), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// early13 is early data in one of the roles.
func early13(t *testing.T, with *interop.Stack, them iana.Side) {
	map[*interop.Stack][2]func(*testing.T){
		interop.OpenSSL: {iana.Client: earlyOfOpenSSL, iana.Server: earlyToOpenSSL},
		interop.GnuTLS:  {iana.Client: earlyOfGnuTLS, iana.Server: earlyToGnuTLS},
		interop.NSS:     {iana.Client: earlyOfNSS, iana.Server: earlyToNSS},
	}[with][them](t)
}

// s_client sends early data with a ticket of ours, once, and is refused the second time: RFC 8446
// §4.2.10 and §8.1.
func earlyOfOpenSSL(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	m := in13(&meeting{with: interop.OpenSSL, them: iana.Client, serverKey: throwaway.ECDSA})
	config, setup := m.defaults(t)
	takesEarly(config)
	ticket, data := filepath.Join(t.TempDir(), "session.pem"), earlyFile(t)
	for i, c := range []struct {
		options []string
		read    string
		want    vitrine.EarlyDataStatus
	}{
		{[]string{"-sess_out", ticket}, "", vitrine.EarlyDataNone},
		{[]string{"-sess_in", ticket, "-early_data", data}, early, vitrine.EarlyDataAccepted},
		{[]string{"-sess_in", ticket, "-early_data", data}, "", vitrine.EarlyDataRejected},
	} {
		setup.Options = c.options
		conn, peer, err := m.connect(ctx, config, setup)
		if err != nil {
			t.Fatal(err)
		}
		got, err := shakeEarly(conn)
		if s := conn.ConnectionState(); err != nil || got != c.read || s.EarlyData != c.want ||
			s.DidResume != (i > 0) {
			t.Fatalf("connection %d: %q, %v, resumed %t, %v; they say %s", i+1, got, s.EarlyData,
				s.DidResume, err, peer.Output())
		}
		both(t, conn, peer)
		conn.Close()
		peer.CloseWrite()
		peer.Wait()
	}
}

// Our client sends early data to s_server, which shows it, and answers under the keys that follow.
func earlyToOpenSSL(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	m := in13(&meeting{with: interop.OpenSSL, them: iana.Server, serverKey: throwaway.ECDSA})
	config, setup := m.defaults(t)
	setup.Talkative, setup.Connects, setup.Options = true, 3, []string{"-early_data"}
	server, err := interop.OpenSSL.Serve(ctx, setup)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Kill()
	out := bufio.NewReader(server)
	cache := vitrine.NewLRUClientSessionCache(0)
	config.ClientSessionCache = cache
	var used *vitrine.ClientSessionState
	for i, want := range []vitrine.EarlyDataStatus{vitrine.EarlyDataNone, vitrine.EarlyDataAccepted,
		vitrine.EarlyDataRejected} {
		if i == 1 {
			used, _ = cache.Get(config.ServerName)
		} else if i == 2 {
			cache.Put(config.ServerName, used) // a ticket that was used is refused
		}
		conn, wrote, shook := sendEarly(ctx, t, server, config)
		if got := conn.ConnectionState().EarlyData; got != want ||
			(wrote == nil) != (want != vitrine.EarlyDataNone) ||
			errors.Is(shook, vitrine.ErrEarlyDataRejected) != (want == vitrine.EarlyDataRejected) {
			t.Fatalf("connection %d: %v, %v, %v; they say %s", i+1, got, wrote, shook,
				server.Output())
		}
		if _, err := io.WriteString(conn, "a line of later data\n"); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(server, "an answer\n"); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, 10)
		if _, err := io.ReadFull(conn, answer); err != nil {
			t.Fatalf("connection %d: %v", i+1, err)
		}
		seen := false
		for {
			line, err := out.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			seen = seen || strings.Contains(line, early[:len(early)-1])
			if strings.Contains(line, "a line of later data") {
				break
			}
		}
		if seen != (want == vitrine.EarlyDataAccepted) {
			t.Errorf("connection %d: s_server has read the early data: %t", i+1, seen)
		}
		conn.Close()
	}
}

// gnutls-cli makes two connections, and sends early data in the second.
func earlyOfGnuTLS(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	m := in13(&meeting{with: interop.GnuTLS, them: iana.Client, serverKey: throwaway.ECDSA})
	config, setup := m.defaults(t)
	takesEarly(config)
	setup.Connects, setup.Options = 2, []string{"--waitresumption", "--earlydata", earlyFile(t)}
	peer, next := visitor(ctx, t, interop.GnuTLS, config, setup)
	for i, want := range []string{"", early} {
		conn, got, err := next()
		if err != nil || got != want {
			t.Fatalf("connection %d: %q, %v; they say %s", i+1, got, err, peer.Output())
		}
		if i == 0 {
			io.Copy(io.Discard, conn) // it ends the connection itself
		} else {
			both(t, conn, peer)
		}
		conn.Close()
	}
}

// Our client sends early data to gnutls-serv, which echoes it.
func earlyToGnuTLS(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	m := in13(&meeting{with: interop.GnuTLS, them: iana.Server, serverKey: throwaway.ECDSA})
	config, setup := m.defaults(t)
	setup.Options = []string{"--earlydata"}
	config.ClientSessionCache = vitrine.NewLRUClientSessionCache(0)
	server, err := interop.GnuTLS.Serve(ctx, setup)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Kill()
	for i, want := range []vitrine.EarlyDataStatus{vitrine.EarlyDataNone,
		vitrine.EarlyDataAccepted} {
		conn, wrote, shook := sendEarly(ctx, t, server, config)
		if got := conn.ConnectionState().EarlyData; got != want || shook != nil ||
			(wrote == nil) != (want != vitrine.EarlyDataNone) {
			t.Fatalf("connection %d: %v, %v, %v; they say %s", i+1, got, wrote, shook,
				server.Output())
		}
		if _, err := io.WriteString(conn, "a line\n"); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, 7)
		if _, err := io.ReadFull(conn, answer); err != nil {
			t.Fatalf("connection %d: %q, %v", i+1, answer, err)
		}
		conn.Close()
	}
}
