package handshake

import (
	"context"
	"crypto"
	"io"

	"github.com/vitrine-tls/vitrine/negotiation"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/suite"
)

// server speaks the server's lines.
type server struct {
	live
	wellFormed *message.ClientHello                 // which wellFormed has read
	read13     hello13Of                            // TLS 1.3: what it says
	chosen     *negotiation.Choice                  // since ClientHello
	offer      kex.Offer                            // our ephemeral key, since ServerKeyExchange
	answered   *kex.Answer                          // TLS 1.3: our share and the secret, from ServerHello on
	early      *keys.Early                          // TLS 1.3: of the session that is resumed
	opened     map[string]*slow[*negotiation.Key13] // TLS 1.3: by identity
	tickets13  slow[[]message.Message]

	usesTickets bool  // TLS 1.3: the client does, and we issue some
	issued      uint8 // in QUIC: see NewTicket

	taken        slow[bool] // TLS 1.3: the ticket is used for early data for the first time
	earlyDecided bool       // TLS 1.3: chosen.early is
	earlyHello   []byte     // TLS 1.3: the hash of the ClientHello that early data is accepted with
	announced    [][]byte   // TLS 1.3: tickets of this connection that allow early data

	config    slow[*negotiation.Config]
	certs     slow[[]*pki.Credential]
	found     slow[*Session] // that the client offered
	ticket    slow[[]byte]
	kept      slow[struct{}]
	ids       [][]byte     // under which the store has, or may have, sessions of this connection
	decrypted slow[[]byte] // the pre_master_secret of RSA key exchange
}

// NewServer is a Machine that waits for ClientHello. It must stand before the first byte comes:
// what comes instead of a hello is then refused with what was expected.
func NewServer(c *negotiation.Config, carrier Carrier) *Machine {
	return newMachine(iana.Server, &server{live: live{Config: c}}, c, carrier)
}

func (v *server) compose(k Kind, s *Score) (message.Message, error) {
	switch {
	case k == HelloRetryRequest:
		return v.composeRetry(s)
	case k == Kind(iana.ServerHello) && v.chosen.Version == iana.TLS13:
		return v.composeHello13(s)
	case v.chosen.Version == iana.TLS13:
		return v.compose13(k, s)
	}
	switch iana.HandshakeType(k) {
	case iana.ServerHello:
		return v.hello(s)
	case iana.Certificate:
		return &message.Certificate{Chain: v.chosen.Credential.Chain.Raw()}, nil
	case iana.CertificateStatus:
		return &message.CertificateStatus{StatusType: iana.StatusOCSP,
			Response: v.chosen.Credential.Staple}, nil
	case iana.ServerKeyExchange:
		return v.keyExchange(s)
	case iana.CertificateRequest:
		return v.certificateRequest()
	case iana.ServerHelloDone:
		return &message.ServerHelloDone{}, nil
	case iana.NewSessionTicket:
		return v.newTicket(s)
	}
	return nil, nil
}

func (v *server) hello(s *Score) (message.Message, error) {
	m := &message.ServerHello{Version: v.chosen.Version, CipherSuite: v.chosen.Suite.ID}
	if _, err := io.ReadFull(v.Rand, m.Random[:]); err != nil {
		return nil, err
	}
	v.MarkDowngrade(m)
	var err error
	if v.chosen.Session != nil {
		m.SessionID = s.ClientHello.SessionID
	} else if err := v.newID(m); err != nil {
		return nil, err
	}
	m.Extensions, err = negotiation.Answer(v.Config, v.answering(message.InServerHello, s))
	if err != nil {
		return nil, err
	}
	a, err := s.agree(m, nil)
	if err != nil {
		return nil, err
	}
	return m, a.Demanded(&v.Parameters, m)
}

// keyExchange makes a fresh key for this handshake alone: a key that is used twice lets Raccoon
// compare, and is no forward secrecy.
func (v *server) keyExchange(s *Score) (message.Message, error) {
	var err error
	if v.chosen.Group == nil { // a pre-shared key without a Diffie-Hellman exchange
		if v.Hint == nil {
			return nil, nil
		}
		return &message.ServerKeyExchange{PSKIdentityHint: v.Hint}, nil
	}
	if v.offer == nil { // else the signature was waited for
		if v.offer, err = v.chosen.Group.Offer(v.Rand); err != nil {
			return nil, err
		}
	}
	m := &message.ServerKeyExchange{Scheme: v.chosen.Scheme, PSKIdentityHint: v.Hint}
	if p, g := kex.Params(v.chosen.Group); p != nil {
		m.P, m.G, m.DHPublic = p, g, v.offer.Share()
	} else {
		m.CurveType, m.Group, m.ECPublic = iana.NamedCurve, v.chosen.Group.ID(), v.offer.Share()
	}
	if err := m.EncodeParams(message.Dialect{Version: s.Agreed.Version,
		Kex: s.Agreed.Kex}); err != nil {
		return nil, err
	}
	if v.chosen.Credential == nil {
		return m, nil
	}
	signed := pki.ServerParams(s.ClientHello.Random, s.ServerHello.Random, m.Params)
	m.Signature, err = v.sign(iana.Server, v.chosen.Choice, signed, "RFC 5246 §7.4.3")
	return m, err
}

func (v *server) certificateRequest() (message.Message, error) {
	if !v.ClientAuth.Request || v.chosen.Suite.PreShared() {
		return nil, nil
	}
	m := &message.CertificateRequest{Types: []iana.ClientCertificateType{iana.RSASign,
		iana.ECDSASign}, Schemes: v.Schemes}
	if v.Roots != nil { // also where they verify nothing: they help the client to choose
		//lint:ignore SA1019 deprecated for the system's pool only, and this is not that
		m.Authorities = v.Roots.Subjects()
	}
	return m, nil
}

func (v *server) receive(_ iana.Side, msg message.Message, s *Score) (err error) {
	switch m := msg.(type) {
	case *message.ClientHello:
		// First of all, and once, although choose may wait several times: what is malformed must
		// not reach the program's callbacks.
		if v.wellFormed != m {
			if err = negotiation.WellFormed(m.Extensions, message.InClientHello); err != nil {
				return err
			}
			v.wellFormed = m
		}
		if v.chosen, err = v.choose(m, s); err == nil {
			v.wellFormed, v.read13 = nil, hello13Of{}
		}
		return err
	}
	if s.TLS13() {
		return v.receive13(msg, s)
	}
	switch m := msg.(type) {
	case *message.Certificate:
		err = v.certificate(m, s.Agreed)
	case *message.CertificateVerify:
		err = v.signature(s.Agreed.Version, iana.Client, m.Scheme, s.transcript.raw(), m.Signature,
			"RFC 5246 §7.4.8")
	}
	return err
}

func (v *server) certificate(m *message.Certificate, a *negotiation.Agreed) error {
	if len(m.Chain) == 0 {
		if v.ClientAuth.Require {
			return alert.KindNoCertificate.Fail(alert.HandshakeFailure, "RFC 5246 §7.4.6",
				"the client showed no certificate, which we require")
		}
		return v.verdict(nil) // a program may require by its callback what ClientAuth only requests
	}
	if err := v.authenticate(iana.Client, m.Chain, a, v.ClientAuth.Verify); err != nil {
		return err
	}
	return v.peer.Chain.Fits(iana.AuthNone, iana.KexNone, false)
}

// choose resumes the session that the client offers, or settles everything anew.
func (v *server) choose(ch *message.ClientHello, s *Score) (*negotiation.Choice, error) {
	if s.Retried() && !s.Restored { // ch is not in s yet: the hello there is the first
		if err := negotiation.Unchanged(s.ClientHello, ch); err != nil {
			return nil, err
		}
	}
	if err := v.consult(ch); err != nil {
		return nil, err
	}
	if err := v.OnlyQUIC(ch); err != nil {
		return nil, err
	}
	if err := v.restore(ch, s); err != nil {
		return nil, err
	}
	version, err := negotiation.ChooseVersion(ch, v.Config)
	if err != nil {
		return nil, err
	}
	if version == iana.TLS13 {
		return v.choose13(ch, s)
	}
	if s.Retried() {
		return nil, alert.KindRetry.Fail(alert.IllegalParameter, "RFC 8446 §4.1.2",
			"the client's second hello does not offer TLS 1.3")
	}
	session, err := v.session(ch)
	if err != nil {
		return nil, err
	}
	if session == nil {
		return negotiation.Choose(ch, v.Config)
	}
	return &negotiation.Choice{Version: session.Version, Suite: suite.ByID(session.Suite), Session: session},
		negotiation.Admissible(ch, v.Config)
}

// consult asks the program, before anything is decided.
func (v *server) consult(ch *message.ClientHello) error {
	if ask := v.ForClient; ask != nil {
		other, err := v.config.await("GetConfigForClient",
			func(ctx context.Context) (*negotiation.Config, error) { return ask(ctx, ch) })
		if err != nil {
			return err
		}
		if other != nil {
			mine := *other
			mine.Log, mine.Rand, mine.ForClient = v.Log, v.Rand, nil
			mine.Reads, mine.QUIC = v.Reads, v.QUIC
			v.Config = &mine
		}
	}
	if ask := v.ForServerName; ask != nil {
		creds, err := v.certs.await("GetCertificate",
			func(ctx context.Context) ([]*pki.Credential, error) { return ask(ctx, ch) })
		if err != nil {
			return err
		}
		if len(creds) > 0 {
			mine := *v.Config
			mine.Credentials, mine.ForServerName = creds, nil
			v.Config = &mine
		}
	}
	return nil
}

func (v *server) newTicket(s *Score) (message.Message, error) {
	seal := func(ctx context.Context) (t []byte, err error) {
		k := v.sessionOf(s, s.Secret(nil), iana.Server)
		if err = k.Fits(); err == nil {
			t, err = v.Seal(ctx, k)
		}
		return t, v.spare(ctx, "sealing a ticket", err)
	}
	t, err := v.ticket.await("a session ticket's key", seal)
	// RFC 5077 §3.3: it was promised, so an empty one says that there is none after all
	if len(t) == 0 {
		return &message.NewSessionTicket{}, err
	}
	return &message.NewSessionTicket{LifetimeHint: uint32(session.MaxSessionAge.Seconds()),
		Ticket: t}, err
}

// keep stores a session under the ID that ServerHello gave it, unless it has a ticket.
func (v *server) keep(s *Score) error {
	if v.Store == nil || s.Resumed || s.Agreed.Ticket || s.TLS13() {
		return nil
	}
	_, err := v.kept.await("the session store", func(ctx context.Context) (struct{}, error) {
		k := v.sessionOf(s, s.Secret(nil), iana.Server)
		err := k.Fits()
		if err == nil {
			v.ids = [][]byte{k.ID} // also if the store fails: it may have it all the same
			err = v.Store(ctx, k.ID, k)
		}
		return struct{}{}, v.spare(ctx, "storing a session", err)
	})
	return err
}

func (v *server) secret(s *Score) (Input, error) {
	if s.TLS13() {
		return v.secret13()
	}
	if v.chosen.Session != nil {
		return Input{Master: v.chosen.Session.Master}, nil
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

// exchanged is what RSA or Diffie-Hellman gave, if the suite has either.
func (v *server) exchanged(s *Score) (Input, error) {
	m := s.ClientKeyExchange
	if s.Agreed.Kex == iana.KexPSK {
		return Input{}, nil
	}
	if k := s.Agreed.Kex; k == iana.KexRSA || k == iana.KexRSAPSK {
		key, ok := v.chosen.Credential.Key.(crypto.Decrypter)
		if !ok {
			return Input{},
				alert.Fail(alert.InternalError, "", "the server's private key cannot decrypt")
		}
		pre, err := v.decrypted.get(v.chosen.Credential.Key, "an RSA decryption",
			func(context.Context) ([]byte, error) {
				return kex.DecryptPreMaster(v.Rand, key, m.EncryptedPreMaster, s.ClientHello.Version)
			})
		return Input{PreMaster: pre}, err
	}
	theirs := s.Public(iana.Client)
	z, err := v.offer.Finish(theirs)
	if err != nil {
		return Input{}, err
	}
	return Input{PreMaster: v.ephemeral(iana.Server, v.chosen.Group, v.offer.Private(),
		v.offer.Share(), theirs, z)}, nil
}

func (v *server) finished(s *Score) ([]message.Message, error) {
	shown := v.peer.Chain != nil
	switch {
	case s.VerifyData[iana.Client] == nil, shown && !v.peer.possessed, !shown &&
		v.ClientAuth.Require && !s.Agreed.Kex.PreShared(),
		shown && v.ClientAuth.Verify && !v.peer.trusted():
		return nil, alert.Fail(alert.InternalError, "",
			"the handshake ended without a proof of who the client is")
	}
	if err := v.accept(); err != nil {
		return nil, err
	}
	if s.TLS13() {
		return v.newTickets13(s)
	}
	return nil, v.keep(s)
}
