package handshake

import (
	"context"
	"encoding/binary"
	"io"
	"time"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/session"
)

// The tickets of TLS 1.3: RFC 8446 §2.2 and §4.6.1.

// maxTicketLifetime is seven days, in seconds.
const maxTicketLifetime = 604800

// A client

// ticket13 takes a ticket, and hands out the session that it stands for.
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
		return alert.Fail(alert.IllegalParameter, ref,
			"a ticket_lifetime of %d seconds, expected at most %d", t.LifetimeHint,
			maxTicketLifetime)
	}
	if c.Keep == nil || !c.Tickets || t.LifetimeHint == 0 {
		return nil
	}
	k := c.sessionOf(&m.Score, m.Secret(t.Nonce), iana.Client)
	c.inherit(k, c.key)
	k.ServerName, k.ID, k.Ticket = c.ServerName, nil, t.Ticket
	k.AgeAdd, k.Issued = t.AgeAdd, c.now()
	k.Deadline = k.Issued.Add(time.Duration(t.LifetimeHint) * time.Second)
	var early message.MaxEarlyData
	if _, err := read(t.Extensions, iana.ExtEarlyData, &early); err != nil {
		return err
	}
	k.MaxEarlyData = early.Size
	c.store(k, ref)
	return nil
}

// inherit keeps in the session of a new ticket what only the full handshake told: a new ticket
// makes an old session no younger.
func (l *live) inherit(k *Session, key *key13) {
	if key != nil && key.session != nil {
		o := key.session
		k.Created, k.Staple, k.SCTs, k.PSKIdentity = o.Created, o.Staple, o.SCTs, o.PSKIdentity
	}
}

// A server

// newTicket13 is the ticket of a handshake that is done, or nil if the client can use none.
func (v *server) newTicket13(s *Score) (message.Message, error) {
	var modes message.PSKKeyExchangeModes
	if _, err := read(s.ClientHello.Extensions, iana.ExtPSKKeyExchangeModes, &modes); err != nil {
		return nil, err
	}
	if _, usable := v.commonMode(modes.Modes); !usable || !v.Tickets || v.Seal == nil {
		return nil, nil
	}
	nonce := []byte{0} // one ticket a connection
	seal := func(ctx context.Context) (*message.NewSessionTicket, error) {
		var add [4]byte
		if _, err := io.ReadFull(v.Rand, add[:]); err != nil {
			return nil, err
		}
		k := v.sessionOf(s, s.Secret(nonce), iana.Server)
		v.inherit(k, v.chosen.key)
		if key := v.chosen.key; key != nil && key.session == nil {
			k.PSKIdentity = key.identity // by which keyOfTicket finds the key again
		}
		k.AgeAdd, k.ID = binary.BigEndian.Uint32(add[:]), nil
		k.Issued, k.MaxEarlyData = v.now(), v.allowsEarly()
		err := k.Fits()
		t := &message.NewSessionTicket{AgeAdd: k.AgeAdd, Nonce: nonce,
			LifetimeHint: uint32(session.MaxSessionAge.Seconds()), Extensions: message.Extensions{}}
		if err == nil {
			t.Ticket, err = v.Seal(ctx, k)
		}
		if err == nil {
			err = v.announceEarly(ctx, t, k.MaxEarlyData)
		}
		return t, v.spare(ctx, "sealing a ticket", err)
	}
	t, err := v.ticket13.await("a session ticket's key", seal)
	if err != nil || len(t.Ticket) == 0 {
		return nil, err
	}
	return t, nil
}
