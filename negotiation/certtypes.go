package negotiation

import (
	"slices"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/session"
)

// Certificate types: an X.509 chain, or a raw public key. A client says what it can show in
// client_certificate_type and what it accepts in server_certificate_type, and a server chooses one
// of each. What is not negotiated is X.509. See RFC 7250 §4.

var x509Alone = []iana.CertificateType{iana.X509}

// shows returns the certificate types that this side can show, best first.
func (c *Config) shows() []iana.CertificateType {
	if c.CertificateTypes != nil {
		return c.CertificateTypes
	}
	var list []iana.CertificateType
	for _, cred := range c.Credentials {
		if t := cred.Chain.Type(); !slices.Contains(list, t) {
			list = append(list, t)
		}
	}
	return list
}

// accepts returns the certificate types that this side accepts of its peer, best first.
func (c *Config) accepts() []iana.CertificateType {
	if c.PeerTypes == nil {
		return x509Alone
	}
	return c.PeerTypes
}

// offerTypes returns a client's list. RFC 7250 §4.1: X.509 alone goes without saying.
func offerTypes(types func(*Config) []iana.CertificateType) func(*Offering) (message.Content, bool) {
	return func(o *Offering) (message.Content, bool) {
		list := types(o.Config)
		return &message.CertificateTypes{Types: list},
			len(list) > 0 && !slices.Equal(list, x509Alone)
	}
}

// offeredTypes reads a client's list: nil if it sent none. A client "MUST omit" a list of X.509
// alone. See RFC 7250 §4.1.
func offeredTypes(e message.Extensions, t iana.ExtensionType) ([]iana.CertificateType, error) {
	var m message.CertificateTypes
	if _, err := Read(e, t, &m); err != nil {
		return nil, err
	}
	if slices.Equal(m.Types, x509Alone) {
		return nil, alert.KindMalformed.Fail(alert.IllegalParameter, "RFC 7250 §4.1",
			"the client's %v has X509 alone, expected no such extension", t)
	}
	return m.Types, nil
}

// typesInCommon returns an error if a client accepts nothing that a server's credentials are.
func typesInCommon(w *Wishes, c *Config) error {
	if len(c.Credentials) == 0 || slices.ContainsFunc(c.Credentials,
		func(x *pki.Credential) bool { return w.Accepts(x.Chain.Type()) }) {
		return nil
	}
	theirs := w.Hello.Types
	if theirs == nil {
		theirs = x509Alone
	}
	return alert.KindCertificateType.Fail(alert.UnsupportedCertificate, "RFC 7250 §4.2",
		"the client accepts the certificate types %v, we have %v", alert.Few(theirs), c.shows())
}

// ChooseClientType chooses what a client that is asked for a certificate shows: the server's first
// type that the client lists. See RFC 7250 §4.2.
func (got *Choice) ChooseClientType(ch *message.ClientHello, c *Config) error {
	theirs, err := offeredTypes(ch.Extensions, iana.ExtClientCertificateType)
	if err != nil {
		return err
	}
	late := got.Version == iana.TLS13 && c.PostHandshakeAuth &&
		ch.Extensions.Has(iana.ExtPostHandshakeAuth)
	now := c.ClientAuth.Request && got.Key == nil && !got.Suite.PreShared()
	if got.Asks = now || late; !got.Asks {
		return nil
	}
	if theirs == nil {
		theirs = x509Alone
	}
	for _, t := range c.accepts() {
		if slices.Contains(theirs, t) {
			got.ClientType = t
			return nil
		}
	}
	return alert.KindCertificateType.Fail(alert.UnsupportedCertificate, "RFC 7250 §4.2",
		"the client can show the certificate types %v, we accept %v", alert.Few(theirs),
		c.accepts())
}

func answerClientType(_ *Config, an *Answering) (message.Content, bool, error) {
	return &message.SelectedCertificateType{Type: an.Chosen.ClientType}, an.Chosen.Asks, nil
}

// answerServerType also answers in a resumed handshake, with the type of the full one: a client may
// accept nothing else, and else read X.509.
func answerServerType(_ *Config, an *Answering) (message.Content, bool, error) {
	var t iana.CertificateType
	switch got := an.Chosen; {
	case got.Credential != nil:
		t = got.Credential.Chain.Type()
	case got.Session != nil:
		t = typesOf(got.Session)[iana.Server]
	default:
		return nil, false, nil
	}
	theirs, err := offeredTypes(an.Hello.Extensions, iana.ExtServerCertificateType)
	return &message.SelectedCertificateType{Type: t}, slices.Contains(theirs, t), err
}

// applyType sets the certificate type that the server chose for a side.
func applyType(of iana.Side, t iana.ExtensionType) func(*Agreed, message.Extensions,
	message.Extensions) error {
	return func(a *Agreed, client, server message.Extensions) error {
		var asked message.CertificateTypes
		var got message.SelectedCertificateType
		if _, err := Read(client, t, &asked); err != nil {
			return err
		}
		if _, err := Read(server, t, &got); err != nil {
			return err
		}
		if !slices.Contains(asked.Types, got.Type) {
			return alert.KindCertificateType.Fail(alert.IllegalParameter, "RFC 7250 §4.2",
				"the server chose the certificate type %v for the %v, the client offered %v",
				got.Type, of, alert.Few(asked.Types))
		}
		a.CertificateTypes[of] = got.Type
		return nil
	}
}

// typesOf returns the certificate types of both sides in a session's full handshake.
func typesOf(s *session.Session) (t [2]iana.CertificateType) {
	for side, raw := range s.RawKeys {
		if raw {
			t[side] = iana.RawPublicKey
		}
	}
	return t
}

// acceptsPeerOf reports whether what the peer showed in a session's full handshake, if anything, is
// of a type that we accept now.
func (c *Config) acceptsPeerOf(s *session.Session, peer iana.Side) bool {
	return len(s.Chain) == 0 || slices.Contains(c.accepts(), typesOf(s)[peer])
}

// AcceptsType returns an error if the server is going to show what a client did not offer to
// accept, because it said nothing.
func (c *Config) AcceptsType(a *Agreed) error {
	if t := a.CertificateTypes[iana.Server]; !slices.Contains(c.accepts(), t) {
		return alert.KindCertificateType.Fail(alert.UnsupportedCertificate, "RFC 7250 §4.2",
			"the server shows the certificate type %v, we accept %v", t, c.accepts())
	}
	return nil
}
