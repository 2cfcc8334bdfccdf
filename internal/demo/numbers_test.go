package demo_test

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/render/html"
	"github.com/vitrine-tls/vitrine/render/markdown"
	"github.com/vitrine-tls/vitrine/render/term"
)

var (
	pageNumber = regexp.MustCompile(`<h3[^>]*><span class="n">(\d+)</span> ([^<]+)`)
	pictured   = regexp.MustCompile(`<tspan class="n">(\d+)</tspan> ([^<]+)<`)
)

// A message has one number: on the screen, on the page, in the page's picture and in the document,
// and in the sentences that say what a hash covers.
func TestMessagesHaveOneNumber(t *testing.T) {
	for _, c := range cases {
		o := c.options()
		out, story := perform(t, o)
		var lines []string
		for _, l := range explain.Ladder(out.Entries) {
			lines = append(lines, fmt.Sprint(l.Number))
		}
		var page, document bytes.Buffer
		if err := html.Write(&page, html.Options{},
			html.Run{Entries: out.Entries, About: out.Run}); err != nil {
			t.Fatal(err)
		}
		if err := markdown.Write(&document, story); err != nil {
			t.Fatal(err)
		}
		shown := screen(t, story, term.Style{Unicode: true})
		var steps, picture []string
		for _, m := range pageNumber.FindAllStringSubmatch(page.String(), -1) {
			steps = append(steps, m[1])
		}
		for _, m := range pictured.FindAllStringSubmatch(page.String(), -1) {
			picture = append(picture, m[1])
		}
		want := strings.Join(lines, " ")
		if got := strings.Join(steps, " "); got != want {
			t.Errorf("%s: the page numbers %s, expected %s", c.name, got, want)
		}
		if got := strings.Join(picture, " "); got != want {
			t.Errorf("%s: the picture numbers %s, expected %s", c.name, got, want)
		}
		for _, chapter := range story.Chapters {
			for _, s := range chapter.Steps {
				if s.Line == nil {
					continue
				}
				line := regexp.MustCompile(fmt.Sprintf(`(?m)^ *%d .*%s`, s.Line.Number,
					regexp.QuoteMeta(s.Line.Name)))
				for where, text := range map[string]string{"screen": shown,
					"document": document.String()} {
					if !line.MatchString(text) {
						t.Errorf("%s: the %s has no line %d %s", c.name, where, s.Line.Number,
							s.Line.Name)
					}
				}
			}
		}
	}
}
