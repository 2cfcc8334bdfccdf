// Package rig sets up what tests of connections need: a certificate authority, configurations that
// trust it, loopback sockets, and a client and a server over them.
package rig

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/script"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// ServerName is the name of every server of these tests.
const ServerName = "vitrine.test"

// Patience bounds operations that must not hang.
const Patience = 10 * time.Second

// Authority is one CA for all tests, and certificates that it issued before: RSA keys take long to
// make.
var Authority = sync.OnceValue(func() *throwaway.CA {
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		panic(err)
	}
	return ca
})

var issued sync.Map

// Certificate is the authority's, for a key of this kind. Only certificates without edits are
// issued once.
func Certificate(t testing.TB, kind throwaway.Kind,
	edits ...func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	if c, ok := issued.Load(kind); ok && len(edits) == 0 {
		return c.(tls.Certificate)
	}
	c, err := Authority().Issue(kind, []string{ServerName}, edits...)
	if err != nil {
		t.Fatal(err)
	}
	if len(edits) == 0 {
		issued.Store(kind, c)
	}
	return c
}

// ClientConfig trusts the authority.
func ClientConfig(edits ...func(*vitrine.Config)) *vitrine.Config {
	c := &vitrine.Config{RootCAs: Authority().Pool(), ServerName: ServerName}
	for _, edit := range edits {
		edit(c)
	}
	return c
}

// ServerConfig proves itself with an ECDSA and an RSA key.
func ServerConfig(t testing.TB, edits ...func(*vitrine.Config)) *vitrine.Config {
	c := &vitrine.Config{Certificates: []tls.Certificate{Certificate(t, throwaway.ECDSA),
		Certificate(t, throwaway.RSA)}}
	for _, edit := range edits {
		edit(c)
	}
	return c
}

// Until12 leaves out TLS 1.3: for tests of TLS 1.2.
func Until12(c *vitrine.Config) { c.MaxVersion = vitrine.VersionTLS12 }

// Only13 allows TLS 1.3 alone.
func Only13(c *vitrine.Config) {
	c.MinVersion, c.MaxVersion = vitrine.VersionTLS13, vitrine.VersionTLS13
}

// EachVersion runs a test of what TLS 1.2 and TLS 1.3 have in common with Configs of either.
func EachVersion(t *testing.T, test func(t *testing.T, version func(*vitrine.Config))) {
	t.Run("TLS 1.2", func(t *testing.T) { test(t, Until12) })
	t.Run("TLS 1.3", func(t *testing.T) { test(t, Only13) })
}

// loopback is the listener of all Wires, since to bind a port takes longer than to connect.
var loopback struct {
	sync.Mutex // from dialling to accepting, so that both ends are of one connection
	net.Listener
}

func dialLoopback() (client, server net.Conn, err error) {
	loopback.Lock()
	defer loopback.Unlock()
	if loopback.Listener == nil {
		if loopback.Listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return nil, nil, err
		}
	}
	if client, err = net.Dial("tcp", loopback.Addr().String()); err != nil {
		return nil, nil, err
	}
	server, err = loopback.Accept()
	return client, server, err
}

// Wires are the two ends of a loopback connection, which is given up after patience.
func Wires(t testing.TB) (client, server net.Conn) {
	t.Helper()
	client, server, err := dialLoopback()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []net.Conn{client, server} {
		c.SetDeadline(time.Now().Add(Patience))
		t.Cleanup(func() { c.Close() })
	}
	return client, server
}

// Shaker is implemented by the connections of both stacks.
type Shaker interface {
	net.Conn
	Handshake() error
}

// Shake performs both handshakes at once. If both fail, both ends are closed then.
func Shake(client, server Shaker) (clientErr, serverErr error) {
	done := make(chan error, 1)
	go func() { done <- server.Handshake() }()
	clientErr = client.Handshake()
	if clientErr == nil {
		return nil, <-done
	}
	closed := make(chan struct{})
	go func() {
		client.Close() // a server that still waits must not
		close(closed)
	}()
	if serverErr = <-done; serverErr != nil {
		server.Close() // the client's Close waits for it
	}
	<-closed
	return clientErr, serverErr
}

// Pair is a client and a server after their handshake.
func Pair(t testing.TB, client, server *vitrine.Config) (c, s *vitrine.Conn) {
	t.Helper()
	a, b := Wires(t)
	c, s = vitrine.Client(a, client), vitrine.Server(b, server)
	if err, serverErr := Shake(c, s); err != nil || serverErr != nil {
		t.Fatalf("client: %v; server: %v", err, serverErr)
	}
	return c, s
}

// AlertOf returns the alert that was sent for err; false if err is not an error of this side.
func AlertOf(err error) (alert.Description, bool) {
	e, ok := errors.AsType[*alert.Error](err)
	if !ok {
		return 0, false
	}
	return e.Alert, true
}

// ReceivedAlert returns the alert that the peer sent.
func ReceivedAlert(err error) (alert.Description, bool) {
	e, ok := errors.AsType[*alert.Received](err)
	if !ok {
		return 0, false
	}
	return e.Description, true
}

// Deadline is patience from now.
func Deadline() time.Time { return time.Now().Add(Patience) }

// Script returns a scripted peer for a test. Its own failures are the test's.
func Script(t testing.TB, me iana.Side, conn net.Conn, cert tls.Certificate,
	e script.Edits) *script.Peer {
	p := script.New(testkit.Rand(t.Name()), me, conn, cert, e)
	t.Cleanup(func() {
		if err := p.Err(); err != nil {
			t.Error(err)
		}
	})
	return p
}
