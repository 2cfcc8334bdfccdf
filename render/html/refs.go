package html

import (
	"fmt"
	"html/template"
	"regexp"
	"strings"
)

var rfc = regexp.MustCompile(`RFC (\d+)|§([A-F](?:\.\d+)*|\d+(?:\.\d+)*)`)

// references formats a reference such as "RFC 5246 §8.1, §6.3" with links. A section belongs to the
// RFC before it.
func references(ref string) template.HTML {
	var b strings.Builder
	at, number := 0, ""
	for _, m := range rfc.FindAllStringSubmatchIndex(ref, -1) {
		if m[2] >= 0 {
			number = ref[m[2]:m[3]]
			if strings.HasPrefix(ref[m[1]:], " §") {
				continue // the link begins here and ends with the section
			}
		}
		from := m[0]
		anchor := ""
		if m[4] >= 0 {
			anchor = section(ref[m[4]:m[5]])
			if head := strings.LastIndex(ref[at:from], "RFC "); head >= 0 {
				from = at + head
			}
		}
		if number == "" {
			continue
		}
		b.WriteString(template.HTMLEscapeString(ref[at:from]))
		fmt.Fprintf(&b,
			`<a class="ref" href="https://www.rfc-editor.org/rfc/rfc%s%s" rel="noreferrer">%s</a>`,
			number, anchor,
			template.HTMLEscapeString(ref[from:m[1]]))
		at = m[1]
	}
	b.WriteString(template.HTMLEscapeString(ref[at:]))
	return template.HTML(b.String())
}

// section returns the anchor of a section: "#section-8.1", "#appendix-F.1.1".
func section(s string) string {
	if s[0] >= 'A' && s[0] <= 'F' {
		return "#appendix-" + s
	}
	return "#section-" + s
}

// breakable returns a name that may be broken over lines behind each "_", and nowhere else.
func breakable(name string) template.HTML {
	return template.HTML(strings.ReplaceAll(template.HTMLEscapeString(name), "_", "_<wbr/>"))
}
