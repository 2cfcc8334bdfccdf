// Package term writes a story for a terminal, in at most 100 columns except for commands and tables
// of values. Box drawing and colours are used if the output can show them, and ASCII otherwise.
//
// Hex is never split by spaces, so that it can be searched and copied. Each secret has one hue
// wherever it is printed, also in formulas. Red marks only what is deprecated, lost or wrong. The
// words come from package explain. Nothing unprintable is written, even if it came from a peer.
//
// It has no compatibility promise, except for what Vitrine's API refers to.
package term

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
)

// The columns of the screen, from 0.
const (
	width   = 100
	numbers = 4  // ends the ladder's numbers, begins its arrows
	label   = 6  // names
	deeper  = 8  // names of what belongs to the fact before
	counted = 19 // ends the number of bytes of a part
	value   = 27 // hex, 32 bytes a line, and words
	remark  = 61 // beside a short value
	tip     = 87 // of a client's arrow
	section = 90 // the reference of a line
)

// legend explains the two signs of the screen.
const legend = "   § = RFC 5246    ✓ = both sides' values compared: equal"

// Style says what the output can show.
type Style struct {
	Unicode bool // box drawing, arrows and ticks
	Color   bool
}

// Write writes s. Its lines have at most 100 columns.
func Write(w io.Writer, s *explain.Story, style Style) error {
	p := &printer{out: bufio.NewWriter(w), style: style}
	p.head(s)
	for _, c := range s.Chapters {
		p.chapter(c)
	}
	p.result(&s.Result)
	return p.out.Flush()
}

// printer writes lines.
type printer struct {
	out   *bufio.Writer
	style Style
	line  line
	below func(explain.Step) // writes what lies below a step, or nil
}

func (p *printer) head(s *explain.Story) {
	title := []string{s.Run.Command, s.Version.String()}
	if s.Suite != nil {
		title = append(title, fmt.Sprintf("%v (0x%04X)", s.Suite.ID, uint16(s.Suite.ID)))
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
	if !p.fits(legend) {
		p.end()
	}
	p.put(legend, faint)
	p.end()
	p.put("CLIENT", bold)
	p.to(width - len("SERVER"))
	p.put("SERVER", bold)
	p.end()
}

func (p *printer) chapter(c explain.Chapter) {
	p.put("── ", faint)
	p.put(fmt.Sprintf("%d %s", c.Number, c.Name), bold)
	p.put(": "+c.Motto+" ", plain)
	ref := sections(c.Ref)
	if ref != "" {
		ref = " " + ref
	}
	p.rule(width - p.len(ref))
	p.put(ref, faint)
	p.end()
	for _, s := range c.Steps {
		if s.Line != nil {
			p.arrow(s.Line)
		}
		for _, f := range s.Facts {
			p.fact(f)
		}
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
	space := tip + 1 - numbers - p.len(name) - p.len(size) - 2
	left := max(space/2, 1)
	switch {
	case l.From == iana.Server && !l.BothWays:
		p.put("◀", ink)
		p.rule(numbers + 1 + left)
		p.put(size, plain)
		p.rule(tip - p.len(name))
		p.put(" ", plain)
		p.put(name, bold)
	default:
		p.put(name, bold)
		p.put(" ", plain)
		p.rule(numbers + p.len(name) + 1 + left)
		p.put(size, plain)
		p.rule(tip)
		p.put("▶", ink)
	}
	p.to(section)
	p.put(sections(l.Ref), faint)
	p.end()
}

// sections shortens a reference: sections of RFC 5246 are printed without its number.
func sections(ref string) string {
	if short, ok := strings.CutPrefix(ref, "RFC 5246 "); ok {
		return short
	}
	return strings.TrimPrefix(ref, "RFC ")
}

func (p *printer) result(r *explain.Result) {
	p.rule(width)
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

var tones = map[explain.Tone]ink{explain.Plain: plain, explain.Good: green, explain.Bad: red}
