package handshake

import (
	"bytes"
	"io"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
)

// What a server chooses and sends only in TLS 1.3.

// choose13 chooses what a ClientHello of TLS 1.3 left open. See RFC 8446 §4.1.1.
func (v *server) choose13(ch *message.ClientHello, s *Score) (*negotiation.Choice, error) {
	h, err := v.hello13(ch, s.Retry)
	if err != nil {
		return nil, err
	}
	suites, err := negotiation.CommonSuites13(ch, v.Config, s.Retry)
	if err != nil {
		return nil, err
	}
	got := &negotiation.Choice{Version: iana.TLS13, Suite: suites[0]}
	if err := v.selectKey(ch, h, got, suites, s); err != nil {
		return nil, err
	}
	if got.Exchanges() {
		if err := got.ChooseShare(h, v.Config, s.Retry); err != nil {
			return nil, err
		}
	}
	if got.Key == nil {
		if err := got.ChooseCredential13(ch, h, v.Config); err != nil {
			return nil, err
		}
	}
	if v.Log.On() {
		got.Tell(v.Log, ch, h.Wishes)
	}
	return got, got.ChooseClientType(ch, v.Config)
}

// maxRetried bounds the ClientHello that is answered by a HelloRetryRequest, in bytes. It is kept
// until the second one has come, which it must equal but for a few extensions.
const maxRetried = 64 << 10

// hello13 reads a hello once, although choose13 may wait several times.
func (v *server) hello13(ch *message.ClientHello,
	retry *message.ServerHello) (*negotiation.Hello13, error) {
	if v.read13.hello == ch && v.read13.config == v.Config {
		return v.read13.says, nil
	}
	h, err := negotiation.ReadHello13(ch, v.Config, retry)
	if err == nil {
		v.read13 = hello13Of{ch, v.Config, h}
	}
	return h, err
}

// composeRetry returns a HelloRetryRequest, or nil if the client sent a usable share and needs no
// cookie.
func (v *server) composeRetry(s *Score) (message.Message, error) {
	cookies := len(v.CookieKeys) > 0
	if s.Retried() ||
		!cookies && (v.choice.Share != nil || !v.choice.Exchanges()) {
		return nil, nil
	}
	if n := len(s.transcript.raw()); n > maxRetried {
		return nil, alert.KindRetry.Fail(alert.IllegalParameter, "RFC 8446 §4.1.4",
			"got a client_hello of %d bytes to ask for again, expected at most %d", n, maxRetried)
	}
	v.rejectEarly(s, "the client must send another hello", "RFC 8446 §4.2.10")
	if cookies {
		return v.cookieRetry(s)
	}
	return v.answer13(message.RetryRandom(), message.InHelloRetryRequest, s)
}

// composeHello13 returns our ServerHello, with a fresh share.
func (v *server) composeHello13(s *Score) (message.Message, error) {
	if err := v.decideEarly(s); err != nil {
		return nil, err
	}
	if v.answered == nil && v.choice.Exchanges() {
		a, err := v.choice.Group.Answer(v.Rand, v.choice.Share)
		if err != nil {
			return nil, err
		}
		v.answered = &a
	}
	var random [32]byte
	if _, err := io.ReadFull(v.Rand, random[:]); err != nil {
		return nil, err
	}
	return v.answer13(random, message.InServerHello, s)
}

// answer13 returns a ServerHello or a HelloRetryRequest. See RFC 8446 §4.1.3.
func (v *server) answer13(random [32]byte, at message.Place, s *Score) (message.Message, error) {
	m := &message.ServerHello{Version: iana.TLS12, Random: random,
		SessionID: s.ClientHello.SessionID, CipherSuite: v.choice.Suite.ID}
	var err error
	m.Extensions, err = negotiation.Answer(v.Config, v.answering(at, s))
	return m, err
}

// certificates13 returns our Certificate, with the OCSP response and the SCTs that the client
// requested.
func (v *server) certificates13(s *Score) (*message.Certificate, error) {
	m := &message.Certificate{Chain: v.choice.Credential.Chain.Raw()}
	var leaf message.Extensions
	var wanted message.StatusRequest
	asked, err := negotiation.Read(s.ClientHello.Extensions, iana.ExtStatusRequest, &wanted)
	if err != nil {
		return nil, err
	}
	if staple := v.choice.Credential.Staple; asked && wanted.Type == iana.StatusOCSP &&
		v.StatusRequest != negotiation.Off && len(staple) > 0 {
		if err := leaf.Add(iana.ExtStatusRequest,
			&message.CertificateStatus{StatusType: iana.StatusOCSP, Response: staple}); err != nil {
			return nil, err
		}
	}
	if list := v.choice.Credential.SCTs; len(list) > 0 &&
		s.ClientHello.Extensions.Has(iana.ExtSCT) {
		if err := leaf.Add(iana.ExtSCT, &message.SCTs{List: list}); err != nil {
			return nil, err
		}
	}
	m.Extensions = []message.Extensions{leaf}
	return m, nil
}

// certificate13 checks the client's chain. context is that of our request.
func (v *server) certificate13(m *message.Certificate, a *negotiation.Agreed,
	context []byte) error {
	if err := sameContext(m, context); err != nil {
		return err
	}
	// we asked for none
	if err := negotiation.AcceptableEntries(m,
		func(*negotiation.Extension) bool { return false }); err != nil {
		return err
	}
	if len(m.Chain) == 0 {
		if v.ClientAuth.Require {
			return alert.KindNoCertificate.Fail(alert.CertificateRequired, "RFC 8446 §4.4.2.4",
				"the client sent no certificate, which we require")
		}
		return v.verdict(nil)
	}
	if err := v.authenticate(iana.Client, m.Chain, a, v.ClientAuth.Verify); err != nil {
		return err
	}
	return v.peer.Chain.Fits(iana.AuthNone, iana.KexNone, false)
}

// Suits reports whether a server with this configuration could answer a hello, or why not.
func Suits(ch *message.ClientHello, c *negotiation.Config) error {
	version, err := negotiation.ChooseVersion(ch, c)
	if err == nil && version == iana.TLS13 {
		full := *c
		// there is no transcript to check the binders with
		full.Tickets, full.Find, full.FindKey = false, nil, nil
		_, err = newServer(&full).choose13(ch, &Score{})
		return err
	}
	_, err = negotiation.Choose(ch, c)
	return err
}

type server13 struct{ *server }

func (v server13) compose(k Kind, s *Score) (message.Message, error) {
	switch k {
	case HelloRetryRequest:
		return v.composeRetry(s)
	case Kind(iana.ServerHello):
		return v.composeHello13(s)
	case Kind(iana.EncryptedExtensions):
		if err := v.awaitParameters(); err != nil {
			return nil, err
		}
		e, err := negotiation.Answer(v.Config, v.answering(message.InEncryptedExtensions, s))
		return &message.EncryptedExtensions{Extensions: e}, err
	case Kind(iana.CertificateRequest):
		return v.certificateRequest13()
	case Kind(iana.Certificate):
		m, err := v.certificates13(s)
		if err != nil {
			return nil, err
		}
		return v.compressed(m, s.ClientHello.Extensions, v.choice.Credential)
	case Kind(iana.CertificateVerify):
		return v.sign13(iana.Server, v.choice.Choice, s)
	}
	return nil, nil
}

// receive returns an error if a message of a TLS 1.3 client must be rejected.
func (v server13) receive(msg message.Message, s *Score) error {
	switch m := msg.(type) {
	case *message.Certificate:
		return v.certificate13(m, s.Agreed, nil)
	case *message.CompressedCertificate:
		inside, err := v.expand(iana.Client, m)
		if err != nil {
			return err
		}
		return v.certificate13(inside, s.Agreed, nil)
	case *message.CertificateVerify:
		return v.verified13(iana.Client, m, s)
	case *message.EndOfEarlyData:
		return nil
	}
	return alert.KindOrder.Fail(alert.UnexpectedMessage, "RFC 8446 §4",
		"got a %v, which we did not ask for", msg.Type())
}

// secret returns the shared secret of the key exchange.
func (v server13) secret(*Score) (Input, error) {
	if !v.choice.Exchanges() {
		return Input{Early: v.early}, nil
	}
	a := v.answered
	v.answered = nil
	v.Log.Ephemeral(iana.Server, v.choice.Group.Name(), a.Private, a.Share, v.choice.Share,
		"RFC 8446 §4.2.8")
	return Input{Early: v.early, Shared: a.Secret}, nil
}

func (v server13) keep(s *Score) ([]message.Message, error) { return v.newTickets13(s) }

// sameContext returns an error unless a Certificate has the context of the request.
func sameContext(m *message.Certificate, context []byte) error {
	if bytes.Equal(m.Context, context) {
		return nil
	}
	return alert.KindMalformed.Fail(alert.IllegalParameter, "RFC 8446 §4.4.2",
		"the client's certificate_request_context is not that of our request")
}
