package handshake

import (
	"context"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
)

// oneSCT is a list of SCTs with one of a byte.
var oneSCT = []byte{0, 3, 0, 1, 1}

// leafWith replaces the extensions of the sender's own certificate with one.
func leafWith(x iana.ExtensionType, data []byte) func(*testing.T) edit {
	return func(*testing.T) edit {
		return on(func(m *message.Certificate) {
			m.Extensions = []message.Extensions{{{Type: x, Data: data}}}
		})
	}
}

// A server sends SCTs and an OCSP response to a client that asks for them: RFC 8446 §4.2.
func TestAServerStaplesWhatItWasAskedFor(t *testing.T) {
	for _, want := range []negotiation.Demand{negotiation.Preferred, negotiation.Off} {
		client, server := config13("client"), config13("server")
		cred := *credential(t, throwaway.ECDSA, name)
		cred.SCTs, cred.Staple = [][]byte{{1}}, []byte{0}
		server.Credentials = []*pki.Credential{&cred}
		client.Timestamps, client.StatusRequest = want, want
		seen := false
		tampered(t, client, server, iana.Server, on(func(m *message.Certificate) {
			seen = true
			for _, x := range []iana.ExtensionType{iana.ExtSCT, iana.ExtStatusRequest} {
				if got := m.Extensions[0].Has(x); got != (want != negotiation.Off) {
					t.Errorf("asked: %v; sent %v: %v", want, x, got)
				}
			}
		}))
		if !seen {
			t.Error("no Certificate")
		}
	}
}

// What a server may add to its messages and a client does not use is ignored.
func TestAClientIgnoresWhatServersMayAdd(t *testing.T) {
	for _, c := range []struct {
		what   string
		change edit
	}{
		{"RFC 9846 §4.3: server_name in a CertificateRequest",
			on(func(m *message.CertificateRequest) {
				m.Extensions = append(m.Extensions, message.Extension{Type: iana.ExtServerName,
					Data: []byte("\x00\x06\x00\x00\x03abc")})
			})},
		{"RFC 8446 §4.2: an unknown extension in a CertificateRequest",
			on(func(m *message.CertificateRequest) {
				m.Extensions = append(m.Extensions, message.Extension{Type: 0xABCD})
			})},
	} {
		client, server := config13("client"), config13("server")
		server.Credentials = []*pki.Credential{credential(t, throwaway.ECDSA, name)}
		server.ClientAuth.Request = true
		errs, touched := tampered(t, client, server, iana.Server, c.change)
		// the transcripts differ, which the server's Finished shows
		if err := errs[iana.Client]; !touched || alert.Of(err) != alert.DecryptError {
			t.Errorf("%s: %v (changed: %v)", c.what, err, touched)
		}
	}
}

// A server sends tickets to a client that offers a mode to use them in, and to no other: RFC 9846
// §4.7.1. One that keeps none ignores them.
func TestTicketsGoToThoseWhoCanUseThem(t *testing.T) {
	for _, c := range []struct {
		what  string
		modes []iana.PSKKeyExchangeMode // nil: no psk_key_exchange_modes
		want  bool
	}{
		{"no modes", nil, false},
		{"psk_dhe_ke", []iana.PSKKeyExchangeMode{iana.PSKDHEKE}, true},
		{"psk_ke, which the server does not use", []iana.PSKKeyExchangeMode{iana.PSKKE}, false},
	} {
		client, server := config13("client"), config13("server")
		server.Credentials = []*pki.Credential{credential(t, throwaway.ECDSA, name)}
		client.Tickets, client.Modes, server.Tickets = c.modes != nil, c.modes, true
		server.Seal = func(context.Context, *Session) ([]byte, error) { return []byte("t"), nil }
		m, errs := perform13(client, server, asItIs)
		if errs != [2]error{} {
			t.Fatalf("%s: %v", c.what, errs)
		}
		sent := 0
		for _, l := range m[iana.Server].carrier.(*desk).said {
			if l.kind == Kind(iana.NewSessionTicket) {
				sent++
				if err := m[iana.Client].TakeTicket(l.raw); err != nil {
					t.Errorf("%s: %v", c.what, err)
				}
			}
		}
		if (sent > 0) != c.want {
			t.Errorf("%s: %d tickets", c.what, sent)
		}
	}
}
