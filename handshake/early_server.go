package handshake

import (
	"context"
	"fmt"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
)

// A server's part of early data. An attacker who has recorded a ClientHello with early data can
// replay it, to this server or to another that opens its tickets. Three checks limit replays: each
// ticket allows early data once (RFC 8446 §8.1), the ticket's age as the client states it must
// match ours (§8.3), and a server that has just been started, which may have lost its record of
// used tickets, accepts none until everything recorded before is too old (§8.2). A rejection costs
// the client only time.

// EarlyWindow is how much the age of a ticket, as the client states it, may differ from the age
// that the server computes. RFC 8446 §8.3 suggests ten seconds for clients on the Internet.
const EarlyWindow = 10 * time.Second

// decideEarly decides whether the early data of the client is accepted. It must be called with the
// transcript at the ClientHello, after its binder was checked: otherwise anyone could use up a
// ticket.
func (v *server) decideEarly(s *Score) error {
	if !s.ClientHello.Extensions.Has(iana.ExtEarlyData) || v.earlyDecided {
		return nil
	}
	why, ref, err := v.refusesEarly(s)
	if err != nil {
		return err
	}
	if v.earlyDecided, v.choice.Early = true, why == ""; why != "" {
		v.rejectEarly(s, why, ref)
		return nil
	}
	v.Log.Choice("early_data", "", "accepted",
		"the ticket is used for the first time, is as old as the client says, and the suite, "+
			"the name and the protocol are those of its session", "RFC 8446 §4.2.10")
	v.earlyHello = s.transcript.with(v.choice.Suite.PRF, nil)
	return nil
}

// rejectEarly records why early data is not accepted, if the client sends some.
func (v *server) rejectEarly(s *Score, why, ref string) {
	if s.ClientHello.Extensions.Has(iana.ExtEarlyData) {
		v.earlyWhy = &reason{why, ref}
		v.Log.Choice("early_data", "", "rejected", why, ref)
	}
}

// refusesEarly returns why early data is not accepted, or "" if it is. The ticket is used up last.
func (v *server) refusesEarly(s *Score) (why, ref string, err error) {
	const acceptance = "RFC 8446 §4.2.10"
	k := v.choice.Session
	switch {
	case v.MaxEarlyData == 0 || !v.Reads:
		return "the program does not read any", acceptance, nil
	case v.Take == nil:
		return "there is no store that remembers used tickets", "RFC 8446 §8.1", nil
	case v.Accept != nil:
		return "the program has its last word about a connection before it reads any data",
			acceptance, nil
	case k == nil:
		if v.unfit != nil {
			return "its ticket is not resumed: " + v.unfit.why, v.unfit.ref, nil
		}
		return "no ticket is resumed", acceptance, nil
	case v.choice.Identity != 0:
		return "the ticket that is resumed is not the client's first", acceptance, nil
	case k.MaxEarlyData == 0 || k.MaxEarlyData > v.MaxEarlyData:
		return "the ticket allows none, or more than we read", acceptance, nil
	case v.QUIC != nil && k.MaxEarlyData != negotiation.QUICMaxEarlyData:
		return "the ticket is not one of QUIC", "RFC 9001 §4.6.1", nil
	case k.Suite != v.choice.Suite.ID:
		return "the ticket was made with another cipher suite", acceptance, nil
	}
	if same, err := v.sameProtocol(k, s); !same || err != nil {
		return "the ticket was made with another application protocol", acceptance, err
	}
	return v.replayed(k, s)
}

// sameProtocol reports whether we answer with the application protocol of the session.
func (v *server) sameProtocol(k *Session, s *Score) (bool, error) {
	an := *v.answering(message.InEncryptedExtensions, s)
	an.Log = nil // the answer is traced when it is sent
	if !s.ClientHello.Extensions.Has(iana.ExtALPN) {
		return k.ALPN == "", nil
	}
	content, ok, err := negotiation.AnswerProtocol(v.Config, &an)
	if !ok || err != nil {
		return k.ALPN == "", err
	}
	return string(content.(*message.Protocols).Names[0]) == k.ALPN, nil
}

// replayed returns why early data may be a replay, or "" if it is not.
func (v *server) replayed(k *Session, s *Score) (why, ref string, err error) {
	var psks message.OfferedPSKs
	if _, err := negotiation.Read(s.ClientHello.Extensions, iana.ExtPreSharedKey,
		&psks); err != nil {
		return "", "", err
	}
	first := psks.Identities[0]
	now := v.TicketTime()
	if now.Before(v.EarlyFrom) {
		return "this server was just started, and may have read it before", "RFC 8446 §8.2", nil
	}
	if k.Issued.IsZero() {
		return "when the ticket was issued is not known", "RFC 8446 §8.3", nil
	}
	if v.skew.Abs() > EarlyWindow {
		ours := now.Sub(k.Issued)
		return fmt.Sprintf("the client says that its ticket is %v old, and it is %v",
			(ours + v.skew).Round(time.Millisecond),
			ours.Round(time.Millisecond)), "RFC 8446 §8.3", nil
	}
	known, err := v.taken.await("whether a ticket was used before",
		func(ctx context.Context) (bool, error) {
			known, err := v.Take(ctx, first.Identity)
			return known && err == nil, v.spare(ctx, "taking a ticket for early data", err)
		})
	if err == nil && !known {
		why = "its ticket was used for early data before, or is not known any more"
	}
	return why, "RFC 8446 §8.1", err
}

// skewOf returns by how much the age of a ticket, as the client states it, is more than the age
// that this server knows; 0 if it does not know when the ticket was issued. See RFC 8446 §4.2.11.1.
func (v *server) skewOf(stated message.PSKIdentity, k *Session) time.Duration {
	if k == nil || k.Issued.IsZero() {
		return 0
	}
	told := time.Duration(stated.ObfuscatedTicketAge-k.AgeAdd) * time.Millisecond
	return told - v.TicketTime().Sub(k.Issued)
}

// TicketAgeSkew returns by how much the age of the ticket that this handshake resumed, as the
// client stated it, is more than the age that this server knew. It is 0 for a client, below TLS 1.3
// and without a ticket.
func (m *Machine) TicketAgeSkew() time.Duration {
	if v, ok := m.player.(*server); ok {
		return v.skew
	}
	return 0
}

// EarlyDataReason returns why a server rejected the client's early data, with the section that it
// follows, or "" if it did not. A client is not told.
func (m *Machine) EarlyDataReason() string {
	if v, ok := m.player.(*server); ok {
		return v.earlyWhy.String()
	}
	return ""
}

// earlyKeys returns the keys of the early data that we accept, or nil.
func (v *server) earlyKeys(*Score) *earlyKeys {
	if v.choice == nil || !v.choice.Early {
		return nil
	}
	return &earlyKeys{v.early, v.choice.Suite, v.choice.Session.MaxEarlyData, v.earlyHello}
}

// allowsEarly returns how many bytes of early data a new ticket allows.
func (v *server) allowsEarly() uint32 {
	if v.Announce == nil || v.Accept != nil {
		return 0
	}
	return v.MaxEarlyData
}

// announceEarly adds early_data to a new ticket, once the ticket can be used up.
func (v *server) announceEarly(ctx context.Context, t *message.NewSessionTicket, max uint32) error {
	if max == 0 || len(t.Ticket) == 0 {
		return nil
	}
	v.announced = append(v.announced, t.Ticket) // also if it fails: see storeTicket
	if err := v.Announce(ctx, t.Ticket); err != nil {
		return err
	}
	return t.Extensions.Add(iana.ExtEarlyData, &message.MaxEarlyData{Size: max})
}
