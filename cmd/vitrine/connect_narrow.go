package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/diagnose"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/probe"
	"github.com/vitrine-tls/vitrine/suite"
)

// narrow returns the changes that allow what the server supports and our offer lacks. If none is
// possible it sets the reason in f.
func (c *caller) narrow(k *probe.Sketch, lack *probe.Comparison,
	f *failureReport) (list []diagnose.Change) {
	version, suites := k.Newest()
	if c.psk != "" && k.PSKAlone { // our offer has such suites, but none of the server's
		k.PSKAlone = false
		if lack != nil && lack.Suite == 0 && lack.Version == version {
			lack.Suite = suites[0]
		}
	}
	f.missing = k.Missing(lack)
	if lack != nil && lack.Group != 0 {
		if _, ok := kex.Named13(lack.Group); !ok {
			f.hopeless = fmt.Sprintf("Vitrine does not speak the group %v", lack.Group)
			return nil
		}
		if lack.Suite == 0 {
			return []diagnose.Change{diagnose.OnlyGroup(lack.Group)}
		}
	}
	if lack != nil && lack.KeyGroup != 0 {
		if _, ok := kex.Named13(lack.KeyGroup); !ok {
			f.hopeless = fmt.Sprintf("the key of the server's certificate is on %v, which Vitrine "+
				"does not speak", lack.KeyGroup)
		}
		return nil
	}
	if lack != nil && lack.Scheme != 0 {
		if change, ok := diagnose.OnlyScheme(lack.Scheme); ok {
			return []diagnose.Change{change}
		}
		f.hopeless = fmt.Sprintf("Vitrine does not know signatures with %v", lack.Scheme)
		return nil
	}
	if lack != nil && lack.Suite != 0 {
		version = lack.Version
		suites = append([]iana.CipherSuite{lack.Suite}, suites...)
	}
	for i, id := range suites {
		change, ok := diagnose.Only(c.config, version, id, k.PrimeBits)
		if !ok || len(list) == 2 || slices.Contains(suites[:i], id) {
			continue
		}
		s := suite.ByID(id)
		switch {
		case lack != nil && lack.Group != 0 && lack.Suite == id:
			change = change.With(lack.Group)
		case s == nil || !s.FiniteField():
		case k.OwnPrime:
			change = change.With(iana.X25519) // any that is none of RFC 7919
		case k.Prime != 0 && !slices.Contains(vitrine.Compatible.Groups(), k.Prime):
			change = change.With(k.Prime)
		}
		list = append(list, change)
	}
	if len(list) == 0 && (k.AllSuites || k.PSKAlone || k.Unspoken || k.OwnPrime ||
		version < iana.TLS10) {
		f.hopeless = why(version, suites, k)
		if k.PSKAlone {
			f.Try = append(f.Try, c.pskLine(suites))
		}
	}
	return list
}

// pskLine returns the line to try with a server that takes pre-shared keys alone. It names one of
// the server's suites if our policy has none of them.
func (c *caller) pskLine(suites []iana.CipherSuite) string {
	flags := []flagChange{{Name: "psk", Value: "@key.hex"}, {Name: "psk-identity", Value: "NAME"}}
	spoken := slices.DeleteFunc(slices.Clone(suites),
		func(id iana.CipherSuite) bool { return suite.ByID(id) == nil })
	ours := cmp.Or(c.config.Policy, vitrine.Modern).CipherSuites()
	if len(spoken) > 0 && !slices.ContainsFunc(spoken,
		func(id iana.CipherSuite) bool { return slices.Contains(ours, id) }) {
		flags = append(flags, flagChange{Name: "suite", Value: spoken[0].String()})
	}
	return c.line(nil, flags...)
}

// why says why Vitrine can use none of the suites that a server has.
func why(v iana.Version, suites []iana.CipherSuite, k *probe.Sketch) string {
	finite, anonymous := true, len(suites) > 0
	for _, id := range suites {
		s := suite.ByID(id)
		finite = finite && s != nil && s.FiniteField()
		anonymous = anonymous && strings.Contains(id.String(), "_anon_")
	}
	switch {
	case v < iana.TLS10:
		return fmt.Sprintf("Vitrine does not speak %v, which is broken (RFC 7568)", v)
	case k.PSKAlone:
		return "the server takes pre-shared keys alone"
	case anonymous:
		return "the server has no certificate, and only suites in which nobody proves who is " +
			"there: Vitrine speaks none of its suites"
	case finite && k.PrimeBits > 0:
		return fmt.Sprintf("the server's prime has %d bits, and no policy takes one so short: "+
			"such primes have been broken", k.PrimeBits)
	}
	return "Vitrine speaks none of its suites: no flag helps"
}
