package interop_test

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/interop"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/trace"
)

// in13 makes a meeting one of TLS 1.3 alone.
func in13(m *meeting, edits ...func(*vitrine.Config, *interop.Setup)) *meeting {
	m.version = iana.TLS13
	us, they := m.us, m.they
	m.us = func(c *vitrine.Config) {
		if us != nil {
			us(c)
		}
		for _, edit := range edits {
			edit(c, &interop.Setup{})
		}
	}
	m.they = func(s *interop.Setup) {
		if they != nil {
			they(s)
		}
		for _, edit := range edits {
			edit(&vitrine.Config{}, s)
		}
	}
	return m
}

// TLS 1.3 with OpenSSL and GnuTLS, in both roles: each kind of key, 1 MiB each way.
func TestTLS13(t *testing.T) {
	for _, kind := range []throwaway.Kind{throwaway.ECDSA, throwaway.RSA, throwaway.Ed25519} {
		everywhere(t, string(kind), func(*interop.Stack, iana.Side) *meeting {
			return in13(&meeting{serverKey: kind, bytes: 1 << 20})
		})
	}
	everywhere(t, "ALPN", func(*interop.Stack, iana.Side) *meeting {
		m := &meeting{want: func(t *testing.T, s *vitrine.ConnectionState) {
			if s.NegotiatedProtocol != "b" {
				t.Errorf("got the protocol %q", s.NegotiatedProtocol)
			}
		}}
		return in13(m, func(c *vitrine.Config, s *interop.Setup) {
			c.NextProtos, s.Protocols = []string{"b"}, []string{"a", "b"}
		})
	})
}

// both sends a line each way.
func both(t *testing.T, conn *vitrine.Conn, peer *interop.Peer) {
	t.Helper()
	for _, way := range []struct {
		from io.Writer
		to   io.Reader
	}{{conn, peer}, {peer, conn}} {
		const line = "a line of data\n"
		if _, err := io.WriteString(way.from, line); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(line))
		if _, err := io.ReadFull(way.to, got); err != nil || string(got) != line {
			t.Fatalf("got %q, %v", got, err)
		}
	}
}

// K of OpenSSL's tools changes its keys, and asks for ours: RFC 8446 §4.6.3. What we send
// afterwards is under new ones.
func theirUpdates13(t *testing.T, with *interop.Stack, them iana.Side) {
	var updates keyUpdates
	request := map[*interop.Stack]string{interop.OpenSSL: "K\n", interop.GnuTLS: "^rekey^\n"}[with]
	m := in13(&meeting{with: with, them: them, serverKey: throwaway.ECDSA},
		func(c *vitrine.Config, s *interop.Setup) { s.Talkative, c.Trace = true, &updates })
	conn, peer := m.handshake(t)
	out := bufio.NewReader(peer)
	until := func(text string) {
		t.Helper()
		for {
			line, err := out.ReadString('\n')
			if err != nil {
				t.Fatalf("waiting for %q: %v", text, err)
			}
			if strings.Contains(line, text) {
				return
			}
		}
	}
	for i := range 3 {
		read := make(chan string, 1)
		go func() { // the change of keys is in this Read
			b := make([]byte, 14)
			n, err := io.ReadFull(conn, b)
			read <- fmt.Sprint(string(b[:n]), err)
		}()
		if _, err := io.WriteString(peer, request); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(deadline); updates.Load() < int64(2*i+1) &&
			time.Now().Before(end); {
			time.Sleep(2 * time.Millisecond)
		}
		// with the command it would be dropped
		if _, err := io.WriteString(peer, "data after it\n"); err != nil {
			t.Fatal(err)
		}
		if got := <-read; got != "data after it\n<nil>" {
			t.Errorf("got %q", got)
		}
		if _, err := io.WriteString(conn, "ours after it\n"); err != nil {
			t.Error(err)
		}
		until("ours after it")
		if n := updates.Load(); n != int64(2*i+2) { // theirs, and our answer
			t.Errorf("%d KeyUpdates, expected %d", n, 2*i+2)
		}
	}
}

// Both sides change keys while we send without a pause: OpenSSL's tools by K and k, we by
// Conn.KeyUpdate. See RFC 8446 §4.6.3.
func TestKeyUpdatesUnderLoadLoseNothing(t *testing.T) {
	require(t, interop.OpenSSL)
	for _, them := range sides {
		t.Run("their "+them.String(), func(t *testing.T) {
			t.Parallel()
			var updates keyUpdates
			m := in13(&meeting{with: interop.OpenSSL, them: them, serverKey: throwaway.ECDSA},
				func(c *vitrine.Config, s *interop.Setup) { s.Talkative, c.Trace = true, &updates })
			conn, peer := m.handshake(t)
			const commands, end = "kKkK", "the last line of ours\n"
			stop, sent := make(chan struct{}), make(chan error, 1)
			go func() {
				line := []byte(strings.Repeat("load ", 3000) + "\n")
				err := error(nil)
				for i := 0; err == nil; i++ {
					select {
					case <-stop:
						_, err = io.WriteString(conn, end)
						sent <- err
						return
					default:
					}
					if _, err = conn.Write(line); err == nil && i%8 == 0 {
						err = conn.KeyUpdate(i%16 == 0)
					}
				}
				sent <- err
			}()
			drained := make(chan error, 1)
			var shook atomic.Int64 // what s_server says once a command is done
			go func() {
				out := bufio.NewReader(peer)
				line, err := "", error(nil)
				for err == nil && !strings.HasSuffix(line, end) {
					if line, err = out.ReadString(
						'\n',
					); strings.Contains(
						line,
						"SSL_do_handshake",
					) {
						shook.Add(1)
					}
				}
				drained <- err
			}()
			for i, command := range commands {
				// A command is one that is alone in what the tool reads: so what came before it
				// has to be through.
				line := fmt.Sprintf("theirs %d\n", i)
				if _, err := io.WriteString(peer, line); err != nil {
					t.Fatal(err)
				}
				got := make([]byte, len(line))
				if _, err := io.ReadFull(conn, got); err != nil || string(got) != line {
					t.Fatalf("got %q, %v", got, err)
				}
				if _, err := fmt.Fprintf(peer, "%c\n", command); err != nil {
					t.Fatal(err)
				}
				done := func() bool {
					return strings.Count(peer.Output(), "KEYUPDATE")+int(shook.Load()) > i
				}
				for limit := time.Now().Add(deadline); !done() && time.Now().Before(limit); {
					time.Sleep(2 * time.Millisecond)
				}
			}
			close(stop)
			for _, way := range []chan error{sent, drained} {
				if err := <-way; err != nil {
					t.Error(err)
				}
			}
			if n := updates.Load(); n < int64(len(commands)) {
				t.Errorf("%d KeyUpdates", n)
			}
		})
	}
}

// keyUpdates counts the KeyUpdates of a trace.
type keyUpdates struct{ atomic.Int64 }

func (k *keyUpdates) Put(e trace.Entry) {
	if m, ok := e.Event.(*trace.Message); ok && m.Type == iana.KeyUpdate {
		k.Add(1)
	}
}
