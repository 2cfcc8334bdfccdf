package markdown

import (
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
)

// nodes writes what grows of the key schedule in a step.
func (p *printer) nodes(s explain.Step) {
	if len(s.Nodes) == 0 {
		return
	}
	p.printf("| | how | value |\n|---|---|---|\n")
	for _, n := range s.Nodes {
		how := "an input"
		if !n.Input() {
			how = "`" + code(n.Formula()) + "`"
		}
		p.printf("| %s | %s | %s |\n", text(n.Title), how, nodeValue(n))
	}
	p.printf("\n")
}

func nodeValue(n *explain.Node) string {
	switch {
	case n.Missing != "":
		return text(n.Missing)
	case !n.Known():
		return "(not revealed)"
	case n.Value.Compare() == explain.Different:
		return fmt.Sprintf("**different**: client `%x`, server `%x`", n.Value.Client,
			n.Value.Server)
	}
	value := fmt.Sprintf("`%x`", n.Value.Bytes())
	if n.Value.Compare() == explain.Equal {
		value += " ✓"
	}
	if n.Tag != "" {
		value += " " + text(n.Tag)
	}
	return value
}

// schedule draws the key schedule of TLS 1.3.
func (p *printer) schedule(s *explain.Story) {
	if s.Schedule == nil || len(s.Schedule.Nodes) == 0 {
		return
	}
	p.printf("## The key schedule\n\nWhat goes into an HKDF-Extract stands at the left, what is " +
		"made from its output hangs below (RFC 8446 §7.1).\n\n```text\n")
	for _, n := range s.Schedule.Nodes {
		if n.Input() || n.Function == "HKDF-Extract" {
			p.grow(n, 0)
		}
	}
	p.printf("```\n\n")
}

// grow draws a node and what hangs below it.
func (p *printer) grow(n *explain.Node, depth int) {
	line := strings.Repeat("    ", depth) + ascii(n.Title)
	switch {
	case n.Function == "HKDF-Extract":
		line += " = " + ascii(n.Formula())
	case !n.Input():
		line += " <- " + ascii(explain.Join(" + ", quoted(n), n.ContextName()))
	}
	p.printf("%s\n", line)
	for _, child := range n.Children {
		if child.Secret == n && child.Function != "HKDF-Extract" {
			p.grow(child, depth+1)
		}
	}
}

func quoted(n *explain.Node) string {
	if n.Function == "HMAC" {
		return "HMAC"
	}
	return `"` + n.Label + `"`
}
