package conformance_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/trace"
)

// keyUpdates counts the KeyUpdates of a trace, by sender.
type keyUpdates [2]atomic.Int64

func (k *keyUpdates) Put(e trace.Entry) {
	if m, ok := e.Event.(*trace.Message); ok && m.Type == iana.KeyUpdate {
		k[m.From].Add(1)
	}
}

// pairs13 are connections of TLS 1.3 after their handshake, by who is at their ends: our client or
// ours at both, then our server. The edits are of ours.
func pairs13(t *testing.T, run func(t *testing.T, ours *vitrine.Conn, peer net.Conn),
	edits ...func(*vitrine.Config)) {
	edits = append([]func(*vitrine.Config){rig.Only13}, edits...)
	shake := func(t *testing.T, client, server rig.Shaker) {
		t.Helper()
		if err, other := rig.Shake(client, server); err != nil || other != nil {
			t.Fatalf("client: %v; server: %v", err, other)
		}
	}
	t.Run("our client", func(t *testing.T) {
		a, b := rig.Wires(t)
		ours, peer := vitrine.Client(a, rig.ClientConfig(edits...)),
			tls.Server(b, go13(t, throwaway.ECDSA))
		shake(t, ours, peer)
		run(t, ours, peer)
	})
	t.Run("our server", func(t *testing.T) {
		a, b := rig.Wires(t)
		peer, ours := tls.Client(a, go13(t)), vitrine.Server(b, rig.ServerConfig(t, edits...))
		shake(t, peer, ours)
		run(t, ours, peer)
	})
	t.Run("both ours", func(t *testing.T) {
		a, b := rig.Wires(t)
		ours, peer := vitrine.Client(a, rig.ClientConfig(edits...)),
			vitrine.Server(b, rig.ServerConfig(t, rig.Only13))
		shake(t, ours, peer)
		run(t, ours, peer)
	})
}

// Keys change while both sides send: by the writer between its writes and by others at the same
// time, with and without a request. See RFC 8446 §4.6.3.
func TestKeysAreUpdatedUnderLoad(t *testing.T) {
	const rounds, others = 40, 3
	var updates keyUpdates
	pairs13(t, func(t *testing.T, ours *vitrine.Conn, peer net.Conn) {
		block := make([]byte, 24<<10)
		write := func(c net.Conn, between func(i int) error) error {
			for i := range rounds {
				if _, err := c.Write(block); err != nil {
					return err
				}
				if err := between(i); err != nil {
					return err
				}
			}
			return nil
		}
		read := func(c net.Conn) error {
			_, err := io.CopyN(io.Discard, c, int64(rounds*len(block)))
			return err
		}
		quiet := func(int) error { return nil }
		done := make(chan error)
		run := func(f func() error) { go func() { done <- f() }() }
		run(
			func() error {
				return write(ours, func(i int) error { return ours.KeyUpdate(i%2 == 0) })
			},
		)
		run(func() error {
			if both, ok := peer.(*vitrine.Conn); ok {
				return write(peer, func(i int) error { return both.KeyUpdate(i%3 == 0) })
			}
			return write(peer, quiet)
		})
		run(func() error { return read(ours) })
		run(func() error { return read(peer) })
		for range others {
			run(func() error { return ours.KeyUpdate(true) })
		}
		for range 4 + others {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		converse(t, ours, peer, 1<<10)
	}, func(c *vitrine.Config) { c.Trace = &updates })
	for side := range updates {
		// in the other role our peers answer some of what was requested
		if n := updates[side].Load(); n < rounds {
			t.Errorf("%d KeyUpdates of the %v", n, iana.Side(side))
		}
	}
}

// A request is answered before the peer's next data, and made once until then: RFC 9846 §4.7.3.
func TestKeyUpdateIsAnsweredBeforeData(t *testing.T) {
	var updates keyUpdates
	pairs13(t, func(t *testing.T, ours *vitrine.Conn, peer net.Conn) {
		me := iana.Client
		if t.Name() == "TestKeyUpdateIsAnsweredBeforeData/our_server" {
			me = iana.Server
		}
		for i := range 3 {
			before := [2]int64{updates[me].Load(), updates[me.Peer()].Load()}
			for range 2 {
				if err := ours.KeyUpdate(true); err != nil {
					t.Fatal(err)
				}
			}
			converse(t, ours, peer, 1<<10)
			converse(t, ours, peer, 1<<10)
			if sent, answered := updates[me].Load()-before[0],
				updates[me.Peer()].Load()-before[1]; sent != 2 || answered != 1 {
				t.Errorf("round %d: %d sent, %d answers, expected 2 and 1", i, sent, answered)
			}
		}
	}, func(c *vitrine.Config) { c.Trace = &updates })
}

// KeyUpdate returns an error where it is not defined, and the connection continues.
func TestKeyUpdateNeedsTLS13AndAnOpenConnection(t *testing.T) {
	client, server := rig.Pair(t, rig.ClientConfig(func(c *vitrine.Config) {
		c.MaxVersion = vitrine.VersionTLS12
	}), rig.ServerConfig(t))
	if err := client.KeyUpdate(true); !errors.Is(err, vitrine.ErrNotTLS13) {
		t.Errorf("TLS 1.2: %v", err)
	}
	converse(t, client, server, 1<<10)
	client, _ = rig.Pair(t, rig.ClientConfig(rig.Only13), rig.ServerConfig(t, rig.Only13))
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if err := client.KeyUpdate(false); err == nil {
		t.Error("after CloseWrite: no error")
	}
	client.Close()
	if err := client.KeyUpdate(false); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// A server of TLS 1.3 judges the client's certificate when the client's handshake is done: the
// first Read says so, or the handshake if the client waits. See RFC 8446 §4.4.2 and §6.2.
func TestALateRefusalOfAClientCertificateIsReported(t *testing.T) {
	stranger, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	good := []tls.Certificate{rig.IssueForClient(t, rig.Authority(), throwaway.ECDSA)}
	for _, c := range []struct {
		what string
		show []tls.Certificate
		want string // in the error; "" if all is well
	}{
		{"accepted", good, ""},
		{"of an unknown authority",
			[]tls.Certificate{rig.IssueForClient(t, stranger, throwaway.ECDSA)},
			"the server refused the client's certificate"},
		{"none", nil, "the server refused a client without a certificate"},
	} {
		for _, waits := range []bool{false, true} {
			for _, stack := range []string{"crypto/tls", "ours"} {
				what := fmt.Sprintf("%s, the client waits: %v, their server is %s", c.what, waits,
					stack)
				a, b := rig.Wires(t)
				client := vitrine.Client(a, rig.ClientConfig(only13, func(config *vitrine.Config) {
					config.AwaitServer = waits
					// shown whatever the server asks for
					type request = vitrine.CertificateRequestInfo
					config.GetClientCertificate = func(*request) (*tls.Certificate, error) {
						if c.show == nil {
							return nil, nil
						}
						return &c.show[0], nil
					}
				}))
				theirs := go13(t, throwaway.ECDSA)
				theirs.ClientAuth = tls.RequireAndVerifyClientCert
				var server rig.Shaker = tls.Server(b, theirs)
				if stack == "ours" {
					server = vitrine.Server(b, rig.ServerConfig(t, only13, func(c *vitrine.Config) {
						c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert,
							rig.Authority().Pool()
					}))
				}
				done := make(chan error, 1)
				go func() {
					err := server.Handshake()
					if err == nil {
						_, err = server.Write([]byte("x"))
					}
					done <- err
				}()
				err := client.Handshake()
				if early := waits && c.want != ""; (err != nil) != early {
					t.Errorf("%s: the handshake: %v", what, err)
				}
				if err == nil {
					_, err = client.Read(make([]byte, 1))
				}
				if serverErr := <-done; (serverErr == nil) != (c.want == "") {
					t.Errorf("%s: the server: %v", what, serverErr)
				}
				if c.want == "" && err != nil || c.want != "" && (err == nil ||
					!strings.Contains(err.Error(), c.want)) {
					t.Errorf("%s: got %v, expected %q", what, err, c.want)
				}
				if _, ok := errors.AsType[*vitrine.HandshakeError](err); ok != (waits &&
					c.want != "") {
					t.Errorf("%s: a HandshakeError: %v", what, ok)
				}
				client.Close()
			}
		}
	}
}

// A server without tickets that lets the client speak first makes a client that waits wait until
// its context ends.
func TestAClientThatWaitsEndsWithItsContext(t *testing.T) {
	a, b := rig.Wires(t)
	client := vitrine.Client(a, rig.ClientConfig(only13, func(c *vitrine.Config) {
		c.AwaitServer = true
	}))
	theirs := go13(t, throwaway.ECDSA)
	theirs.ClientAuth, theirs.SessionTicketsDisabled = tls.RequestClientCert, true
	server := tls.Server(b, theirs)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		server.Handshake()
		cancel()
	}()
	if err := client.HandshakeContext(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
