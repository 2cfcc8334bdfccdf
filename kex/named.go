package kex

import "github.com/vitrine-tls/vitrine/iana"

// Named returns the group with this code point; ok is false if it is not supported. Hybrids, which
// iana.Group.Hybrid reports, are for TLS 1.3 only. See RFC 8422 §5.1.1, RFC 7919 §2 and RFC 10024.
func Named(id iana.Group) (Group, bool) {
	if c, ok := curves[id]; ok {
		return c, true
	}
	if h, ok := hybrids[id]; ok {
		return h, true
	}
	for _, w := range wellKnown {
		if w.id == id && id != 0 {
			return w.group(), true
		}
	}
	return nil, false
}

// Named13 returns the group with this code point as TLS 1.3 uses it: shares in a finite field have
// the length of the prime, and each bad one is illegal_parameter. See RFC 8446 §4.2.8.1 and §6.
func Named13(id iana.Group) (Group, bool) {
	g, ok := Named(id)
	if f, finite := g.(*finiteField); finite {
		padded := *f
		padded.rule = rule13
		return &padded, ok
	}
	return g, ok
}
