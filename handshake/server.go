package handshake

import (
	"context"

	"github.com/vitrine-tls/vitrine/negotiation"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/suite"
)

// server speaks the server's lines.
type server struct {
	live
	part       serverPart                           // since ClientHello
	wellFormed *message.ClientHello                 // which wellFormed has read
	read13     hello13Of                            // TLS 1.3: what it says
	choice     *negotiation.Choice                  // since ClientHello
	offer      kex.Offer                            // our ephemeral key, since ServerKeyExchange
	answered   *kex.Answer                          // TLS 1.3: our share and the secret, from ServerHello on
	early      *keys.Early                          // TLS 1.3: of the session that is resumed
	opened     map[string]*slow[*negotiation.Key13] // TLS 1.3: by identity
	tickets13  slow[[]message.Message]

	usesTickets bool     // TLS 1.3: the client does, and we issue some
	issued      uint8    // in QUIC: see NewTicket
	extra       [][]byte // in QUIC: of the next ticket's session

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

func (v *server) compose(k Kind, s *Score) (message.Message, error) { return v.part.compose(k, s) }

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
		if v.choice, err = v.choose(m, s); err == nil {
			v.wellFormed, v.read13 = nil, hello13Of{}
		}
		return err
	}
	return v.part.receive(msg, s)
}

// choose resumes the session that the client offers, or chooses all parameters anew.
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
		v.part = server13{v}
		return v.choose13(ch, s)
	}
	v.part = server12{v}
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
	return v.part.keep(s)
}

func (v *server) secret(s *Score) (Input, error) { return v.part.secret(s) }
