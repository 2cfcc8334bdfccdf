package handshake

import (
	"context"
	"errors"
	"io"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/suite"
)

// This file is what a resumed handshake decides differently: RFC 5246 §7.3 (Figure 2), RFC 5077,
// RFC 7627 §5.3.

// offerSession offers the session in the ClientHello, if it can still be used. A ticket is sent
// with a session ID of our own, so that the server's echo shows at once whether it resumes. See RFC
// 5077 §3.4.
func (c *client) offerSession(m *message.ClientHello) (err error) {
	o := c.Offer
	if o == nil {
		return nil
	}
	if why, ref := c.unfit(o); why != "" {
		c.Log.Choice("session", "a session of before", "none offered", why, ref)
		c.peer, c.Config = Peer{}, c.without()
		return nil
	}
	c.remembered, c.peer = c.peer, Peer{}
	if o.IsPSK() {
		return nil // a ticket goes into pre_shared_key
	}
	m.SessionID = o.ID
	if len(o.Ticket) > 0 && c.Tickets {
		m.SessionID = make([]byte, 32)
		_, err = io.ReadFull(c.Rand, m.SessionID)
	}
	return err
}

// unfit returns why a session is not offered, or "" if it is.
func (c *client) unfit(o *Session) (why, ref string) {
	if why, ref := c.Unoffered(o); why != "" {
		return why, ref
	}
	if err := c.restorePeer(iana.Server, o); err != nil {
		return "the server's certificate is not accepted any more", "RFC 5280 §6"
	}
	return "", ""
}

// without returns the configuration without a session to offer.
func (c *client) without() *negotiation.Config {
	config := *c.Config
	config.Offer = nil
	return &config
}

// goesOn12 checks the ServerHello against the session that it resumes. See RFC 5246 §7.4.1.3 and
// RFC 7627 §5.3.
func (c *client) goesOn12(a *negotiation.Agreed) error {
	o := c.Offer
	switch {
	case o == nil:
		return alert.KindResumption.Fail(alert.IllegalParameter, "RFC 5246 §7.4.1.3",
			"the server resumes a session that we did not offer")
	case a.Suite.ID != o.Suite || a.Version != o.Version:
		return alert.KindResumption.Fail(alert.IllegalParameter, "RFC 5246 §7.4.1.3",
			"the server resumes a session of %v and %v with %v and %v", o.Version, o.Suite,
			a.Version, a.Suite.ID)
	case a.ExtendedMasterSecret != o.ExtendedMasterSecret:
		return alert.KindResumption.Fail(alert.HandshakeFailure, "RFC 7627 §5.3",
			"the server resumes a session with another choice of extended_master_secret")
	case a.EncryptThenMAC != o.EncryptThenMAC:
		return alert.KindResumption.Fail(alert.HandshakeFailure, "RFC 7366 §3.1",
			"the server resumes a session with another choice of encrypt_then_mac")
	}
	c.peer = c.remembered
	return nil
}

// store passes a session to Keep, unless it is too long: a cache would hold it, and the ticket in
// it would have to fit into a hello.
func (c *client) store(k *Session, ref string) {
	if err := k.Fits(); err != nil {
		c.Log.Choice("session", "", "none", err.Error(), ref)
		return
	}
	c.Keep(k)
}

// withdraw drops the session that is kept for this server. See RFC 5246 §7.2.2.
func (c *client) withdraw() {
	if c.Keep != nil {
		c.Keep(nil)
	}
}

// withdraw deletes the sessions of this connection from the store, the resumed one included. A
// sealed ticket cannot be called back (RFC 5077 has no way), but it allows no early data any more.
// See RFC 5246 §7.2.2 and RFC 8446 §6.2.
func (v *server) withdraw() {
	forget := func(id []byte, by func([]byte) error) {
		if err := by(id); err != nil {
			v.Log.Choice("session", "", "none", "deleting a session: "+err.Error(),
				"RFC 5246 §7.2.2")
		}
	}
	if v.Forget != nil {
		for _, id := range v.ids {
			forget(id, v.Forget)
		}
	}
	if v.Take == nil {
		return
	}
	for _, ticket := range v.announced {
		forget(ticket, func(ticket []byte) error {
			_, err := v.Take(context.Background(), ticket)
			return err
		})
	}
}

// session returns the session that the client offers, if the server may resume it in a version. If
// not, an event gives the reason.
func (v *server) session(ch *message.ClientHello, version iana.Version) (*Session, error) {
	s, how, err := v.offered(ch)
	if s == nil || err != nil {
		return nil, err
	}
	if why, ref := v.Unfit(s, &negotiation.Greeting{Hello: ch,
		ServerName: negotiation.ServerName(ch), Version: version}); why != "" {
		v.Log.Choice("session", how, "a full handshake", why, ref)
		return nil, nil
	}
	if s.ExtendedMasterSecret && !ch.Extensions.Has(iana.ExtExtendedMasterSecret) {
		// RFC 7627 §5.3: "If the original session used the "extended_master_secret" extension but
		// the new ClientHello does not contain it, the server MUST abort the abbreviated
		// handshake."
		return nil, alert.KindResumption.Fail(alert.HandshakeFailure, "RFC 7627 §5.3",
			"the client offers a session with extended_master_secret, but not the extension")
	}
	if known, err := v.stillKnown(s); err != nil || !known {
		return nil, err
	}
	if err := v.restorePeer(iana.Client, s); err != nil {
		v.Log.Choice("session", how, "a full handshake",
			"the client's certificate is no longer accepted", "RFC 5246 §7.4.6")
		return nil, nil
	}
	v.ids = [][]byte{s.ID}
	v.Log.Choice("session", how, "resumed",
		"known, fresh, and the hello offers what it was made with", "RFC 5246 §7.4.1.3")
	return s, nil
}

// stillKnown reports whether the pre-shared key of a session, if it began with one, still exists. A
// session ends with its key.
func (v *server) stillKnown(s *Session) (bool, error) {
	if !suite.ByID(s.Suite).PreShared() {
		return true, nil
	}
	k, err := v.shared.await("a pre-shared key",
		func(ctx context.Context) (*negotiation.PSK, error) {
			return v.FindKey(ctx, negotiation.KeyRequest{Version: s.Version, Hint: v.Hint,
				Identity: s.PSKIdentity})
		})
	if err == nil && k == nil {
		v.shared = slow[*negotiation.PSK]{} // the full handshake may need another key
		v.Log.Choice("session", "", "a full handshake", "its pre-shared key is gone", "RFC 4279 §2")
	}
	return k != nil, err
}

// offered finds the session of a ticket or an ID.
func (v *server) offered(ch *message.ClientHello) (s *Session, how string, err error) {
	var t message.SessionTicket
	if _, err := negotiation.Read(ch.Extensions, iana.ExtSessionTicket, &t); err != nil {
		return nil, "", err
	}
	switch {
	case v.Tickets && len(t.Ticket) > 0:
		// RFC 5077 §3.4: with a ticket the session ID is only there to be echoed.
		s, err = v.found.await("a session ticket's key",
			func(ctx context.Context) (*Session, error) {
				s, err := v.Open(ctx, t.Ticket)
				return s, v.spare(ctx, "opening a ticket", err)
			})
		return s, "a ticket", err
	case v.Find != nil && len(ch.SessionID) > 0:
		s, err = v.found.await("a session from the store",
			func(ctx context.Context) (*Session, error) {
				s, err := v.Find(ctx, ch.SessionID)
				return s, v.spare(ctx, "finding a session", err)
			})
		if s != nil {
			s.ID = ch.SessionID
		}
		return s, "a session ID", err
	}
	return nil, "", nil
}

// restorePeer makes the peer of the session's full handshake the peer of this one: only that peer
// knows the master_secret. Its certificate must still be valid, and the program must still accept
// it.
func (l *live) restorePeer(from iana.Side, s *Session) error {
	var identity []byte // an empty identity is not nil
	row := suite.Readable(s.Suite)
	shared := row.PreShared() || s.IsPSK() && len(s.PSKIdentity) > 0
	if shared {
		identity = s.PSKIdentity
	}
	if len(s.Chain) == 0 {
		if from == iana.Server && (!shared || row.KeyTransport()) {
			return errors.New("handshake: the session does not have the server's certificate")
		}
		l.peer = Peer{PSKIdentity: identity}
		if from == iana.Client && l.ClientAuth.Request && !shared {
			// the session may come from another server, which requested no certificate
			return l.verdict(nil)
		}
		return nil
	}
	if s.RawKeys[from] {
		return l.restoreRawKey(from, s, identity)
	}
	chain, err := l.read(s.Chain)
	if err != nil {
		return err
	}
	if from == iana.Server && !s.IsPSK() {
		if err := chain.FitsGroups(l.Groups); err != nil {
			return err
		}
	}
	peer := Peer{Chain: chain, PSKIdentity: identity, possessed: true}
	if from == iana.Server && !l.Skip {
		peer.Verified = pki.Still(s.Verified,
			pki.Trust{Roots: l.Roots, Name: l.ServerName, Now: l.Now})
	}
	if from == iana.Server && !l.Skip && peer.Verified == nil ||
		from == iana.Client && l.ClientAuth.Verify {
		if peer.Verified, err = l.verify(chain, from); err != nil {
			return err
		}
	}
	if l.VerifyPeer != nil {
		if err := l.VerifyPeer(s.Chain, peer.Verified); err != nil {
			return err
		}
	}
	l.peer = peer
	return nil
}

// spare lets a handshake continue without a session when a store or the ticket keys fail: a session
// only saves time. The trace gives the reason. Only an error of a program's callback and the end of
// ctx end the handshake.
func (v *server) spare(ctx context.Context, what string, err error) error {
	if alert.KindOf(err) == alert.KindCallback {
		return err
	}
	if err != nil && ctx.Err() == nil {
		v.Log.Choice("session", "", "none", what+": "+err.Error(), "RFC 5077 §3.3")
	}
	return ctx.Err()
}

// newID sets a random session ID, if the server has a store.
func (v *server) newID(m *message.ServerHello) error {
	if v.Store == nil {
		return nil
	}
	m.SessionID = make([]byte, 32)
	_, err := io.ReadFull(v.Rand, m.SessionID)
	return err
}

// sessionOf returns the session of a full handshake.
func (l *live) sessionOf(s *Score, master []byte, me iana.Side) *Session {
	a := s.Agreed
	k := &Session{
		Version: a.Version, Suite: a.Suite.ID, Group: s.Group, GroupName: s.GroupName,
		ExtendedMasterSecret: a.ExtendedMasterSecret, EncryptThenMAC: a.EncryptThenMAC,
		Created: l.CurrentTime(), ServerName: a.ServerName, ALPN: a.ALPN,
		PSKIdentity: l.peer.PSKIdentity,
		Bound:       l.Bound(me), Master: master,
	}
	if me == iana.Client {
		k.SCTs, k.Staple = s.Timestamps(), s.Staple()
	}
	if l.peer.Chain != nil {
		k.Chain, k.Verified = l.peer.Chain.Raw(), l.peer.Verified
	}
	for side, t := range a.CertificateTypes {
		k.RawKeys[side] = t == iana.RawPublicKey
	}
	return k
}
