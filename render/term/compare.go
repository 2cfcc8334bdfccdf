package term

import (
	"io"

	"github.com/vitrine-tls/vitrine/explain"
)

// WriteComparison writes two runs side by side. Where they differ the line is marked.
func WriteComparison(w io.Writer, c explain.Comparison, style Style) error {
	p := newPrinter(w, style)
	p.rule(p.layout.width)
	p.end()
	p.put("COMPARED", bold)
	columns := [2]int{20, 20 + (p.layout.width-20)/2}
	for i, name := range c.Names {
		p.to(columns[i])
		p.put(name, bold)
	}
	p.end()
	for _, row := range c.Rows {
		if row.Differs() {
			p.put("  ≠", faint)
		}
		p.to(4)
		p.put(row.What, plain)
		p.to(columns[0])
		p.put(row.Values[0], plain)
		if p.line.width >= columns[1] || columns[1]+p.len(row.Values[1]) > p.layout.width {
			p.end()
			p.to(columns[0])
			p.put("/ ", faint)
		} else {
			p.to(columns[1])
		}
		p.put(row.Values[1], plain)
		p.end()
	}
	return p.out.Flush()
}
