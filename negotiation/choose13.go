package negotiation

import (
	"bytes"
	"maps"
	"slices"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// What a server chooses only in TLS 1.3.

// Hello13 is the parts of a ClientHello that a choice of TLS 1.3 depends on.
type Hello13 struct {
	*Wishes
	shares []message.KeyShareEntry
}

// CommonSuites13 returns our suites that the client offers, best first; after a HelloRetryRequest
// the one that it chose. There is at least one. See RFC 8446 §4.1.1 and §4.1.4.
func CommonSuites13(ch *message.ClientHello, c *Config,
	retry *message.ServerHello) (suites []*suite.Suite, err error) {
	ours := c.Suites13
	if c.ByMachine13 && !c.ClientOrder {
		ours = suite.PreferenceWith13(ch.CipherSuites)
	}
	for _, id := range mutual(c, ours, ch.CipherSuites) {
		row := suite.ByID13(id)
		if row != nil && (retry == nil || id == retry.CipherSuite) {
			suites = append(suites, row)
		}
	}
	if len(suites) == 0 {
		return nil, alert.KindSuite.Fail(alert.HandshakeFailure, "RFC 8446 §4.1.1",
			"no cipher suite of TLS 1.3 in common: the client offers %v, "+
				"we allow %v", alert.Few(ch.CipherSuites), alert.Few(c.Suites13))
	}
	return suites, nil
}

// ReadHello13 reads a ClientHello for which TLS 1.3 was chosen, and returns an error for what is
// invalid whatever follows. See RFC 8446 §4.1.2 and §9.2, and RFC 9846 §4.2.2.
func ReadHello13(ch *message.ClientHello, c *Config, retry *message.ServerHello) (*Hello13, error) {
	if ch.Version != iana.TLS12 {
		return nil, alert.KindVersion.Fail(alert.ProtocolVersion, "RFC 9846 §4.2.2",
			"the client's legacy_version is %v, expected TLS 1.2", ch.Version)
	}
	if !slices.Equal(ch.CompressionMethods, []iana.CompressionMethod{iana.CompressionNull}) {
		return nil, alert.KindCompression.Fail(alert.IllegalParameter, "RFC 8446 §4.1.2",
			"the client's compression_methods are %v, expected null alone",
			alert.Few(ch.CompressionMethods))
	}
	if err := Placed(ch.Extensions, iana.TLS13, message.InClientHello, nil); err != nil {
		return nil, err
	}
	if err := c.quicHello(ch); err != nil {
		return nil, err
	}
	w, err := ReadWishes(ch, iana.TLS13, c)
	if err != nil {
		return nil, err
	}
	w.Hello.Groups = nil // the group of a certificate's key is in its scheme
	if err := complete13(ch.Extensions); err != nil {
		return nil, err
	}
	var shares message.KeyShares
	if _, err := Read(ch.Extensions, iana.ExtKeyShare, &shares); err != nil {
		return nil, err
	}
	if err := checkShares(shares.Shares, w.listed); err != nil {
		return nil, err
	}
	if retry != nil && ch.Extensions.Has(iana.ExtEarlyData) {
		return nil, alert.KindRetry.Fail(alert.IllegalParameter, "RFC 8446 §4.1.2",
			"the client's second hello has early_data")
	}
	return &Hello13{w, shares.Shares}, nil
}

// complete13 returns an error unless a ClientHello has the mandatory extensions. One that offers a
// pre-shared key may omit those for certificates and key exchange. See RFC 8446 §9.2.
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

// MayChange lists the extensions in which a second ClientHello may differ from the first. See RFC
// 8446 §4.1.2.
var MayChange = []iana.ExtensionType{iana.ExtKeyShare, iana.ExtEarlyData, iana.ExtCookie,
	iana.ExtPreSharedKey, iana.ExtPadding}

// Unchanged returns an error if a second ClientHello differs from the first where it must not. The
// program has chosen a Config by the first one: with another server_name in the second, a client
// would evade what the Config of that name requires.
func Unchanged(first, second *message.ClientHello) error {
	fixed := func(e message.Extensions) map[iana.ExtensionType]string {
		all := map[iana.ExtensionType]string{}
		for _, x := range e {
			if !slices.Contains(MayChange, x.Type) {
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

// ChooseCredential13 chooses the certificate, preferring one with the name in server_name.
func (got *Choice) ChooseCredential13(ch *message.ClientHello, h *Hello13, c *Config) error {
	if err := c.canSign13(ch); err != nil {
		return err
	}
	rules := pki.Rules{Schemes: c.Schemes, LaxKeyUsage: c.LaxKeyUsage, TLS13: true}
	named := slices.ContainsFunc(c.Credentials,
		func(x *pki.Credential) bool { return x.HasName(h.Name) })
	if c.NamedOnly && h.Name != "" && !named {
		return alert.Fail(alert.UnrecognizedName, "RFC 6066 §3",
			"the client asks for %q, and no certificate has this name", h.Name)
	}
	got.Choice = pki.ChooseServer(c.Credentials, iana.AuthNone, iana.KexNone, h.Hello, rules)
	if got.Credential == nil {
		if err := typesInCommon(h.Wishes, c); err != nil {
			return err
		}
		return alert.KindScheme.Fail(alert.HandshakeFailure, "RFC 8446 §4.4.2.2", "%s", got.Why())
	}
	return nil
}

// canSign13 returns an error if a side has or wants no certificate, and no pre-shared key was
// found.
func (c *Config) canSign13(ch *message.ClientHello) error {
	if c.FindKey == nil || len(c.Credentials) > 0 {
		if !ch.Extensions.Has(iana.ExtSignatureAlgorithms) {
			return missing13(iana.ExtSignatureAlgorithms) // RFC 8446 §4.2.3
		}
		return nil
	}
	const ref = "RFC 8446 §4.2.11"
	var modes message.PSKKeyExchangeModes
	if _, err := Read(ch.Extensions, iana.ExtPSKKeyExchangeModes, &modes); err != nil {
		return err
	}
	if !ch.Extensions.Has(iana.ExtPreSharedKey) {
		return alert.KindPSK.Fail(alert.MissingExtension, ref,
			"the client offers no pre-shared key, and there is no certificate")
	}
	if _, usable := c.CommonMode(modes.Modes); !usable {
		return alert.KindPSK.Fail(alert.HandshakeFailure, "RFC 8446 §4.2.9",
			"the client wants pre-shared keys used with %v, we with %v", alert.Few(modes.Modes),
			c.PskModes())
	}
	return alert.KindPSK.Fail(alert.UnknownPSKIdentity, ref,
		"none of the client's pre-shared keys is known here, and there is no certificate")
}

// checkShares returns an error unless each share is of a group that is listed, and no group has two
// shares. See RFC 8446 §4.2.8.
func checkShares(shares []message.KeyShareEntry, listed []iana.Group) error {
	var seen, offered wire.Set[iana.Group]
	for _, g := range listed {
		offered.Add(g)
	}
	for _, s := range shares {
		if !offered.Has(s.Group) || !seen.Add(s.Group) {
			return alert.KindShare.Fail(alert.IllegalParameter, "RFC 8446 §4.2.8",
				"the client's share of %v is the second of its group, or of one that it does "+
					"not list", s.Group)
		}
	}
	return nil
}
