package handshake

import (
	"bytes"
	"context"
	"crypto/rsa"
	"io"
	"slices"

	"github.com/vitrine-tls/vitrine/negotiation"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/trace"
)

// client speaks the client's lines.
type client struct {
	live
	chosen    pki.Choice // the certificate that we show, if we were asked and have one
	asked     slow[*pki.Credential]
	preMaster []byte
	shares    []keyShare             // TLS 1.3: what waits for the server's
	offered   []*negotiation.Key13   // TLS 1.3: the pre-shared keys on offer, in their order
	key       *negotiation.Key13     // TLS 1.3: the one that the server chose
	early     *keys.Early            // TLS 1.3: of key
	shared13  slow[*negotiation.PSK] // TLS 1.3: the program's, to be offered

	remembered Peer // of the session on offer
}

// NewClient is a Machine that opens a handshake: Speak says ClientHello.
func NewClient(c *negotiation.Config, carrier Carrier) *Machine {
	return newMachine(iana.Client, &client{live: live{Config: c}}, c, carrier)
}

func (c *client) compose(k Kind, s *Score) (message.Message, error) {
	switch iana.HandshakeType(k) {
	case iana.ClientHello:
		if s.Retried() {
			return c.helloAgain(s)
		}
		return c.hello(s)
	case iana.EndOfEarlyData:
		return &message.EndOfEarlyData{}, nil
	case iana.Certificate:
		m := &message.Certificate{Context: s.CertificateRequest.Context}
		if c.chosen.Credential != nil {
			m.Chain = c.chosen.Credential.Chain.Raw()
		}
		return c.compressed(m, s.CertificateRequest.Extensions, c.chosen.Credential)
	case iana.ClientKeyExchange:
		return c.keyExchange(s)
	case iana.CertificateVerify:
		if s.TLS13() {
			return c.sign13(iana.Client, c.chosen, s)
		}
		// RFC 5246 §7.4.8: everything from ClientHello up to here, not including this message.
		signature, err := c.sign(iana.Client, c.chosen, s.transcript.raw(), "RFC 5246 §7.4.8")
		return &message.CertificateVerify{Scheme: c.chosen.Scheme, Signature: signature}, err
	}
	return nil, nil
}

func (c *client) hello(s *Score) (*message.ClientHello, error) {
	m := &message.ClientHello{Version: c.MaxVersion, CipherSuites: slices.Clone(c.Suites),
		CompressionMethods: []iana.CompressionMethod{iana.CompressionNull}}
	if err := c.awaitParameters(); err != nil {
		return nil, err
	}
	if err := c.findOffer(); err != nil {
		return nil, err
	}
	if len(c.Suites) == 0 && c.MaxVersion < iana.TLS13 {
		return nil, alert.Fail(alert.InternalError, "", "no cipher suite is enabled")
	}
	if _, err := io.ReadFull(c.Rand, m.Random[:]); err != nil {
		return nil, err
	}
	if err := c.offerSession(m); err != nil {
		return nil, err
	}
	if err := c.gather(); err != nil {
		return nil, err
	}
	if c.MaxVersion >= iana.TLS13 {
		if err := c.offer13(m); err != nil {
			return nil, err
		}
	}
	if err := c.greased.Draw(c.Config); err != nil {
		return nil, err
	}
	m.CipherSuites = negotiation.WithGrease(&c.greased, negotiation.GreaseSuite, m.CipherSuites)
	var err error
	if m.Extensions, err = negotiation.Offer(c.offering(s)); err != nil {
		return nil, err
	}
	return m, c.bind(m, s)
}

func (c *client) receive(_ iana.Side, msg message.Message, s *Score) error {
	if m, ok := msg.(*message.ServerHello); ok {
		switch {
		case m.IsRetry():
			return c.retry(m, s)
		case s.Retried() || negotiation.OffersTLS13(s.ClientHello) && m.Extensions.Has(iana.ExtSupportedVersions):
			return c.serverHello13(m, s)
		}
		return c.serverHello(m, s)
	}
	if s.TLS13() {
		return c.receive13(msg, s)
	}
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

func (c *client) serverHello(m *message.ServerHello, s *Score) error {
	if err := c.outdated(m, s); err != nil {
		return err
	}
	if err := negotiation.Acceptable(s.ClientHello, m, &c.Parameters); err != nil {
		return err
	}
	if err := negotiation.WellFormed(m.Extensions, message.InServerHello); err != nil {
		return err
	}
	a, err := s.agree(m, nil)
	if err != nil {
		return err
	}
	if err := a.Follows(c.Prior, c.SecureRenegotiation); err != nil {
		return err
	}
	if err := a.Demanded(&c.Parameters, m); err != nil {
		return err
	}
	if echoes(s.ClientHello, m) {
		return c.resumed(a)
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
	if err := c.peer.Chain.Fits(s.Agreed.Auth, s.Agreed.Kex, c.LaxKeyUsage); err != nil {
		return err
	}
	return c.peer.Chain.FitsGroups(c.Groups)
}

// status checks the staple, once for all: an unreadable or a bad one is worse than none. See RFC
// 6066 §8.
func (c *client) status(m *message.CertificateStatus) error {
	if m.StatusType != iana.StatusOCSP {
		return alert.KindMalformed.Fail(alert.IllegalParameter, "RFC 6066 §8",
			"got a certificate status of type %v, expected %v", m.StatusType, iana.StatusOCSP)
	}
	if c.peer.Chain.Type() != iana.X509 {
		return alert.KindExtension.Fail(alert.IllegalParameter, "RFC 6066 §8",
			"the server stapled a status to a raw public key, which has none")
	}
	if c.Skip {
		return nil
	}
	chain := c.peer.Verified[0]
	if err := pki.CheckStaple(m.Response, chain[0], chain[min(1, len(chain)-1)],
		c.CurrentTime()); err != nil {
		return err
	}
	c.Log.Verified(trace.Verified{What: "ocsp", From: iana.Server, Detail: "stapled status: good"},
		"RFC 6066 §8")
	return nil
}

// unstapled: the server's flight is over; a certificate that promises a staple must have brought
// it. A raw public key has no status. See RFC 7633 §4.2.3.
func (c *client) unstapled(s *Score) error {
	if s.CertificateStatus != nil || c.Skip || c.peer.Chain == nil ||
		c.peer.Chain.Type() != iana.X509 {
		return nil
	}
	switch {
	case c.StatusRequest == negotiation.Required:
		return alert.Fail(alert.BadCertificateStatusResponse, "RFC 6066 §8",
			"the server stapled no certificate status, which we require")
	case c.StatusRequest != negotiation.Off && pki.MustStaple(c.peer.Chain.Leaf()):
		return alert.Fail(alert.BadCertificateStatusResponse, "RFC 7633 §4.2.3",
			"the server's certificate says that a status comes with it, and none came")
	}
	return nil
}

func (c *client) serverKeyExchange(m *message.ServerKeyExchange, s *Score) error {
	const ref = "RFC 5246 §7.4.3"
	kx := s.Agreed.Kex
	if kx.EllipticCurve() && !slices.Contains(c.Groups, m.Group) {
		return alert.KindGroup.Fail(alert.IllegalParameter, "RFC 8422 §5.4",
			"the server chose the group %v, we offered %v", m.Group,
			alert.Few(negotiation.OfferedGroups(c.Config)))
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

// certificateRequest chooses what to show: nothing, if nothing fits. See RFC 5246 §7.4.6.
func (c *client) certificateRequest(m *message.CertificateRequest, a *negotiation.Agreed) error {
	if a.Version < iana.TLS12 {
		m.Schemes = pki.Implied(a.Version)
	}
	return c.chooseCredential(pki.Request{Types: m.Types, Schemes: m.Schemes,
		Authorities: m.Authorities, CertType: a.CertificateTypes[iana.Client]}, a.Version,
		"RFC 5246 §7.4.4")
}

// chooseCredential chooses what to show for a request, or asks the program.
func (c *client) chooseCredential(r pki.Request, v iana.Version, ref string) error {
	creds := c.Credentials
	if ask := c.ForRequest; ask != nil {
		cred, err := c.asked.await("GetClientCertificate",
			func(ctx context.Context) (*pki.Credential, error) { return ask(ctx, r, v) })
		if err != nil {
			return err
		}
		creds, r.Authorities = nil, nil // the program chose: only the signature is left to settle
		if cred != nil {
			creds = []*pki.Credential{cred}
		}
	}
	c.chosen = pki.ChooseClient(creds, r, negotiation.SchemesOf(v, c.Config))
	if !c.Log.On() {
		return nil
	}
	name := "none"
	if c.chosen.Credential != nil {
		name = c.chosen.Credential.Chain.Subject() + ", " + c.chosen.Scheme.String()
	}
	c.Log.Choice("client_certificate", "", name, c.chosen.Why(), ref)
	return nil
}

// keyExchange is our half of the exchange, with the pre-shared key if the suite has one.
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

// exchange is RSA or Diffie-Hellman, if the suite has either.
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
			return nil, alert.Fail(alert.UnsupportedCertificate, "RFC 5246 §7.4.7.1",
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

func (c *client) secret(s *Score) (Input, error) {
	if s.TLS13() {
		return c.secret13(s)
	}
	if s.Resumed {
		return Input{Master: bytes.Clone(c.Offer.Master)}, nil
	}
	return Input{PreMaster: c.preMaster}, nil
}

// finished: RSA key exchange needs no signature; the server's Finished shows that it could decrypt.
// So it does that it has the pre-shared key.
func (c *client) finished(s *Score) ([]message.Message, error) {
	certified := ifCertified(s) == Must
	switch {
	case certified &&
		(c.peer.Chain == nil || !c.Skip && !c.peer.trusted()),
		s.VerifyData[iana.Server] == nil,
		certified && s.Agreed.Kex.Ephemeral() && !c.peer.possessed, s.Undecided:
		return nil, alert.Fail(alert.InternalError, "",
			"the handshake ended without a proof of who the server is")
	}
	if err := c.accept(); err != nil {
		return nil, err
	}
	c.keep(s)
	return nil, nil
}

// offering returns what the extensions of a hello say, beside the Config.
func (c *client) offering(s *Score) *negotiation.Offering {
	o := &negotiation.Offering{Config: c.Config, Greased: &c.greased, Keys: c.offered, Retry: s.Retry,
		Early: c.earlyTicket(s) != nil}
	for _, k := range c.shares {
		o.Shares = append(o.Shares,
			message.KeyShareEntry{Group: k.ID(), KeyExchange: k.offer.Share()})
	}
	return o
}
