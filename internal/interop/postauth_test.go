package interop_test

import (
	"crypto/tls"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/interop"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// OpenSSL's server asks for a certificate after the handshake by its command c, and clients
// answer us if an option says so: RFC 8446 §4.6.2.
func lateToOpenSSL(t *testing.T) {
	m := in13(&meeting{with: interop.OpenSSL, them: iana.Server, serverKey: throwaway.ECDSA},
		func(c *vitrine.Config, s *interop.Setup) {
			s.Talkative, c.PostHandshakeAuth = true, true
			c.Certificates = []tls.Certificate{identity(t, throwaway.RSA,
				iana.Client).Certificate}
		})
	conn, peer := m.handshake(t)
	if _, err := io.WriteString(peer, "c\n"); err != nil {
		t.Fatal(err)
	}
	// The answer is sent by a Read, which the request alone does not end.
	go func() {
		for end := time.Now().Add(deadline); time.Now().Before(end); {
			if conn.ConnectionState().LocalCertificates != nil {
				break
			}
			time.Sleep(2 * time.Millisecond)
		}
		io.WriteString(peer, "and on\n")
	}()
	got := make([]byte, len("and on\n"))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != "and on\n" {
		t.Fatalf("got %q, %v", got, err)
	}
	if _, err := io.WriteString(conn, "the end\n"); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for b := make([]byte, 4<<10); !strings.Contains(said.String(), "the end"); {
		n, err := peer.Read(b)
		if said.Write(b[:n]); err != nil {
			t.Fatalf("%v: %s", err, said.String())
		}
	}
	if !strings.Contains(said.String(), "subject=CN = vitrine.test") &&
		!peer.Says(deadline, "subject=CN = vitrine.test", "depth=0") {
		t.Errorf("the server has seen no certificate:\n%s%s", said.String(), peer.Output())
	}
}

// lateOf is their client, with the option that lets it answer.
func lateOf(with *interop.Stack, option string) func(*testing.T) {
	return func(t *testing.T) {
		m := in13(&meeting{with: with, them: iana.Client, serverKey: throwaway.ECDSA},
			func(c *vitrine.Config, s *interop.Setup) {
				c.PostHandshakeAuth, c.ClientCAs = true, office.CA.Pool()
				s.Identity = identity(t, throwaway.RSA, iana.Client)
				s.Options = append(s.Options, option)
			})
		conn, peer := m.handshake(t)
		if n := len(conn.ConnectionState().PeerCertificates); n != 0 {
			t.Fatalf("%d certificates in the handshake", n)
		}
		if err := conn.RequestClientCertificate(tls.RequireAndVerifyClientCert); err != nil {
			t.Fatal(err)
		}
		both(t, conn, peer)
		if n := len(conn.ConnectionState().PeerCertificates); n == 0 {
			t.Error("no certificate after the answer")
		}
	}
}

// gnutls-serv asks when it is told to in the data.
func lateToGnuTLS(t *testing.T) {
	m := in13(&meeting{with: interop.GnuTLS, them: iana.Server, serverKey: throwaway.ECDSA},
		func(c *vitrine.Config, s *interop.Setup) {
			c.PostHandshakeAuth = true
			c.Certificates = []tls.Certificate{identity(t, throwaway.RSA, iana.Client).Certificate}
		})
	conn, _ := m.handshake(t)
	if conn.ConnectionState().LocalCertificates != nil {
		t.Fatal("a certificate was sent in the handshake")
	}
	if _, err := io.WriteString(conn, "**REAUTH**\n"); err != nil {
		t.Fatal(err)
	}
	const want = "Successfully executed command\n"
	got := make([]byte, len(want))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != want {
		t.Errorf("got %q, %v", got, err)
	}
	if conn.ConnectionState().LocalCertificates == nil {
		t.Error("no certificate was sent after the handshake")
	}
}
