// Package markdown writes a story as a document that can be read both raw and rendered: the ladder
// as an ASCII drawing, the chapters with their values, a table of what each side does, a table of
// the keys or, in TLS 1.3, the key schedule as a tree, and what short descriptions of TLS usually
// simplify.
//
// The words come from package explain. Text from a peer is escaped, so it is never markup.
//
// It has no compatibility promise, except for what Vitrine's API refers to.
package markdown

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
)

// Write writes s as a document.
func Write(w io.Writer, s *explain.Story) error {
	p := &printer{bufio.NewWriter(w)}
	p.head(s)
	p.ladder(s)
	for _, c := range s.Chapters {
		p.chapter(c)
	}
	p.steps(s)
	p.keys(s)
	p.schedule(s)
	p.simplified(s.Version)
	return p.Flush()
}

type printer struct{ *bufio.Writer }

func (p *printer) printf(format string, args ...any) { fmt.Fprintf(p, format, args...) }

func (p *printer) head(s *explain.Story) {
	switch {
	case s.Suite != nil:
		p.printf("# A handshake, from hello to protected data: %s with %s\n\n",
			text(s.Version.String()), text(s.Suite.ID.String()))
	case s.Chosen != 0:
		p.printf("# An unfinished handshake of %s\n\n", text(s.Chosen.String()))
	default:
		p.printf("# An unfinished handshake\n\n")
	}
	p.printf("Made by `%s`.\n\n", code(s.Run.Command+s.Run.Flags))
	for _, w := range s.Warnings {
		p.printf("> **%s**\n\n", text(w.Text))
	}
	p.printf("✓ marks a value that the client and the server computed separately, and that was " +
		"compared: equal; or one that its receiver verified.\n\n")
	for _, c := range s.Result.Sentences {
		p.printf("- %s\n", text(c.Text))
	}
	p.printf("\n")
}

// The columns of the ladder, from 0.
const (
	arrowFrom = 4
	arrowTo   = 78
)

func (p *printer) ladder(s *explain.Story) {
	p.printf("## The ladder\n\nTime goes down. What stands in brackets is computed where it " +
		"stands, and cannot be read on the wire.\n\n```text\n")
	p.printf("    CLIENT%*s\n", arrowTo-arrowFrom-len("CLIENT"), "SERVER")
	for _, c := range s.Chapters {
		p.printf("--- %d %s %s\n", c.Number, c.Name,
			strings.Repeat("-", max(arrowTo-6-len(c.Name), 0)))
		for _, step := range c.Steps {
			if step.Line != nil {
				p.printf("%2d  %s\n", step.Line.Number, arrow(step.Line))
				continue
			}
			name := "[" + explain.Explain(step.Key).Title + "]"
			both := step.Key != "pre_master_secret" // which the client draws alone
			if both {
				p.printf("    %s%*s\n", name, arrowTo-arrowFrom-len(name), name)
			} else {
				p.printf("    %s\n", name)
			}
		}
	}
	p.printf("```\n\n")
}

// arrow draws a line of the ladder in ASCII.
func arrow(l *explain.Line) string {
	name := ascii(explain.Join(" ", l.Name, l.Remark))
	size := " " + l.Size + " "
	room := max(arrowTo-arrowFrom-len(name)-len(size)-2, 2)
	left, right := strings.Repeat("-", room/2), strings.Repeat("-", room-room/2)
	switch {
	case l.BothWays:
		return "<" + left[:2] + " " + name + " " + left[2:] + size + right[2:] + ">"
	case l.From == iana.Client:
		return name + " " + left + size + right + ">"
	}
	return "<" + left + size + right + " " + name
}

func (p *printer) chapter(c explain.Chapter) {
	p.printf("## %d %s: %s\n\n", c.Number, c.Name, text(c.Motto))
	for _, s := range c.Steps {
		p.step(s)
	}
}

func (p *printer) step(s explain.Step) {
	e := explain.Explain(s.Key)
	switch l := s.Line; {
	case l == nil:
		p.printf("### %s\n\n", text(e.Title))
	case l.BothWays:
		p.printf("### %d. %s, both ways (%s)\n\n", l.Number, text(l.Name), l.Size)
	default:
		p.printf("### %d. %s, %v → %v (%s)\n\n", l.Number,
			text(explain.Join(" ", l.Name, l.Remark)), l.From, l.From.Peer(), l.Size)
	}
	ref := e.Ref
	if s.Line != nil {
		ref = s.Line.Ref
	}
	if ref != "" {
		ref = " (" + ref + ")"
	}
	if e.Purpose != "" || ref != "" {
		p.printf("%s%s\n\n", text(e.Purpose), ref)
	}
	table := false
	for _, f := range s.Facts {
		if f.Heading {
			p.printf("%s%s%s\n\n", end(&table), words(f), note(f))
			continue
		}
		if !table {
			p.printf("| | |\n|---|---|\n")
			table = true
		}
		p.printf("| %s | %s |\n", label(f), value(f))
	}
	p.printf("%s", end(&table))
	p.nodes(s)
}

// words returns the text of a fact. In formulas, the spaces that align them on a screen are
// removed.
func words(f explain.Fact) string {
	if f.Formula {
		return "`" + code(strings.Join(strings.Fields(f.Text), " ")) + "`"
	}
	return text(f.Text)
}

// end returns the end of a table, if one is open.
func end(table *bool) string {
	if !*table {
		return ""
	}
	*table = false
	return "\n"
}

func label(f explain.Fact) string {
	name := explain.Join(", ", f.Name, f.Under)
	if f.Count != "" {
		name += ", " + f.Count + " bytes"
	}
	if f.Offset != "" && f.Offset != "-" {
		name += ", offset " + f.Offset
	}
	return text(strings.TrimSpace(name))
}

// value returns the right cell of a fact.
func value(f explain.Fact) string {
	verdict := f.Value.Compare()
	switch {
	case f.Alarm:
		return "**" + text(f.Text) + "**"
	case verdict == explain.Different:
		return fmt.Sprintf("**different**: client `%x`, server `%x`%s", f.Value.Client,
			f.Value.Server, note(f))
	case f.Formula:
		return words(f) + note(f)
	case f.Text != "":
		return text(f.Text) + tick(f) + note(f)
	}
	return "`" + hexOf(f) + "`" + tick(f) + note(f)
}

func hexOf(f explain.Fact) string {
	b := f.Value.Bytes()
	if f.Short && len(b) > 40 {
		return hex.EncodeToString(b[:16]) + "…" + hex.EncodeToString(b[len(b)-4:])
	}
	return hex.EncodeToString(b)
}

func tick(f explain.Fact) string {
	if f.Checked || !f.Sent && f.Value.Compare() == explain.Equal {
		return " ✓"
	}
	return ""
}

func note(f explain.Fact) string {
	if f.Note == "" {
		return ""
	}
	return " " + text(f.Note)
}

func (p *printer) steps(s *explain.Story) {
	p.printf("## What each side does\n\n| | message or value | client does | server does | " +
		"purpose |\n|---|---|---|---|---|\n")
	for _, c := range s.Chapters {
		for _, step := range c.Steps {
			e := explain.Explain(step.Key)
			number := ""
			if step.Line != nil {
				number = fmt.Sprint(step.Line.Number)
			}
			p.printf("| %s | %s | %s | %s | %s |\n", number, text(e.Title), text(e.Client),
				text(e.Server), text(e.Purpose))
		}
	}
	p.printf("\n")
}

func (p *printer) keys(s *explain.Story) {
	if len(s.Keys) == 0 {
		return
	}
	total := 0
	for _, k := range s.Keys {
		total += k.Len
	}
	p.printf("## The key table\n\nThe key_block of this run has %d bytes. It is cut in this "+
		"order (RFC 5246 §6.3).\n\n", total)
	p.printf("| key material | bytes | offset | purpose | value in this run " +
		"|\n|---|---|---|---|---|\n")
	for _, k := range s.Keys {
		if k.Len == 0 {
			p.printf("| %s | 0 | - | %s | |\n", text(k.Name), text(k.Purpose))
			continue
		}
		tick := ""
		if k.Value.Compare() == explain.Equal {
			tick = " ✓"
		}
		p.printf("| %s | %d | %d | %s | `%x`%s |\n", text(k.Name), k.Len, k.Offset, text(k.Purpose),
			k.Value.Bytes(), tick)
	}
	p.printf("\n")
}

func (p *printer) simplified(v iana.Version) {
	p.printf("## What short descriptions get wrong or leave out\n\n")
	for _, s := range explain.Simplified(v) {
		p.printf("- *\"%s\"* %s (%s)\n", text(s.Says), text(s.Really), s.Ref)
	}
}

// text escapes what Markdown could take for markup. An underscore inside a word is not markup.
func text(s string) string {
	runes := []rune(explain.Escape(s))
	var b strings.Builder
	for i, r := range runes {
		inside := i > 0 && i < len(runes)-1 && word(runes[i-1]) && word(runes[i+1])
		if strings.ContainsRune("\\`*<>|[]~&$", r) || r == '_' && !inside {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

func word(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' }

// code escapes s for use between two backticks in a table.
func code(s string) string {
	return strings.NewReplacer("`", "'", "|", "\\|").Replace(explain.Escape(s))
}

// ascii replaces characters that are not ASCII, so that the columns of the drawing stay aligned.
func ascii(s string) string {
	s = strings.NewReplacer("…", "...", "```", "'''").Replace(explain.Escape(s))
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII {
			return '?'
		}
		return r
	}, s)
}
