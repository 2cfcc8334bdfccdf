package interop_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/interop"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// A server that asks for a certificate late gets it in a renegotiation, when Config.Renegotiation
// allows that: some do so only for the pages that need it. R of s_server asks for a certificate, r
// does not. See RFC 5246 §7.4.1.1 and RFC 5746 §3.5.
func TestARenegotiationBringsALateCertificate(t *testing.T) {
	for _, c := range []struct {
		suite   iana.CipherSuite
		version iana.Version
		command string
		times   int
	}{
		{ecdheRSA, iana.TLS12, "R\n", 1},
		{ecdheRSA, iana.TLS12, "r\n", 1},
		{ecdheRSA, iana.TLS12, "R\n", 2},
		{ecdheECDSA, iana.TLS12, "R\n", 1},
		{cbc, iana.TLS12, "R\n", 1},
		{iana.TLS_RSA_WITH_AES_256_GCM_SHA384, iana.TLS12, "R\n", 1},
		{iana.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, iana.TLS11, "R\n", 1},
		{iana.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, iana.TLS10, "R\n", 1},
	} {
		t.Run(fmt.Sprintf("%v/%v/%q/%d", c.suite, c.version, c.command, c.times),
			func(t *testing.T) {
				t.Parallel()
				m := meeting{with: interop.OpenSSL, them: iana.Server, suite: c.suite,
					they: func(s *interop.Setup) {
						s.Talkative, s.Versions = true, [2]iana.Version{c.version, c.version}
					},
					us: func(config *vitrine.Config) {
						config.Certificates = []tls.Certificate{identity(t, throwaway.ECDSA,
							iana.Client).Certificate}
						config.Renegotiation = tls.RenegotiateFreelyAsClient
						config.MinVersion, config.Policy = uint16(c.version), vitrine.Legacy
					}}
				conn, peer := m.handshake(t)
				for n := range c.times {
					peer.Write([]byte(c.command))
					read := make(chan string, 1)
					go func() { // the renegotiation is in this Read
						b := make([]byte, 14)
						k, err := io.ReadFull(conn, b)
						read <- fmt.Sprint(string(b[:k]), err)
					}()
					renegotiations := func() int { return conn.ConnectionState().Renegotiations }
					for end := time.Now().Add(deadline); renegotiations() == n &&
						time.Now().Before(end); {
						time.Sleep(2 * time.Millisecond)
					}
					if got := renegotiations(); got != n+1 {
						t.Fatalf("the state tells of %d renegotiations, expected %d", got, n+1)
					}
					peer.Write([]byte("data after it\n")) // with the command it would be dropped
					if got := <-read; got != "data after it\n<nil>" {
						t.Errorf("got %q", got)
					}
					// it asks once: SSL_VERIFY_CLIENT_ONCE
					if c.command == "R\n" && !peer.Says(deadline, "CN = somebody") {
						t.Error("they did not see our certificate")
					}
				}
				if _, err := conn.Write([]byte("ours after it\n")); err != nil {
					t.Error(err)
				}
				told := make(chan bool, 1)
				go func() {
					lines := bufio.NewScanner(peer)
					for lines.Scan() && lines.Text() != "ours after it" {
					}
					told <- lines.Err() == nil && lines.Text() == "ours after it"
				}()
				select {
				case ok := <-told:
					if !ok {
						t.Error("they did not get our data")
					}
				case <-time.After(deadline):
					t.Error("they did not get our data in time")
				}
				conn.Close()
				count(t, m.with.Name)
			})
	}
}

// A client may ask for another handshake itself. OpenSSL's server allows it if it is told to, and
// else refuses with a warning. See RFC 5246 §7.4.1.2.
func TestClientAsksToRenegotiate(t *testing.T) {
	for _, v := range []iana.Version{iana.TLS12, iana.TLS10} {
		for _, options := range [][]string{nil, {"-client_renegotiation"}} {
			t.Run(fmt.Sprint(v, options), func(t *testing.T) {
				t.Parallel()
				m := meeting{with: interop.OpenSSL, them: iana.Server,
					suite: iana.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
					they: func(s *interop.Setup) {
						s.Versions, s.Options = [2]iana.Version{v, v}, options
					},
					us: func(config *vitrine.Config) {
						config.Renegotiation = tls.RenegotiateOnceAsClient
						config.MinVersion, config.Policy = uint16(v), vitrine.Legacy
					}}
				conn, peer := m.handshake(t)
				conn.SetDeadline(time.Now().Add(deadline))
				peer.Write([]byte("data before it\n")) // of which one byte is read before
				before := make([]byte, 15)
				if _, err := io.ReadFull(conn, before[:1]); err != nil {
					t.Fatal(err)
				}
				err := conn.Renegotiate(t.Context())
				if options == nil {
					refusal, ok := errors.AsType[*alert.Received](err)
					if !ok || refusal.Description != alert.NoRenegotiation {
						t.Errorf("got %v, expected no_renegotiation", err)
					}
					if n, err := conn.Write([]byte("not protected by what was " +
						"asked for")); err == nil {
						t.Errorf("%d bytes were written", n)
					}
					return
				}
				if n := conn.ConnectionState().Renegotiations; err != nil || n != 1 {
					t.Fatalf("%d renegotiations, error %v", n, err)
				}
				if _, err := io.ReadFull(conn, before[1:]); err != nil ||
					string(before) != "data before it\n" {
					t.Errorf("got %q and %v", before, err)
				}
				if err := conn.Renegotiate(t.Context()); err == nil {
					t.Error("it renegotiated twice, and Config.Renegotiation allows it once")
				}
				peer.Write([]byte("data after it\n"))
				b := make([]byte, 14)
				if _, err := io.ReadFull(conn, b); err != nil || string(b) != "data after it\n" {
					t.Errorf("got %q and %v", b, err)
				}
				conn.Close()
				count(t, m.with.Name)
			})
		}
	}
}
