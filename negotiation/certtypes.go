package negotiation

import (
	"slices"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/session"
)

// Certificate types: an X.509 chain, or a raw public key. A client lists the types that it can send
// in client_certificate_type and those that it accepts in server_certificate_type, and a server
// chooses one of each. Without these extensions the type is X.509. See RFC 7250 §4.

var x509Alone = []iana.CertificateType{iana.X509}

// shows returns the certificate types that this side can send, best first.
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

// offerTypes returns a client's list, which is omitted if it is X.509 alone: RFC 7250 §4.1.
func offerTypes(
	types func(*Config) []iana.CertificateType,
) func(*Offering) (message.Content, bool) {
	return func(o *Offering) (message.Content, bool) {
		list := types(o.Config)
		if len(list) == 0 || slices.Equal(list, x509Alone) {
			return nil, false
		}
		return &message.CertificateTypes{Types: list}, true
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

// typesInCommon returns an error if a client accepts no certificate type of the server's
// credentials.
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

// ChooseClientType chooses the type of the client's certificate, if one is requested: the server's
// first type that the client lists. See RFC 7250 §4.2.
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
		"the client has the certificate types %v, we accept %v", alert.Few(theirs),
		c.accepts())
}

func answerClientType(_ *Config, an *Answering) (message.Content, bool, error) {
	return &message.SelectedCertificateType{Type: an.Chosen.ClientType}, an.Chosen.Asks, nil
}

// answerServerType also answers in a resumed handshake, with the type of the full one: without an
// answer the client would assume X.509, which it may not accept.
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

// acceptsPeerOf reports whether we accept the type of the certificate, if any, that the peer sent
// in a session's full handshake.
func (c *Config) acceptsPeerOf(s *session.Session, peer iana.Side) bool {
	return len(s.Chain) == 0 || slices.Contains(c.accepts(), typesOf(s)[peer])
}

// AcceptsType returns an error if the server, by not answering, is going to send a certificate of a
// type that the client does not accept.
func (c *Config) AcceptsType(a *Agreed) error {
	if t := a.CertificateTypes[iana.Server]; !slices.Contains(c.accepts(), t) {
		return alert.KindCertificateType.Fail(alert.UnsupportedCertificate, "RFC 7250 §4.2",
			"the server has the certificate type %v, we accept %v", t, c.accepts())
	}
	return nil
}
