package term

import (
	"bufio"
	"io"
	"strconv"
	"strings"
	"unicode"

	"charm.land/lipgloss/v2"

	"github.com/vitrine-tls/vitrine/explain"
)

// ink is the look of a piece of a line: one of these, or the name of a secret.
type ink string

const (
	plain ink = ""
	bold  ink = "bold"
	faint ink = "faint"
	red   ink = "red"
	green ink = "green"
)

// inks has one hue for each secret, readable on dark and on light backgrounds.
var inks = map[ink]lipgloss.Style{
	bold:                   lipgloss.NewStyle().Bold(true),
	faint:                  lipgloss.NewStyle().Faint(true),
	red:                    lipgloss.NewStyle().Foreground(lipgloss.Color("160")),
	green:                  lipgloss.NewStyle().Foreground(lipgloss.Color("34")),
	"client_random":        hue("67"),
	"server_random":        hue("66"),
	"client_private":       hue("137"),
	"server_private":       hue("131"),
	"client_public":        hue("67"),
	"server_public":        hue("66"),
	"pre_master_secret":    hue("172"),
	"master_secret":        hue("133"),
	"session_hash":         hue("102"),
	"client_write_MAC_key": hue("33"),
	"server_write_MAC_key": hue("69"),
	"client_write_key":     hue("70"),
	"server_write_key":     hue("37"),
	"client_write_IV":      hue("143"),
	"server_write_IV":      hue("109"),
	"verify_data":          hue("104"),

	// TLS 1.3
	"early_secret":                        hue("139"),
	"shared_secret":                       hue("173"),
	"handshake_secret":                    hue("134"),
	"main_secret":                         hue("170"),
	"client_early_traffic_secret":         hue("178"),
	"client_handshake_traffic_secret":     hue("75"),
	"server_handshake_traffic_secret":     hue("73"),
	"client_application_traffic_secret_0": hue("71"),
	"server_application_traffic_secret_0": hue("43"),
	"exporter_secret":                     hue("145"),
	"resumption_secret":                   hue("180"),
}

// Style says what the output can show.
type Style struct {
	Unicode bool // box drawing, arrows and ticks
	Color   bool
	Columns int // of the terminal; 0 means 100, which is also the most
}

// printer writes lines.
type printer struct {
	out    *bufio.Writer
	style  Style
	layout layout
	line   line
	below  func(explain.Step) // writes what lies below a step, or nil
	rfc    string             // sections of it are printed without its name: "RFC 5246 "
}

func newPrinter(w io.Writer, style Style) *printer {
	return &printer{out: bufio.NewWriter(w), style: style, layout: layoutFor(style.Columns)}
}

// toValue goes to the column of values; on a narrow screen on the next line, if the label is there
// already.
func (p *printer) toValue() {
	if p.layout.narrow && p.line.width >= p.layout.value {
		p.end()
	}
	p.to(p.layout.value)
}

func hue(color string) lipgloss.Style {
	return lipgloss.NewStyle().Foreground(lipgloss.Color(color))
}

// ascii replaces the characters that are used where Unicode can be shown.
var ascii = strings.NewReplacer("─", "-", "├", "+", "└", "+", "│", "|",
	"▶", ">", "◀", "<", "→", "->", "←", "<-", "≠", "*",
	"✓", "ok", "✗", "!!", "…", "...", " · ", " | ", "·", "|", "§", "s.", "é", "e", "—", "-")

// line is the line that is being written.
type line struct {
	spans []span
	width int
}

// span is a piece of a line in one ink.
type span struct {
	text string
	ink  ink
}

// clean returns s in printable characters. All output goes through it.
func (p *printer) clean(s string) string {
	if !p.style.Unicode {
		s = ascii.Replace(s)
	}
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) && (p.style.Unicode || r < 0x80) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRuneToASCII(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

// len returns the number of columns that s takes.
func (p *printer) len(s string) int { return lipgloss.Width(p.clean(s)) }

// put appends s to the line.
func (p *printer) put(s string, i ink) {
	s = p.clean(s)
	p.line.width += lipgloss.Width(s)
	if n := len(p.line.spans); n > 0 && p.line.spans[n-1].ink == i {
		p.line.spans[n-1].text += s
		return
	}
	p.line.spans = append(p.line.spans, span{s, i})
}

// to adds spaces up to column n, but at least one if the line is not empty.
func (p *printer) to(n int) {
	spaces := n - p.line.width
	if spaces < 1 && p.line.width > 0 {
		spaces = 1
	}
	if spaces > 0 {
		p.put(strings.Repeat(" ", spaces), plain)
	}
}

// rule draws a rule up to column n.
func (p *printer) rule(n int) {
	if n > p.line.width {
		p.put(strings.Repeat("─", n-p.line.width), faint)
	}
}

// fits reports whether s fits on the rest of the line.
func (p *printer) fits(s string) bool { return p.line.width+p.len(s) <= p.layout.width }

// end writes the line.
func (p *printer) end() {
	for n := len(p.line.spans); n > 0; n-- {
		last := &p.line.spans[n-1]
		if last.text = strings.TrimRight(last.text, " "); last.text != "" {
			break
		}
	}
	for _, s := range p.line.spans {
		if style, ok := inks[s.ink]; ok && p.style.Color && s.text != "" {
			s.text = style.Render(s.text)
		}
		p.out.WriteString(s.text)
	}
	p.out.WriteByte('\n')
	p.line = line{}
}

// wrap begins a new line at column n.
func (p *printer) wrap(n int) {
	p.end()
	p.to(n)
}

// words writes text wrapped between words. The lines after the first begin at column n. Names of
// secrets have their hue.
func (p *printer) words(n int, text string, i ink) {
	for k, word := range strings.Split(text, " ") {
		if k > 0 {
			if p.fits(" " + word) {
				p.put(" ", i)
			} else {
				p.wrap(n)
			}
		}
		p.word(word, n, i)
	}
}

// word writes one word, which is split if it is longer than a line.
func (p *printer) word(word string, n int, i ink) {
	for !p.fits(word) {
		room := []rune(word)
		k := len(room)
		for k > 1 && !p.fits(string(room[:k])) {
			k--
		}
		p.put(string(room[:k]), i)
		word = string(room[k:])
		p.wrap(n)
	}
	p.inked(word, i)
}

// inked writes text in i, but the names of secrets in their own hue.
func (p *printer) inked(text string, i ink) {
	for text != "" {
		n := strings.IndexFunc(text, isNameRune)
		if n < 0 {
			n = len(text)
		}
		p.put(text[:n], i)
		text = text[n:]
		end := strings.IndexFunc(text, func(r rune) bool { return !isNameRune(r) })
		if end < 0 {
			end = len(text)
		}
		name := ink(text[:end])
		if _, known := inks[name]; !known || len(name) < len("master_secret")-4 ||
			!strings.Contains(string(name), "_") {
			name = i
		}
		p.put(text[:end], name)
		text = text[end:]
	}
}

func isNameRune(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// flow writes items with a separator, as many on a line as fit.
func (p *printer) flow(n int, i ink, separator string, items []string) {
	for k, item := range items {
		if k > 0 {
			if p.fits(separator + item) {
				p.put(separator, faint)
			} else {
				p.wrap(n)
			}
		}
		p.put(item, i)
	}
	p.end()
}

var tones = map[explain.Tone]ink{explain.Plain: plain, explain.Good: green, explain.Bad: red}
