package diagnose

import (
	"slices"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/suite"
)

// What a server can infer about a client that it refused.

// helpedBy returns the strictest policy that has a version and a suite that a client offers, and
// the groups and signature schemes that these need, or nil.
func helpedBy(offered *message.ClientHello) *vitrine.Policy {
	if offered == nil {
		return nil
	}
	o := offerOf(offered)
	for _, p := range vitrine.Policies() {
		for _, v := range versionsOffered(offered) {
			if v >= p.MinVersion() && v <= p.MaxVersion() &&
				slices.ContainsFunc(offered.CipherSuites, func(id iana.CipherSuite) bool {
					return o.fits(p, v, id)
				}) {
				return p
			}
		}
	}
	return nil
}

// offer is what a ClientHello offers besides versions and suites. A nil list was not sent: then
// nothing is left out.
type offer struct {
	groups  []iana.Group
	schemes []iana.SignatureScheme
}

func offerOf(m *message.ClientHello) (o offer) {
	var groups message.SupportedGroups
	var schemes message.SignatureSchemes
	if ok, err := m.Extensions.Read(iana.ExtSupportedGroups, &groups); ok && err == nil {
		o.groups = groups.Groups
	}
	if ok, err := m.Extensions.Read(iana.ExtSignatureAlgorithms, &schemes); ok && err == nil {
		o.schemes = schemes.Schemes
	}
	return o
}

// fits reports whether a policy has a suite in a version, with a group and a signature scheme of
// the offer, if the suite needs them.
func (o offer) fits(p *vitrine.Policy, v iana.Version, id iana.CipherSuite) bool {
	group := o.groups == nil || shares(o.groups, p.Groups())
	scheme := v < iana.TLS12 || o.schemes == nil || shares(o.schemes, p.SignatureSchemes())
	if v == iana.TLS13 {
		return slices.Contains(p.CipherSuites13(), id) && group && scheme
	}
	s := suite.ByID(id)
	return s != nil && slices.Contains(p.CipherSuites(), id) && s.MinVersion() <= v &&
		(group || !s.EllipticCurve()) && (scheme || s.KeyTransport())
}

func shares[T comparable](a, b []T) bool {
	return slices.ContainsFunc(a, func(x T) bool { return slices.Contains(b, x) })
}

// versionsOffered returns the versions that a client speaks, as far as Vitrine knows them. A client
// without supported_versions is assumed to speak all up to the one it names.
func versionsOffered(m *message.ClientHello) (list []iana.Version) {
	var v message.SupportedVersions
	if ok, err := m.Extensions.Read(iana.ExtSupportedVersions, &v); ok && err == nil {
		return v.Versions
	}
	for _, known := range []iana.Version{iana.TLS12, iana.TLS11, iana.TLS10} {
		if known <= m.Version {
			list = append(list, known)
		}
	}
	return list
}

// policyThatHelps says which policy has what a client offers.
func policyThatHelps(offered *message.ClientHello) string {
	switch p := helpedBy(offered); p {
	case nil:
		return "the client offers no version, or no suite, that any policy has, or none with its " +
			"groups and signature schemes"
	case vitrine.Modern:
		return "the client offers what policy modern has: our flags, or the kinds of our " +
			"certificates, leave it out"
	default:
		return "the client offers what policy " + p.Name() + " has: if that is ours already, our " +
			"flags, or the kinds of our certificates, leave it out"
	}
}
