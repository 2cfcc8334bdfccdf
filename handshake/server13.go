package handshake

import (
	"bytes"
	"io"
	"maps"
	"slices"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/suite"
)

// What a server chooses and says in TLS 1.3 alone.

// hello13 is what of a ClientHello a choice of TLS 1.3 depends on.
type hello13 struct {
	*wishes
	shares []message.KeyShareEntry
}

// choose13 settles what a ClientHello of TLS 1.3 left open. See RFC 8446 §4.1.1.
func (v *server) choose13(ch *message.ClientHello, s *Score) (*chosen, error) {
	h, err := v.read13(ch, s)
	if err != nil {
		return nil, err
	}
	suites, err := v.suites13(ch, s)
	if err != nil {
		return nil, err
	}
	got := &chosen{version: iana.TLS13, suite: suites[0]}
	if err := v.selectKey(ch, h, got, suites, s); err != nil {
		return nil, err
	}
	if got.exchanges() {
		if err := got.chooseShare(h, v.Config, s); err != nil {
			return nil, err
		}
	}
	if got.key == nil {
		if err := v.chooseCredential13(got, ch, h); err != nil {
			return nil, err
		}
	}
	if v.Log.On() {
		got.tell(v.Log, ch, h.wishes)
	}
	return got, nil
}

// suites13 are our suites that the client offers, in our order; after a HelloRetryRequest the one
// that it chose. There is at least one. See RFC 8446 §4.1.1 and §4.1.4.
func (v *server) suites13(ch *message.ClientHello, s *Score) (suites []*suite.Suite, err error) {
	ours := v.Suites13
	if v.ByMachine13 {
		ours = suite.PreferenceWith13(ch.CipherSuites)
	}
	for _, id := range common(ours, ch.CipherSuites) {
		row := suite.ByID13(id)
		if row != nil && (!s.Retried() || id == s.Retry.CipherSuite) {
			suites = append(suites, row)
		}
	}
	if len(suites) == 0 {
		return nil, alert.KindSuite.Fail(alert.HandshakeFailure, "RFC 8446 §4.1.1",
			"no cipher suite of TLS 1.3 in common: the client offers %v, "+
				"we allow %v", alert.Few(ch.CipherSuites), alert.Few(v.Suites13))
	}
	return suites, nil
}

// exchanges reports whether keys are exchanged: all but psk_ke do.
func (got *chosen) exchanges() bool { return got.key == nil || got.mode == iana.PSKDHEKE }

// read13 reads a ClientHello that chose TLS 1.3, and refuses what no other message is needed to
// refuse. See RFC 8446 §4.1.2 and §9.2.
func (v *server) read13(ch *message.ClientHello, s *Score) (*hello13, error) {
	if !slices.Equal(ch.CompressionMethods, []iana.CompressionMethod{iana.CompressionNull}) {
		return nil, alert.KindCompression.Fail(alert.IllegalParameter, "RFC 8446 §4.1.2",
			"the client's compression_methods are %v, expected null alone",
			alert.Few(ch.CompressionMethods))
	}
	if err := placed(ch.Extensions, iana.TLS13, message.InClientHello, nil); err != nil {
		return nil, err
	}
	if err := v.quicHello(ch); err != nil {
		return nil, err
	}
	w, err := readWishes(ch, iana.TLS13, v.Config)
	if err != nil {
		return nil, err
	}
	w.Hello.Groups = nil // the group of a certificate's key is in its scheme
	if err := complete13(ch.Extensions); err != nil {
		return nil, err
	}
	var shares message.KeyShares
	if _, err := read(ch.Extensions, iana.ExtKeyShare, &shares); err != nil {
		return nil, err
	}
	if err := checkShares(shares.Shares, w.listed); err != nil {
		return nil, err
	}
	if s.Retried() && ch.Extensions.Has(iana.ExtEarlyData) {
		return nil, alert.KindRetry.Fail(alert.IllegalParameter, "RFC 8446 §4.1.2",
			"the client's second hello has early_data")
	}
	return &hello13{w, shares.Shares}, nil
}

// complete13 returns an error unless a ClientHello has the extensions that it must have. One that
// needs neither a certificate nor a key exchange, because it offers a pre-shared key, may leave out
// what they need. See RFC 8446 §9.2.
func complete13(e message.Extensions) error {
	keyed := e.Has(iana.ExtPreSharedKey)
	for _, x := range []struct {
		typ    iana.ExtensionType
		needed bool
	}{
		{iana.ExtSignatureAlgorithms, !keyed},
		{iana.ExtSupportedGroups, !keyed || e.Has(iana.ExtKeyShare)},
		{iana.ExtKeyShare, !keyed || e.Has(iana.ExtSupportedGroups)},
	} {
		if x.needed && !e.Has(x.typ) {
			return missing13(x.typ)
		}
	}
	return nil
}

func missing13(t iana.ExtensionType) error {
	return alert.KindMissing.Fail(alert.MissingExtension, "RFC 8446 §9.2",
		"the client sends no %v", t)
}

// mayChange has the extensions in which a second ClientHello may differ from the first.
// See RFC 8446 §4.1.2.
var mayChange = []iana.ExtensionType{iana.ExtKeyShare, iana.ExtEarlyData, iana.ExtCookie,
	iana.ExtPreSharedKey, iana.ExtPadding}

// unchanged returns an error if a second ClientHello differs from the first where it must not. The
// program has chosen a Config by the first one: with another server_name in the second, a client
// would get past what the Config of that name demands.
func unchanged(first, second *message.ClientHello) error {
	fixed := func(e message.Extensions) map[iana.ExtensionType]string {
		all := map[iana.ExtensionType]string{}
		for _, x := range e {
			if !slices.Contains(mayChange, x.Type) {
				all[x.Type] = string(x.Data)
			}
		}
		return all
	}
	if first.Version == second.Version && first.Random == second.Random &&
		bytes.Equal(first.SessionID, second.SessionID) &&
		slices.Equal(first.CipherSuites, second.CipherSuites) &&
		slices.Equal(first.CompressionMethods, second.CompressionMethods) &&
		maps.Equal(fixed(first.Extensions), fixed(second.Extensions)) {
		return nil
	}
	return alert.KindRetry.Fail(alert.IllegalParameter, "RFC 8446 §4.1.2",
		"the client's second hello differs from the first in more than it may")
}

// chooseCredential13 chooses the certificate, one with the client's name before others.
func (v *server) chooseCredential13(got *chosen, ch *message.ClientHello, h *hello13) error {
	if err := v.canSign13(ch); err != nil {
		return err
	}
	rules := pki.Rules{Schemes: v.Schemes, LaxKeyUsage: v.LaxKeyUsage, TLS13: true}
	named := slices.ContainsFunc(v.Credentials,
		func(x *pki.Credential) bool { return x.HasName(h.Name) })
	if v.NamedOnly && h.Name != "" && !named {
		return alert.Fail(alert.UnrecognizedName, "RFC 6066 §3",
			"the client asks for %q, and no certificate has this name", h.Name)
	}
	got.Choice = pki.ChooseServer(v.Credentials, iana.AuthNone, iana.KexNone, h.Hello, rules)
	if got.Credential == nil {
		return alert.KindScheme.Fail(alert.HandshakeFailure, "RFC 8446 §4.4.2.2", "%s", got.Why())
	}
	return nil
}

// canSign13 returns an error if a side has or wants no certificate, and no pre-shared key was found.
func (v *server) canSign13(ch *message.ClientHello) error {
	if v.FindKey == nil || len(v.Credentials) > 0 {
		if !ch.Extensions.Has(iana.ExtSignatureAlgorithms) {
			return missing13(iana.ExtSignatureAlgorithms) // RFC 8446 §4.2.3
		}
		return nil
	}
	const ref = "RFC 8446 §4.2.11"
	var modes message.PSKKeyExchangeModes
	if _, err := read(ch.Extensions, iana.ExtPSKKeyExchangeModes, &modes); err != nil {
		return err
	}
	if !ch.Extensions.Has(iana.ExtPreSharedKey) {
		return alert.KindPSK.Fail(alert.MissingExtension, ref,
			"the client offers no pre-shared key, and there is no certificate")
	}
	if _, usable := v.commonMode(modes.Modes); !usable {
		return alert.KindPSK.Fail(alert.HandshakeFailure, ref,
			"the client wants pre-shared keys used with %v, we with %v", alert.Few(modes.Modes),
			v.modes())
	}
	return alert.KindPSK.Fail(alert.UnknownPSKIdentity, ref,
		"none of the client's pre-shared keys is known here, and there is no certificate")
}

// composeRetry asks for a share that the client did not send, or is nil if it did and need not bring
// a cookie.
func (v *server) composeRetry(s *Score) (message.Message, error) {
	cookies := len(v.CookieKeys) > 0
	if v.chosen.version != iana.TLS13 || s.Retried() ||
		!cookies && (v.chosen.share != nil || !v.chosen.exchanges()) {
		return nil, nil
	}
	v.rejectEarly(s, "the client must send another hello", "RFC 8446 §4.2.10")
	if cookies {
		return v.cookieRetry(s)
	}
	return v.answer13(message.RetryRandom(), message.InHelloRetryRequest, s)
}

// composeHello13 is our ServerHello, with a fresh share.
func (v *server) composeHello13(s *Score) (message.Message, error) {
	if err := v.decideEarly(s); err != nil {
		return nil, err
	}
	if v.answered == nil && v.chosen.exchanges() {
		a, err := v.chosen.group.Answer(v.Rand, v.chosen.share)
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

// answer13 is a ServerHello or a HelloRetryRequest. See RFC 8446 §4.1.3.
func (v *server) answer13(random [32]byte, at message.Place, s *Score) (message.Message, error) {
	m := &message.ServerHello{Version: iana.TLS12, Random: random,
		SessionID: s.ClientHello.SessionID, CipherSuite: v.chosen.suite.ID}
	var err error
	m.Extensions, err = answerAll(v.Config, v.answering(at, s))
	return m, err
}

func (v *server) answering(at message.Place, s *Score) *answering {
	return &answering{at: at, version: v.chosen.version, hello: s.ClientHello, chosen: v.chosen,
		key: v.answered, log: v.Log}
}

// compose13 makes our lines behind the ServerHello.
func (v *server) compose13(k Kind, s *Score) (message.Message, error) {
	switch iana.HandshakeType(k) {
	case iana.EncryptedExtensions:
		if err := v.awaitParameters(); err != nil {
			return nil, err
		}
		e, err := answerAll(v.Config, v.answering(message.InEncryptedExtensions, s))
		return &message.EncryptedExtensions{Extensions: e}, err
	case iana.CertificateRequest:
		return v.certificateRequest13()
	case iana.Certificate:
		m, err := v.certificates13(s)
		if err != nil {
			return nil, err
		}
		return v.compressed(m, s.ClientHello.Extensions, v.chosen.Credential)
	case iana.CertificateVerify:
		return v.sign13(iana.Server, v.chosen.Choice, s)
	}
	return nil, nil
}

// certificates13 is our chain, with the staple and the timestamps that the client asked for at its
// leaf.
func (v *server) certificates13(s *Score) (*message.Certificate, error) {
	m := &message.Certificate{Chain: v.chosen.Credential.Chain.Raw()}
	var leaf message.Extensions
	var wanted message.StatusRequest
	asked, err := read(s.ClientHello.Extensions, iana.ExtStatusRequest, &wanted)
	if err != nil {
		return nil, err
	}
	if staple := v.chosen.Credential.Staple; asked && wanted.Type == iana.StatusOCSP &&
		v.StatusRequest != Off && len(staple) > 0 {
		if err := leaf.Add(iana.ExtStatusRequest,
			&message.CertificateStatus{StatusType: iana.StatusOCSP, Response: staple}); err != nil {
			return nil, err
		}
	}
	if list := v.chosen.Credential.SCTs; len(list) > 0 &&
		s.ClientHello.Extensions.Has(iana.ExtSCT) {
		if err := leaf.Add(iana.ExtSCT, &message.SCTs{List: list}); err != nil {
			return nil, err
		}
	}
	m.Extensions = []message.Extensions{leaf}
	return m, nil
}

// receive13 refuses a line of a TLS 1.3 client that must not become a fact.
func (v *server) receive13(msg message.Message, s *Score) error {
	switch m := msg.(type) {
	case *message.Certificate:
		return v.certificate13(m, nil)
	case *message.CompressedCertificate:
		inside, err := v.expand(iana.Client, m)
		if err != nil {
			return err
		}
		return v.certificate13(inside, nil)
	case *message.CertificateVerify:
		return v.verified13(iana.Client, m, s)
	case *message.EndOfEarlyData:
		return nil
	}
	return alert.KindOrder.Fail(alert.UnexpectedMessage, "RFC 8446 §4",
		"got a %v, which we did not ask for", msg.Type())
}

// certificate13 checks the client's chain. context is that of our request.
func (v *server) certificate13(m *message.Certificate, context []byte) error {
	if err := sameContext(m, context); err != nil {
		return err
	}
	// we asked for none
	if err := placedEntries(m, func(*extension) bool { return false }); err != nil {
		return err
	}
	if len(m.Chain) == 0 {
		if v.ClientAuth.Require {
			return alert.KindNoCertificate.Fail(alert.CertificateRequired, "RFC 8446 §4.4.2.4",
				"the client showed no certificate, which we require")
		}
		return v.verdict(nil)
	}
	if err := v.authenticate(iana.Client, m.Chain, v.ClientAuth.Verify); err != nil {
		return err
	}
	return v.peer.Chain.Fits(iana.AuthNone, iana.KexNone, false)
}

// secret13 is the shared secret of the key exchange.
func (v *server) secret13() (Input, error) {
	if !v.chosen.exchanges() {
		return Input{Early: v.early}, nil
	}
	a := v.answered
	v.answered = nil
	v.Log.Ephemeral(iana.Server, v.chosen.group.Name(), a.Private, a.Share, v.chosen.share,
		"RFC 8446 §4.2.8")
	return Input{Early: v.early, Shared: a.Secret}, nil
}
