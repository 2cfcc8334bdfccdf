package handshake

import (
	"context"
	"io"
	"slices"

	"github.com/vitrine-tls/vitrine/negotiation"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/trace"
)

// client speaks the client's lines.
type client struct {
	live
	part       clientPart // since ServerHello
	certChoice pki.Choice // the certificate that we show, if we were asked and have one
	asked      slow[*pki.Credential]
	preMaster  []byte
	shares     []keyShare               // TLS 1.3: what waits for the server's
	offered    []*negotiation.Key13     // TLS 1.3: the pre-shared keys on offer, in their order
	key        *negotiation.Key13       // TLS 1.3: the one that the server chose
	early      *keys.Early              // TLS 1.3: of key
	shared13   slow[[]*negotiation.PSK] // TLS 1.3: the program's, to be offered

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
	}
	return c.part.compose(k, s)
}

// certificates is our Certificate, which is empty if nothing fits the request.
func (c *client) certificates(s *Score) *message.Certificate {
	m := &message.Certificate{Context: s.CertificateRequest.Context}
	if c.certChoice.Credential != nil {
		m.Chain = c.certChoice.Credential.Chain.Raw()
	}
	return m
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
	if len(c.Suites) == 0 && !c.Offers13() {
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
	if c.Offers13() {
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
			c.part = client13{c}
			return c.serverHello13(m, s)
		}
		c.part = client12{c}
		return c.serverHello(m, s)
	}
	return c.part.receive(msg, s)
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
	c.certChoice = pki.ChooseClient(creds, r, negotiation.SchemesOf(v, c.Config))
	if !c.Log.On() {
		return nil
	}
	name := "none"
	if c.certChoice.Credential != nil {
		name = c.certChoice.Credential.Chain.Subject() + ", " + c.certChoice.Scheme.String()
	}
	c.Log.Choice("client_certificate", "", name, c.certChoice.Why(), ref)
	return nil
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
	c.part.keep(s)
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

func (c *client) secret(s *Score) (Input, error) { return c.part.secret(s) }

func (c *client) resumption(s *Score) (resumed, undecided bool) { return c.part.resumed(s), false }
