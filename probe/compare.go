package probe

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/suite"
)

// Comparison says whether a ClientHello offers what a server needs. At most one of Enough, Suite,
// Group and Scheme is set.
type Comparison struct {
	Version iana.Version // the newest that both have; 0 if there is none

	// Enough reports that the server accepts the suites, groups and signature schemes of the hello
	// in Version: it fails at something else in the hello.
	Enough bool

	Suite  iana.CipherSuite     // with this suite added it would be enough
	Group  iana.Group           // the same for this group
	Scheme iana.SignatureScheme // the same for this signature scheme
}

// Compare finds out what a ClientHello that the server of the Sketch k has refused lacks, by at
// most three questions that differ from it in one respect each.
func (s *Server) Compare(ctx context.Context, k *Sketch, hello *message.ClientHello) Comparison {
	offered := versionsOf(hello)
	for _, v := range k.Versions {
		if v.Told == Yes && slices.Contains(offered, v.version) {
			return s.compare(ctx, v.version, hello)
		}
	}
	return Comparison{}
}

func (s *Server) compare(ctx context.Context, v iana.Version,
	hello *message.ClientHello) (c Comparison) {
	c.Version = v
	var groups message.SupportedGroups
	var signs message.SignatureSchemes
	// what cannot be read stays empty: the hello was made by this stack
	_, _ = hello.Extensions.Read(iana.ExtSupportedGroups, &groups)
	_, _ = hello.Extensions.Read(iana.ExtSignatureAlgorithms, &signs)
	ours := Offer{Version: v, Groups: groups.Groups, Schemes: signs.Schemes}
	possible := suitesOf(v)
	for _, id := range hello.CipherSuites {
		if slices.Contains(possible, id) {
			ours.Suites = append(ours.Suites, id)
		}
	}
	accepts := func(edit func(*Offer)) (*Answer, bool) {
		o := ours
		edit(&o)
		a := s.insist(ctx, &o)
		return a, a.Outcome == Accepted && a.Version == v
	}
	if len(ours.Suites) > 0 {
		if _, ok := accepts(func(*Offer) {}); ok {
			c.Enough = true
			return c
		}
		a, ok := accepts(func(o *Offer) { o.Groups, o.Schemes = groupsOf(v), schemes })
		switch {
		case ok && a.Group != 0 && !slices.Contains(ours.Groups, a.Group):
			c.Group = a.Group
			return c
		case ok && a.Scheme != 0 && !slices.Contains(ours.Schemes, a.Scheme):
			c.Scheme = a.Scheme
			return c
		}
	}
	if a, ok := accepts(func(o *Offer) {
		o.Suites = best(v)[:min(len(possible), maxSuites)]
	}); ok &&
		!slices.Contains(ours.Suites, a.Suite) {
		c.Suite = a.Suite
	}
	return c
}

// versionsOf returns the versions that a ClientHello offers. See RFC 8446 §4.2.1.
func versionsOf(hello *message.ClientHello) []iana.Version {
	var v message.SupportedVersions
	if ok, err := hello.Extensions.Read(iana.ExtSupportedVersions, &v); ok && err == nil {
		return v.Versions
	}
	return slices.DeleteFunc(slices.Clone(versions),
		func(v iana.Version) bool { return v > hello.Version })
}

// best returns the suites of a version, those that Vitrine prefers first and those that it does not
// speak last: a server that follows the client's order then shows the best that it has.
func best(v iana.Version) []iana.CipherSuite {
	ids := suitesOf(v)
	order := suite.Preference()
	place := func(id iana.CipherSuite) int {
		i := slices.Index(order, id)
		switch {
		case strings.Contains(id.String(), "_PSK_"):
			return len(order) + 1
		case i < 0:
			return len(order)
		}
		return i
	}
	slices.SortStableFunc(ids,
		func(a, b iana.CipherSuite) int { return cmp.Compare(place(a), place(b)) })
	return ids
}

// WhyLong says whether a server that refuses a ClientHello with a hybrid key share, and takes it
// without, fails at its length or at the share. It asks with a hello of that length which has no
// such share.
func (s *Server) WhyLong(ctx context.Context, hello *message.ClientHello) string {
	raw, err := message.Dialect{Version: iana.TLS12}.Encode(hello)
	if err != nil {
		return ""
	}
	o := &Offer{Version: iana.TLS12, Suites: best(iana.TLS12)[:maxSuites], Groups: groups12,
		Schemes: schemes}
	if !padTo(o, len(raw), s.Name) {
		return ""
	}
	a := s.insist(ctx, o)
	switch {
	case a.Outcome == Accepted:
		return "the server fails at the hybrid key share: it takes other hellos of that length"
	case a.Outcome.refused(), a.Outcome == Silent:
		return fmt.Sprintf("the server, or something on the way to it, fails at a hello of %d "+
			"bytes, whatever is in it", len(raw))
	}
	return ""
}

// Missing returns a sentence about what an offer lacks. c is nil if the offer was not compared.
func (k *Sketch) Missing(c *Comparison) string {
	only := len(k.Best.Suites) == 1 && k.AllSuites
	switch {
	case c != nil && c.Group != 0:
		return fmt.Sprintf("the server wants the group %v, which was not offered", c.Group)
	case c != nil && c.Scheme != 0:
		return fmt.Sprintf("the server signs with %v, which was not offered", c.Scheme)
	case k.PSKAlone:
		return "the server takes pre-shared keys alone"
	case c != nil && c.Suite != 0 && only && k.PrimeBits > 0 && k.PrimeBits < 2048:
		return fmt.Sprintf("the server has only the suite %v, with a prime of %d bits", c.Suite,
			k.PrimeBits)
	case c != nil && c.Suite != 0 && only:
		return fmt.Sprintf("the server has only the suite %v, which was not offered", c.Suite)
	case c != nil && c.Suite != 0:
		return fmt.Sprintf("the server has none of the suites of %v that were offered; it has %v",
			c.Version, c.Suite)
	case c == nil && k.PrimeBits > 0:
		return fmt.Sprintf("the server's Diffie-Hellman prime has only %d bits", k.PrimeBits)
	case c != nil && c.Version == 0:
		return k.Sentences()[0]
	}
	return ""
}
