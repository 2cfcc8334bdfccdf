package term

import (
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/keys"
)

// The columns of a dump, from 0.
const (
	offset = 8  // ends the offset of a field
	dumped = 10 // hex
)

// WriteDetailed writes s with the details of each step. Dumps keep to 100 columns. Commands are
// lines of any length, so that they can be copied.
func WriteDetailed(w io.Writer, s *explain.Story, d *explain.Detail, style Style) error {
	p := newPrinter(w, style)
	p.below = func(step explain.Step) { p.detail(d, step) }
	p.head(s)
	for _, c := range s.Chapters {
		p.chapter(c)
	}
	p.result(&s.Result)
	if d.Level&explain.Inner != 0 {
		p.put("NEEDS", bold)
		p.to(deeper)
		p.words(deeper, "The commands need "+explain.CommandsNeed+".", plain)
		p.end()
	}
	return p.out.Flush()
}

func (p *printer) detail(d *explain.Detail, s explain.Step) {
	if d.Level&explain.Bytes != 0 && s.Line != nil {
		for _, dump := range d.Dumps(s.Line.Number) {
			p.dump(dump)
		}
	}
	if w := d.Of(s); w != nil && d.Level&explain.Inner != 0 {
		for _, c := range w.Chains {
			p.chain(c)
		}
		for _, c := range w.Commands {
			p.command(c)
		}
	}
}

// dump writes the bytes of a run beside the tree of their fields.
func (p *printer) dump(d explain.Dump) {
	p.to(deeper)
	p.put(fmt.Sprintf("%s, %s:", d.Title, explain.Count(len(d.Bytes), "byte")), faint)
	p.end()
	for i, f := range d.Fields {
		note := ""
		if i < len(d.Notes) {
			note = d.Notes[i]
		}
		name := strings.Repeat("  ", f.Depth) + f.Name
		for strings.HasPrefix(name, " ") && p.layout.field+len(name) > p.layout.width {
			name = name[1:]
		}
		if !f.Leaf {
			p.to(p.layout.field)
			p.put(name, faint)
			p.end()
			p.about(note)
			continue
		}
		b := d.Bytes[f.Offset : f.Offset+f.Len]
		n := min(len(b), p.layout.dumped)
		p.dumpLine(f.Offset, b[:n])
		p.to(p.layout.field)
		p.put(name, bold)
		if first, _, _ := strings.Cut(f.Value, " "); f.Value != "" {
			if !p.fits("  " + first) {
				p.wrap(p.layout.field)
			}
			p.put("  ", plain)
			p.words(p.layout.field+2*f.Depth+2, f.Value, plain)
		}
		p.end()
		for at := n; at < len(b); at += p.layout.dumped {
			p.dumpLine(f.Offset+at, b[at:min(at+p.layout.dumped, len(b))])
			p.end()
		}
		p.about(note)
	}
}

// about writes the sentence about a field under its bytes.
func (p *printer) about(text string) {
	if text == "" {
		return
	}
	p.to(dumped)
	p.words(dumped, text, faint)
	p.end()
}

func (p *printer) dumpLine(at int, b []byte) {
	number := fmt.Sprint(at)
	p.to(offset - len(number))
	p.put(number, faint)
	p.to(dumped)
	p.put(hex.EncodeToString(b), plain)
}

// chain writes the A(i) of P_hash and the output of each step.
func (p *printer) chain(c explain.Chain) {
	for _, e := range c.Expansions {
		hash := "HMAC_" + strings.ReplaceAll(e.Hash, "-", "")
		p.to(deeper)
		p.words(deeper, fmt.Sprintf("inside: P_%s(secret, %q + seed), A(0) = %q + seed, "+
			"A(i) = %s(secret, A(i-1)), output = %s(secret, A(i) + A(0)) for i = 1, 2, …",
			strings.ReplaceAll(e.Hash, "-", ""), c.Label, c.Label, hash, hash), faint)
		p.end()
		p.rounds(e)
	}
	if len(c.Expansions) > 1 {
		p.to(deeper)
		p.put("The two are combined by exclusive or.", faint)
		p.end()
	}
}

func (p *printer) rounds(e keys.Expansion) {
	for i := range e.A {
		p.round(fmt.Sprintf("A(%d)", i+1), e.A[i])
		p.round("output", e.Output[i])
	}
}

func (p *printer) round(name string, b []byte) {
	p.to(deeper)
	p.put(name, faint)
	for h := hex.EncodeToString(b); h != ""; {
		n := min(2*p.layout.hex, len(h))
		p.toValue()
		p.put(h[:n], plain)
		h = h[n:]
		p.end()
	}
}

// command writes a command without wrapping it, so that it can be copied to a shell.
func (p *printer) command(c explain.Command) {
	what := "compute "
	if c.Verdict != "" {
		what = "check "
	}
	p.to(deeper)
	p.put(what+c.Name+" with "+c.Tool+":", faint)
	p.end()
	for line := range strings.Lines(c.Text) {
		p.put(strings.TrimRight(line, "\n"), plain)
		p.end()
	}
	p.to(deeper)
	p.put("prints ", faint)
	p.put(c.Prints(), plain)
	p.end()
}
