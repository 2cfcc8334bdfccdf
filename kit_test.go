package vitrine_test

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
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// name is what every server of these tests is called.
const name = "vitrine.test"

// patience bounds what must not hang.
const patience = 10 * time.Second

// authority is one CA for all tests, and certificates that it issued before: RSA keys take long to make.
var authority = sync.OnceValue(func() *throwaway.CA {
	ca, err := throwaway.New(throwaway.Options{})
	if err != nil {
		panic(err)
	}
	return ca
})

var issued sync.Map

// certificate is the authority's, for a key of this kind. Only certificates without edits are issued once.
func certificate(t testing.TB, kind throwaway.Kind, edits ...func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	if c, ok := issued.Load(kind); ok && len(edits) == 0 {
		return c.(tls.Certificate)
	}
	c, err := authority().Issue(kind, []string{name}, edits...)
	if err != nil {
		t.Fatal(err)
	}
	if len(edits) == 0 {
		issued.Store(kind, c)
	}
	return c
}

// clientConfig trusts the authority.
func clientConfig(edits ...func(*vitrine.Config)) *vitrine.Config {
	c := &vitrine.Config{RootCAs: authority().Pool(), ServerName: name}
	for _, edit := range edits {
		edit(c)
	}
	return c
}

// serverConfig proves itself with an ECDSA and an RSA key.
func serverConfig(t testing.TB, edits ...func(*vitrine.Config)) *vitrine.Config {
	c := &vitrine.Config{Certificates: []tls.Certificate{certificate(t, throwaway.ECDSA), certificate(t, throwaway.RSA)}}
	for _, edit := range edits {
		edit(c)
	}
	return c
}

// wires are the two ends of a loopback connection, which is given up after patience.
func wires(t testing.TB) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if client, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []net.Conn{client, server} {
		c.SetDeadline(time.Now().Add(patience))
		t.Cleanup(func() { c.Close() })
	}
	return client, server
}

// shaker is what both stacks' connections are.
type shaker interface {
	net.Conn
	Handshake() error
}

// shake performs both handshakes at once.
func shake(client, server shaker) (clientErr, serverErr error) {
	done := make(chan error, 1)
	go func() { done <- server.Handshake() }()
	clientErr = client.Handshake()
	if clientErr != nil {
		client.Close() // a server that still waits must not
	}
	return clientErr, <-done
}

// pair is a client and a server after their handshake.
func pair(t testing.TB, client, server *vitrine.Config) (c, s *vitrine.Conn) {
	t.Helper()
	a, b := wires(t)
	c, s = vitrine.Client(a, client), vitrine.Server(b, server)
	if err, serverErr := shake(c, s); err != nil || serverErr != nil {
		t.Fatalf("client: %v; server: %v", err, serverErr)
	}
	return c, s
}

// alertOf is what err told the peer; false if it is not an error that we noticed.
func alertOf(err error) (alert.Description, bool) {
	e, ok := errors.AsType[*alert.Error](err)
	if !ok {
		return 0, false
	}
	return e.Alert, true
}

// receivedAlert is what the peer told us.
func receivedAlert(err error) (alert.Description, bool) {
	e, ok := errors.AsType[*alert.Received](err)
	if !ok {
		return 0, false
	}
	return e.Description, true
}

// deadline is patience from now.
func deadline() time.Time { return time.Now().Add(patience) }
