package diagnose

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/suite"
)

// Only returns the change that allows a suite, with its version if c does not have that, and until
// TLS 1.2 with a policy if it does not take a prime of that many bits, and nothing else. It is for
// a server that is known to support them; primeBits is 0 if no prime is known. ok is false if
// Vitrine does not speak the suite in that version, or no policy takes the prime.
func Only(c *vitrine.Config, v iana.Version, id iana.CipherSuite, primeBits int) (change Change,
	ok bool) {
	if v == iana.TLS13 {
		return only13(c, id)
	}
	s := suite.ByID(id)
	if s == nil || v < iana.TLS10 || v > iana.TLS12 || s.MinVersion() > v ||
		s.PreShared() && c.GetPSK == nil {
		return Change{}, false
	}
	change = Change{Kind: OneSuite, Suite: id}
	fields := []string{fmt.Sprintf("CipherSuites: []uint16{0x%04X}", uint16(id))}
	if speaks13(c) {
		fields = append(fields, "CipherSuites13: []uint16{}")
	}
	costs := costsOf(s)
	if least := c.MinVersion; least == 0 && v < policyOf(c).MinVersion() ||
		least > uint16(v) {
		change.Version = v
		fields = slices.Insert(fields, 0, fmt.Sprintf("MinVersion: 0x%04X", uint16(v)))
		costs = append([]string{fmt.Sprintf("%v is deprecated (RFC 8996)", v)}, costs...)
	}
	if below(c, v) {
		change.NoMax = true
		fields = append(fields, "MaxVersion: 0")
	}
	if s.FiniteField() && primeBits > 0 && primeBits < policyOf(c).MinDHBits() {
		if change.Policy = milder(c, primeBits); change.Policy == nil {
			return Change{}, false
		}
		fields = slices.Insert(fields, 0, "Policy: "+goName(change.Policy))
		costs = append([]string{fmt.Sprintf("a prime of %d bits is within reach of a state "+
			"(Logjam)", primeBits)}, costs...)
	}
	change.Go, change.Costs = strings.Join(fields, ", "), strings.Join(costs, "; ")
	change.apply = func(c *vitrine.Config) {
		c.CipherSuites, c.CipherSuites13 = []uint16{uint16(id)}, []uint16{}
		if change.Version != 0 {
			c.MinVersion = uint16(change.Version)
		}
		if change.NoMax {
			c.MaxVersion = 0
		}
		if change.Policy != nil {
			c.Policy = change.Policy
		}
	}
	return change, true
}

// With returns the change of OneSuite that offers no group but g besides. Some servers choose
// finite-field Diffie-Hellman only for a client that names no other group of RFC 7919 than theirs.
func (c Change) With(g iana.Group) Change {
	c.Group = g
	c.Go += fmt.Sprintf(", CurvePreferences: []tls.CurveID{0x%04X}", uint16(g))
	before := c.apply
	c.apply = func(config *vitrine.Config) {
		before(config)
		config.CurvePreferences = []tls.CurveID{tls.CurveID(g)}
	}
	return c
}

func only13(c *vitrine.Config, id iana.CipherSuite) (Change, bool) {
	if suite.ByID13(id) == nil {
		return Change{}, false
	}
	change := Change{Kind: OneSuite, Suite: id, NoMax: below(c, iana.TLS13),
		Go: fmt.Sprintf("CipherSuites13: []uint16{0x%04X}, CipherSuites: []uint16{}", uint16(id))}
	if change.NoMax {
		change.Go += ", MaxVersion: 0"
	}
	change.apply = func(c *vitrine.Config) {
		c.CipherSuites, c.CipherSuites13 = []uint16{}, []uint16{uint16(id)}
		if change.NoMax {
			c.MaxVersion = 0
		}
	}
	return change, true
}

// below reports whether the MaxVersion of c leaves v out.
func below(c *vitrine.Config, v iana.Version) bool {
	return c.MaxVersion != 0 && c.MaxVersion < uint16(v)
}

// costsOf returns the concerns about a suite in words.
func costsOf(s *suite.Suite) (costs []string) {
	for _, x := range suite.Concerns(s) {
		if x.Level > suite.Fine {
			costs = append(costs, x.What+": "+x.Reason)
		}
	}
	return costs
}

// milder returns the strictest policy of today that takes a prime of that many bits, or nil.
func milder(c *vitrine.Config, bits int) *vitrine.Policy {
	for _, p := range vitrine.Policies() {
		if rank(p) > rank(policyOf(c)) && p.MinDHBits() <= bits {
			return p
		}
	}
	return nil
}

func goName(p *vitrine.Policy) string {
	return "vitrine." + strings.ToUpper(p.Name()[:1]) + p.Name()[1:]
}

// UpTo returns the change that offers no version above v.
func UpTo(v iana.Version) Change {
	return Change{Kind: UpToVersion, Version: v, hello: true,
		Go: fmt.Sprintf("MaxVersion: 0x%04X", uint16(v)),
		Cause: fmt.Sprintf("the server refuses a hello that offers more than %v, instead of "+
			"choosing %v", v, v),
		Costs: fmt.Sprintf("the versions after %v", v),
		apply: func(c *vitrine.Config) {
			c.MaxVersion = uint16(v)
			c.MinVersion = min(c.MinVersion, uint16(v))
		}}
}

// WithoutRecordSplit returns the change that leaves out the record of one byte before data with CBC
// in TLS 1.0, for a server that takes the handshake and fails at the data. ok is false if there is
// no such record in a connection with that state.
func WithoutRecordSplit(c *vitrine.Config, s vitrine.ConnectionState) (change Change, ok bool) {
	row := suite.ByID(iana.CipherSuite(s.CipherSuite))
	if row == nil || c.RecordSplitDisabled ||
		!record.ChainsIVs(iana.Version(s.Version), row.Cipher) {
		return Change{}, false
	}
	return Change{Kind: NoRecordSplit, Extension: "record-split", Go: "RecordSplitDisabled: true",
		Cause: "the server fails at a record of one byte of data, which TLS 1.0 allows (RFC 2246 " +
			"§6.2.1)",
		Costs: "protection from BEAST: whoever chooses part of the data and sees the records can " +
			"test guesses at the rest (CVE-2011-3389)",
		apply: func(c *vitrine.Config) { c.RecordSplitDisabled = true }}, true
}

// OnlyScheme returns the change that accepts signatures of one scheme. ok is false if Vitrine does
// not know it.
func OnlyScheme(s iana.SignatureScheme) (change Change, ok bool) {
	change = Change{Kind: OneScheme, Scheme: s,
		Go: fmt.Sprintf("SignatureSchemes: []tls.SignatureScheme{0x%04X}", uint16(s)),
		apply: func(c *vitrine.Config) {
			c.SignatureSchemes = []tls.SignatureScheme{tls.SignatureScheme(s)}
		}}
	if s == iana.RSA_PKCS1_SHA1 || s == iana.ECDSA_SHA1 {
		change.Costs = "SHA-1: somebody who finds collisions can pass for the server (RFC 9155)"
	}
	return change, slices.Contains(pki.KnownSchemes(), s)
}

// OnlyGroup returns the change that offers one group.
func OnlyGroup(g iana.Group) Change {
	return Change{Kind: AllGroups, Group: g,
		Go:    fmt.Sprintf("CurvePreferences: []tls.CurveID{0x%04X}", uint16(g)),
		apply: func(c *vitrine.Config) { c.CurvePreferences = []tls.CurveID{tls.CurveID(g)} }}
}
