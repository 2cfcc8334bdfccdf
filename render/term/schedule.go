package term

import (
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
)

// grove has the nodes of the key schedule that are derived in one step.
type grove struct {
	*printer
	nodes []*explain.Node
}

// tree writes the nodes of the key schedule that grow in a step: an HKDF-Extract begins at the
// left, and what is made from it hangs below.
func (p *printer) tree(s explain.Step) {
	g := grove{p, s.Nodes}
	for i, n := range s.Nodes {
		switch {
		case n.Input():
			p.to(label)
			p.put(n.Title, plain)
			p.node(n, "")
		case n.Function == "HKDF-Extract":
			g.extract(n)
		default:
			g.branch(i)
		}
	}
}

// extract writes an HKDF-Extract: what goes in, and what comes out.
func (g grove) extract(n *explain.Node) {
	in := "0"
	if n.Secret != nil {
		in = n.Secret.Title
	}
	g.to(label)
	g.put(in, plain)
	g.put(" ─▶ ", faint)
	g.put("HKDF-Extract", plain)
	g.to(g.layout.value)
	if !g.fits("= " + n.Title) {
		g.end()
		g.to(deeper)
	}
	g.put("= ", plain)
	g.put(n.Title, bold)
	if n.Tag != "" {
		g.put("  "+n.Tag, plain)
	}
	g.end()
	g.node(n, "")
}

// branch writes an HKDF-Expand-Label or HMAC below what it is made from. If that grew in an earlier
// step, its name comes first.
func (g grove) branch(i int) {
	n := g.nodes[i]
	if n.Secret != nil && !g.has(n.Secret, i) && (i == 0 || g.nodes[i-1].Secret != n.Secret) {
		g.to(label)
		g.put(n.Secret.Title, bold)
		g.end()
	}
	stem, more := g.stem(n.Secret, i), g.goesOn(n.Secret, i)
	guide := stem + "   "
	if more {
		guide = stem + "│  "
	}
	g.to(deeper)
	if more {
		g.put(stem+"├ ", faint)
	} else {
		g.put(stem+"└ ", faint)
	}
	g.put(made(n), plain)
	if context := n.ContextName(); context != "" {
		g.more(" + "+context, guide, plain)
	}
	if n.Title != n.Label {
		g.more(" = "+n.Title, guide, plain)
	}
	g.node(n, guide)
}

// more writes text behind a branch, on the next line if there is no room.
func (g grove) more(text, guide string, i ink) {
	if !g.fits(text) {
		g.end()
		g.to(deeper)
		g.put(guide, faint)
	}
	g.words(deeper+len(" + "), text, i)
}

// made says by what a node is made.
func made(n *explain.Node) string {
	if n.Function == "HMAC" {
		return "HMAC"
	}
	return `"` + n.Label + `"`
}

// has reports whether a node is among the first i.
func (g grove) has(n *explain.Node, i int) bool {
	for _, other := range g.nodes[:i] {
		if other == n {
			return true
		}
	}
	return false
}

// goesOn reports whether behind node i another one hangs below parent.
func (g grove) goesOn(parent *explain.Node, i int) bool {
	for _, other := range g.nodes[i+1:] {
		if other.Secret == parent && other.Function != "HKDF-Extract" {
			return true
		}
	}
	return false
}

// stem returns the lines that lead past node i to what hangs below the parents of parent.
func (g grove) stem(parent *explain.Node, i int) string {
	if parent == nil || parent.Input() || parent.Function == "HKDF-Extract" || !g.has(parent, i) {
		return ""
	}
	line := "   "
	if g.goesOn(parent.Secret, i) {
		line = "│  "
	}
	return g.stem(parent.Secret, i) + line
}

// node writes the value of a node, from the next line on if there is no room.
func (p *printer) node(n *explain.Node, guide string) {
	f := explain.Fact{Secret: n.ID, Value: n.Value}
	down := func() {
		p.end()
		if strings.TrimSpace(guide) != "" {
			p.to(deeper)
			p.put(guide, faint)
		}
		p.to(max(p.layout.value, p.line.width))
	}
	if p.line.width > 0 && p.line.width >= p.layout.value {
		down()
	} else {
		p.to(p.layout.value)
	}
	switch {
	case n.Missing != "":
		p.words(p.layout.value, n.Missing, faint)
		p.end()
		return
	case n.Value.Compare() == explain.Different:
		p.put("✗ different", red)
		p.end()
		p.sides(f)
		return
	}
	for i, l := range p.hexLines(f) {
		if i > 0 {
			down()
		}
		p.put(l, ink(n.ID))
	}
	p.verdict(f)
	p.end()
}
