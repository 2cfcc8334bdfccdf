package handshake

import (
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// Tickets and pre-shared keys of TLS 1.3. See RFC 8446 §4.2.11 and §4.6.1.

// maxTicketLifetime is seven days, in seconds.
const maxTicketLifetime = 604800

// ticket13 takes a ticket.
func (c *client) ticket13(raw []byte, m *Machine) error {
	const ref = "RFC 8446 §4.6.1"
	parsed, err := m.dialect().Parse(raw)
	if err != nil {
		return alert.Malformed(ref, err)
	}
	m.log.Message(iana.Server, iana.NewSessionTicket, raw, ref)
	t := parsed.(*message.NewSessionTicket)
	if err := placed(t.Extensions, iana.TLS13, message.InNewSessionTicket, nil); err != nil {
		return err
	}
	if err := wellFormed(t.Extensions, message.InNewSessionTicket); err != nil {
		return err
	}
	if t.LifetimeHint > maxTicketLifetime {
		return alert.Fail(alert.IllegalParameter, ref, "a ticket_lifetime of %d seconds, expected at most %d", t.LifetimeHint, maxTicketLifetime)
	}
	return nil
}
