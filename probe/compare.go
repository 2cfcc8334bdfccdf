package probe

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/pki"
)

// Comparison says whether a ClientHello offers what a server needs. At most one of Enough, Suite,
// Group, Scheme and KeyGroup is set, or Suite and Group if neither alone would be enough.
type Comparison struct {
	Version iana.Version // the newest that both have; 0 if there is none

	// Enough reports that the server accepts the suites, groups and signature schemes of the hello
	// in Version: it fails at something else in the hello.
	Enough bool

	Suite  iana.CipherSuite     // with this suite added it would be enough
	Group  iana.Group           // the same for this group
	Scheme iana.SignatureScheme // the same for this signature scheme

	// KeyGroup is the group that the key of the server's certificate is on, if it was not offered:
	// until TLS 1.2 a client's groups are those of certificates, too. See RFC 8422 §5.1.1.
	KeyGroup iana.Group
}

// Compare finds out what a ClientHello that the server of the Sketch k has refused lacks, by at
// most five questions, of which all but the last differ from it in one respect. In TLS 1.3, where
// the server's signature scheme cannot be read, there is one more for each scheme.
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
		if a, ok := accepts(func(o *Offer) { o.Groups = groupsOf(v) }); ok {
			c.Group = a.group()
			if g, ok := groupOfKey(a); ok && slices.Contains(ours.Groups, c.Group) &&
				!slices.Contains(ours.Groups, g) {
				c.Group, c.KeyGroup = 0, g
			}
			return c
		}
		if a, ok := accepts(func(o *Offer) { o.Schemes = schemes }); ok {
			c.Scheme = a.Scheme
			for i := 0; c.Scheme == 0 && i < len(schemes); i++ { // in TLS 1.3 it cannot be read
				if _, ok := accepts(func(o *Offer) { o.Schemes = schemes[i : i+1] }); ok {
					c.Scheme = schemes[i]
				}
			}
			return c
		}
	}
	if a, ok := accepts(func(o *Offer) {
		o.Suites = best(v)[:min(len(possible), maxSuites)]
	}); ok && !slices.Contains(ours.Suites, a.Suite) {
		c.Suite = a.Suite
		return c
	}
	if a, ok := accepts(func(o *Offer) {
		o.Suites = best(v)[:min(len(possible), maxSuites)]
		o.Groups, o.Schemes = groupsOf(v), schemes
	}); ok && !slices.Contains(ours.Suites, a.Suite) && !slices.Contains(ours.Groups, a.group()) {
		c.Suite, c.Group = a.Suite, a.group()
	}
	return c
}

// groupOfKey returns the group that the key of the server's certificate is on.
func groupOfKey(a *Answer) (iana.Group, bool) {
	if len(a.Chain) == 0 {
		return 0, false
	}
	leaf, _ := pki.ReadCertificate(a.Chain[0]) // what it cannot read it leaves empty
	curve, ok := strings.CutPrefix(pki.KeyName(leaf), "ECDSA ")
	if bits, nist := strings.CutPrefix(curve, "P-"); nist {
		curve = "secp" + bits + "r1"
	}
	g, known := iana.GroupByName(curve)
	return g, ok && known
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

// WhyLong says whether a server that refuses a ClientHello with a hybrid key share, and takes it
// without, fails at its length or at the share. It asks with a hello of that length which has no
// such share.
func (s *Server) WhyLong(ctx context.Context, hello *message.ClientHello) string {
	raw, err := message.Dialect{Version: iana.TLS12}.Encode(hello)
	o := s.accepted(ctx, hello, false)
	if err != nil || o == nil || !padTo(o, len(raw), s.Name) {
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

// WhyWhole says why a server that takes a ClientHello in short records fails at it in one: at the
// name of the server, which it does not see then, or at the length. It returns "" if neither is
// the reason.
func (s *Server) WhyWhole(ctx context.Context, hello *message.ClientHello) string {
	const who = "the server, or something on the way to it, "
	raw, err := message.Dialect{Version: iana.TLS12}.Encode(hello)
	if err != nil {
		return ""
	}
	base := s.accepted(ctx, hello, false)
	if base == nil {
		if s.Name == "" || s.accepted(ctx, hello, true) == nil {
			return ""
		}
		return fmt.Sprintf("%sfails at the name %s in a ClientHello, and does not see it in short "+
			"records", who, s.Name)
	}
	fits := func(n int) bool {
		o := *base
		return padTo(&o, n, s.Name) && s.insist(ctx, &o).Outcome == Accepted
	}
	short, err := base.encode(s.Name)
	if err != nil || len(short) >= len(raw) || fits(len(raw)) {
		return ""
	}
	least, most := len(short), len(raw) // taken, refused
	for most-least > 64 && ctx.Err() == nil {
		if n := (least + most) / 2; fits(n) {
			least = n
		} else {
			most = n
		}
	}
	return fmt.Sprintf("%stakes a ClientHello of %d bytes in one record and fails at one of %d; "+
		"ours has %d, and it takes it in short records", who, least, most, len(raw))
}

// accepted returns a short offer that the server accepts, with suites of a ClientHello, or nil.
func (s *Server) accepted(ctx context.Context, hello *message.ClientHello, unnamed bool) *Offer {
	for _, v := range []iana.Version{iana.TLS13, iana.TLS12} {
		possible := suitesOf(v)
		o := &Offer{Version: v, Suites: slices.DeleteFunc(slices.Clone(hello.CipherSuites),
			func(id iana.CipherSuite) bool { return !slices.Contains(possible, id) }),
			Groups:  []iana.Group{iana.X25519, iana.Secp256r1, iana.Secp384r1},
			Schemes: schemes[:14], NoName: unnamed, Unpadded: true}
		if len(o.Suites) > 0 && s.insist(ctx, o).Outcome == Accepted {
			return o
		}
	}
	return nil
}

// Missing returns a sentence about what an offer lacks. c is nil if the offer was not compared.
func (k *Sketch) Missing(c *Comparison) string {
	only, prime := len(k.Best.Suites) == 1 && k.AllSuites, ""
	if c != nil && withPrime(c.Suite) && k.PrimeBits > 0 && k.PrimeBits < 2048 {
		prime = fmt.Sprintf(", with a prime of %d bits", k.PrimeBits)
	}
	switch {
	case c != nil && c.Group != 0 && c.Suite != 0:
		return fmt.Sprintf("the server has neither the suites of %v nor the groups that were "+
			"offered; it has %v with %v", c.Version, c.Suite, c.Group)
	case c != nil && c.Group != 0:
		return fmt.Sprintf("the server wants the group %v, which was not offered", c.Group)
	case c != nil && c.Scheme != 0:
		return fmt.Sprintf("the server signs with %v, which was not offered", c.Scheme)
	case c != nil && c.KeyGroup != 0:
		return fmt.Sprintf("the key of the server's certificate is on %v, which was not offered",
			c.KeyGroup)
	case k.PSKAlone:
		return "the server takes pre-shared keys alone"
	case c != nil && c.Suite != 0 && only && prime != "":
		return fmt.Sprintf("the server has only the suite %v%s", c.Suite, prime)
	case c != nil && c.Suite != 0 && only:
		return fmt.Sprintf("the server has only the suite %v, which was not offered", c.Suite)
	case c != nil && c.Suite != 0:
		return fmt.Sprintf("the server has none of the suites of %v that were offered; it has %v%s",
			c.Version, c.Suite, prime)
	case c == nil && k.PrimeBits > 0:
		return fmt.Sprintf("the server's Diffie-Hellman prime has only %d bits", k.PrimeBits)
	case c != nil && c.Version == 0:
		return k.Sentences()[0]
	}
	return ""
}
