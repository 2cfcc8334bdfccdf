package handshake

import (
	"io"
	"slices"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
)

// What a client sends and accepts only in TLS 1.3.

// offer13 puts into a ClientHello what TLS 1.3 needs outside the extensions: suites, a session ID
// for middleboxes (RFC 8446 §D.4), and key shares that are ready.
func (c *client) offer13(m *message.ClientHello) error {
	m.Version = iana.TLS12
	m.CipherSuites = append(slices.Clone(c.Suites13), m.CipherSuites...)
	if len(m.SessionID) == 0 && c.QUIC == nil { // RFC 9001 §8.4
		m.SessionID = make([]byte, 32)
		if _, err := io.ReadFull(c.Rand, m.SessionID); err != nil {
			return err
		}
	}
	groups := c.OfferedGroups()
	if len(groups) == 0 {
		return alert.Fail(alert.InternalError, "RFC 8446 §4.2.8", "no group is enabled")
	}
	return c.share(c.sharedGroups(groups))
}

// sharedGroups returns those of the groups on offer of which the first hello has a share.
func (c *client) sharedGroups(offered []iana.Group) []iana.Group {
	if c.KeyShares != nil {
		return negotiation.Common(offered, c.KeyShares) // in that order, RFC 8446 §4.2.8
	}
	// Most servers without ML-KEM have X25519: with both shares neither kind needs a retry.
	if offered[0] == iana.X25519MLKEM768 && slices.Contains(offered, iana.X25519) {
		return []iana.Group{offered[0], iana.X25519}
	}
	return offered[:1]
}

// share makes a key share in each group.
func (c *client) share(ids []iana.Group) error {
	groups := make([]kex.Group, len(ids))
	for i, id := range ids {
		var ok bool
		if groups[i], ok = kex.Named13(id); !ok {
			return alert.Fail(alert.InternalError, "RFC 8446 §4.2.7", "the group %v is not known",
				id)
		}
	}
	offers, err := kex.Offers(c.Rand, groups)
	if err != nil {
		return err
	}
	c.shares = make([]keyShare, len(groups))
	for i, g := range groups {
		c.shares[i] = keyShare{g, offers[i]}
	}
	return nil
}

// maxCookie is the length of the longest cookie extension that a client sends back, in bytes.
const maxCookie = 32 << 10

// retry checks a HelloRetryRequest, and makes the key share that it requests.
func (c *client) retry(m *message.ServerHello, s *Score) error {
	const ref = "RFC 8446 §4.1.4"
	if err := negotiation.Acceptable13(s.ClientHello, m, message.InHelloRetryRequest); err != nil {
		return err
	}
	if err := negotiation.WellFormed(m.Extensions, message.InHelloRetryRequest); err != nil {
		return err
	}
	if _, err := negotiation.SuiteOf(m.CipherSuite, iana.TLS13); err != nil {
		return err
	}
	// Beside a longer cookie our other extensions might not fit into the second hello.
	if cookie, _ := m.Extensions.Get(iana.ExtCookie); len(cookie) > maxCookie {
		return alert.KindExtension.Fail(alert.IllegalParameter, "RFC 8446 §4.2.2",
			"the server's cookie has %d bytes, we send back at most %d", len(cookie), maxCookie)
	}
	var group message.SelectedGroup
	asked, err := negotiation.Read(m.Extensions, iana.ExtKeyShare, &group)
	if err != nil {
		return err
	}
	if !asked {
		if !m.Extensions.Has(iana.ExtCookie) {
			return alert.KindRetry.Fail(alert.IllegalParameter, ref,
				"the server's hello_retry_request asks for no change of the client_hello")
		}
		return nil
	}
	known := slices.ContainsFunc(c.shares, func(k keyShare) bool { return k.ID() == group.Group })
	if known || !slices.Contains(c.OfferedGroups(), group.Group) {
		return alert.KindGroup.Fail(alert.IllegalParameter, "RFC 8446 §4.2.8",
			"the server asks for a share of %v, which we sent already or did not offer",
			group.Group)
	}
	return c.share([]iana.Group{group.Group})
}

// serverHello13 checks a ServerHello of TLS 1.3.
func (c *client) serverHello13(m *message.ServerHello, s *Score) error {
	if err := negotiation.Acceptable13(s.ClientHello, m, message.InServerHello); err != nil {
		return err
	}
	if err := negotiation.WellFormed(m.Extensions, message.InServerHello); err != nil {
		return err
	}
	if s.Retried() && m.CipherSuite != s.Retry.CipherSuite {
		return alert.KindSuite.Fail(alert.IllegalParameter, "RFC 8446 §4.1.4",
			"the server chose %v, and %v in its HelloRetryRequest", m.CipherSuite,
			s.Retry.CipherSuite)
	}
	a, err := s.negotiate(m, nil)
	if err != nil {
		return err
	}
	shared := m.Extensions.Has(iana.ExtKeyShare)
	switch {
	case !shared && !a.PSK:
		return alert.KindShare.Fail(alert.MissingExtension, "RFC 8446 §4.1.3",
			"the server sends neither key_share nor pre_shared_key")
	case shared && c.shareOf(a.Group) == nil:
		return alert.KindGroup.Fail(alert.IllegalParameter, "RFC 8446 §4.2.8",
			"the server's share is of %v, of which we sent none", a.Group)
	case !a.PSK && c.keysAlone():
		return alert.KindPSK.Fail(alert.MissingExtension, "RFC 8446 §4.2.11",
			"the server does not use our pre-shared key, and we have no name to check its "+
				"certificate for")
	case a.PSK:
		return c.goesOn(a)
	}
	return nil
}

func (c *client) shareOf(g iana.Group) *keyShare {
	for i := range c.shares {
		if c.shares[i].ID() == g {
			return &c.shares[i]
		}
	}
	return nil
}

func (c *client) encryptedExtensions(m *message.EncryptedExtensions, s *Score) error {
	asked := func(x *negotiation.Extension) bool { return x.Asked(s.ClientHello) }
	if err := negotiation.Placed(m.Extensions, iana.TLS13, message.InEncryptedExtensions,
		asked); err != nil {
		return err
	}
	if err := negotiation.WellFormed(m.Extensions, message.InEncryptedExtensions); err != nil {
		return err
	}
	a, err := s.negotiate(s.ServerHello, m)
	if err != nil {
		return err
	}
	if err := c.QuicAnswer(m, a); err != nil {
		return err
	}
	if a.Certified() {
		if err := c.AcceptsType(a); err != nil {
			return err
		}
	}
	return c.earlyAccepted(a)
}

// certificateRequest13 chooses the certificate to send, or none if none fits. See RFC 8446 §4.3.2.
func (c *client) certificateRequest13(m *message.CertificateRequest, a *negotiation.Agreed) error {
	const ref = "RFC 8446 §4.3.2"
	if len(m.Context) != 0 {
		return alert.KindMalformed.Fail(alert.IllegalParameter, ref,
			"the server's certificate_request_context is not empty during the handshake")
	}
	if err := negotiation.AcceptableRequest(m); err != nil {
		return err
	}
	return c.chooseCredential(pki.Request{Schemes: m.Schemes,
		CertSchemes: m.CertSchemes, Authorities: m.Authorities, TLS13: true,
		CertType: a.CertificateTypes[iana.Client]}, iana.TLS13, ref)
}

// certificate13 checks the server's chain and its extensions. See RFC 8446 §4.4.2.
func (c *client) certificate13(m *message.Certificate, s *Score) error {
	const ref = "RFC 8446 §4.4.2"
	switch {
	case len(m.Context) != 0:
		return alert.KindMalformed.Fail(alert.IllegalParameter, ref,
			"the certificate_request_context of a server's Certificate is not empty")
	case len(m.Chain) == 0:
		return alert.KindNoCertificate.Fail(alert.DecodeError, "RFC 8446 §4.4.2.4",
			"the server's Certificate is empty")
	}
	asked := func(x *negotiation.Extension) bool { return x.Asked(s.ClientHello) }
	if err := negotiation.AcceptableEntries(m, asked); err != nil {
		return err
	}
	if err := c.authenticate(iana.Server, m.Chain, s.Agreed, !c.Skip); err != nil {
		return err
	}
	if err := c.fits(iana.AuthNone, iana.KexNone); err != nil {
		return err
	}
	var staple message.CertificateStatus
	stapled, err := negotiation.Read(m.Leaf(), iana.ExtStatusRequest, &staple)
	if err != nil {
		return err
	}
	if !stapled {
		return c.unstapled(s)
	}
	return c.status(&staple)
}

type client13 struct{ *client }

func (c client13) compose(k Kind, s *Score) (message.Message, error) {
	switch k {
	case Kind(iana.EndOfEarlyData):
		return &message.EndOfEarlyData{}, nil
	case Kind(iana.Certificate):
		return c.compressed(c.certificates(s), s.CertificateRequest.Extensions,
			c.certChoice.Credential)
	case Kind(iana.CertificateVerify):
		return c.sign13(iana.Client, c.certChoice, s)
	}
	return nil, nil
}

func (c client13) resumed(s *Score) bool {
	return s.ServerHello.Extensions.Has(iana.ExtPreSharedKey) && c.key.Session != nil
}

// keep does nothing: a session needs a ticket, which arrives later.
func (c client13) keep(*Score) {}

// receive returns an error if a message of a TLS 1.3 server must be rejected.
func (c client13) receive(msg message.Message, s *Score) error {
	switch m := msg.(type) {
	case *message.EncryptedExtensions:
		return c.encryptedExtensions(m, s)
	case *message.CertificateRequest:
		return c.certificateRequest13(m, s.Agreed)
	case *message.Certificate:
		return c.certificate13(m, s)
	case *message.CompressedCertificate:
		inside, err := c.expand(iana.Server, m)
		if err != nil {
			return err
		}
		return c.certificate13(inside, s)
	case *message.CertificateVerify:
		return c.verified13(iana.Server, m, s)
	}
	return alert.KindOrder.Fail(alert.UnexpectedMessage, "RFC 8446 §4",
		"got a %v, which we did not ask for", msg.Type())
}

// secret returns the shared secret of the key exchange.
func (c client13) secret(s *Score) (Input, error) {
	if !s.Agreed.Kex.Ephemeral() { // psk_ke
		return Input{Early: c.early}, nil
	}
	var theirs message.KeyShare
	if _, err := negotiation.Read(s.ServerHello.Extensions, iana.ExtKeyShare, &theirs); err != nil {
		return Input{}, err
	}
	ours := c.shareOf(s.Agreed.Group)
	shared, err := ours.offer.Finish(theirs.KeyExchange)
	if err != nil {
		return Input{}, err
	}
	c.Log.Ephemeral(iana.Client, ours.Name(), ours.offer.Private(), ours.offer.Share(),
		theirs.KeyExchange, "RFC 8446 §4.2.8")
	c.shares = nil
	return Input{Early: c.early, Shared: shared}, nil
}
