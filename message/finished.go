package message

import (
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/wire"
)

// Finished is the first protected message: it proves that its sender saw the same messages and holds the same
// master_secret. See RFC 5246 §7.4.9.
type Finished struct {
	VerifyData [12]byte
}

// Type is finished.
func (*Finished) Type() iana.HandshakeType { return iana.Finished }

func (m *Finished) layout(c *wire.Codec) { wire.Fixed(c, "verify_data", m.VerifyData[:]) }

// ServerHelloDone says that the server waits for the client now. See RFC 5246 §7.4.5.
type ServerHelloDone struct{}

// Type is server_hello_done.
func (*ServerHelloDone) Type() iana.HandshakeType { return iana.ServerHelloDone }

func (*ServerHelloDone) layout(*wire.Codec) {}

// HelloRequest asks the client to begin again. It is in no figure and no transcript. See RFC 5246 §7.4.1.1.
type HelloRequest struct{}

// Type is hello_request.
func (*HelloRequest) Type() iana.HandshakeType { return iana.HelloRequest }

func (*HelloRequest) layout(*wire.Codec) {}

// NewSessionTicket gives the client the session to keep, sealed under a key that only the server has. See RFC 5077 §3.3.
type NewSessionTicket struct {
	LifetimeHint uint32 // seconds; 0 says nothing
	Ticket       []byte
}

// Type is new_session_ticket.
func (*NewSessionTicket) Type() iana.HandshakeType { return iana.NewSessionTicket }

func (m *NewSessionTicket) layout(c *wire.Codec) {
	wire.Uint32(c, "ticket_lifetime_hint", &m.LifetimeHint)
	wire.Opaque16(c, "ticket", &m.Ticket, 0, 1<<16-1)
}
