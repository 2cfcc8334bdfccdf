package handshake

import (
	"context"
	"encoding/binary"
	"io"
	"time"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
)

// The tickets of TLS 1.3: RFC 8446 §2.2 and §4.6.1.

const (
	// maxTicketLifetime is seven days, in seconds.
	maxTicketLifetime = 604800

	// storedTicketLen is the length of a ticket that is an ID of the store, in bytes.
	storedTicketLen = 32
)

// A client

// ticket13 processes a ticket, and passes its session to the program.
func (c *client) ticket13(raw []byte, m *Machine) error {
	const ref = "RFC 8446 §4.6.1"
	parsed, err := m.dialect().Parse(raw)
	if err != nil {
		return alert.Malformed(ref, err)
	}
	m.log.Message(iana.Server, iana.NewSessionTicket, raw, ref)
	t := parsed.(*message.NewSessionTicket)
	if err := negotiation.Placed(t.Extensions, iana.TLS13, message.InNewSessionTicket,
		nil); err != nil {
		return err
	}
	if err := negotiation.WellFormed(t.Extensions, message.InNewSessionTicket); err != nil {
		return err
	}
	if t.LifetimeHint > maxTicketLifetime {
		return alert.KindMalformed.Fail(alert.IllegalParameter, ref,
			"got a ticket_lifetime of %d seconds, expected at most %d", t.LifetimeHint,
			maxTicketLifetime)
	}
	var early message.MaxEarlyData
	sent, err := negotiation.Read(t.Extensions, iana.ExtEarlyData, &early)
	if err == nil && sent {
		err = c.QuicTicket(early.Size)
	}
	if err != nil {
		return err
	}
	if c.Keep == nil || !c.Tickets || t.LifetimeHint == 0 {
		return nil
	}
	k := c.sessionOf(&m.Score, m.Secret(t.Nonce), iana.Client)
	c.inherit(k, c.key)
	k.ServerName, k.Ticket = c.ServerName, t.Ticket
	k.AgeAdd, k.Issued = t.AgeAdd, c.TicketTime()
	k.Deadline = k.Issued.Add(time.Duration(t.LifetimeHint) * time.Second)
	k.MaxEarlyData = early.Size
	c.store(k, ref)
	return nil
}

// inherit copies into the session of a new ticket what is known only from the full handshake, such
// as its date: a new ticket does not prolong an old session.
func (l *live) inherit(k *Session, key *negotiation.Key13) {
	if key != nil && key.Session != nil {
		o := key.Session
		k.Created, k.Staple, k.SCTs, k.PSKIdentity = o.Created, o.Staple, o.SCTs, o.PSKIdentity
	}
}

// A server

// newTickets13 returns the tickets of a handshake that is done, or none if the client can use none.
// After a resumption there is one, in place of the one that was used.
func (v *server) newTickets13(s *Score) ([]message.Message, error) {
	var modes message.PSKKeyExchangeModes
	if _, err := negotiation.Read(s.ClientHello.Extensions, iana.ExtPSKKeyExchangeModes,
		&modes); err != nil {
		return nil, err
	}
	_, usable := v.CommonMode(modes.Modes)
	v.usesTickets = usable && (v.sealsTickets() || v.Store != nil)
	if !v.usesTickets || v.QUIC != nil { // QUIC requests tickets by NewTicket
		return nil, nil
	}
	if err := v.greased.Draw(v.Config); err != nil {
		return nil, err
	}
	n := max(1, v.Count)
	if s.Resumed {
		n = 1
	}
	return v.tickets13.await("the keys or the store of tickets",
		func(ctx context.Context) (all []message.Message, err error) {
			for i := range n {
				t, err := v.newTicket13(ctx, s, byte(i), v.allowsEarly())
				if err = v.spare(ctx, "making a ticket", err); err != nil {
					return nil, err
				}
				if t != nil && len(t.Ticket) > 0 {
					t.Extensions = v.greased.Extend(t.Extensions)
					all = append(all, t)
				}
			}
			return all, nil
		})
}

// newTicket13 makes a ticket, which allows maxEarly bytes of early data. Its nonce must be another
// one for each ticket of a connection.
func (v *server) newTicket13(ctx context.Context, s *Score, nonce byte, maxEarly uint32) (
	*message.NewSessionTicket, error) {
	t := &message.NewSessionTicket{Nonce: []byte{nonce}, Extensions: message.Extensions{}}
	k := v.sessionOf(s, s.Secret(t.Nonce), iana.Server)
	v.inherit(k, v.choice.Key)
	if key := v.choice.Key; key != nil && key.Session == nil {
		k.PSKIdentity = key.Identity // by which keyOfTicket finds the key again
	}
	k.Issued, k.MaxEarlyData, k.Extra = v.TicketTime(), maxEarly, v.extra
	left := v.Lifetime13() - k.Issued.Sub(k.Created)
	if left < time.Second {
		return nil, nil
	}
	var add [4]byte
	if _, err := io.ReadFull(v.Rand, add[:]); err != nil {
		return nil, err
	}
	k.AgeAdd = binary.BigEndian.Uint32(add[:])
	t.AgeAdd, t.LifetimeHint = k.AgeAdd, uint32(left/time.Second)
	err := k.Fits()
	if err != nil {
		return nil, err
	}
	if v.sealsTickets() {
		t.Ticket, err = v.Seal(ctx, k)
	} else {
		t.Ticket, err = v.storeTicket(ctx, k)
	}
	if err != nil {
		return nil, err
	}
	return t, v.announceEarly(ctx, t, k.MaxEarlyData)
}

// storeTicket stores a session, and returns its ID, which is then the ticket.
func (v *server) storeTicket(ctx context.Context, k *Session) ([]byte, error) {
	id := make([]byte, storedTicketLen)
	if _, err := io.ReadFull(v.Rand, id); err != nil {
		return nil, err
	}
	v.ids = append(v.ids, id) // also if the store fails: it may have it all the same
	return id, v.Store(ctx, id, k)
}

// openTicket13 returns the session of a ticket, sealed or stored, or nil if the ticket is not ours.
// A stored session has the ticket as its ID.
func (v *server) openTicket13(ctx context.Context, ticket []byte) (*Session, error) {
	if v.Tickets && v.Open != nil {
		if s, err := v.Open(ctx, ticket); s != nil || err != nil {
			return s, err
		}
	}
	if v.Find != nil && len(ticket) == storedTicketLen {
		s, err := v.Find(ctx, ticket)
		if s != nil {
			s.ID = ticket
		}
		return s, err
	}
	return nil, nil
}

func (v *server) sealsTickets() bool { return v.Tickets && v.Seal != nil }

// TakeTicket processes a NewSessionTicket of TLS 1.3 that a client received, once Done.
func (m *Machine) TakeTicket(raw []byte) error {
	c, ok := m.player.(*client)
	if !ok {
		return alert.KindOrder.Fail(alert.UnexpectedMessage, "RFC 8446 §4.6.1",
			"a client sends no ticket")
	}
	return c.ticket13(raw, m)
}
