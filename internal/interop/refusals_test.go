package interop_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/interop"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/suite"
)

// ours and theirs return the alert that ends a connection, sent by us or by them.
func ours(d alert.Description) error { return &alert.Error{Alert: d} }

func theirs(
	d alert.Description,
) error {
	return &alert.Received{Level: alert.Fatal, Description: d}
}

// alertOf returns the alert that ended a connection, and who sent it.
func alertOf(err error) string {
	if got, ok := errors.AsType[*alert.Received](err); ok {
		return "their " + got.Description.String()
	}
	if sent, ok := errors.AsType[*alert.Error](err); ok {
		return "our " + sent.Alert.String()
	}
	return "no alert"
}

// If nothing can be negotiated, the connection ends with the alert that the RFC names, whichever
// side notices, and the other side can read it.
func TestRefusalsHaveTheAlertOfTheRFC(t *testing.T) {
	const client, server = iana.Client, iana.Server
	const oldSuite = iana.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA
	stranger, err := interop.NewOffice(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	us := func(f func(*vitrine.Config)) meeting { return meeting{us: f} }
	they := func(f func(*interop.Setup)) meeting { return meeting{they: f} }
	versions := func(from, to iana.Version) func(*interop.Setup) {
		return func(s *interop.Setup) { s.Versions = [2]iana.Version{from, to} }
	}
	in13 := func(m meeting) meeting {
		m.version = iana.TLS13
		return m
	}
	dheOnly := us(func(c *vitrine.Config) { c.CipherSuites = []uint16{uint16(dheRSA)} })
	noProtocol := meeting{
		us:   func(c *vitrine.Config) { c.NextProtos = []string{"ours"} },
		they: func(s *interop.Setup) { s.Protocols = []string{"theirs"} },
	}
	noEMS := meeting{
		us: func(c *vitrine.Config) { c.ExtendedMasterSecret = vitrine.Required },
		they: func(s *interop.Setup) {
			s.Without = []iana.ExtensionType{iana.ExtExtendedMasterSecret}
		},
	}
	noSuite := in13(meeting{
		us: func(c *vitrine.Config) {
			c.CipherSuites13 = []uint16{vitrine.TLS_AES_128_GCM_SHA256}
		},
		they: func(s *interop.Setup) { s.Suite = suite.ByID13(iana.TLS_AES_256_GCM_SHA384) },
	})
	noGroup := in13(meeting{
		us:   func(c *vitrine.Config) { c.CurvePreferences = []tls.CurveID{tls.CurveP256} },
		they: func(s *interop.Setup) { s.Groups = []iana.Group{iana.X25519} },
	})
	onlyWe13 := meeting{suite: anySuite,
		us: func(c *vitrine.Config) { c.MinVersion, c.MaxVersion = vitrine.VersionTLS13, 0 },
	}
	for _, c := range []struct {
		what, ref string
		them      iana.Side
		m         meeting
		want      error
	}{
		{"another CA", "RFC 5246 §7.2.2", client,
			they(func(s *interop.Setup) { s.Trust = stranger.Trust }), theirs(alert.UnknownCA)},
		{"another CA", "RFC 5246 §7.2.2", server,
			us(func(c *vitrine.Config) { c.RootCAs = stranger.CA.Pool() }), ours(alert.UnknownCA)},
		{"another CA of clients", "RFC 5246 §7.4.6", client, meeting{clientKey: throwaway.ECDSA,
			us: func(c *vitrine.Config) { c.ClientCAs = stranger.CA.Pool() }},
			ours(alert.UnknownCA)},
		{"another CA of clients", "RFC 5246 §7.4.6", server, meeting{clientKey: throwaway.ECDSA,
			they: func(s *interop.Setup) { s.Trust = stranger.Trust }}, theirs(alert.UnknownCA)},
		{"another name", "RFC 5246 §7.2.2", client,
			they(func(s *interop.Setup) { s.ServerName = "other.test" }),
			theirs(alert.BadCertificate)},
		{"another name", "RFC 5246 §7.2.2", server,
			us(func(c *vitrine.Config) { c.ServerName = "other.test" }),
			ours(alert.BadCertificate)},
		{"another CA, TLS 1.3", "RFC 8446 §4.4.2.4", client,
			in13(they(func(s *interop.Setup) { s.Trust = stranger.Trust })),
			theirs(alert.UnknownCA)},
		{"another CA, TLS 1.3", "RFC 8446 §4.4.2.4", server,
			in13(us(func(c *vitrine.Config) { c.RootCAs = stranger.CA.Pool() })),
			ours(alert.UnknownCA)},
		{"another CA of clients, TLS 1.3", "RFC 8446 §4.4.2.4", client,
			in13(meeting{clientKey: throwaway.ECDSA,
				us: func(c *vitrine.Config) { c.ClientCAs = stranger.CA.Pool() }}),
			ours(alert.UnknownCA)},
		{"another name, TLS 1.3", "RFC 8446 §6.2", client,
			in13(they(func(s *interop.Setup) { s.ServerName = "other.test" })),
			theirs(alert.BadCertificate)},
		{"another name, TLS 1.3", "RFC 8446 §6.2", server,
			in13(us(func(c *vitrine.Config) { c.ServerName = "other.test" })),
			ours(alert.BadCertificate)},
		{"no suite in common, TLS 1.3", "RFC 8446 §4.1.1", client, noSuite,
			ours(alert.HandshakeFailure)},
		{"no suite in common, TLS 1.3", "RFC 8446 §4.1.1", server, noSuite,
			theirs(alert.HandshakeFailure)},
		{"no group in common, TLS 1.3", "RFC 8446 §4.1.1", client, noGroup,
			ours(alert.HandshakeFailure)},
		{"no group in common, TLS 1.3", "RFC 8446 §4.1.1", server, noGroup,
			theirs(alert.HandshakeFailure)},
		{"TLS 1.2 only", "RFC 8446 §D.2", client, onlyWe13, ours(alert.ProtocolVersion)},
		{"TLS 1.2 only", "RFC 8446 §D.1", server, onlyWe13, theirs(alert.ProtocolVersion)},
		{"no client certificate, TLS 1.3", "RFC 8446 §4.4.2.4", client,
			in13(us(func(c *vitrine.Config) { c.ClientAuth = tls.RequireAnyClientCert })),
			ours(alert.CertificateRequired)},
		{"no protocol in common, TLS 1.3", "RFC 7301 §3.2", client, in13(noProtocol),
			ours(alert.NoApplicationProtocol)},
		{"no protocol in common, TLS 1.3", "RFC 7301 §3.2", server, in13(noProtocol),
			theirs(alert.NoApplicationProtocol)},
		{"no staple, TLS 1.3", "RFC 6066 §8", server,
			in13(us(func(c *vitrine.Config) { c.StatusRequest = vitrine.Required })),
			ours(alert.BadCertificateStatusResponse)},
		{"no suite in common", "RFC 5246 §7.4.1.3", client, dheOnly, ours(alert.HandshakeFailure)},
		{"no suite in common", "RFC 5246 §7.4.1.3", server, dheOnly,
			theirs(alert.HandshakeFailure)},
		{"TLS 1.0 and 1.1 only", "RFC 5246 §E.1", client,
			meeting{suite: oldSuite, they: versions(iana.TLS10, iana.TLS11)},
			ours(alert.ProtocolVersion)},
		{"TLS 1.0 and 1.1 only", "RFC 5246 §E.1", server,
			meeting{suite: oldSuite, they: versions(iana.TLS10, iana.TLS11)},
			ours(alert.ProtocolVersion)},
		{"TLS 1.3 only", "RFC 8446 §4.2.1", client, they(versions(iana.TLS13, iana.TLS13)),
			ours(alert.ProtocolVersion)},
		{"TLS 1.3 only", "RFC 8446 §4.2.1", server, they(versions(iana.TLS13, iana.TLS13)),
			theirs(alert.ProtocolVersion)},
		{"no client certificate", "RFC 5246 §7.4.6", client,
			us(func(c *vitrine.Config) { c.ClientAuth = tls.RequireAnyClientCert }),
			ours(alert.HandshakeFailure)},
		{"no client certificate", "RFC 5246 §7.4.6", server,
			they(func(s *interop.Setup) { s.ClientAuth = true }), theirs(alert.HandshakeFailure)},
		{"no protocol in common", "RFC 7301 §3.2", client, noProtocol,
			ours(alert.NoApplicationProtocol)},
		{"no protocol in common", "RFC 7301 §3.2", server, noProtocol,
			theirs(alert.NoApplicationProtocol)},
		{"no extended_master_secret", "RFC 7627 §5.3", client, noEMS, ours(alert.HandshakeFailure)},
		{"no extended_master_secret", "RFC 7627 §5.2", server, noEMS, ours(alert.HandshakeFailure)},
		{"no staple", "RFC 6066 §8", server,
			us(func(c *vitrine.Config) { c.StatusRequest = vitrine.Required }),
			ours(alert.BadCertificateStatusResponse)},
	} {
		t.Run(c.what+"/their "+c.them.String(), func(t *testing.T) {
			t.Parallel()
			c.m.with, c.m.them = interop.OpenSSL, c.them
			conn, peer := c.m.start(t)
			err := conn.Handshake()
			if got, want := alertOf(err), alertOf(c.want); got != want {
				t.Errorf("got %q (%v), expected %q (%s)", got, err, want, c.ref)
			}
			conn.Close()
			peer.CloseWrite()
			peer.Wait()
			if sent, ok := errors.AsType[*alert.Error](c.want); ok &&
				!strings.Contains(peer.Output(), fmt.Sprintf("alert number %d\n", sent.Alert)) {
				t.Errorf("they did not read our %v", sent.Alert)
			}
			count(t, c.m.with.Name)
		})
	}
}

// We answer a request to renegotiate with no_renegotiation, and would go on. OpenSSL ends the
// connection when it reads that, and GnuTLS asks again at once, until we end it. See RFC 5246
// §7.2.2 and RFC 5746 §4.
func TestRenegotiationIsRefused(t *testing.T) {
	for _, c := range []struct {
		with    *interop.Stack
		them    iana.Side
		options []string
		command string
		said    string // what they say about our answer
		want    error
	}{
		{interop.OpenSSL, iana.Client, nil, "R\n", "no renegotiation",
			theirs(alert.HandshakeFailure)},
		{interop.OpenSSL, iana.Server, nil, "r\n", "no renegotiation",
			theirs(alert.HandshakeFailure)},
		{interop.OpenSSL, iana.Server, nil, "R\n", "no renegotiation",
			theirs(alert.HandshakeFailure)},
		{interop.GnuTLS, iana.Client, []string{"--rehandshake"}, "", "No renegotiation is allowed",
			ours(alert.UnexpectedMessage)},
	} {
		t.Run(fmt.Sprintf("%s/their %v/%q", c.with.Name, c.them, c.command), func(t *testing.T) {
			t.Parallel()
			m := meeting{with: c.with, them: c.them,
				they: func(s *interop.Setup) { s.Talkative, s.Options = true, c.options }}
			conn, peer := m.handshake(t)
			go io.Copy(io.Discard, peer)
			peer.Write([]byte(c.command))
			_, err := conn.Read(make([]byte, 1))
			if got, want := alertOf(err), alertOf(c.want); got != want {
				t.Errorf("got %q (%v), expected %q", got, err, want)
			}
			conn.Close()
			peer.Wait()
			if !strings.Contains(peer.Output(), c.said) {
				t.Errorf("the peer did not say %q", c.said)
			}
			count(t, c.with.Name)
		})
	}
}

// The end of a stream without close_notify is not the end of data. See RFC 5246 §7.2.1
// and RFC 8446 §6.1.
func TestAKilledPeerIsNoEndOfFile(t *testing.T) {
	everyPeerAndVersion(t, func(t *testing.T, with *interop.Stack, them iana.Side,
		version iana.Version) {
		m := meeting{with: with, them: them, version: version}
		conn, peer := m.handshake(t)
		m.exchange(t, conn, peer) // so that nothing is under way that would make a reset of the end
		peer.Kill()
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("got %v, expected %v", err, io.ErrUnexpectedEOF)
		}
		count(t, with.Name)
	})
}
