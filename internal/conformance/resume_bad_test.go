package conformance_test

import (
	"bytes"
	"crypto/tls"
	"slices"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/script"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/session"
)

const ecdsaCBC = iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256

// A badResumer is a server that resumes our client's session, and departs from the RFC in one
// point.
type badResumer struct {
	what   string
	ref    string
	want   alert.Description
	says   string
	ends   how
	edits  script.Edits
	before func(*vitrine.Config) // the client of the full handshake
	config func(*vitrine.Config) // the client that resumes
	server func(*vitrine.Config) // of the full handshake
	master func([]byte)          // what the server remembers of it
	kept   bool                  // the session is still there
	ticket []byte                // that it then has; nil: the old one
}

func TestClientRefusesBadResumption(t *testing.T) {
	const ip, hf, um = alert.IllegalParameter, alert.HandshakeFailure, alert.UnexpectedMessage
	set := func(f func(*message.ServerHello)) script.Edits { return script.Edits{Answer: f} }
	cutExt := func(x iana.ExtensionType) script.Edits {
		return set(func(m *message.ServerHello) { m.Extensions = without(m.Extensions, x) })
	}
	addExt := func(x iana.ExtensionType) script.Edits {
		return set(
			func(m *message.ServerHello) {
				m.Extensions = append(m.Extensions, message.Extension{Type: x})
			},
		)
	}
	withTicket := func(f func(*script.Peer, []script.Item) []script.Item) script.Edits {
		e := addExt(iana.ExtSessionTicket)
		e.First = f
		return e
	}
	ticket := func(b ...byte) script.Item {
		return script.Message(iana.NewSessionTicket,
			append([]byte{0, 0, 0, 0, 0, byte(len(b))}, b...)...)
	}
	suites := func(ids ...iana.CipherSuite) func(*vitrine.Config) {
		return func(c *vitrine.Config) {
			c.CipherSuites = nil
			for _, id := range ids {
				c.CipherSuites = append(c.CipherSuites, uint16(id))
			}
		}
	}
	noEMS := func(c *vitrine.Config) { c.ExtendedMasterSecret = vitrine.Off }
	noEtM := func(c *vitrine.Config) { suites(ecdsaCBC)(c); c.EncryptThenMAC = vitrine.Off }
	cases := []badResumer{
		{what: "nothing is wrong", ref: "RFC 5246 §7.3", ends: accepted, kept: true},
		{what: "nothing is wrong, without extended_master_secret", ref: "RFC 7627 §5.3",
			ends: accepted, before: noEMS, edits: cutExt(iana.ExtExtendedMasterSecret), kept: true},
		{what: "timestamps, though it shows no certificate", ref: "RFC 6962 §3.3.1", ends: accepted,
			kept: true,
			edits: set(func(m *message.ServerHello) {
				m.Extensions = append(m.Extensions, message.Extension{Type: iana.ExtSCT,
					Data: []byte{0, 4, 0, 2, 1, 2}})
			})},
		{what: "a new ticket", ref: "RFC 5077 §3.3", ends: accepted,
			edits: withTicket(script.Before("change_cipher_spec", ticket(1, 2, 3))), kept: true,
			ticket: []byte{1, 2, 3}},
		{what: "an empty ticket", ref: "RFC 5077 §3.3", ends: accepted,
			edits: withTicket(script.Before("change_cipher_spec", ticket())), kept: true},
		{
			what:   "another suite",
			ref:    "RFC 5246 §7.4.1.3",
			want:   ip,
			says:   "resumes a session of TLS 1.2 and TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
			config: suites(rig.ECDSAGCM, iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
			edits: set(
				func(m *message.ServerHello) {
					m.CipherSuite = iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
				},
			),
		},
		{what: "a suite that was not offered", ref: "RFC 5246 §7.4.1.3", want: ip,
			says:  "did not offer",
			edits: set(func(m *message.ServerHello) { m.CipherSuite = rig.RSAGCM })},
		{what: "another version", ref: "RFC 5246 §7.4.1.3", want: ip, says: "with TLS 1.1",
			before: suites(iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA),
			server: suites(iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA),
			config: func(c *vitrine.Config) {
				suites(iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA)(c)
				c.MinVersion = tls.VersionTLS10
			}, edits: set(func(m *message.ServerHello) { m.Version = iana.TLS11 })},
		{what: "a version that was not offered", ref: "RFC 5246 §7.4.1.3",
			want:  alert.ProtocolVersion,
			edits: set(func(m *message.ServerHello) { m.Version = iana.TLS11 })},
		{what: "compression", ref: "RFC 5246 §7.4.1.3", want: ip,
			edits: set(func(m *message.ServerHello) { m.CompressionMethod = 1 })},
		{what: "no extended_master_secret, which the session has", ref: "RFC 7627 §5.3", want: hf,
			says:  "another choice of extended_master_secret",
			edits: cutExt(iana.ExtExtendedMasterSecret)},
		{what: "extended_master_secret, which the session has not", ref: "RFC 7627 §5.3", want: hf,
			says: "another choice of extended_master_secret", before: noEMS},
		{what: "no encrypt_then_mac, which the session has", ref: "RFC 7366 §3.1", want: hf,
			says: "another choice of encrypt_then_mac", before: suites(ecdsaCBC),
			server: suites(ecdsaCBC), config: suites(ecdsaCBC)},
		{what: "encrypt_then_mac, which the session has not", ref: "RFC 7366 §3.1", want: hf,
			says: "another choice of encrypt_then_mac", before: noEtM, server: suites(ecdsaCBC),
			config: suites(ecdsaCBC), edits: addExt(iana.ExtEncryptThenMAC)},
		{what: "a ticket promised and not sent", ref: "RFC 5077 §3.3", want: um,
			says:  "expected the server's new_session_ticket (RFC 5077 §3.3)",
			edits: addExt(iana.ExtSessionTicket)},
		{what: "a ticket that was not promised", ref: "RFC 5077 §3.3", want: um,
			says:  "got the server's new_session_ticket",
			edits: script.Edits{First: script.Before("change_cipher_spec", ticket(1))}},
		{what: "a ticket promised to who wants none", ref: "RFC 5246 §7.4.1.4",
			want: alert.UnsupportedExtension, edits: addExt(iana.ExtSessionTicket),
			config: func(c *vitrine.Config) { c.SessionTicketsDisabled = true }},
		{what: "a ticket twice", ref: "RFC 5077 §3.3", want: um,
			edits: withTicket(script.Before("change_cipher_spec", ticket(1), ticket(2)))},
		{what: "a ticket cut short", ref: "RFC 5077 §3.3", want: alert.DecodeError,
			edits: withTicket(script.Before("change_cipher_spec",
				script.Message(iana.NewSessionTicket, 0, 0, 0, 0, 0, 9, 1)))},
		{what: "a Certificate", ref: "RFC 5246 §7.3", want: um,
			says: "got the server's certificate, expected the server's change_cipher_spec",
			edits: script.Edits{First: script.Before("change_cipher_spec",
				script.Message(iana.Certificate, 0, 0, 0))}},
		{what: "no ChangeCipherSpec", ref: "RFC 5246 §7.1", want: um,
			edits: script.Edits{First: script.Drop("change_cipher_spec")}},
		{what: "another session ID, and then no full handshake", ref: "RFC 5246 §7.4.1.3", want: um,
			says:  "got the server's change_cipher_spec, expected the server's certificate",
			edits: set(func(m *message.ServerHello) { m.SessionID = bytes.Repeat([]byte{9}, 32) })},
		{what: "an empty session ID, and then no full handshake", ref: "RFC 5077 §3.4", want: um,
			says:  "got the server's change_cipher_spec, expected the server's certificate",
			edits: set(func(m *message.ServerHello) { m.SessionID = nil })},
		{what: "half the session ID, and then no full handshake", ref: "RFC 5246 §7.4.1.3",
			want: um, says: "got the server's change_cipher_spec, expected the server's " +
				"certificate",
			edits: set(func(m *message.ServerHello) { m.SessionID = m.SessionID[:16] })},
		{what: "a wrong Finished", ref: "RFC 5246 §7.4.9", want: alert.DecryptError,
			edits: script.Edits{VerifyData: func(b []byte) []byte { b[0] ^= 1; return b }}},
		{what: "another master_secret", ref: "RFC 5246 §7.3", want: alert.BadRecordMAC,
			master: func(b []byte) { b[47] ^= 1 }},
		{what: "data before Finished", ref: "RFC 5246 §7.4", want: um, says: "application data",
			edits: script.Edits{First: script.Before("finished", script.ForgedData)}},
	}
	for _, c := range cases {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			c.run(t)
		})
	}
	t.Logf("%d servers that resume", len(cases))
}

func (c *badResumer) run(t *testing.T) {
	full, again, server := rig.ClientConfig(rig.Until12), rig.ClientConfig(rig.Until12),
		rig.ServerConfig(t, rig.Until12, func(c *vitrine.Config) {
			c.Certificates = []tls.Certificate{rig.Certificate(t, throwaway.ECDSA)}
			c.CipherSuites = []uint16{uint16(rig.ECDSAGCM)}
		})
	for config, edit := range map[*vitrine.Config]func(*vitrine.Config){full: c.before,
		again: c.config, server: c.server} {
		if edit != nil {
			edit(config)
		}
	}
	m := remember(t, full, server)
	again.Time = func() time.Time { return time.Now().Add(time.Hour) }
	if c.master != nil {
		c.master(m.Master)
	}
	again.ClientSessionCache = m.cache
	ours, wire := rig.Wires(t)
	peer := rig.Script(t, iana.Server, wire, rig.Certificate(t, throwaway.ECDSA), c.edits)
	done := peer.Play(func() error { return peer.ServeResumed(&m.Session) })
	conn := vitrine.Client(ours, again)
	judge(t, conn, c.ends, c.want, c.says, "forged")
	if c.ends == accepted && !conn.ConnectionState().DidResume {
		t.Error("it was no resumption")
	}
	if got := conn.ConnectionState().SignedCertificateTimestamps; got != nil {
		t.Errorf("got timestamps %x, but the full handshake had none", got)
	}
	conn.Close()
	if scriptErr := <-done; c.ends == refused {
		received(t, peer, c.want, scriptErr)
	}
	// RFC 5246 §7.2.2: a session whose connection ended with a fatal alert must not be resumed.
	s, ok := m.cache.Get(rig.ServerName)
	if (ok && s != nil) != c.kept {
		t.Errorf("the session is kept: got %v, expected %v", ok, c.kept)
	}
	if c.kept {
		m.compare(t, s, c.ticket)
	}
}

// compare expects a cache to hold the session as it was, its age included, with this ticket; nil is
// the old one.
func (m *memory) compare(t *testing.T, s *vitrine.ClientSessionState, ticket []byte) {
	t.Helper()
	if ticket == nil {
		ticket = m.Ticket
	}
	got, state, err := s.ResumptionState()
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := state.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, ticket) {
		t.Errorf("got the ticket %x, expected %x", got, ticket)
	}
	if !bytes.Equal(sessionIn(encoded), sessionIn(m.encoded)) {
		t.Errorf("got the session %x, expected %x", encoded, m.encoded)
	}
}

// A resumer is a client that offers a session to our server.
type resumer struct {
	what    string
	ref     string
	resumed bool // if not refused
	want    alert.Description
	says    string
	ends    how
	edits   script.Edits
	byID    bool
	suites  []iana.CipherSuite    // that it offers; nil: that of the session
	client  func(*vitrine.Config) // of the full handshake
	server  func(*vitrine.Config) // of both
	later   func(*vitrine.Config) // the server's configuration changed meanwhile
	forge   func(*memory)
}

func TestServerJudgesOfferedSessions(t *testing.T) {
	var cases []resumer
	for _, c := range slices.Concat(honestResumers(), forgers(), changedServers(t),
		badResumingClients()) {
		cases = append(cases, c)
		if !c.byID {
			cases = append(cases, c.calledWith("no session_id", nil),
				c.calledWith("a session_id of one byte", []byte{1}),
				c.calledWith("a session_id of 31 zeros", make([]byte, 31)))
		}
	}
	for _, c := range cases {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			c.run(t)
		})
	}
	t.Logf("%d clients that offer a session", len(cases))
}

// calledWith is the case with another session ID beside the ticket: RFC 5077 §3.4 lets a client
// send any, or none, and what the server decides does not depend on it.
func (c resumer) calledWith(what string, id []byte) resumer {
	edit := c.edits.Hello
	c.what += ", with " + what
	c.edits.Hello = func(m *message.ClientHello) {
		m.SessionID = id
		if edit != nil {
			edit(m)
		}
	}
	return c
}

func (c *resumer) run(t *testing.T) {
	server := rig.ServerConfig(t, rig.Until12, func(c *vitrine.Config) {
		c.CipherSuites = []uint16{uint16(rig.ECDSAGCM), uint16(ecdsaCBC)}
	})
	client := rig.ClientConfig(rig.Until12)
	if c.byID {
		server.SessionTicketsDisabled, server.SessionStore = true, session.NewMemory(10)
	}
	for config, edit := range map[*vitrine.Config]func(*vitrine.Config){client: c.client,
		server: c.server} {
		if edit != nil {
			edit(config)
		}
	}
	m := remember(t, client, server)
	if c.forge != nil {
		c.forge(m)
	}
	if c.later != nil {
		server = server.Clone()
		c.later(server)
	}
	offered := c.suites
	if offered == nil {
		offered = []iana.CipherSuite{m.Suite}
	}
	wire, ours := rig.Wires(t)
	peer := rig.Script(t, iana.Client, wire, rig.Certificate(t, throwaway.ECDSA), c.edits)
	done := peer.Play(func() error { return peer.Resume(&m.Session, offered...) })
	conn := vitrine.Server(ours, server)
	judge(t, conn, c.ends, c.want, c.says, "genuine")
	if got := conn.ConnectionState().DidResume; c.ends == accepted && got != c.resumed {
		t.Errorf("resumed: got %v, expected %v", got, c.resumed)
	}
	conn.Close()
	scriptErr := <-done
	deaf := c.want == alert.BadRecordMAC // it has other keys: it cannot read our alert either
	if c.ends == refused && !deaf {
		received(t, peer, c.want, scriptErr)
	}
}

func cbcOnly(c *vitrine.Config) { c.CipherSuites = []uint16{uint16(ecdsaCBC)} }

func helloWithout(x iana.ExtensionType) script.Edits {
	return script.Edits{
		Hello: func(m *message.ClientHello) { m.Extensions = without(m.Extensions, x) },
	}
}

// A hello for another version cannot resume: RFC 5246 §7.4.1.3.
func TestServerResumesNoOtherVersion(t *testing.T) {
	const suite = iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA
	server := rig.ServerConfig(
		t,
		rig.Until12,
		func(c *vitrine.Config) {
			c.CipherSuites, c.MinVersion = []uint16{uint16(suite)}, tls.VersionTLS10
		},
	)
	for _, v := range []iana.Version{iana.TLS12, iana.TLS11} {
		m := remember(
			t,
			rig.ClientConfig(
				rig.Until12,
				func(c *vitrine.Config) { c.CipherSuites = server.CipherSuites },
			),
			server,
		)
		wire, ours := rig.Wires(t)
		peer := rig.Script(t, iana.Client, wire, tls.Certificate{},
			script.Edits{Hello: func(m *message.ClientHello) {
				m.Version = v
				m.Extensions = append(m.Extensions, message.Extension{Type: iana.ExtEncryptThenMAC})
			}})
		go vitrine.Server(ours, server).Handshake()
		if err := peer.OfferSession(&m.Session, suite); err != nil {
			t.Fatal(err)
		}
		said, _, err := peer.Receive()
		if answer, ok := said.(*message.ServerHello); !ok || answer.Version != v ||
			bytes.Equal(answer.SessionID, peer.Hello.SessionID) != (v == iana.TLS12) {
			t.Errorf("%v: got %+v (%v)", v, said, err)
		}
		wire.Close()
	}
}

func protocols(c *vitrine.Config) { c.NextProtos = []string{"h2"} }
