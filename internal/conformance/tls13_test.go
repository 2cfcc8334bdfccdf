package conformance_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// only13 allows TLS 1.3 alone.
func only13(c *vitrine.Config) { rig.Only13(c) }

// go13 is crypto/tls's side of a test of TLS 1.3, as client and as server.
func go13(t *testing.T, kinds ...throwaway.Kind) *tls.Config {
	t.Helper()
	c := &tls.Config{MinVersion: tls.VersionTLS13, ServerName: rig.ServerName,
		RootCAs: rig.Authority().Pool(), ClientCAs: rig.Authority().Pool()}
	for _, kind := range kinds {
		c.Certificates = append(c.Certificates, rig.Certificate(t, kind))
	}
	return c
}

// converse sends data both ways at once.
func converse(t *testing.T, client, server net.Conn, size int) {
	t.Helper()
	data := bytes.Repeat([]byte("vitrine!"), size/8)
	run := func(c net.Conn) error {
		sent := make(chan error, 1)
		go func() {
			_, err := c.Write(data)
			sent <- err
		}()
		got := make([]byte, len(data))
		if _, err := io.ReadFull(c, got); err != nil {
			return err
		}
		if !bytes.Equal(got, data) {
			return fmt.Errorf("got other data")
		}
		return <-sent
	}
	done := make(chan error, 1)
	go func() { done <- run(server) }()
	if err, other := run(client), <-done; err != nil || other != nil {
		t.Errorf("client: %v; server: %v", err, other)
	}
}

// case13 is one handshake: what both sides' Configs say, in the names of either stack.
type case13 struct {
	what        string
	kind        throwaway.Kind
	ours        func(*vitrine.Config)
	theirs      func(*tls.Config)
	group       vitrine.CurveID
	retry       bool // crypto/tls sees a HelloRetryRequest
	certificate bool // a client's
}

var cases13 = []case13{
	{what: "ECDSA", kind: throwaway.ECDSA, group: vitrine.X25519MLKEM768},
	{what: "RSA", kind: throwaway.RSA, group: vitrine.X25519MLKEM768},
	{what: "Ed25519", kind: throwaway.Ed25519, group: vitrine.X25519MLKEM768},
	{what: "X25519", kind: throwaway.ECDSA, group: vitrine.X25519,
		theirs: func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.X25519} }},
	{
		what:   "P-256, by a retry",
		kind:   throwaway.ECDSA,
		group:  vitrine.CurveP256,
		retry:  true,
		theirs: func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.CurveP256} },
		ours: func(c *vitrine.Config) {
			c.CurvePreferences = []vitrine.CurveID{vitrine.X25519, vitrine.CurveP256}
		},
	},
	{what: "P-521, by a retry", kind: throwaway.ECDSA, group: vitrine.CurveP521, retry: true,
		theirs: func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.CurveP521} }},
	{what: "SecP256r1MLKEM768", kind: throwaway.ECDSA, group: vitrine.SecP256r1MLKEM768,
		retry:  true,
		theirs: func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.SecP256r1MLKEM768} }},
	{what: "SecP384r1MLKEM1024", kind: throwaway.ECDSA, group: vitrine.SecP384r1MLKEM1024,
		retry:  true,
		theirs: func(c *tls.Config) { c.CurvePreferences = []tls.CurveID{tls.SecP384r1MLKEM1024} }},
	{what: "ALPN", kind: throwaway.ECDSA, group: vitrine.X25519MLKEM768,
		theirs: func(c *tls.Config) { c.NextProtos = []string{"a", "b"} },
		ours:   func(c *vitrine.Config) { c.NextProtos = []string{"b"} }},
	{what: "a client certificate", kind: throwaway.ECDSA, group: vitrine.X25519MLKEM768,
		certificate: true,
		theirs:      func(c *tls.Config) { c.ClientAuth = tls.RequireAndVerifyClientCert },
		ours:        func(c *vitrine.Config) { c.ClientAuth = tls.RequireAndVerifyClientCert }},
	{what: "TLS 1.2 is offered besides", kind: throwaway.ECDSA, group: vitrine.X25519MLKEM768,
		ours:   func(c *vitrine.Config) { c.MinVersion = vitrine.VersionTLS12 },
		theirs: func(c *tls.Config) { c.MinVersion = tls.VersionTLS12 }},
}

// both makes the Configs of a case.
func (c *case13) both(t *testing.T,
	role func(...func(*vitrine.Config)) *vitrine.Config) (*vitrine.Config, *tls.Config) {
	ours, theirs := role(rig.Only13), go13(t, c.kind)
	if c.ours != nil {
		c.ours(ours)
	}
	if c.theirs != nil {
		c.theirs(theirs)
	}
	return ours, theirs
}

// A client of ours with crypto/tls's server, and the other way round: RFC 8446 §2, RFC 10024.
func TestTLS13ConnectsWithCryptoTLS(t *testing.T) {
	for _, c := range cases13 {
		t.Run("client/"+c.what, func(t *testing.T) {
			ours, theirs := c.both(t, rig.ClientConfig)
			ours.Certificates = []tls.Certificate{rig.IssueForClient(t, rig.Authority(),
				throwaway.ECDSA)}
			a, b := rig.Wires(t)
			client, server := vitrine.Client(a, ours), tls.Server(b, theirs)
			if err, other := rig.Shake(client, server); err != nil || other != nil {
				t.Fatalf("client: %v; server: %v", err, other)
			}
			converse(t, client, server, 1<<20)
			c.check(t, client.ConnectionState(), server.ConnectionState())
		})
		t.Run("server/"+c.what, func(t *testing.T) {
			ours, theirs := c.both(
				t,
				func(edits ...func(*vitrine.Config)) *vitrine.Config {
					return rig.ServerConfig(t, edits...)
				},
			)
			// a client sends the share of its only group at once: so the server has one only
			if c.retry {
				theirs.CurvePreferences, ours.CurvePreferences = nil, []vitrine.CurveID{c.group}
			}
			ours.Certificates, ours.ClientCAs = []tls.Certificate{rig.Certificate(t, c.kind)},
				rig.Authority().Pool()
			if c.certificate {
				theirs.Certificates = []tls.Certificate{rig.IssueForClient(t, rig.Authority(),
					throwaway.RSA)}
			}
			a, b := rig.Wires(t)
			client, server := tls.Client(a, theirs), vitrine.Server(b, ours)
			if err, other := rig.Shake(client, server); err != nil || other != nil {
				t.Fatalf("client: %v; server: %v", err, other)
			}
			converse(t, client, server, 1<<20)
			c.check(t, server.ConnectionState(), client.ConnectionState())
		})
	}
}

// check compares what both sides say of their connection.
func (c *case13) check(t *testing.T, ours vitrine.ConnectionState, theirs tls.ConnectionState) {
	t.Helper()
	if ours.Version != vitrine.VersionTLS13 || theirs.Version != tls.VersionTLS13 ||
		ours.CipherSuite != theirs.CipherSuite ||
		ours.NegotiatedProtocol != theirs.NegotiatedProtocol || ours.CurveID != theirs.CurveID ||
		ours.CurveID != c.group {
		t.Errorf("we say %x, %v, %q, %v; crypto/tls says %x, %v, %q, %v", ours.Version,
			ours.CipherSuite, ours.NegotiatedProtocol,
			ours.CurveID, theirs.Version, theirs.CipherSuite, theirs.NegotiatedProtocol,
			theirs.CurveID)
	}
	if ours.HelloRetryRequest != theirs.HelloRetryRequest || c.retry && !ours.HelloRetryRequest {
		t.Errorf("a retry: we say %v, crypto/tls says %v", ours.HelloRetryRequest,
			theirs.HelloRetryRequest)
	}
	mine, err := ours.ExportKeyingMaterial("EXPORTER-vitrine", []byte("context"), 40)
	if err != nil {
		t.Fatal(err)
	}
	if other, err := theirs.ExportKeyingMaterial("EXPORTER-vitrine", []byte("context"),
		40); err != nil || !bytes.Equal(mine, other) {
		t.Errorf("exported %x and %x, %v", mine, other, err)
	}
	if c.certificate && len(ours.PeerCertificates)*len(theirs.PeerCertificates) == 0 {
		t.Error("a certificate is missing")
	}
}

// remembering are both stacks' caches of sessions.
type remembering struct {
	ours   vitrine.ClientSessionCache
	theirs tls.ClientSessionCache
}

// Tickets: the second connection goes on from the first, without a certificate and with a key
// exchange of its own. See RFC 8446 §2.2.
func TestTLS13ResumesByTicket(t *testing.T) {
	for _, retry := range []bool{false, true} {
		for _, roles := range []string{"our client", "our server", "both ours"} {
			t.Run(fmt.Sprintf("%s, retry %v", roles, retry), func(t *testing.T) {
				r := remembering{vitrine.NewLRUClientSessionCache(0),
					tls.NewLRUClientSessionCache(0)}
				client, server := rig.ClientConfig(rig.Only13), rig.ServerConfig(t, rig.Only13)
				theirs := go13(t, throwaway.ECDSA)
				client.ClientSessionCache, theirs.ClientSessionCache = r.ours, r.theirs
				if retry {
					client.CurvePreferences = []vitrine.CurveID{vitrine.X25519, vitrine.CurveP256}
					server.CurvePreferences = []vitrine.CurveID{vitrine.CurveP256}
					if roles == "our client" { // Go's client sends its only group's share at once
						theirs.CurvePreferences = []tls.CurveID{tls.CurveP256}
					}
				}
				for i := range 4 {
					if resumed := r.connect(t, roles, client, server, theirs); resumed != (i > 0) {
						t.Errorf("connection %d: resumed %v", i+1, resumed)
					}
				}
			})
		}
	}
}

// connect makes one connection, and waits for its ticket by sending data both ways.
func (r *remembering) connect(t *testing.T, roles string, client, server *vitrine.Config,
	theirs *tls.Config) (resumed bool) {
	t.Helper()
	a, b := rig.Wires(t)
	var c, s rig.Shaker
	switch roles {
	case "our client":
		c, s = vitrine.Client(a, client), tls.Server(b, theirs)
	case "our server":
		c, s = tls.Client(a, theirs), vitrine.Server(b, server)
	default:
		c, s = vitrine.Client(a, client), vitrine.Server(b, server)
	}
	if err, other := rig.Shake(c, s); err != nil || other != nil {
		t.Fatalf("client: %v; server: %v", err, other)
	}
	converse(t, c, s, 1<<10)
	says := func(c rig.Shaker) bool {
		switch c := c.(type) {
		case *vitrine.Conn:
			state := c.ConnectionState()
			if state.Version != vitrine.VersionTLS13 ||
				c.LocalAddr() == a.LocalAddr() && len(state.PeerCertificates) == 0 {
				t.Errorf("%+v", state)
			}
			return state.DidResume
		case *tls.Conn:
			return c.ConnectionState().DidResume
		}
		return false
	}
	if says(c) != says(s) {
		t.Errorf("the client says resumed: %v, the server: %v", says(c), says(s))
	}
	return says(c)
}

// Reserved values disturb neither crypto/tls nor our own other side, with and without a retry, in
// the first connection and in those that go on from its ticket: RFC 8701.
func TestGREASEIsIgnored(t *testing.T) {
	for _, groups := range [][]vitrine.CurveID{nil, {vitrine.CurveP256}} {
		for _, roles := range []string{"our client", "our server", "both ours"} {
			r := remembering{vitrine.NewLRUClientSessionCache(0), tls.NewLRUClientSessionCache(0)}
			edit := func(c *vitrine.Config) { only13(c); c.GREASE = true }
			client, server := rig.ClientConfig(edit), rig.ServerConfig(t, edit)
			theirs := go13(t, throwaway.ECDSA)
			server.ClientAuth, server.CurvePreferences = tls.RequestClientCert, groups
			client.ClientSessionCache, theirs.ClientSessionCache = r.ours, r.theirs
			if roles == "our client" {
				theirs.CurvePreferences = groups
			}
			for i := range 3 {
				if resumed := r.connect(t, roles, client, server, theirs); resumed != (i > 0) {
					t.Errorf("%s: connection %d: resumed %v", roles, i+1, resumed)
				}
			}
		}
	}
}
