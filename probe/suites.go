package probe

import (
	"context"
	"fmt"
	"math/big"
	"slices"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/suite"
)

// elimination finds all suites of a version: what the server chose is left out of the next hello,
// until it refuses. What it chose besides, a group and a signature scheme, is left out with it; a
// refusal counts only if the hello had all groups and schemes.
type elimination struct {
	version iana.Version
	groups  []iana.Group // not chosen yet
	schemes []iana.SignatureScheme
	first   *Answer // to the first offer, if it was made before
	dropped bool    // the last hello: what that says depends on other versions
	alerted bool    // by another alert than protocol_version
	unnamed bool    // the groups of RFC 7919 are left out, too: see Offer.withoutPrimes
	result  Version
	answers []*Answer
}

func newElimination(v iana.Version) *elimination {
	e := &elimination{version: v, groups: groupsOf(v), schemes: schemes}
	e.result = Version{Name: v.String(), version: v, Suites: []Suite{}}
	return e
}

// offer offers suites with the groups and schemes that are left, or with all. full reports whether
// nothing was left out.
func (e *elimination) offer(ids []iana.CipherSuite, all bool) (o *Offer, full bool) {
	o = &Offer{Version: e.version, Suites: ids, Groups: groupsOf(e.version), Schemes: schemes}
	full = true
	if !all && len(e.groups) > 0 {
		full = len(e.groups) == len(o.Groups)
		o.Groups = e.groups
	}
	if !all && len(e.schemes) > 0 {
		full = full && len(e.schemes) == len(schemes)
		o.Schemes = e.schemes
	}
	if e.unnamed {
		o, _ = o.withoutPrimes()
	}
	return o, full
}

func mayHavePrime(o *Offer) bool {
	_, ok := o.withoutPrimes()
	return ok
}

// run asks until it is known of each suite whether the server accepts it.
func (e *elimination) run(ctx context.Context, s *Server) {
	all := false
	for ids := range slices.Chunk(suitesOf(e.version), maxSuites) {
		ids = slices.Clone(ids)
		e.unnamed = false
		for len(ids) > 0 {
			o, full := e.offer(ids, all)
			if len(o.Suites) == 0 {
				break
			}
			a := e.first
			if e.first = nil; a == nil {
				a = s.insist(ctx, o)
			}
			switch {
			case a.Outcome == Accepted && a.Version != e.version:
				e.end(No, fmt.Sprintf("the server answered with %v", a.Version))
				return
			case a.Outcome == Accepted:
				e.take(a)
				ids = slices.DeleteFunc(
					ids,
					func(id iana.CipherSuite) bool { return id == a.Suite },
				)
				continue
			case a.Outcome.refused() && !full:
				all = true // the refusal may be of what was left out
				continue
			case a.Outcome.refused() && a.Alert != nil && *a.Alert == alert.ProtocolVersion:
				e.alerted = false
				e.end(No, a.Refusal())
				return
			case a.Outcome == Alerted && !e.unnamed && mayHavePrime(o):
				e.unnamed = true
				continue
			case a.Outcome.refused() && e.refuses(a):
				e.result.Detail, e.dropped = a.Refusal(), a.Outcome.dropped()
				e.alerted = a.Outcome == Alerted
			default:
				e.end(NotTold, a.Refusal())
				return
			}
			break
		}
	}
	e.end(No, e.result.Detail)
}

// refuses reports whether an answer refuses suites, as far as this version shows.
func (e *elimination) refuses(a *Answer) bool {
	return len(e.answers) == 0 || slices.ContainsFunc(e.answers, a.refuses)
}

// confirm finds out whether the version was refused, if all its hellos were dropped and another
// version has an answer.
func (e *elimination) confirm(ctx context.Context, s *Server, accepted *Answer) {
	if e.result.Told != No || !e.dropped {
		return
	}
	told, a := s.confirm(ctx, e.version, accepted)
	if e.result.Told = told; told == Yes {
		e.take(a)
		e.result.Detail = "there may be more suites: " + e.result.Detail
	}
}

// end sets the result. A version in which a suite was accepted is supported, whatever came later.
func (e *elimination) end(told Told, detail string) {
	e.result.Told, e.result.Detail = told, detail
	if len(e.result.Suites) > 0 {
		e.result.Told = Yes
		if told != NotTold {
			e.result.Detail = ""
		} else {
			e.result.Detail = "there may be more suites: " + detail
		}
	}
}

// take notes what the server chose.
func (e *elimination) take(a *Answer) {
	row := Suite{Name: a.Suite.String(), OpenSSL: a.Suite.OpenSSL(), id: a.Suite, hello: a.raw,
		Code: fmt.Sprintf("0x%04X", uint16(a.Suite))}
	if a.Group != 0 {
		row.Group = a.Group.String()
	}
	if a.Keys != nil && a.Keys.P != nil {
		row.Bits = new(big.Int).SetBytes(a.Keys.P).BitLen()
		_, row.Group = kex.NameOf(a.Keys.P, a.Keys.G)
	}
	e.result.unnamed = a.offer.unnamed && (len(e.answers) == 0 || e.result.unnamed)
	e.result.Suites = append(e.result.Suites, row)
	e.keep(a)
	e.groups = slices.DeleteFunc(slices.Clone(e.groups),
		func(g iana.Group) bool { return g == a.Group })
	e.schemes = slices.DeleteFunc(slices.Clone(e.schemes),
		func(s iana.SignatureScheme) bool { return s == a.Scheme })
}

// keep adds an answer to those of the report. Of what can be long it keeps what is reported: one
// request for a certificate, and maxChains chains, so that a server which sends much in each answer
// costs no more than one that does not.
func (e *elimination) keep(a *Answer) {
	if a.Staple != nil {
		a.Staple = []byte{} // that there was one
	}
	var chains [][][]byte
	for _, old := range e.answers {
		if old.Request != nil {
			a.Request = old.Request
		}
		if a.sameLeaf(old.Chain) {
			a.Chain = old.Chain
		}
		if !slices.ContainsFunc(chains, old.sameLeaf) && len(old.Chain) > 0 {
			chains = append(chains, old.Chain)
		}
	}
	if len(chains) >= maxChains && !slices.ContainsFunc(chains, a.sameLeaf) {
		a.Chain = nil
	}
	e.answers = append(e.answers, a)
}

// restGroups finds the groups that the elimination of suites left open.
func (e *elimination) restGroups(ctx context.Context, s *Server) {
	var ids []iana.CipherSuite
	for _, x := range e.result.Suites {
		if r := suite.Readable(x.id); e.version == iana.TLS13 || r != nil && r.EllipticCurve() {
			ids = append(ids, x.id)
		}
	}
	for len(ids) > 0 && len(e.groups) > 0 {
		a := s.insist(
			ctx,
			&Offer{Version: e.version, Suites: ids, Groups: e.groups, Schemes: schemes},
		)
		if a.Outcome != Accepted || !slices.Contains(e.groups, a.Group) {
			return
		}
		e.keep(a)
		e.groups = slices.DeleteFunc(e.groups, func(g iana.Group) bool { return g == a.Group })
	}
}

// restSchemes finds the signature schemes of TLS 1.2 that are left, for each kind of key.
func (e *elimination) restSchemes(ctx context.Context, s *Server) {
	kinds := map[iana.Authentication][]iana.CipherSuite{}
	for _, x := range e.result.Suites {
		if r := suite.Readable(x.id); r != nil && r.Ephemeral() && r.Certified() {
			kinds[r.ServerKey()] = append(kinds[r.ServerKey()], x.id)
		}
	}
	for _, kind := range []iana.Authentication{iana.AuthRSA, iana.AuthECDSA, iana.AuthDSS} {
		for len(kinds[kind]) > 0 && len(e.schemes) > 0 {
			a := s.insist(ctx, &Offer{Version: e.version, Suites: kinds[kind],
				Groups: e.result.groups(), Schemes: e.schemes})
			if a.Outcome != Accepted || !slices.Contains(e.schemes, a.Scheme) {
				break
			}
			e.keep(a)
			e.schemes = slices.DeleteFunc(slices.Clone(e.schemes),
				func(x iana.SignatureScheme) bool { return x == a.Scheme })
		}
	}
}

// ephemeral returns the suites of a version whose answer shows a key that was made for it.
func ephemeral(v *Version, elliptic bool) (ids []iana.CipherSuite) {
	for _, x := range v.Suites {
		if r := suite.Readable(x.id); r != nil &&
			(elliptic && r.EllipticCurve() || !elliptic && r.FiniteField()) {
			ids = append(ids, x.id)
		}
	}
	return ids
}
