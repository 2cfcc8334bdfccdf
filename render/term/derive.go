package term

import (
	"encoding/hex"
	"fmt"
	"io"
	"strconv"

	"github.com/vitrine-tls/vitrine/explain"
)

// WriteDerivation writes a derivation, each formula with its purpose.
func WriteDerivation(w io.Writer, d *explain.Derivation, style Style) error {
	p := newPrinter(w, style)
	p.rfc = "RFC 5246 "
	p.flow(0, bold, " · ",
		[]string{"vitrine derive", d.Given.Version.String(),
			fmt.Sprintf("%v (0x%04X)", d.Given.Suite.ID, uint16(d.Given.Suite.ID))})
	p.below = func(s explain.Step) {
		if why := explain.Explain(s.Key).Purpose; why != "" {
			p.to(label)
			p.words(label, why, faint)
			p.end()
		}
	}
	for _, c := range d.Chapters {
		p.chapter(c)
	}
	return p.out.Flush()
}

// WriteValues writes values as a table with one value on a line of any length, so that other
// programs can read it.
func WriteValues(w io.Writer, values []explain.Value, style Style) error {
	p := newPrinter(w, style)
	width := 20
	for _, v := range values {
		width = max(width, len(v.Name))
	}
	p.put(fmt.Sprintf("%-*s  OFFSET  BYTES  VALUE", width, "NAME"), bold)
	p.end()
	for _, v := range values {
		offset := "-"
		if v.Offset >= 0 {
			offset = strconv.Itoa(v.Offset)
		}
		p.put(fmt.Sprintf("%-*s  %6s  %5d  ", width, v.Name, offset, len(v.Bytes)), plain)
		p.put(hex.EncodeToString(v.Bytes), ink(v.Name))
		p.end()
	}
	return p.out.Flush()
}

// WriteFindings writes how an expected value can be derived.
func WriteFindings(w io.Writer, expected []byte, found []explain.Finding,
	tried *explain.Tried, style Style) error {
	p := newPrinter(w, style)
	p.put("── ", faint)
	p.put("EXPECTED", bold)
	p.put(" ", plain)
	p.rule(p.layout.width)
	p.end()
	p.to(label)
	p.put("value", plain)
	p.toValue()
	p.put(ends(expected, false), plain)
	p.put(fmt.Sprintf("  %s", explain.Count(len(expected), "byte")), plain)
	p.end()
	for i, f := range found {
		p.to(label)
		if i > 0 {
			p.put("or", plain)
		} else {
			p.put("is", plain)
		}
		p.toValue()
		p.put(f.Name, ink(f.Name))
		if len(f.How) == 0 {
			p.put(", as derived here  ", plain)
			p.put("✓", green)
			p.end()
			continue
		}
		p.put(", if", plain)
		p.end()
		for _, how := range f.How {
			p.toValue()
			p.words(p.layout.value, "- "+how, red)
			p.end()
		}
	}
	if len(found) == 0 {
		p.to(label)
		p.put("not found", red)
		for _, sentence := range tried.Sentences() {
			p.toValue()
			p.words(p.layout.value, sentence, plain)
			p.end()
		}
	}
	return p.out.Flush()
}

// WriteDerivation13 writes a derivation of TLS 1.3, each value with its formula.
func WriteDerivation13(w io.Writer, d *explain.Derivation13, style Style) error {
	p := newPrinter(w, style)
	id := d.Given.Suite.ID
	p.rfc = "RFC 8446 "
	p.flow(0, bold, " · ", []string{"vitrine derive", "TLS 1.3",
		fmt.Sprintf("%v (0x%04X)", id, uint16(id))})
	for n, part := range d.Parts() {
		p.chapter(explain.Chapter{Number: n + 1, Name: part.Name, Motto: part.Motto,
			Ref: part.Ref})
		for _, v := range part.Values {
			p.to(label)
			p.put(v.Name, ink(v.Name))
			if v.Formula != "" {
				p.words(deeper, " = "+v.Formula, faint)
			}
			p.end()
			p.toValue()
			p.bytes(explain.Fact{Secret: v.Name, Value: explain.Pair{Client: v.Bytes}})
		}
		for _, text := range part.Remarks {
			p.to(label)
			p.words(label, text, plain)
			p.end()
		}
	}
	return p.out.Flush()
}
