package pki

import (
	"crypto/x509"
	"slices"
)

// longest sets pathLenConstraint.
func longest(n int) edit {
	return func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = n, n == 0 }
}

// authority is one below parent, with a key of its own if other.
func (c chainOf) authority(parent *node, name string, other bool, edits ...edit) *node {
	key := c.key(1)
	if other {
		key = c.key(0)
	}
	return issue509(c.t, parent, key, c.form(), ca(name, edits...))
}

// See RFC 5280 §4.2.1.9 and §6.1.4 (l) and (m).
func lengthRules() []rule {
	// limited has authorities below a root, each with a limit, -1 for none
	limited := func(name string, holds bool, limits ...int) rule {
		return rule{name: name, server: holds, client: holds,
			build: func(c chainOf) (chain, roots []*node) {
				root := c.root(longest(limits[0]))
				parent := root
				for i, n := range limits[1:] {
					parent = c.authority(parent, string(rune('A'+i)), false, longest(n))
					chain = append(chain, parent)
				}
				slices.Reverse(chain)
				return append([]*node{c.leaf(parent)}, chain...), []*node{root}
			}}
	}
	return []rule{
		limited("no limit, four authorities", true, -1, -1, -1, -1, -1),
		limited("a root with 0, and no authority", true, 0),
		limited("a root with 0, and one authority", false, 0, -1),
		limited("a root with 1, and one authority", true, 1, -1),
		limited("a root with 1, and two authorities", false, 1, -1, -1),
		limited("an authority with 0, the last one", true, -1, 0),
		limited("an authority with 0, and one below", false, -1, 0, -1),
		limited("a limit below cannot lengthen", false, 1, 5, 5),
		limited("limits that become shorter", true, 2, 1, 0),
		{name: "a limit counts authorities of the same name, unlike §6.1.4 (l)",
			build: func(c chainOf) (chain, roots []*node) {
				root := c.root(longest(0))
				again := c.authority(root, "root", false)
				return []*node{c.leaf(again), again}, []*node{root}
			}},
	}
}

// built is a rule of chains that are made by hand.
func built(name string, holds bool, build func(c chainOf) (chain, roots []*node)) rule {
	return rule{name: name, server: holds, client: holds, build: build}
}

// See RFC 5280 §6.1: what is sent may have circles, and more than is needed.
func loopRules() []rule {
	// circle has two authorities that signed one another, A with the root's key, and a leaf of A
	circle := func(c chainOf) (a, b *node, leaf *node) {
		first := c.authority(nil, "B", false)
		a = c.authority(first, "A", true)
		b = c.authority(a, "B", false)
		return a, b, c.leaf(a)
	}
	return []rule{
		built("a circle without a root", false, func(c chainOf) (chain, roots []*node) {
			a, b, leaf := circle(c)
			return []*node{leaf, a, b}, nil
		}),
		built("a circle, and a root beside it", true, func(c chainOf) (chain, roots []*node) {
			a, b, leaf := circle(c)
			return []*node{leaf, a, b}, []*node{c.authority(nil, "B", false)}
		}),
		built("a leaf that signed itself", false, func(c chainOf) (chain, roots []*node) {
			leaf := issue509(c.t, nil, forgeKeys().ecdsa[1], form{sig: sha256ECDSA}, nil)
			return []*node{leaf}, []*node{c.root()}
		}),
		built(
			"a leaf of an authority of its own name",
			true,
			func(c chainOf) (chain, roots []*node) {
				root := issue509(c.t, nil, c.key(0), c.form(), ca("leaf"))
				return []*node{c.leaf(root)}, []*node{root}
			},
		),
		built("each certificate twice", true, func(c chainOf) (chain, roots []*node) {
			all := c.whole("", true, nil, nil, nil)
			return []*node{all.chain[0], all.chain[0], all.chain[1], all.chain[1]}, all.roots
		}),
		built("the root is sent", true, func(c chainOf) (chain, roots []*node) {
			all := c.whole("", true, nil, nil, nil)
			return append(all.chain, all.roots[0]), all.roots
		}),
		built("authorities in the wrong order, RFC 8446 §4.4.2", true,
			func(c chainOf) (chain, roots []*node) {
				root := c.root()
				a := c.authority(root, "A", false)
				b := c.authority(a, "B", true)
				return []*node{c.leaf(b), root, a, b}, []*node{root}
			}),
		built("the authority is missing", false, func(c chainOf) (chain, roots []*node) {
			all := c.whole("", true, nil, nil, nil)
			return all.chain[:1], all.roots
		}),
		built("the authority is trusted, and its root is not", true,
			func(c chainOf) (chain, roots []*node) {
				all := c.whole("", true, nil, nil, nil)
				return all.chain[:1], all.chain[1:]
			}),
		built("the leaf is an authority's, of which the chain has another leaf", false,
			func(c chainOf) (chain, roots []*node) {
				all := c.whole("", true, nil, nil, nil)
				stranger := issue509(c.t, nil, c.key(1), c.form(), ca("stranger"))
				return append([]*node{c.leaf(stranger)}, all.chain...), all.roots
			}),
		built("a leaf signed by a leaf, §6.1.4 (k)", false, func(c chainOf) (chain, roots []*node) {
			root := c.root()
			mid := issue509(c.t, root, c.key(1), c.form(), nil)
			return []*node{c.leaf(mid), mid}, []*node{root}
		}),
	}
}

// crossed has an old root, a new one with another key and name, and the new one's certificate that
// the old one signed, each with edits; and a leaf of the new.
func crossed(c chainOf, oldEdit, newEdit, crossEdit edit) (leaf, old, fresh, cross *node) {
	old = c.root(oldEdit)
	fresh = c.authority(nil, "new root", false, newEdit)
	cross = c.authority(old, "new root", false, crossEdit)
	return c.leaf(fresh), old, fresh, cross
}

// Cross-signs, and the chain of pain of 2020: one bad path must not hide a good one.
func crossRules() []rule {
	none := func(*x509.Certificate) {}
	cross := func(name string, holds bool, oldEdit, newEdit, crossEdit edit, trusted ...int) rule {
		return built(name, holds, func(c chainOf) (chain, roots []*node) {
			leaf, old, fresh, cross := crossed(c, oldEdit, newEdit, crossEdit)
			for _, i := range trusted {
				roots = append(roots, []*node{old, fresh}[i])
			}
			return []*node{leaf, cross, old}, roots
		})
	}
	const isOld, isNew = 0, 1
	return []rule{
		cross("the old root alone is trusted", true, none, none, none, isOld),
		cross("the new root alone is trusted", true, none, none, none, isNew),
		cross("both are trusted", true, none, none, none, isOld, isNew),
		cross("the cross-sign expired, the new root is trusted", true, none, none, expired, isOld,
			isNew),
		cross("the old root expired, the new one is trusted", true, expired, none, none, isOld,
			isNew),
		cross("the cross-sign expired, the old root is trusted", false, none, none, expired, isOld),
		cross("the cross-sign is limited, the new root is trusted", true, none, none,
			permits("b.test"), isOld, isNew),
		cross(
			"the new root is limited, the old one is trusted",
			true,
			none,
			permits("b.test"),
			none,
			isOld,
			isNew,
		),
		cross("the cross-sign is for e-mail, the new root is trusted", true, none, none,
			usages(x509.ExtKeyUsageEmailProtection), isOld, isNew),
		cross("each way has a fault", false, none, expired, permits("b.test"), isOld, isNew),
		built("an authority of the same name with another key comes first", true,
			func(c chainOf) (chain, roots []*node) {
				root := c.root()
				wrong := c.authority(root, "A", true)
				right := c.authority(root, "A", false)
				return []*node{c.leaf(right), wrong, right}, []*node{root}
			}),
		built("the same authority, expired, comes first", true,
			func(c chainOf) (chain, roots []*node) {
				root := c.root()
				late, right := c.authority(root, "A", false, expired), c.authority(root, "A", false)
				return []*node{c.leaf(right), late, right}, []*node{root}
			}),
		built("a root of the same name with another key is trusted", false,
			func(c chainOf) (chain, roots []*node) {
				all := c.whole("", true, nil, nil, nil)
				return all.chain, []*node{c.authority(nil, "root", false)}
			}),
		bridgeRule(),
	}
}

// bridgeRule has four authorities that all signed one another, as bridges do, and a root.
func bridgeRule() rule {
	return built("a bridge of authorities that signed one another", true,
		func(c chainOf) (chain, roots []*node) {
			root := c.root()
			hubs := []string{"A", "B", "C", "D", "E"}
			last := c.authority(root, hubs[0], false)
			chain = []*node{c.leaf(last)}
			for _, to := range hubs {
				for _, from := range hubs {
					if to != from {
						chain = append(chain,
							c.authority(c.authority(nil, from, false), to, false))
					}
				}
			}
			return append(chain, c.authority(root, "E", false)), []*node{root}
		})
}
