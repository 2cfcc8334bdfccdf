package vitrine

import (
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/suite"
)

// negotiable bounds the versions and the suites of the policy. A version without a suite is off.
func (c *wanted) negotiable(p *negotiation.Parameters) error {
	c.versions(p)
	if err := c.suites(p); err != nil {
		return err
	}
	if p.MinVersion > p.MaxVersion || p.MinVersion < iana.TLS10 {
		return fmt.Errorf("vitrine: no version from Config.MinVersion %v to MaxVersion %v has "+
			"an enabled cipher suite; Vitrine speaks TLS 1.0 to 1.3", p.MinVersion,
			p.MaxVersion)
	}
	return nil
}

// versions bounds the versions of the policy by MinVersion and MaxVersion.
func (c *wanted) versions(p *negotiation.Parameters) {
	if v := iana.Version(c.MaxVersion); v != 0 {
		p.MaxVersion = min(v, iana.TLS13)
		p.MinVersion = min(p.MinVersion, p.MaxVersion)
	}
	if v := iana.Version(c.MinVersion); v != 0 {
		p.MinVersion = v
		if v == iana.TLS13 && c.MaxVersion == 0 {
			p.MaxVersion = v
		}
	}
}

// suites leaves p the suites of its versions: of Config.CipherSuites and CipherSuites13 if they are
// set.
func (c *wanted) suites(p *negotiation.Parameters) error {
	var err error
	if c.CipherSuites13 != nil {
		p.ByMachine13 = false
		if p.Suites13, err = named("CipherSuites13", c.CipherSuites13, suite.ByID13); err != nil {
			return err
		}
	}
	if c.CipherSuites != nil {
		// crypto/tls skips the suites of TLS 1.3 in its CipherSuites, too.
		until12 := slices.DeleteFunc(slices.Clone(c.CipherSuites),
			func(id uint16) bool { return suite.ByID13(iana.CipherSuite(id)) != nil })
		if p.Suites, err = named("CipherSuites", until12, suite.ByID); err != nil {
			return err
		}
	}
	if len(p.Suites13) == 0 {
		p.MaxVersion = min(p.MaxVersion, iana.TLS12)
	}
	p.Suites = usable(p.Suites, p.MaxVersion, c.hasPSK)
	if len(p.Suites) == 0 {
		p.MinVersion = max(p.MinVersion, iana.TLS13)
	}
	if p.MaxVersion < iana.TLS13 {
		p.Suites13 = nil
	}
	if p.MinVersion >= iana.TLS13 {
		p.Suites = nil
	}
	if c.CipherSuites != nil && offersDHE(p.Suites) &&
		!slices.ContainsFunc(p.Groups, iana.Group.FiniteField) {
		p.Groups = withFiniteField(p.Groups)
	}
	return nil
}

// groups takes CurvePreferences and KeyShares.
func (c *wanted) groups(p *negotiation.Parameters) error {
	if c.CurvePreferences != nil {
		p.Groups = nil
		for _, id := range c.CurvePreferences {
			if _, ok := kex.Named(iana.Group(id)); !ok {
				continue // unknown: who is offered a group may choose it
			}
			if slices.Contains(p.Groups, iana.Group(id)) {
				continue // a list must not have a group twice: RFC 9846 §4.3.7
			}
			p.Groups = append(p.Groups, iana.Group(id))
		}
	}
	if c.KeyShares == nil {
		return nil
	}
	p.KeyShares = []iana.Group{}
	for i, id := range c.KeyShares {
		g := iana.Group(id)
		_, known := kex.Named13(g)
		if !known || !slices.Contains(p.Groups, g) || slices.Contains(c.KeyShares[:i], id) {
			return fmt.Errorf("vitrine: Config.KeyShares has %v, which is listed twice, or is "+
				"not an offered group of TLS 1.3", g)
		}
		p.KeyShares = append(p.KeyShares, g)
	}
	return nil
}

// named returns the suites of a field of a Config.
func named(field string, ids []uint16,
	known func(iana.CipherSuite) *suite.Suite) (all []iana.CipherSuite, err error) {
	for _, id := range convert[iana.CipherSuite](ids) {
		if known(id) == nil {
			return nil, fmt.Errorf("vitrine: Config.%s has %v, which Vitrine does not support "+
				"there", field, id)
		}
		all = append(all, id)
	}
	return all, nil
}

// usable leaves out suites that need a later version, or a pre-shared key that nobody has. The list
// may be a Policy's: it is not changed.
func usable(ids []iana.CipherSuite, max iana.Version, keyed bool) []iana.CipherSuite {
	useless := func(id iana.CipherSuite) bool {
		s := suite.ByID(id)
		return s.MinVersion() > max || s.PreShared() && !keyed
	}
	if !slices.ContainsFunc(ids, useless) {
		return ids
	}
	return slices.DeleteFunc(slices.Clone(ids), useless)
}

func offersDHE(ids []iana.CipherSuite) bool {
	return slices.ContainsFunc(ids,
		func(id iana.CipherSuite) bool { return suite.ByID(id).FiniteField() })
}
