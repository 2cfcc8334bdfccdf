package handshake

import (
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/suite"
)

// A server: its answer to a ClientHello, and which part continues after it.

// NewServer returns a Machine that waits for a ClientHello. Create it before the first byte
// arrives: the error for anything else then names what was expected.
func NewServer(c *negotiation.Config, carrier Carrier) *Machine {
	return newMachine(iana.Server, newServer(c), c, carrier)
}

func (v *server) compose(k Kind, s *Score) (message.Message, error) { return v.part.compose(k, s) }

func (v *server) receive(_ iana.Side, msg message.Message, s *Score) (err error) {
	switch m := msg.(type) {
	case *message.ClientHello:
		// First, and only once, although choose may wait several times: a malformed hello must not
		// reach the program's callbacks.
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
	session, err := v.session(ch, version)
	if err != nil {
		return nil, err
	}
	if session == nil {
		return negotiation.Choose(ch, v.Config)
	}
	return &negotiation.Choice{Version: session.Version, Suite: suite.ByID(session.Suite),
			Session: session},
		negotiation.Admissible(ch, v.Config)
}

func (v *server) finished(s *Score) ([]message.Message, error) {
	shown := v.peer.Chain != nil
	if err := unproved(iana.Client, []proof{
		{"it showed the certificate that we require",
			shown || !v.ClientAuth.Require || s.Agreed.Kex.PreShared()},
		{"its certificate is trusted", !shown || !v.ClientAuth.Verify || v.peer.trusted()},
		{"it has its certificate's key", !shown || v.peer.possessed},
		{"it sent its Finished", s.VerifyData[iana.Client] != nil},
	}); err != nil {
		return nil, err
	}
	if err := v.accept(); err != nil {
		return nil, err
	}
	return v.part.keep(s)
}

func (v *server) secret(s *Score) (Input, error) { return v.part.secret(s) }

// resumption of a server is its own decision: the session IDs do not always tell it. RFC 5077 §3.4
// lets a client offer a ticket with an empty session ID, which the server then echoes.
func (v *server) resumption(*Score) (resumed, undecided bool) {
	return v.choice.Session != nil, false
}
