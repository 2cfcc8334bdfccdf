package diagnose

import (
	"slices"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// What a server can infer about a client that it refused.

// helpedBy returns the strictest policy that has a version and a suite that the client offers, or
// nil.
func (f *Failure) helpedBy() *vitrine.Policy {
	if f.Offered == nil {
		return nil
	}
	for _, p := range vitrine.Policies() {
		for _, v := range versionsOffered(f.Offered) {
			suites := p.CipherSuites()
			if v == iana.TLS13 {
				suites = p.CipherSuites13()
			}
			if v >= p.MinVersion() && v <= p.MaxVersion() &&
				slices.ContainsFunc(f.Offered.CipherSuites, func(id iana.CipherSuite) bool {
					return slices.Contains(suites, id)
				}) {
				return p
			}
		}
	}
	return nil
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

// policyThatHelps says which policy has what the client offers.
func (f *Failure) policyThatHelps() string {
	switch p := f.helpedBy(); p {
	case nil:
		return "the client offers no version, or no suite, that any policy has"
	case vitrine.Modern:
		return "the client offers what policy modern has: our flags, or the kinds of our " +
			"certificates, leave it out"
	default:
		return "the client offers nothing that we allow: policy " + p.Name() +
			" has a version and a suite of it"
	}
}
