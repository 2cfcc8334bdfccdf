package handshake

import (
	"bytes"
	"crypto/rsa"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
)

// What a client sends and accepts up to TLS 1.2.

type client12 struct{ *client }

func (c client12) compose(k Kind, s *Score) (message.Message, error) {
	switch k {
	case Kind(iana.Certificate):
		return c.certificates(s), nil
	case Kind(iana.ClientKeyExchange):
		return c.keyExchange(s)
	case Kind(iana.CertificateVerify):
		// RFC 5246 §7.4.8: everything from ClientHello up to here, not including this message.
		signature, err := c.sign(iana.Client, c.certChoice, s.transcript.raw(), "RFC 5246 §7.4.8")
		return &message.CertificateVerify{Scheme: c.certChoice.Scheme, Signature: signature}, err
	}
	return nil, nil
}

func (c client12) receive(msg message.Message, s *Score) error {
	switch m := msg.(type) {
	case *message.Certificate:
		return c.certificate(m, s)
	case *message.CertificateStatus:
		return c.status(m)
	case *message.ServerKeyExchange:
		return c.serverKeyExchange(m, s)
	case *message.CertificateRequest:
		return c.certificateRequest(m, s.Agreed)
	case *message.ServerHelloDone:
		return c.unstapled(s)
	}
	return nil
}

// resumed compares the session IDs, which is always enough: offerSession never leaves it empty.
func (c client12) resumed(s *Score) bool { return negotiation.Echoes(s.ClientHello, s.ServerHello) }

func (c client12) secret(s *Score) (Input, error) {
	if s.Resumed {
		return Input{Master: bytes.Clone(c.Offer.Master)}, nil
	}
	return Input{PreMaster: c.preMaster}, nil
}

func (c *client) serverHello(m *message.ServerHello, s *Score) error {
	if err := c.outdated(m, s); err != nil {
		return err
	}
	if c.Prior != nil && negotiation.VersionOf(m) >= iana.TLS13 {
		return alert.KindVersion.Fail(alert.ProtocolVersion, "RFC 8446 §4.1.3",
			"the server chose %v in a renegotiation, which that version does not have",
			negotiation.VersionOf(m))
	}
	if err := negotiation.Acceptable(s.ClientHello, m, c.Parameters); err != nil {
		return err
	}
	if err := negotiation.WellFormed(m.Extensions, message.InServerHello); err != nil {
		return err
	}
	a, err := s.negotiate(m, nil)
	if err != nil {
		return err
	}
	if err := a.Follows(c.Prior, c.SecureRenegotiation); err != nil {
		return err
	}
	if err := a.Demanded(c.Parameters, m); err != nil {
		return err
	}
	if negotiation.Echoes(s.ClientHello, m) {
		return c.goesOn12(a)
	}
	if a.Certified() {
		return c.AcceptsType(a)
	}
	return nil
}

func (c *client) certificate(m *message.Certificate, s *Score) error {
	if len(m.Chain) == 0 {
		return alert.KindNoCertificate.Fail(alert.DecodeError, "RFC 5246 §7.4.2",
			"the server's Certificate is empty, expected at least its own")
	}
	if c.Prior != nil && !bytes.Equal(m.Chain[0], c.Prior.Leaf) {
		return alert.KindRenegotiation.Fail(alert.BadCertificate, "RFC 5746 §5",
			"the server renegotiates with another certificate")
	}
	if err := c.authenticate(iana.Server, m.Chain, s.Agreed, !c.Skip); err != nil {
		return err
	}
	if err := c.fits(s.Agreed.Auth, s.Agreed.Kex); err != nil {
		return err
	}
	return c.peer.Chain.FitsGroups(c.Groups)
}

// fits checks that the server's certificate allows what it is used for. If nobody checks the
// certificate its KeyUsage is no reason to refuse it.
func (c *client) fits(auth iana.Authentication, kex iana.KeyExchange) error {
	err := c.peer.Chain.Fits(auth, kex, c.LaxKeyUsage)
	if c.Skip && c.VerifyPeer == nil {
		return c.peer.Chain.Excuse(err)
	}
	return err
}

func (c *client) serverKeyExchange(m *message.ServerKeyExchange, s *Score) error {
	const ref = "RFC 5246 §7.4.3"
	kx := s.Agreed.Kex
	if kx.EllipticCurve() && !slices.Contains(c.Groups, m.Group) {
		return alert.KindGroup.Fail(alert.IllegalParameter, "RFC 8422 §5.4",
			"the server chose the group %v, we offered %v", m.Group,
			alert.Few(c.OfferedGroups()))
	}
	if kx.Ephemeral() {
		if _, err := groupOf(kx, m, c.MinDHBits); err != nil {
			return err
		}
	}
	if kx.PreShared() {
		return nil
	}
	signed := pki.ServerParams(s.ClientHello.Random, s.ServerHello.Random, m.Params)
	return c.signature(s.Agreed.Version, iana.Server, m.Scheme, signed, m.Signature, ref)
}

// certificateRequest chooses the certificate to send, or none if none fits. See RFC 5246 §7.4.6.
func (c *client) certificateRequest(m *message.CertificateRequest, a *negotiation.Agreed) error {
	if !pki.NamesScheme(a.Version) {
		m.Schemes = pki.Implied(a.Version)
	}
	return c.chooseCredential(pki.Request{Types: m.Types, Schemes: m.Schemes,
		Authorities: m.Authorities, CertType: a.CertificateTypes[iana.Client]}, a.Version,
		"RFC 5246 §7.4.4")
}

// keyExchange returns our ClientKeyExchange, with the pre-shared key if the suite has one.
func (c *client) keyExchange(s *Score) (message.Message, error) {
	if !s.Agreed.Kex.PreShared() {
		return c.exchange(s)
	}
	k, err := c.psk(s.Agreed.Version, negotiation.HintOf(s.ServerKeyExchange), nil)
	if err != nil {
		return nil, err
	}
	m, err := c.exchange(s)
	if err != nil {
		return nil, err
	}
	m.PSKIdentity = k.Identity
	c.preMaster = c.mixIn(k, c.preMaster)
	return m, nil
}

// exchange performs the RSA or Diffie-Hellman part of the key exchange, if the suite has one.
func (c *client) exchange(s *Score) (*message.ClientKeyExchange, error) {
	switch s.Agreed.Kex {
	case iana.KexPSK:
		return &message.ClientKeyExchange{}, nil
	case iana.KexRSA, iana.KexRSAPSK:
		pub, err := c.peer.Chain.PublicKey()
		if err != nil {
			return nil, err
		}
		key, ok := pub.(*rsa.PublicKey)
		if !ok {
			return nil, alert.Fail(alert.UnsupportedCertificate, "RFC 5246 §7.4.2",
				"the server's key is a %T, which cannot encrypt", pub)
		}
		// RFC 5246 §7.4.7.1: "the version number offered by the client in the
		// ClientHello.client_version, not the version negotiated".
		pre, encrypted, err := kex.EncryptPreMaster(c.Rand, key, s.ClientHello.Version)
		c.preMaster = pre
		return &message.ClientKeyExchange{EncryptedPreMaster: encrypted}, err
	}
	g, err := groupOf(s.Agreed.Kex, s.ServerKeyExchange, c.MinDHBits)
	if err != nil {
		return nil, err
	}
	theirs := s.Public(iana.Server)
	a, err := g.Answer(c.Rand, theirs)
	if err != nil {
		return nil, err
	}
	c.preMaster = c.ephemeral(iana.Client, g, a.Private, a.Share, theirs, a.Secret)
	if isFiniteField(g) {
		return &message.ClientKeyExchange{DHPublic: a.Share}, nil
	}
	return &message.ClientKeyExchange{ECPublic: a.Share}, nil
}

// keep passes a session to the program: a new one, or the resumed one with a new ticket.
func (c client12) keep(s *Score) {
	t := s.NewSessionTicket
	renewed := t != nil && len(t.Ticket) > 0
	if c.Keep == nil || c.Prior != nil || s.Resumed && !renewed {
		return // a renegotiation's session is not kept: it belongs to the connection around it
	}
	var k *Session
	if s.Resumed {
		old := *c.Offer // a new ticket makes an old session no younger
		k = &old
	} else {
		k = c.sessionOf(s, s.Secret(nil), iana.Client)
		k.ServerName, k.ID = c.ServerName, s.ServerHello.SessionID
	}
	if renewed {
		k.ID, k.Ticket, k.Deadline = nil, t.Ticket, time.Time{}
		if t.LifetimeHint > 0 {
			k.Deadline = c.CurrentTime().Add(time.Duration(t.LifetimeHint) * time.Second)
		}
	}
	if len(k.ID) > 0 || len(k.Ticket) > 0 {
		c.store(k, "RFC 5246 §7.3")
	}
}
