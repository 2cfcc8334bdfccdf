package html_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/hostile"
	"github.com/vitrine-tls/vitrine/render/html"
)

var (
	idAttribute   = regexp.MustCompile(`\bid="([^"]*)"`)
	hrefAttribute = regexp.MustCompile(`\bhref="([^"]*)"`)
)

// In another page every id has the prefix, every link begins as that page wants it and leads to an
// id, and nothing needs a script.
func TestAFragmentStandsInAnotherPage(t *testing.T) {
	const link = "#v=1.2&at="
	for _, e := range examples {
		r := perform(t, e.options, e.flags)
		var b bytes.Buffer
		if err := html.WriteFragment(
			&b,
			html.Fragment{Prefix: "glass-", Link: link},
			r,
		); err != nil {
			t.Fatal(err)
		}
		ids := map[string]bool{}
		for _, m := range idAttribute.FindAllStringSubmatch(b.String(), -1) {
			if ids[m[1]] {
				t.Errorf("%s: the id %s stands twice", e.name, m[1])
			}
			if ids[m[1]] = true; !strings.HasPrefix(m[1], "glass-") {
				t.Errorf("%s: the id %s has no prefix", e.name, m[1])
			}
		}
		links := 0
		for _, m := range hrefAttribute.FindAllStringSubmatch(b.String(), -1) {
			if strings.HasPrefix(m[1], "https://") {
				continue
			}
			id, ok := strings.CutPrefix(m[1], strings.ReplaceAll(link, "&", "&amp;"))
			if links++; !ok || !ids[id] {
				t.Errorf("%s: the link %s leads nowhere", e.name, m[1])
			}
		}
		if len(ids) < 20 || links < 20 {
			t.Errorf("%s: %d ids and %d links", e.name, len(ids), links)
		}
		if strings.Contains(b.String(), "<script") || strings.Contains(b.String(), "<html") {
			t.Errorf("%s: the fragment is a document, or has a script", e.name)
		}
	}
}

func TestAStepIsAFragment(t *testing.T) {
	r := perform(t, examples[0].options, examples[0].flags)
	var whole bytes.Buffer
	if err := html.WriteFragment(&whole, html.Fragment{Prefix: "g-"}, r); err != nil {
		t.Fatal(err)
	}
	steps := html.Steps(r)
	for _, s := range steps {
		var b bytes.Buffer
		if err := html.WriteFragment(&b, html.Fragment{Prefix: "g-", Step: s.ID}, r); err != nil {
			t.Fatal(err)
		}
		article := b.String()[strings.Index(b.String(), "<article"):]
		article = article[:strings.Index(article, "</article>")]
		if !strings.Contains(article, `id="g-`+s.ID+`"`) ||
			!strings.Contains(whole.String(), article) {
			t.Errorf("step %s is not the one of the whole run", s.ID)
		}
	}
	if len(steps) < 12 || steps[0].Line != 1 {
		t.Errorf("%d steps, the first of line %d", len(steps), steps[0].Line)
	}
	if html.WriteFragment(&bytes.Buffer{}, html.Fragment{Step: "no-such-step"}, r) == nil {
		t.Error("a step that there is not was written")
	}
}

// What a peer sends cannot become a link of the page around the fragment, or its markup.
func TestAFragmentEscapesHostileText(t *testing.T) {
	entries, about, err := hostile.Connection(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []html.Fragment{{Prefix: "g-", Link: `#"><script>`}, {Prefix: "g-"}} {
		var b bytes.Buffer
		if err := html.WriteFragment(&b, f, html.Run{Entries: entries, About: about}); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "<script") || strings.Contains(b.String(), "<img") {
			t.Error("hostile text became markup")
		}
	}
	if html.WriteFragment(&bytes.Buffer{}, html.Fragment{Prefix: `"><b`}, html.Run{}) == nil {
		t.Error("a prefix with markup was taken")
	}
}
