// Package term writes a story for a terminal, in at most 100 columns except for commands and tables
// of values. Box drawing and colours are used if the output can show them, and ASCII otherwise.
//
// Hex is never split by spaces, so that it can be searched and copied. Each secret has one hue
// wherever it is printed, also in formulas. Red marks only what is deprecated, lost or wrong. The
// words come from package explain. Nothing unprintable is written, even if it came from a peer.
//
// The files can be read in this order, each after those that it builds on; a test holds that none
// refers to a later one:
//
//	layout.go line.go                     columns, and a line with its inks
//	fact.go schedule.go term.go           a fact, a tree of keys, a story
//	detail.go compare.go derive.go        bytes and fields, two runs, a derivation
//	terms.go                              a glossary
//
// It has no compatibility promise, except for what Vitrine's API refers to.
package term

import (
	"fmt"
	"io"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
)

// Write writes s. Its lines have at most 100 columns, and at most Style.Columns if that is 60 or
// more.
func Write(w io.Writer, s *explain.Story, style Style) error {
	p := newPrinter(w, style)
	p.head(s)
	for _, c := range s.Chapters {
		p.chapter(c)
	}
	p.result(&s.Result)
	return p.out.Flush()
}

// WriteResult writes the result of s, without its steps.
func WriteResult(w io.Writer, s *explain.Story, style Style) error {
	p := newPrinter(w, style)
	p.result(&s.Result)
	return p.out.Flush()
}

func (p *printer) head(s *explain.Story) {
	p.rfc = "RFC 5246 "
	if s.Schedule != nil {
		p.rfc = "RFC 8446 "
	}
	title := []string{s.Run.Command}
	if s.Suite != nil {
		title = append(title, s.Version.String(),
			fmt.Sprintf("%v (0x%04X)", s.Suite.ID, uint16(s.Suite.ID)))
	}
	if s.Run.Server != "" {
		title = append(title, s.Run.Client+" → "+s.Run.Server)
	}
	p.flow(0, bold, " · ", title)
	for i, warning := range s.Warnings {
		if warning.Tone != explain.Good {
			p.put("! ", tones[warning.Tone])
		}
		p.words(2, warning.Text, tones[warning.Tone])
		if i < len(s.Warnings)-1 {
			p.end()
		}
	}
	legend := "§ = " + strings.TrimSpace(p.rfc) + "    ✓ = equal on both sides, or verified"
	if !p.fits("   " + legend) {
		p.end()
	}
	p.put("   ", faint)
	p.words(3, legend, faint)
	p.end()
	p.put("CLIENT", bold)
	p.to(p.layout.width - len("SERVER"))
	p.put("SERVER", bold)
	p.end()
}

func (p *printer) chapter(c explain.Chapter) {
	p.put("── ", faint)
	p.put(fmt.Sprintf("%d %s", c.Number, c.Name), bold)
	p.put(": ", plain)
	p.words(3, c.Motto, plain)
	p.put(" ", plain)
	ref := p.sections(c.Ref)
	if ref != "" {
		ref = " " + ref
	}
	if !p.fits(ref) {
		p.end()
	}
	p.rule(p.layout.width - p.len(ref))
	p.put(ref, faint)
	p.end()
	for _, s := range c.Steps {
		if s.Line != nil {
			p.arrow(s.Line)
		}
		for _, f := range s.Facts {
			p.fact(f)
		}
		p.tree(s)
		if p.below != nil {
			p.below(s)
		}
	}
}

// arrow writes a line of the ladder.
func (p *printer) arrow(l *explain.Line) {
	p.put(fmt.Sprintf("%2d", l.Number), bold)
	p.to(numbers)
	ink := plain
	if l.Altered {
		ink = red
	}
	name := l.Name
	if l.BothWays {
		name += ", " + l.Remark
	} else if l.Remark != "" {
		name += " " + l.Remark
	}
	size := " " + l.Size + " "
	space := p.layout.tip + 1 - numbers - p.len(name) - p.len(size) - 2
	below := "" // a remark for which there is no room
	if space < 4 && l.Remark != "" && !l.BothWays {
		name, below = l.Name, l.Remark
		space = p.layout.tip + 1 - numbers - p.len(name) - p.len(size) - 2
	}
	left := max(space/2, 1)
	switch {
	case l.From == iana.Server && !l.BothWays:
		p.put("◀", ink)
		p.rule(numbers + 1 + left)
		p.put(size, plain)
		p.rule(p.layout.tip - p.len(name))
		p.put(" ", plain)
		p.put(name, bold)
	default:
		p.put(name, bold)
		p.put(" ", plain)
		p.rule(numbers + p.len(name) + 1 + left)
		p.put(size, plain)
		p.rule(p.layout.tip)
		p.put("▶", ink)
	}
	ref := p.sections(l.Ref)
	if at := min(p.layout.section, p.layout.width-p.len(ref)); p.line.width < at {
		p.to(at)
		p.put(ref, faint)
	}
	p.end()
	if below != "" {
		p.to(label)
		p.words(label, below, plain)
		p.end()
	}
}

// sections shortens a reference: sections of the story's RFC are printed without its number.
func (p *printer) sections(ref string) string {
	if short, ok := strings.CutPrefix(ref, p.rfc); ok {
		return short
	}
	return strings.TrimPrefix(ref, "RFC ")
}

func (p *printer) result(r *explain.Result) {
	p.rule(p.layout.width)
	p.end()
	title := "RESULT"
	for _, c := range r.Sentences {
		p.put(title, bold)
		p.to(deeper)
		p.words(deeper, c.Text, tones[c.Tone])
		p.end()
		title = ""
	}
	if len(r.Try) == 0 {
		return
	}
	p.put("TRY", bold)
	p.to(deeper)
	var hints []string
	for _, h := range r.Try {
		hints = append(hints, h.Flag+"  "+h.What)
	}
	p.flow(deeper, plain, "     ", hints)
}
