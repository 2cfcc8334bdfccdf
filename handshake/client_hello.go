package handshake

import (
	"io"
	"slices"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/suite"
)

// A client: its ClientHello, and which part continues after the ServerHello.

// NewClient returns a Machine for a client. Its first Speak sends the ClientHello.
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

// helloAgain returns the second ClientHello: the first one with another share and the server's
// cookie. See RFC 8446 §4.1.2.
func (c *client) helloAgain(s *Score) (*message.ClientHello, error) {
	again := *s.ClientHello
	c.keepHash(suite.ByID13(s.Retry.CipherSuite).PRF)
	extensions, err := negotiation.Offer(c.offering(s))
	if err != nil {
		return nil, err
	}
	again.Extensions = extensions
	return &again, c.bind(&again, s)
}

func (c *client) receive(_ iana.Side, msg message.Message, s *Score) error {
	if m, ok := msg.(*message.ServerHello); ok {
		switch {
		case m.IsRetry():
			return c.retry(m, s)
		case s.Retried() ||
			negotiation.OffersTLS13(s.ClientHello) && m.Extensions.Has(iana.ExtSupportedVersions):
			c.part = client13{c}
			return c.serverHello13(m, s)
		}
		c.part = client12{c}
		return c.serverHello(m, s)
	}
	return c.part.receive(msg, s)
}

// finished requires the proof of the server's identity. RSA key exchange needs no signature: the
// server's Finished proves that it could decrypt, and likewise that it has a pre-shared key.
func (c *client) finished(s *Score) ([]message.Message, error) {
	certified := ifCertified(s) == Must
	if err := unproved(iana.Server, []proof{
		{"it showed a certificate", !certified || c.peer.Chain != nil},
		{"its certificate is trusted", !certified || c.Skip || c.peer.trusted()},
		{"it has its certificate's key",
			!certified || !s.Agreed.Kex.Ephemeral() || c.peer.possessed},
		{"it sent its Finished", s.VerifyData[iana.Server] != nil},
		{"it resumes the session, or does not", !s.Undecided},
	}); err != nil {
		return nil, err
	}
	if err := c.accept(); err != nil {
		return nil, err
	}
	c.part.keep(s)
	return nil, nil
}

// offering returns what the extensions of a hello depend on besides the Config.
func (c *client) offering(s *Score) *negotiation.Offering {
	o := &negotiation.Offering{Config: c.Config, Greased: &c.greased, Keys: c.offered,
		Retry: s.Retry,
		Early: c.earlyTicket(s) != nil}
	for _, k := range c.shares {
		o.Shares = append(o.Shares,
			message.KeyShareEntry{Group: k.ID(), KeyExchange: k.offer.Share()})
	}
	return o
}

func (c *client) secret(s *Score) (Input, error) { return c.part.secret(s) }

func (c *client) resumption(s *Score) (resumed, undecided bool) { return c.part.resumed(s), false }
