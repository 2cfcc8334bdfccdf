package handshake

import (
	"context"
	"crypto"
	"io"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/session"
)

// What a server sends and accepts up to TLS 1.2.

type server12 struct{ *server }

func (v server12) compose(k Kind, s *Score) (message.Message, error) {
	switch k {
	case Kind(iana.ServerHello):
		return v.hello(s)
	case Kind(iana.Certificate):
		return &message.Certificate{Chain: v.choice.Credential.Chain.Raw()}, nil
	case Kind(iana.CertificateStatus):
		return &message.CertificateStatus{StatusType: iana.StatusOCSP,
			Response: v.choice.Credential.Staple}, nil
	case Kind(iana.ServerKeyExchange):
		return v.keyExchange(s)
	case Kind(iana.CertificateRequest):
		return v.certificateRequest()
	case Kind(iana.ServerHelloDone):
		return &message.ServerHelloDone{}, nil
	case Kind(iana.NewSessionTicket):
		return v.newTicket(s)
	}
	return nil, nil
}

func (v server12) receive(msg message.Message, s *Score) error {
	switch m := msg.(type) {
	case *message.Certificate:
		return v.certificate(m, s.Agreed)
	case *message.CertificateVerify:
		return v.signature(s.Agreed.Version, iana.Client, m.Scheme, s.transcript.raw(), m.Signature,
			"RFC 5246 §7.4.8")
	}
	return nil
}

func (v server12) secret(s *Score) (Input, error) {
	if v.choice.Session != nil {
		return Input{Master: v.choice.Session.Master}, nil
	}
	if !s.Agreed.Kex.PreShared() {
		return v.exchanged(s)
	}
	k, err := v.psk(s.Agreed.Version, v.Hint, s.ClientKeyExchange.PSKIdentity)
	if err != nil {
		return Input{}, err
	}
	other, err := v.exchanged(s)
	if err != nil {
		return Input{}, err
	}
	return Input{PreMaster: v.mixIn(k, other.PreMaster)}, nil
}

// keep stores a session under the ID that ServerHello gave it, unless it has a ticket.
func (v server12) keep(s *Score) ([]message.Message, error) {
	if v.Store == nil || s.Resumed || s.Agreed.Ticket {
		return nil, nil
	}
	_, err := v.kept.await("the session store", func(ctx context.Context) (struct{}, error) {
		k := v.sessionOf(s, s.Secret(nil), iana.Server)
		k.ID = s.ServerHello.SessionID
		err := k.Fits()
		if err == nil {
			v.ids = [][]byte{k.ID} // also if the store fails: it may have it all the same
			err = v.Store(ctx, k.ID, k)
		}
		return struct{}{}, v.spare(ctx, "storing a session", err)
	})
	return nil, err
}

func (v *server) hello(s *Score) (message.Message, error) {
	m := &message.ServerHello{Version: v.choice.Version, CipherSuite: v.choice.Suite.ID}
	if _, err := io.ReadFull(v.Rand, m.Random[:]); err != nil {
		return nil, err
	}
	v.MarkDowngrade(m)
	var err error
	if v.choice.Session != nil {
		m.SessionID = s.ClientHello.SessionID
	} else if err := v.newID(m); err != nil {
		return nil, err
	}
	m.Extensions, err = negotiation.Answer(v.Config, v.answering(message.InServerHello, s))
	if err != nil {
		return nil, err
	}
	a, err := s.negotiate(m, nil)
	if err != nil {
		return nil, err
	}
	return m, a.Demanded(v.Parameters, m)
}

// keyExchange makes a fresh key for this handshake: a reused key would allow the Raccoon attack and
// break forward secrecy.
func (v *server) keyExchange(s *Score) (message.Message, error) {
	var err error
	if v.choice.Group == nil { // a pre-shared key without a Diffie-Hellman exchange
		if v.Hint == nil {
			return nil, nil
		}
		return &message.ServerKeyExchange{PSKIdentityHint: v.Hint}, nil
	}
	if v.offer == nil { // otherwise the signature was pending
		if v.offer, err = v.choice.Group.Offer(v.Rand); err != nil {
			return nil, err
		}
	}
	m := &message.ServerKeyExchange{Scheme: v.choice.Scheme, PSKIdentityHint: v.Hint}
	if p, g := kex.Params(v.choice.Group); p != nil {
		m.P, m.G, m.DHPublic = p, g, v.offer.Share()
	} else {
		m.CurveType, m.Group, m.ECPublic = iana.NamedCurve, v.choice.Group.ID(), v.offer.Share()
	}
	if err := m.EncodeParams(message.Dialect{Version: s.Agreed.Version,
		Kex: s.Agreed.Kex}); err != nil {
		return nil, err
	}
	if v.choice.Credential == nil {
		return m, nil
	}
	signed := pki.ServerParams(s.ClientHello.Random, s.ServerHello.Random, m.Params)
	m.Signature, err = v.sign(iana.Server, v.choice.Choice, signed, "RFC 5246 §7.4.3")
	return m, err
}

func (v *server) certificateRequest() (message.Message, error) {
	if !v.ClientAuth.Request || v.choice.Suite.PreShared() {
		return nil, nil
	}
	m := &message.CertificateRequest{Types: []iana.ClientCertificateType{iana.RSASign,
		iana.ECDSASign}, Schemes: v.Schemes}
	if v.Roots != nil { // also without verification: they help the client to choose
		//lint:ignore SA1019 deprecated for the system's pool only, and this is not that
		m.Authorities = v.Roots.Subjects()
	}
	return m, nil
}

func (v *server) certificate(m *message.Certificate, a *negotiation.Agreed) error {
	if len(m.Chain) == 0 {
		if v.ClientAuth.Require {
			return alert.KindNoCertificate.Fail(alert.HandshakeFailure, "RFC 5246 §7.4.6",
				"the client sent no certificate, which we require")
		}
		return v.verdict(nil) // a program may require by its callback what ClientAuth only requests
	}
	if err := v.authenticate(iana.Client, m.Chain, a, v.ClientAuth.Verify); err != nil {
		return err
	}
	return v.peer.Chain.Fits(iana.AuthNone, iana.KexNone, false)
}

func (v *server) newTicket(s *Score) (message.Message, error) {
	seal := func(ctx context.Context) (t []byte, err error) {
		k := v.sessionOf(s, s.Secret(nil), iana.Server)
		k.ID = s.ServerHello.SessionID
		if err = k.Fits(); err == nil {
			t, err = v.Seal(ctx, k)
		}
		return t, v.spare(ctx, "sealing a ticket", err)
	}
	t, err := v.ticket.await("a session ticket's key", seal)
	// RFC 5077 §3.3: a promised ticket that cannot be made is sent empty
	if len(t) == 0 {
		return &message.NewSessionTicket{}, err
	}
	return &message.NewSessionTicket{LifetimeHint: uint32(session.MaxSessionAge.Seconds()),
		Ticket: t}, err
}

// exchanged returns the result of RSA or Diffie-Hellman, if the suite has one.
func (v *server) exchanged(s *Score) (Input, error) {
	m := s.ClientKeyExchange
	if s.Agreed.Kex == iana.KexPSK {
		return Input{}, nil
	}
	if k := s.Agreed.Kex; k == iana.KexRSA || k == iana.KexRSAPSK {
		key, ok := v.choice.Credential.Key.(crypto.Decrypter)
		if !ok {
			return Input{},
				alert.Fail(alert.InternalError, "", "the server's private key cannot decrypt")
		}
		pre, err := v.decrypted.get(v.choice.Credential.Key, "an RSA decryption",
			func(context.Context) ([]byte, error) {
				return kex.DecryptPreMaster(v.Rand, key, m.EncryptedPreMaster,
					s.ClientHello.Version)
			})
		return Input{PreMaster: pre}, err
	}
	theirs := s.Public(iana.Client)
	z, err := v.offer.Finish(theirs)
	if err != nil {
		return Input{}, err
	}
	return Input{PreMaster: v.ephemeral(iana.Server, v.choice.Group, v.offer.Private(),
		v.offer.Share(), theirs, z)}, nil
}
