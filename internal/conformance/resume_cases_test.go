package conformance_test

import (
	"crypto/tls"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/script"
	"github.com/vitrine-tls/vitrine/message"
)

func honestResumers() []resumer {
	return []resumer{
		{what: "a ticket", ref: "RFC 5077 §3.1", ends: accepted, resumed: true},
		{what: "a session ID", ref: "RFC 5246 §7.3", ends: accepted, resumed: true, byID: true},
		{what: "a ticket, without extended_master_secret", ref: "RFC 7627 §5.3", ends: accepted,
			resumed: true,
			client:  func(c *vitrine.Config) { c.ExtendedMasterSecret = vitrine.Off },
			edits:   helloWithout(iana.ExtExtendedMasterSecret)},
		{what: "a ticket, with encrypt_then_mac", ref: "RFC 7366 §3.1", ends: accepted,
			resumed: true,
			client:  cbcOnly,
			edits: script.Edits{Hello: func(m *message.ClientHello) {
				m.Extensions = append(m.Extensions, message.Extension{Type: iana.ExtEncryptThenMAC})
			}}},
	}
}

// forgers offer sessions that the server did not make. RFC 5077 §3.4: such a handshake is a full
// one.
func forgers() []resumer {
	full := func(what string, f func(*memory)) resumer {
		return resumer{what: what, ref: "RFC 5077 §3.1", ends: accepted, forge: f}
	}
	flip := func(at func(m *memory) int) func(*memory) {
		return func(m *memory) { m.Ticket[at(m)] ^= 1 }
	}
	cases := []resumer{
		full("another key_name", flip(func(*memory) int { return 3 })),
		full("another format", flip(func(*memory) int { return 16 })),
		full("another salt", flip(func(*memory) int { return 17 })),
		full("another byte in the middle", flip(func(m *memory) int { return len(m.Ticket) / 2 })),
		full("another tag", flip(func(m *memory) int { return len(m.Ticket) - 1 })),
		full("no ticket", func(m *memory) { m.Ticket = []byte{} }),
		full("a ticket and more", func(m *memory) { m.Ticket = append(m.Ticket, 0) }),
		full("a ticket of zeros", func(m *memory) { clear(m.Ticket) }),
		{what: "an unknown session ID", ref: "RFC 5246 §7.4.1.2", ends: accepted, byID: true,
			forge: func(m *memory) { m.ID[0] ^= 1 }},
		{what: "a short session ID", ref: "RFC 5246 §7.4.1.2", ends: accepted, byID: true,
			forge: func(m *memory) { m.ID = m.ID[:8] }},
	}
	for _, n := range []int{1, 15, 16, 17, 48, 49, 64} {
		cases = append(cases,
			full("a ticket cut to "+string(rune('0'+n/10))+string(rune('0'+n%10)),
				func(m *memory) { m.Ticket = m.Ticket[:n] }))
	}
	return cases
}

// changedServers are offered a session that they would not make any more, or one that does not fit
// the ClientHello.
func changedServers(t *testing.T) []resumer {
	full := func(what, ref string, later func(*vitrine.Config)) resumer {
		return resumer{what: what, ref: ref, ends: accepted, later: later}
	}
	after := func(d time.Duration) func(*vitrine.Config) {
		return func(c *vitrine.Config) { c.Time = func() time.Time { return time.Now().Add(d) } }
	}
	stillFresh := full("a session of 23 hours", "RFC 5246 §F.1.4", after(23*time.Hour))
	stillFresh.resumed = true
	byID := full("an ID of 25 hours", "RFC 5246 §F.1.4", after(25*time.Hour))
	byID.byID = true
	noEtM := resumer{what: "no encrypt_then_mac, which the session has", ref: "RFC 7366 §3.1",
		ends: accepted, client: cbcOnly}
	newEMS := resumer{what: "extended_master_secret, which the session has not",
		ref: "RFC 7627 §5.3", ends: accepted,
		client: func(c *vitrine.Config) { c.ExtendedMasterSecret = vitrine.Off }}
	otherName := resumer{what: "another server_name", ref: "RFC 6066 §3", ends: accepted,
		edits: script.Edits{Hello: func(m *message.ClientHello) {
			m.Extensions = without(m.Extensions, iana.ExtServerName)
			m.Extensions.Add(iana.ExtServerName,
				&message.ServerNames{Names: []message.ServerName{{Name: []byte("other.test")}}})
		}}}
	otherSuite := resumer{what: "a hello without its suite", ref: "RFC 5246 §7.4.1.2",
		ends: accepted, suites: []iana.CipherSuite{ecdsaCBC}}
	return []resumer{stillFresh, byID, noEtM, newEMS, otherName, otherSuite,
		full("a session of 24 hours", "RFC 5246 §F.1.4", after(24*time.Hour+time.Second)),
		full("a session from tomorrow", "RFC 5246 §F.1.4", after(-time.Hour)),
		full("other ticket keys", "RFC 5077 §5.5", func(c *vitrine.Config) {
			c.TicketKeys = nil
			c.SetSessionTicketKeys([][32]byte{{1}})
		}),
		resumer{what: "its protocol is gone", ref: "RFC 7301 §3.1", ends: accepted,
			server: protocols, client: protocols,
			later: func(c *vitrine.Config) { c.NextProtos = nil }},
		full("a certificate is asked for now", "RFC 5246 §7.4.6",
			func(c *vitrine.Config) { c.ClientAuth = tls.RequireAnyClientCert }),
		full("a certificate may be shown now", "RFC 5246 §7.4.6", func(c *vitrine.Config) {
			c.ClientAuth = tls.RequestClientCert
		}),
		resumer{what: "its suite is off now", ref: "RFC 5246 §7.4.1.3", ends: accepted,
			later: cbcOnly, suites: []iana.CipherSuite{rig.ECDSAGCM, ecdsaCBC}},
	}
}

// badResumingClients are refused.
func badResumingClients() []resumer {
	const um = alert.UnexpectedMessage
	return []resumer{
		{what: "no extended_master_secret, which the session has", ref: "RFC 7627 §5.3",
			want: alert.HandshakeFailure, says: "but not the extension",
			edits: helloWithout(iana.ExtExtendedMasterSecret)},
		{what: "a wrong Finished", ref: "RFC 5246 §7.4.9", want: alert.DecryptError,
			says:  "verify_data",
			edits: script.Edits{VerifyData: func(b []byte) []byte { b[5] ^= 1; return b }}},
		{what: "another master_secret", ref: "RFC 5246 §7.3", want: alert.BadRecordMAC,
			forge: func(m *memory) { m.Master[0] ^= 1 }},
		{what: "a ClientKeyExchange", ref: "RFC 5246 §7.3", want: um,
			says: "got the client's client_key_exchange, expected the client's change_cipher_spec",
			edits: script.Edits{Last: script.Before("change_cipher_spec",
				script.Message(iana.ClientKeyExchange, 0))}},
		{what: "no ChangeCipherSpec", ref: "RFC 5246 §7.1", want: um,
			edits: script.Edits{Last: script.Drop("change_cipher_spec")}},
		{what: "data before Finished", ref: "RFC 5246 §7.4", want: um, says: "application data",
			edits: script.Edits{Last: script.Before("finished",
				script.Record(iana.RecordApplicationData, 1))}},
	}
}
