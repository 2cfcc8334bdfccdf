package handshake

import (
	"crypto/rsa"
	"io"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/trace"
)

// client speaks the client's lines.
type client struct {
	live
	chosen    pki.Choice // the certificate that we show, if we were asked and have one
	preMaster []byte
}

// NewClient is a Machine that opens a handshake: Speak says ClientHello.
func NewClient(c *Config, carrier Carrier) *Machine {
	return newMachine(iana.Client, &client{live: live{Config: c}}, c, carrier)
}

func (c *client) compose(k Kind, s *Score) (message.Message, error) {
	switch iana.HandshakeType(k) {
	case iana.ClientHello:
		return c.hello()
	case iana.Certificate:
		m := &message.Certificate{}
		if c.chosen.Credential != nil {
			m.Chain = c.chosen.Credential.Chain.Raw()
		}
		return m, nil
	case iana.ClientKeyExchange:
		return c.keyExchange(s)
	case iana.CertificateVerify:
		// RFC 5246 §7.4.8: everything from ClientHello up to here, not including this message.
		signature, err := c.sign(iana.Client, c.chosen, s.transcript.raw, "RFC 5246 §7.4.8")
		return &message.CertificateVerify{Scheme: c.chosen.Scheme, Signature: signature}, err
	}
	return nil, nil
}

func (c *client) hello() (*message.ClientHello, error) {
	m := &message.ClientHello{Version: c.MaxVersion, CipherSuites: slices.Clone(c.Suites), CompressionMethods: []iana.CompressionMethod{iana.CompressionNull}}
	if len(c.Suites) == 0 {
		return nil, alert.Fail(alert.InternalError, "", "no cipher suite is enabled")
	}
	if _, err := io.ReadFull(c.Rand, m.Random[:]); err != nil {
		return nil, err
	}
	var err error
	m.Extensions, err = offerAll(c.Config)
	return m, err
}

func (c *client) receive(_ iana.Side, msg message.Message, s *Score) error {
	switch m := msg.(type) {
	case *message.ServerHello:
		return acceptable(s.ClientHello, m, &c.Parameters)
	case *message.Certificate:
		return c.certificate(m, s)
	case *message.CertificateStatus:
		return c.status(m.Response)
	case *message.ServerKeyExchange:
		return c.serverKeyExchange(m, s)
	case *message.CertificateRequest:
		return c.certificateRequest(m)
	case *message.ServerHelloDone:
		return c.unstapled(s)
	}
	return nil
}

func (c *client) certificate(m *message.Certificate, s *Score) error {
	if len(m.Chain) == 0 {
		return alert.Fail(alert.DecodeError, "RFC 5246 §7.4.2", "the server's Certificate is empty, expected at least its own")
	}
	if err := c.authenticate(iana.Server, m.Chain, !c.Skip); err != nil {
		return err
	}
	if err := c.peer.Chain.Fits(s.Agreed.Suite.Auth, s.Agreed.Suite.Kex); err != nil {
		return err
	}
	return nil
}

// status checks the staple, once for all: an unreadable or a bad one is worse than none. See RFC 6066 §8.
func (c *client) status(response []byte) error {
	if c.Skip {
		return nil
	}
	chain := c.peer.Verified[0]
	if err := pki.CheckStaple(response, chain[0], chain[min(1, len(chain)-1)], c.now()); err != nil {
		return err
	}
	c.Log.Verified(trace.Verified{What: "ocsp", From: iana.Server, Detail: "stapled status: good"}, "RFC 6066 §8")
	return nil
}

// unstapled: the server's flight is over; a certificate that promises a staple must have brought it. See RFC 7633 §4.2.3.
func (c *client) unstapled(s *Score) error {
	if s.CertificateStatus != nil || c.Skip {
		return nil
	}
	switch {
	case c.StatusRequest == Required:
		return alert.Fail(alert.BadCertificateStatusResponse, "RFC 6066 §8", "the server stapled no certificate status, which we require")
	case c.StatusRequest != Off && pki.MustStaple(c.peer.Chain.Leaf()):
		return alert.Fail(alert.BadCertificateStatusResponse, "RFC 7633 §4.2.3", "the server's certificate says that a status comes with it, and none came")
	}
	return nil
}

func (c *client) serverKeyExchange(m *message.ServerKeyExchange, s *Score) error {
	const ref = "RFC 5246 §7.4.3"
	if s.Agreed.Suite.Kex.EllipticCurve() && !slices.Contains(c.Groups, m.Group) {
		return alert.Fail(alert.IllegalParameter, "RFC 8422 §5.4", "the server chose the group %v, we offered %v", m.Group, offeredGroups(c.Config))
	}
	if _, err := groupOf(s.Agreed.Suite.Kex, m, c.MinDHBits); err != nil {
		return err
	}
	signed := pki.ServerParams(s.ClientHello.Random, s.ServerHello.Random, m.Params)
	return c.signature(s.Agreed.Version, iana.Server, m.Scheme, signed, m.Signature, ref)
}

// certificateRequest chooses what to show: nothing, if nothing fits. See RFC 5246 §7.4.6.
func (c *client) certificateRequest(m *message.CertificateRequest) error {
	c.chosen = pki.ChooseClient(c.Credentials, pki.Request{Types: m.Types, Schemes: m.Schemes, Authorities: m.Authorities}, c.Schemes)
	name := "none"
	if c.chosen.Credential != nil {
		name = c.chosen.Credential.Chain.Leaf().Subject.String() + ", " + c.chosen.Scheme.String()
	}
	c.Log.Choice("client_certificate", "", name, c.chosen.Why, "RFC 5246 §7.4.4")
	return nil
}

func (c *client) keyExchange(s *Score) (message.Message, error) {
	if s.Agreed.Suite.Kex == iana.KexRSA {
		pub, err := c.peer.Chain.PublicKey()
		if err != nil {
			return nil, err
		}
		key, ok := pub.(*rsa.PublicKey)
		if !ok {
			return nil, alert.Fail(alert.UnsupportedCertificate, "RFC 5246 §7.4.7.1", "the server's key is a %T, which cannot encrypt", pub)
		}
		// RFC 5246 §7.4.7.1: "the version number offered by the client in the ClientHello.client_version, not the version negotiated".
		pre, encrypted, err := kex.EncryptPreMaster(c.Rand, key, s.ClientHello.Version)
		c.preMaster = pre
		return &message.ClientKeyExchange{EncryptedPreMaster: encrypted}, err
	}
	g, err := groupOf(s.Agreed.Suite.Kex, s.ServerKeyExchange, c.MinDHBits)
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

func (c *client) secret(*Score) (Input, error) { return Input{PreMaster: c.preMaster}, nil }

// finished: RSA key exchange needs no signature; the server's Finished shows that it could decrypt.
func (c *client) finished(s *Score) error {
	switch {
	case c.peer.Chain == nil, !c.Skip && c.peer.Verified == nil, s.VerifyData[iana.Server] == nil,
		s.Agreed.Suite.Kex.Ephemeral() && !c.peer.possessed:
		return alert.Fail(alert.InternalError, "", "the handshake ended without a proof of who the server is")
	}
	return nil
}

// now is the time for certificates.
func (l *live) now() time.Time {
	if l.Now.IsZero() {
		return time.Now()
	}
	return l.Now
}
