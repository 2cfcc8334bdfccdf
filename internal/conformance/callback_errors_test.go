package conformance_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/internal/rig"
)

// A callback may use another connection and return an error of that one. Such an error looks like
// one of this connection, and the peer must get an alert all the same.
func TestEveryRefusalOfACallbackSendsAnAlert(t *testing.T) {
	rig.EachVersion(t, testEveryRefusalOfACallbackIsToldToThePeer)
}

func testEveryRefusalOfACallbackIsToldToThePeer(t *testing.T, version func(*vitrine.Config)) {
	of := func(err error) error { return fmt.Errorf("asking elsewhere: %w", err) }
	causes := map[string]error{
		"a bare io.EOF":       io.EOF,
		"io.EOF":              of(io.EOF),
		"io.ErrUnexpectedEOF": of(io.ErrUnexpectedEOF),
		"an alert": of(&alert.Received{Level: alert.Fatal,
			Description: alert.UnknownCA}),
		"a bare alert":           &alert.Received{Level: alert.Fatal, Description: alert.UnknownCA},
		"close_notify":           of(&alert.Error{Reason: "the zero value"}),
		"a closed connection":    of(net.ErrClosed),
		"a time-out":             of(&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}),
		"context.DeadlineExceed": of(context.DeadlineExceeded),
		"a truncated stream":     of(&vitrine.TruncatedError{}),
	}
	callbacks := []struct {
		name   string
		client bool // whose callback it is
		set    func(*vitrine.Config, error)
		want   alert.Description
	}{
		{"GetConfigForClient", false, func(c *vitrine.Config, err error) {
			c.GetConfigForClient = func(*vitrine.ClientHelloInfo) (*vitrine.Config,
				error) {
				return nil, err
			}
		}, alert.InternalError},
		{"GetCertificate", false, func(c *vitrine.Config, err error) {
			c.GetCertificate = func(*vitrine.ClientHelloInfo) (*tls.Certificate,
				error) {
				return nil, err
			}
		}, alert.InternalError},
		{"a server's VerifyConnection", false, verifyConnectionFails, alert.BadCertificate},
		{"a client's VerifyConnection", true, verifyConnectionFails, alert.BadCertificate},
		{"VerifyPeerCertificate", true, func(c *vitrine.Config, err error) {
			c.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { return err }
		}, alert.BadCertificate},
		{"GetClientCertificate", true, func(c *vitrine.Config, err error) {
			c.GetClientCertificate = func(*vitrine.CertificateRequestInfo) (*tls.Certificate,
				error) {
				return nil, err
			}
		}, alert.InternalError},
	}
	for _, cb := range callbacks {
		for what, cause := range causes {
			t.Run(cb.name+", "+what, func(t *testing.T) {
				client := rig.ClientConfig(version)
				server := rig.ServerConfig(
					t,
					version,
					func(c *vitrine.Config) { c.ClientAuth = tls.RequestClientCert },
				)
				refuses := server
				if cb.client {
					refuses = client
				}
				cb.set(refuses, cause)
				a, b := rig.Wires(t)
				c, s := vitrine.Client(a, client), vitrine.Server(b, server)
				done := make(chan error, 1)
				go func() { done <- errors.Join(s.Handshake(), readAndClose(s)) }()
				ours, theirs := errors.Join(c.Handshake(), readAndClose(c)), <-done
				if cb.client {
					ours, theirs = theirs, ours
				}
				if !errors.Is(theirs, cause) {
					t.Errorf("the callback's side has %v, expected %v in it", theirs, cause)
				}
				if got, ok := rig.ReceivedAlert(ours); !ok || got != cb.want {
					t.Errorf("the peer has %v, expected the alert %v", ours, cb.want)
				}
			})
		}
	}
}

func verifyConnectionFails(c *vitrine.Config, err error) {
	c.VerifyConnection = func(vitrine.ConnectionState) error { return err }
}

// readAndClose reads what comes after the handshake of a peer that may refuse it later.
func readAndClose(c *vitrine.Conn) error {
	defer c.Close()
	_, err := c.Read(make([]byte, 1))
	return err
}

// A program that recovers from its own callback's panic does not get a second handshake on the same
// bytes.
func TestAPanicOfACallbackEndsTheHandshakeForGood(t *testing.T) {
	rig.EachVersion(t, testAPanicOfACallbackEndsTheHandshakeForGood)
}

func testAPanicOfACallbackEndsTheHandshakeForGood(t *testing.T, version func(*vitrine.Config)) {
	a, b := rig.Wires(t)
	config := rig.ServerConfig(t, version, func(c *vitrine.Config) {
		c.VerifyConnection = func(vitrine.ConnectionState) error { panic("a bug of the program") }
	})
	server := vitrine.Server(b, config)
	go vitrine.Client(a, rig.ClientConfig(version)).Handshake()
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		server.Handshake()
	}()
	for range 2 {
		if n, err := server.Read(make([]byte, 1)); n != 0 || err == nil ||
			!strings.Contains(err.Error(), "panicked") {
			t.Errorf("Read returns %d and %v, expected the error that a callback panicked", n, err)
		}
	}
}
