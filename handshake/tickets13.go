package handshake

import (
	"context"
	"crypto"
	"crypto/subtle"
	"encoding/binary"
	"io"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/suite"
)

// Tickets and pre-shared keys of TLS 1.3: RFC 8446 §2.2, §4.2.11 and §4.6.1. A ticket goes with a
// fresh key exchange (psk_dhe_ke) alone.

const (
	// maxTicketLifetime is seven days, in seconds.
	maxTicketLifetime = 604800

	// maxIdentities is how many of a client's tickets are looked at: each costs a decryption.
	maxIdentities = 4
)

// A client

// resumes13 reports whether the session on offer is one of TLS 1.3 that can go into this hello:
// after a retry only one with the hash of the suite that the server chose.
func (c *client) resumes13(s *Score) bool {
	if c.Offer == nil || c.Offer.Version != iana.TLS13 || c.MaxVersion < iana.TLS13 {
		return false
	}
	if s.Retry == nil {
		return true
	}
	chosen := suite.ByID13(s.Retry.CipherSuite)
	return chosen != nil && chosen.PRF == suite.ByID13(c.Offer.Suite).PRF
}

// offerPSK names the session on offer. Its binder is not known before the rest of the hello is: see
// bind.
func offerPSK(o *offering) (message.Content, bool) {
	if !o.client.resumes13(o.score) {
		return nil, false
	}
	age := uint32(max(0, o.client.now().Sub(o.Offer.Issued).Milliseconds()))
	return &message.OfferedPSKs{
		Identities: []message.PSKIdentity{{Identity: o.Offer.Ticket, ObfuscatedTicketAge: age +
			o.Offer.AgeAdd}},
		Binders: [][]byte{make([]byte, suite.ByID13(o.Offer.Suite).PRF.Size())},
	}, true
}

func offerPSKModes(o *offering) (message.Content, bool) {
	return &message.PSKKeyExchangeModes{Modes: []iana.PSKKeyExchangeMode{iana.PSKDHEKE}},
		o.MaxVersion >= iana.TLS13 && o.Tickets
}

// bind proves that we know the key of the ticket on offer: an HMAC over the hello up to the
// binders, which stand at its end. See RFC 8446 §4.2.11.2.
func (c *client) bind(m *message.ClientHello, s *Score) error {
	if !c.resumes13(s) {
		c.early = nil
		return nil
	}
	raw, err := (message.Dialect{Version: iana.TLS12}).Encode(m)
	if err != nil {
		return err
	}
	h := suite.ByID13(c.Offer.Suite).PRF
	early := keys.HKDF{Hash: h, Log: c.Log}.Early(c.Offer.Master)
	n := h.Size()
	binder := early.Binder(keys.ResumptionPSK).VerifyData(s.transcript.with(h,
		raw[:len(raw)-(2+1+n)]))
	last := &m.Extensions[len(m.Extensions)-1]
	copy(last.Data[len(last.Data)-n:], binder)
	c.early = &early
	return nil
}

// resumed13 holds the server to the session that it resumes. See RFC 8446 §4.2.11.
func (c *client) resumed13(a *Agreed) error {
	const ref = "RFC 8446 §4.2.11"
	if a.Identity != 0 || c.early == nil {
		return alert.Fail(alert.IllegalParameter, ref,
			"the server chose pre-shared key %d, we offered one at most", a.Identity)
	}
	if a.Suite.PRF != suite.ByID13(c.Offer.Suite).PRF {
		return alert.Fail(alert.IllegalParameter, ref,
			"the server resumes a session of %v with %v, whose hash is another", c.Offer.Suite,
			a.Suite.ID)
	}
	c.peer = c.remembered
	return nil
}

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
	c.inherit(k, m.Resumed, c.Offer)
	k.ServerName, k.ID, k.Ticket = c.ServerName, nil, t.Ticket
	k.AgeAdd, k.Issued = t.AgeAdd, c.now()
	k.Deadline = k.Issued.Add(time.Duration(t.LifetimeHint) * time.Second)
	c.store(k, ref)
	return nil
}

// inherit: a new ticket makes an old session no younger, and what only its full handshake told
// stays with it.
func (l *live) inherit(k *Session, resumed bool, origin *Session) {
	if resumed {
		k.Created, k.Staple, k.SCTs = origin.Created, origin.Staple, origin.SCTs
	}
}

// A server

// offeredPSKs are the client's tickets, and how many bytes of the hello their binders take. It is
// nil if there is none that we could use.
func (v *server) offeredPSKs(ch *message.ClientHello) (psks *message.OfferedPSKs, binders int, err error) {
	const ref = "RFC 8446 §4.2.11"
	psks = &message.OfferedPSKs{}
	sent, err := read(ch.Extensions, iana.ExtPreSharedKey, psks)
	if !sent || err != nil {
		return nil, 0, err
	}
	if ch.Extensions[len(ch.Extensions)-1].Type != iana.ExtPreSharedKey {
		return nil, 0,
			alert.Fail(alert.IllegalParameter, ref,
				"the client's pre_shared_key is not its last extension")
	}
	if len(psks.Identities) != len(psks.Binders) {
		return nil, 0, alert.Fail(alert.IllegalParameter, ref,
			"%d identities and %d binders", len(psks.Identities), len(psks.Binders))
	}
	var modes message.PSKKeyExchangeModes
	if sent, err := read(ch.Extensions, iana.ExtPSKKeyExchangeModes, &modes); !sent || err != nil {
		return nil, 0, missingModes(err)
	}
	binders = 2
	for _, b := range psks.Binders {
		binders += 1 + len(b)
	}
	if !v.Tickets || v.Open == nil || !slices.Contains(modes.Modes, iana.PSKDHEKE) {
		return nil, 0, nil
	}
	return psks, binders, nil
}

func missingModes(err error) error {
	if err != nil {
		return err
	}
	return alert.Fail(alert.MissingExtension, "RFC 8446 §4.2.9",
		"the client sends pre_shared_key without psk_key_exchange_modes")
}

// resume13 finds the first ticket of the client that may be resumed with what was chosen, and
// checks that the client knows its key. Why not is an event.
func (v *server) resume13(ch *message.ClientHello, h *hello13, got *chosen, s *Score) error {
	v.early, v.peer = nil, Peer{} // of a first hello, whose ticket the second may leave out
	psks, binders, err := v.offeredPSKs(ch)
	if psks == nil || err != nil {
		return err
	}
	for i, identity := range psks.Identities[:min(len(psks.Identities), maxIdentities)] {
		k, err := v.opened13(identity.Identity)
		if err != nil {
			return err
		}
		if why, ref := v.unfit13(k, ch, h, got); why != "" {
			v.Log.Choice("session", "a ticket", "a full handshake", why, ref)
			v.peer = Peer{}
			continue
		}
		early := keys.HKDF{Hash: got.suite.PRF, Log: v.Log}.Early(k.Master)
		known := s.transcript.with(got.suite.PRF, s.checking[:len(s.checking)-binders])
		if subtle.ConstantTimeCompare(early.Binder(keys.ResumptionPSK).VerifyData(known),
			psks.Binders[i]) != 1 {
			return alert.Fail(alert.DecryptError, "RFC 8446 §4.2.11.2",
				"the client's binder does not match its hello")
		}
		v.Log.Choice("session", "a ticket", "resumed",
			"known, fresh, and the hello offers what it was made with", "RFC 8446 §4.2.11")
		got.session, got.identity, v.early = k, i, &early
		return nil
	}
	return nil
}

// opened13 opens a ticket, once for both hellos; nil if it is none of ours.
func (v *server) opened13(ticket []byte) (*Session, error) {
	if v.opened == nil {
		v.opened = map[string]*slow[*Session]{}
	}
	o := v.opened[string(ticket)]
	if o == nil {
		o = &slow[*Session]{}
		v.opened[string(ticket)] = o
	}
	return o.await("a session ticket's key", func(ctx context.Context) (*Session, error) {
		k, err := v.Open(ctx, ticket)
		return k, v.spare(ctx, "opening a ticket", err)
	})
}

// unfit13 says why a session is not resumed; "" if it is.
func (v *server) unfit13(k *Session, ch *message.ClientHello, h *hello13,
	got *chosen) (why, ref string) {
	switch {
	case k == nil:
		return "no key of ours opens the ticket", "RFC 8446 §4.2.11"
	case k.Version != iana.TLS13:
		return "it was made with another version", "RFC 8446 §4.6.1"
	case suite.ByID13(k.Suite) == nil || suite.ByID13(k.Suite).PRF != got.suite.PRF:
		return "its hash is not that of the cipher suite", "RFC 8446 §4.2.11"
	}
	if why, ref = v.unfit(k, &greeting{ch, h.wishes, iana.TLS13}); why != "" {
		return why, ref
	}
	if err := v.recall(iana.Client, k); err != nil {
		return "the client's certificate is no longer accepted", "RFC 8446 §4.6.1"
	}
	return "", ""
}

// answerPSK says which ticket was taken.
func answerPSK(_ *Config, an *answering) (message.Content, bool, error) {
	return &message.SelectedPSK{Identity: uint16(an.chosen.identity)}, an.chosen.session != nil, nil
}

// newTicket13 is the ticket of a handshake that is done, or nil if the client can use none.
func (v *server) newTicket13(s *Score) (message.Message, error) {
	var modes message.PSKKeyExchangeModes
	if _, err := read(s.ClientHello.Extensions, iana.ExtPSKKeyExchangeModes, &modes); err != nil {
		return nil, err
	}
	if !v.Tickets || v.Seal == nil || !slices.Contains(modes.Modes, iana.PSKDHEKE) {
		return nil, nil
	}
	nonce := []byte{0} // one ticket a connection
	seal := func(ctx context.Context) (*message.NewSessionTicket, error) {
		var add [4]byte
		if _, err := io.ReadFull(v.Rand, add[:]); err != nil {
			return nil, err
		}
		k := v.sessionOf(s, s.Secret(nonce), iana.Server)
		v.inherit(k, s.Resumed, v.chosen.session)
		k.AgeAdd, k.ID = binary.BigEndian.Uint32(add[:]), nil
		err := k.Fits()
		var ticket []byte
		if err == nil {
			ticket, err = v.Seal(ctx, k)
		}
		lifetime := uint32(session.MaxSessionAge.Seconds())
		return &message.NewSessionTicket{LifetimeHint: lifetime, AgeAdd: k.AgeAdd, Nonce: nonce,
			Ticket:     ticket,
			Extensions: message.Extensions{}}, v.spare(ctx, "sealing a ticket", err)
	}
	t, err := v.ticket13.await("a session ticket's key", seal)
	if err != nil || len(t.Ticket) == 0 {
		return nil, err
	}
	return t, nil
}

// with is the hash of the transcript with more behind it.
func (t *transcript) with(h crypto.Hash, more []byte) []byte {
	sum := h.New()
	for _, raw := range t.messages {
		sum.Write(raw)
	}
	sum.Write(more)
	return sum.Sum(nil)
}
