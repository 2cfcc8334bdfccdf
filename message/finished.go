package message

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/wire"
)

// Finished proves that its sender saw the same messages and holds the same secret. It is the first
// protected message up to TLS 1.2, and each side's last in a handshake of TLS 1.3. See RFC 5246
// §7.4.9 and RFC 8446 §4.4.4.
type Finished struct {
	// VerifyData has 12 bytes in TLS 1.0 to 1.2, the length of the suite's hash in TLS 1.3, and 36
	// bytes in SSL 3.0: an MD5 and a SHA-1 hash, RFC 6101 §5.6.9.
	VerifyData []byte

	dialect Dialect
}

// Type is finished.
func (*Finished) Type() iana.HandshakeType { return iana.Finished }

func (m *Finished) layout(c *wire.Codec) {
	n := 12
	switch m.dialect.Version {
	case iana.TLS13:
		wire.Rest(c, "verify_data", &m.VerifyData) // its length is checked with its value
		return
	case iana.SSL30:
		n = 36
	}
	if c.Reading() {
		m.VerifyData = make([]byte, n)
	} else if len(m.VerifyData) != n {
		c.Failf("got %d bytes of verify_data to write, expected %d", len(m.VerifyData), n)
	}
	wire.Fixed(c, "verify_data", m.VerifyData)
}

// ServerHelloDone says that the server waits for the client. See RFC 5246 §7.4.5.
type ServerHelloDone struct{}

// Type is server_hello_done.
func (*ServerHelloDone) Type() iana.HandshakeType { return iana.ServerHelloDone }

func (*ServerHelloDone) layout(*wire.Codec) {}

// HelloRequest asks the client to renegotiate. It belongs to no figure and no transcript. See RFC
// 5246 §7.4.1.1.
type HelloRequest struct{}

// Type is hello_request.
func (*HelloRequest) Type() iana.HandshakeType { return iana.HelloRequest }

func (*HelloRequest) layout(*wire.Codec) {}

// NewSessionTicket gives the client a ticket, by which the session can be resumed. Its content is
// the server's affair, usually the session under a key that only the server has. See RFC 5077 §3.3
// and RFC 8446 §4.6.1.
type NewSessionTicket struct {
	LifetimeHint uint32 // seconds; 0 means unspecified up to TLS 1.2, discard at once in TLS 1.3
	AgeAdd       uint32 // TLS 1.3: added to the ticket's age, which hides it from observers
	Nonce        []byte // TLS 1.3: makes this ticket's key differ from those of the others
	Ticket       []byte
	Extensions   Extensions // TLS 1.3

	dialect Dialect
}

// Type is new_session_ticket.
func (*NewSessionTicket) Type() iana.HandshakeType { return iana.NewSessionTicket }

func (m *NewSessionTicket) layout(c *wire.Codec) {
	if m.dialect.Version != iana.TLS13 {
		wire.Uint32(c, "ticket_lifetime_hint", &m.LifetimeHint)
		wire.Opaque16(c, "ticket", &m.Ticket, 0, 1<<16-1)
		return
	}
	wire.Uint32(c, "ticket_lifetime", &m.LifetimeHint)
	wire.Uint32(c, "ticket_age_add", &m.AgeAdd)
	wire.Opaque8(c, "ticket_nonce", &m.Nonce, 0, 255)
	wire.Opaque16(c, "ticket", &m.Ticket, 1, 1<<16-1)
	m.Extensions.layout(c, InNewSessionTicket)
}
