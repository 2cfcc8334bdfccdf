package term

import (
	"io"

	"github.com/vitrine-tls/vitrine/explain"
)

// WriteTerms writes the meanings of a word, one below the other.
func WriteTerms(w io.Writer, terms []explain.Term, style Style) error {
	p := newPrinter(w, style)
	for i, t := range terms {
		if i > 0 {
			p.end()
		}
		p.put(t.Name, bold)
		p.put("  "+t.Kind, plain)
		if t.Program != "" {
			p.put(" of "+t.Program, plain)
		}
		if t.Number != "" {
			p.put(" "+t.Number, plain)
		}
		if t.Ref != "" {
			if !p.fits("  " + t.Ref) {
				p.end()
			}
			p.put("  "+t.Ref, faint)
		}
		p.end()
		p.to(2)
		p.words(2, t.Text, plain)
		p.end()
		for _, more := range []struct{ title, text string }{{"often", t.Causes}, {"try", t.Try}} {
			if more.text != "" {
				p.to(2)
				p.put(more.title, bold)
				p.to(8)
				p.words(8, more.text, plain)
				p.end()
			}
		}
	}
	return p.out.Flush()
}
