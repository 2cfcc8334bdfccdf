package term

import (
	"encoding/hex"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
)

// fact writes one fact: label, value or text, verdict, and note.
func (p *printer) fact(f explain.Fact) {
	switch {
	case f.Alarm:
		p.label(f, red)
		p.words(p.layout.value, f.Text, red)
		p.end()
	case f.Heading:
		p.to(label)
		p.words(p.layout.value, f.Text, plain)
		p.headingNote(f.Note)
	case f.Value.Compare() == explain.Different:
		p.different(f)
	case f.Count != "":
		p.part(f)
	case f.Text != "":
		p.label(f, plain)
		p.words(p.layout.value, f.Text, plain)
		p.verdict(f)
		p.note(f.Note)
		p.end()
	default:
		p.label(f, plain)
		p.bytes(f)
	}
}

// label writes what comes before the value.
func (p *printer) label(f explain.Fact, i ink) {
	name := f.Name
	if name == "" {
		name = f.Under
	}
	switch {
	case f.Offset != "":
		p.put(strings.Repeat(" ", max(4-len(f.Offset), 0))+f.Offset, faint)
		p.to(label)
	case f.Deeper:
		p.to(deeper)
	default:
		p.to(label)
	}
	p.inked(name, i)
	if f.Count != "" {
		p.to(counted - len(f.Count))
		p.put(f.Count, plain)
	}
	p.toValue()
}

// bytes writes a value in lines of 32 bytes, with the second label below the first.
func (p *printer) bytes(f explain.Fact) {
	lines := p.hexLines(f)
	under := f.Under
	if f.Name == "" {
		under = ""
	}
	for i, l := range lines {
		if i > 0 {
			p.end()
			if under != "" {
				p.to(deeper)
				p.put(under, plain)
				under = ""
			}
			p.toValue()
		}
		p.put(l, ink(f.Secret))
	}
	p.verdict(f)
	p.note(f.Note)
	p.end()
}

// hexLines returns the value in hex: in full, or only its ends.
func (p *printer) hexLines(f explain.Fact) []string {
	b := f.Value.Bytes()
	if f.Short {
		return []string{ends(b, f.Count != "")}
	}
	var lines []string
	for h := hex.EncodeToString(b); h != ""; {
		n := min(2*p.layout.hex, len(h))
		lines, h = append(lines, h[:n]), h[n:]
	}
	if len(lines) == 0 {
		return []string{"(not revealed)"}
	}
	return lines
}

// ends returns the first and the last bytes of a long value in hex.
func ends(b []byte, shorter bool) string {
	first, last := 16, 4
	if shorter {
		first = 8
	}
	if len(b) <= first+last {
		return hex.EncodeToString(b)
	}
	return hex.EncodeToString(b[:first]) + "…" + hex.EncodeToString(b[len(b)-last:])
}

// verdict marks a value that both sides computed and that is equal, or that the receiver verified.
func (p *printer) verdict(f explain.Fact) {
	if f.Checked || !f.Sent && f.Value.Compare() == explain.Equal {
		p.tick()
	}
}

func (p *printer) tick() {
	if !p.fits("  ✓") {
		p.wrap(p.layout.value)
	} else {
		p.put("  ", plain)
	}
	p.put("✓", green)
}

// note writes a remark after the value, or below it.
func (p *printer) note(s string) {
	if s == "" {
		return
	}
	if p.fits("  " + s) {
		p.put("  ", plain)
	} else {
		p.wrap(p.layout.value)
	}
	p.words(p.layout.value, s, plain)
}

// headingNote writes a remark at the end of a line without a label.
func (p *printer) headingNote(s string) {
	if at := max(p.layout.remark, p.line.width+2); s != "" && at+p.len(s) <= p.layout.width {
		p.to(at)
		p.put(s, plain)
	} else {
		p.note(s)
	}
	p.end()
}

// part writes a part of a record. Its remark has a column of its own.
func (p *printer) part(f explain.Fact) {
	p.label(f, plain)
	if f.Text != "" {
		p.words(p.layout.value, f.Text, plain)
	} else {
		for i, l := range p.hexLines(f) {
			if i > 0 {
				p.wrap(p.layout.value)
			}
			p.put(l, ink(f.Secret))
		}
	}
	p.verdict(f)
	switch {
	case f.Note == "":
	case p.line.width+2 <= p.layout.remark && p.layout.remark+p.len(f.Note) <= p.layout.width:
		p.to(p.layout.remark)
		p.words(p.layout.value, f.Note, plain)
	case strings.HasPrefix(f.Note, "=") && p.fits(" "+f.Note):
		p.put(" ", plain)
		p.words(p.layout.value, f.Note, plain)
	default:
		p.note(f.Note)
	}
	p.end()
}

// different writes the values of both sides.
func (p *printer) different(f explain.Fact) {
	p.label(f, plain)
	p.put("✗ different", red)
	p.note(f.Note)
	p.end()
	p.sides(f)
}

// sides writes the values of both sides, which differ.
func (p *printer) sides(f explain.Fact) {
	for _, side := range []struct {
		name string
		b    []byte
	}{{"client", f.Value.Client}, {"server", f.Value.Server}} {
		p.to(deeper + 2)
		p.put(side.name, red)
		p.toValue()
		one := f
		one.Value = explain.Pair{Client: side.b}
		for i, l := range p.hexLines(one) {
			if i > 0 {
				p.wrap(p.layout.value)
			}
			p.put(l, red)
		}
		p.end()
	}
}
