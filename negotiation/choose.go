package negotiation

import (
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

// Choose chooses everything that the client left open, in the server's order of preference, or
// returns an error with the reasons. A certificate with the name in server_name takes precedence
// over a better suite: the client would reject another one. See RFC 5246 §7.4.1.3.
func Choose(ch *message.ClientHello, c *Config) (*Choice, error) {
	version, err := ChooseVersion(ch, c)
	if err != nil {
		return nil, err
	}
	w, err := ReadWishes(ch, version, c)
	if err != nil {
		return nil, err
	}
	if err := Admissible(ch, c); err != nil {
		return nil, err
	}
	named := slices.DeleteFunc(slices.Clone(c.Credentials),
		func(x *pki.Credential) bool { return !x.HasName(w.Name) })
	if c.NamedOnly && w.Name != "" && len(named) == 0 {
		return nil, alert.Fail(alert.UnrecognizedName, "RFC 6066 §3",
			"the client asks for %q, and no certificate has this name", w.Name)
	}
	var refused []unsuitable
	for _, creds := range [][]*pki.Credential{named, c.Credentials} {
		if len(creds) == 0 && len(c.Credentials) > 0 {
			continue
		}
		var got *Choice
		if got, refused = chooseSuite(version, w, c, creds); got != nil {
			if c.Log.On() {
				got.Tell(c.Log, ch, w)
			}
			return got, got.ChooseClientType(ch, c)
		}
		if len(creds) == len(c.Credentials) || c.NamedOnly && w.Name != "" {
			break
		}
	}
	const ref = "RFC 5246 §7.4.1.3"
	if err := typesInCommon(w, c); err != nil {
		return nil, err
	}
	if slices.ContainsFunc(refused, func(r unsuitable) bool { return r.noFiniteField(w, c) }) {
		return nil, alert.KindSuite.Fail(alert.InsufficientSecurity, "RFC 7919 §4",
			"no cipher suite works for both without a finite-field group in common: the client "+
				"offers %v; of these we support %v", alert.Few(ch.CipherSuites),
			alert.Few(refused))
	}
	if len(refused) > 0 {
		return nil, alert.KindSuite.Fail(alert.HandshakeFailure, ref,
			"no cipher suite works for both: the client "+
				"offers %v; of these we support %v", alert.Few(ch.CipherSuites),
			alert.Few(refused))
	}
	return nil, alert.KindSuite.Fail(alert.HandshakeFailure, ref,
		"no cipher suite in common: the client offers %v, we allow %v",
		alert.Few(ch.CipherSuites), alert.Few(c.Suites))
}

// chooseSuite returns the first suite that works with one of these credentials, or why none does.
func chooseSuite(v iana.Version, w *Wishes, c *Config,
	creds []*pki.Credential) (*Choice, []unsuitable) {
	var refused []unsuitable
	for _, id := range w.suites {
		s := suite.ByID(id)
		if s == nil {
			continue
		}
		got, why := try(s, v, w, c, creds)
		if got != nil {
			return got, nil
		}
		refused = append(refused, unsuitable{id, why})
	}
	return nil, refused
}

// unsuitable is a suite that both sides know and that does not work, with the reason, which is put
// into words only if no other suite works.
type unsuitable struct {
	suite iana.CipherSuite
	why   func() string
}

func (r unsuitable) String() string { return fmt.Sprintf("%v (%s)", r.suite, r.why()) }

// noFiniteField reports whether the suite is for DHE, and the client lists groups for it of which
// we allow none. If no other suite works either, a server must answer with insufficient_security.
// See RFC 7919 §4.
func (r unsuitable) noFiniteField(w *Wishes, c *Config) bool {
	s := suite.ByID(r.suite)
	return s.FiniteField() && w.finiteField && chooseGroup(s, w, c) == nil
}

// choiceRefs are the sections that a server's choices are cited by.
type choiceRefs struct{ suite, group, finiteField, certificate, scheme string }

var (
	choices12 = choiceRefs{"RFC 5246 §7.4.1.3", "RFC 8422 §4", "RFC 7919 §4", "RFC 5246 §7.4.2",
		"RFC 5246 §7.4.1.4.1"}
	choices13 = choiceRefs{"RFC 8446 §4.1.1", "RFC 8446 §4.2.7", "RFC 8446 §4.2.7",
		"RFC 8446 §4.4.2.2", "RFC 8446 §4.2.3"}
)

// Tell writes the choice and its reasons to the trace.
func (got *Choice) Tell(log *trace.Log, ch *message.ClientHello, w *Wishes) {
	refs := choices12
	if got.Suite.TLS13() {
		refs = choices13
	}
	log.Choice("cipher_suite", fmt.Sprint(alert.Few(ch.CipherSuites)), got.Suite.String(),
		fmt.Sprintf("the first in the %v's order of preference that both sides support",
			w.whose()), refs.suite)
	if got.Group != nil {
		ref := refs.group
		if got.Group.ID().FiniteField() {
			ref = refs.finiteField
		}
		log.Choice("group", fmt.Sprint(alert.Few(w.listed)), got.Group.Name(),
			groupRule(got.Group, w), ref)
	}
	if got.Credential == nil {
		return
	}
	log.Choice(
		"certificate",
		w.Name,
		got.Credential.Chain.Subject(),
		got.Why(),
		refs.certificate,
	)
	if got.Scheme != 0 {
		log.Choice("signature_scheme", fmt.Sprint(alert.Few(w.Schemes)), got.Scheme.String(),
			"the first in the server's order for this key that the client accepts", refs.scheme)
	}
}

// ChooseVersion returns the highest version that both sides support. supported_versions takes
// precedence over client_version: RFC 8446 §4.2.1.
func ChooseVersion(ch *message.ClientHello, c *Config) (iana.Version, error) {
	var offered message.SupportedVersions
	sent, err := Read(ch.Extensions, iana.ExtSupportedVersions, &offered)
	if err != nil {
		return 0, err
	}
	if !sent {
		// RFC 8446 §4.1.2
		offered.Versions = []iana.Version{min(ch.Version, c.MaxVersion, iana.TLS12)}
	}
	v := iana.Version(0)
	for _, o := range offered.Versions {
		if c.MinVersion <= o && o <= c.MaxVersion {
			v = max(v, o)
		}
	}
	switch {
	case v == 0 && sent:
		return 0, alert.KindVersion.Fail(
			alert.ProtocolVersion,
			"RFC 8446 §4.2.1",
			"the client speaks %v, we speak %v to %v",
			alert.Few(offered.Versions),
			c.MinVersion,
			c.MaxVersion,
		)
	case v == 0: // also for a fallback: RFC 7507 §3 leaves unsupported versions to protocol_version
		return 0, alert.KindVersion.Fail(
			alert.ProtocolVersion,
			"RFC 5246 §E.1",
			"the client speaks at most %v, we speak %v to %v",
			ch.Version,
			c.MinVersion,
			c.MaxVersion,
		)
	case v < c.MaxVersion && ch.Offers(iana.TLS_FALLBACK_SCSV):
		return 0, alert.KindDowngrade.Fail(
			alert.InappropriateFallback,
			"RFC 7507 §3",
			"the client fell back to %v, although we speak %v",
			ch.Version,
			c.MaxVersion,
		)
	}
	return v, nil
}

// Admissible returns an error for a hello that cannot be answered, whatever is chosen.
func Admissible(ch *message.ClientHello, c *Config) error {
	if !slices.Contains(ch.CompressionMethods, iana.CompressionNull) {
		return alert.KindCompression.Fail(
			alert.IllegalParameter,
			"RFC 5246 §7.4.1.2",
			"the client's compression_methods are %v, without null",
			alert.Few(ch.CompressionMethods),
		)
	}
	if c.ExtendedMasterSecret == Required && !ch.Extensions.Has(iana.ExtExtendedMasterSecret) {
		return alert.KindMissing.Fail(alert.HandshakeFailure, "RFC 7627 §5.2",
			"the client does not offer extended_master_secret, which we require")
	}
	return uncompressed(ch.Extensions)
}

// mutual returns what a server and a client have in common, in the order that counts.
func mutual[T ~uint16](c *Config, ours, theirs []T) []T {
	if c.ClientOrder {
		return Common(theirs, ours)
	}
	return Common(ours, theirs)
}

// whose returns the side whose order of preference is followed.
func (w *Wishes) whose() iana.Side {
	if w.byClient {
		return iana.Client
	}
	return iana.Server
}

// ReadWishes reads what a choice depends on.
func ReadWishes(ch *message.ClientHello, v iana.Version, c *Config) (w *Wishes, err error) {
	w = &Wishes{suites: mutual(c, c.Suites, ch.CipherSuites), byClient: c.ClientOrder}
	var names message.ServerNames
	var groups message.SupportedGroups
	var schemes, certSchemes message.SignatureSchemes
	if _, err = Read(ch.Extensions, iana.ExtServerName, &names); err != nil {
		return nil, err
	}
	if w.sentGroups, err = Read(ch.Extensions, iana.ExtSupportedGroups, &groups); err != nil {
		return nil, err
	}
	sentSchemes, err := Read(ch.Extensions, iana.ExtSignatureAlgorithms, &schemes)
	if err != nil {
		return nil, err
	}
	sentCertSchemes, err := Read(ch.Extensions, iana.ExtSignatureAlgorithmsCert, &certSchemes)
	if err != nil {
		return nil, err
	}
	if w.Hello.Types, err = offeredTypes(ch.Extensions, iana.ExtServerCertificateType); err != nil {
		return nil, err
	}
	w.Name, w.listed, w.groups = hostName(&names), groups.Groups, mutual(c, c.Groups, groups.Groups)
	w.finiteField = slices.ContainsFunc(w.listed, iana.Group.FiniteField)
	w.Schemes = Common(pki.KnownSchemes(), schemes.Schemes)
	if !pki.NamesScheme(v) || !sentSchemes {
		w.Schemes = pki.Implied(v)
	}
	if sentCertSchemes {
		w.CertSchemes = Common(pki.KnownSchemes(), certSchemes.Schemes)
	}
	if w.sentGroups {
		w.Hello.Groups = Common(certificateGroups, groups.Groups)
	}
	return w, nil
}

// certificateGroups are those that the key of a certificate may be in.
var certificateGroups = []iana.Group{iana.Secp256r1, iana.Secp384r1, iana.Secp521r1}

// try returns the choice for a suite, if it works with what both sides have. If not, why returns
// what is missing.
func try(s *suite.Suite, v iana.Version, w *Wishes, c *Config,
	creds []*pki.Credential) (got *Choice, why func() string) {
	if v < s.MinVersion() {
		return nil, func() string { return fmt.Sprintf("needs %v", s.MinVersion()) }
	}
	if !c.speaksPSK(s) {
		return nil, func() string { return "needs a pre-shared key" }
	}
	got = &Choice{Version: v, Suite: s}
	if s.Ephemeral() {
		if got.Group = chooseGroup(s, w, c); got.Group == nil {
			return nil, func() string {
				return fmt.Sprintf("no group in common: the client lists %v, we allow %v",
					alert.Few(w.listed), alert.Few(c.Groups))
			}
		}
	}
	if !s.Certified() {
		return got, nil
	}
	kx, auth := s.KeyExchange()
	got.Choice = pki.ChooseServer(creds, auth, kx, w.Hello,
		pki.Rules{Schemes: SchemesOf(v, c), LaxKeyUsage: c.LaxKeyUsage})
	if got.Credential == nil {
		return nil, got.Why
	}
	return got, nil
}

// SchemesOf returns the schemes that we may sign with; before TLS 1.2 there is no choice.
func SchemesOf(v iana.Version, c *Config) []iana.SignatureScheme {
	if !pki.NamesScheme(v) {
		return pki.Implied(v)
	}
	return c.Schemes
}

// chooseGroup returns our first group that the client lists. A client that lists none at all gets
// P-256 (RFC 8422 §4), and one that lists no finite-field group gets the prime that we choose. But
// one that lists some, and none of ours, gets no DHE: RFC 7919 §4.
func chooseGroup(s *suite.Suite, w *Wishes, c *Config) kex.Group {
	allowed := w.groups
	if s.FiniteField() && !w.finiteField || s.EllipticCurve() && !w.sentGroups {
		allowed = c.Groups
	}
	for _, id := range allowed {
		if id.Hybrid() || id.FiniteField() != s.FiniteField() ||
			s.EllipticCurve() && !w.sentGroups && id != iana.Secp256r1 {
			continue
		}
		if g, ok := kex.Named(id); ok {
			return g
		}
	}
	return nil
}

func groupRule(g kex.Group, w *Wishes) string {
	switch {
	case slices.Contains(w.groups, g.ID()):
		if w.byClient {
			return "the first in the client's order of preference that the server allows"
		}
		return "the first in the server's order of preference that the client lists"
	case g.ID().FiniteField():
		return "the server's own choice: the client lists no finite-field group"
	}
	return "the client sent no supported_groups, which means P-256"
}
