package probe

import (
	"context"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
)

// Questions about whose order decides: for suites and for groups.

// order finds out whose order of suites decides. Two connections, and a third where ChaCha20 could
// be an exception: some servers, whose own order counts, take it if the client prefers it, as
// phones without instructions for AES do.
func (v *Version) order(ctx context.Context, s *Server) {
	var gcm, others, chacha []iana.CipherSuite
	for _, id := range v.ids() {
		switch name := id.String(); {
		case strings.Contains(name, "CHACHA20"):
			chacha = append(chacha, id)
		case strings.Contains(name, "_GCM"):
			gcm = append(gcm, id)
		default:
			others = append(others, id)
		}
	}
	if len(gcm)+len(others) < 2 {
		others, chacha = append(others, chacha...), nil
	}
	if len(gcm) < 2 { // else AES-GCM is first in both orders: without it Go's server takes ChaCha20
		gcm, others = nil, append(gcm, others...)
	}
	rest := slices.Concat(gcm, others)
	if len(rest) < 2 {
		return
	}
	pick := func(ids ...iana.CipherSuite) iana.CipherSuite {
		a := s.insist(ctx,
			&Offer{Version: v.version, Suites: ids, Groups: v.groups(), Schemes: schemes})
		if a.Outcome != Accepted {
			return 0
		}
		return a.Suite
	}
	slices.Reverse(gcm)
	slices.Reverse(others)
	back := slices.Concat(gcm, others)
	first, second := pick(slices.Concat(rest, chacha)...), pick(slices.Concat(back, chacha)...)
	switch {
	case first == 0 || second == 0:
	case first == second:
		v.Order = "server"
		v.ChaCha = len(chacha) > 0 && slices.Contains(rest, first) &&
			slices.Contains(chacha, pick(slices.Concat(chacha, rest)...))
	case first == rest[0] && second == back[0]:
		v.Order = "client"
	}
}

// askGroupOrder offers two groups in both orders: in TLS 1.3 with a share of each, since many
// servers take the first share that they can use and have an order of their own only if they must
// ask for another one.
func askGroupOrder(ctx context.Context, p *prober) (Told, How, string) {
	var two []iana.Group
	for _, g := range p.report.Groups {
		if _, ok := kex.Named13(g.id); ok && !g.Hybrid && len(two) < 2 &&
			!slices.Contains(two, g.id) {
			two = append(two, g.id)
		}
	}
	o := p.either()
	if len(two) < 2 || o == nil {
		return NotApplicable, "", "the server has not two groups"
	}
	if o.Version != iana.TLS13 {
		if o.Suites = ephemeral(p.report.best(iana.TLS12), true); len(o.Suites) == 0 {
			return NotApplicable, "", "no suite with ECDHE"
		}
		return p.groupOrder(ctx, *o, two)
	}
	o.Shares = true
	told, how, detail := p.groupOrder(ctx, *o, two)
	if told != No {
		return told, how, detail
	}
	o.Shares = false
	if told, _, _ := p.groupOrder(ctx, *o, two); told == Yes {
		return No, how, detail + "; without shares the server's own order counts"
	}
	return told, how, detail
}

func (p *prober) groupOrder(ctx context.Context, o Offer, two []iana.Group) (Told, How, string) {
	o.Groups = two
	there := p.server.insist(ctx, &o)
	turned := []iana.Group{two[1], two[0]}
	o.Groups = turned
	back := p.server.insist(ctx, &o)
	switch {
	case there.Outcome != Accepted:
		return NotTold, "", there.Refusal()
	case back.Outcome != Accepted:
		return NotTold, "", back.Refusal()
	case there.Group == back.Group && slices.Contains(two, there.Group):
		return Yes, Seen, "it takes " + there.Group.String() + " of " + two[0].String() + " and " +
			two[1].String()
	case there.Group == two[0] && back.Group == two[1]:
		return No, Seen, "it takes the first that the client offers"
	}
	return NotTold, "", "it takes the last that the client offers"
}
