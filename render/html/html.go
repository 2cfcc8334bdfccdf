// Package html writes a story as one self-contained page. The page needs no network, and the same
// events give the same bytes.
//
// Everything is in the markup, so the page can be read and printed without its script, which only
// turns pages, links bytes with fields, and asks questions. Each secret has one hue wherever it
// appears. Red marks only what is deprecated, lost or wrong. The words come from package explain.
//
// Text from a peer is escaped in three ways: explain.Escape replaces unprintable characters,
// html/template escapes markup, and encoding/json escapes the data for the script, which inserts it
// as text only. The page's Content-Security-Policy allows its one script and its one style, by
// their hashes, and no connections.
//
// The page contains every secret that its events reveal and says so at its top. A program that
// writes it to a file should give the file mode 0600.
//
// It has no compatibility promise, except for what Vitrine's API refers to.
package html

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html/template"
	"io"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/trace"
)

//go:embed page
var files embed.FS

var page = template.Must(template.New("page.gohtml").Funcs(template.FuncMap{
	"text": explain.Escape, "refs": references, "lower": strings.ToLower,
}).ParseFS(files, "page/*.gohtml"))

// Run is a connection to show: the merged events of both sides, and what the events do not say.
type Run struct {
	Entries []trace.Entry
	About   explain.Run
}

// Options are options of the page as a whole.
type Options struct {
	Title string // empty: made from the first run
}

// Write writes the page of one run, or of several side by side. It returns an error if there are no
// runs, or if writing to w fails.
func Write(w io.Writer, o Options, runs ...Run) error {
	if len(runs) == 0 {
		return errors.New("html: there is no run to show")
	}
	style, script := asset("page.css"), asset("page.js")
	v := view{
		Title:  o.Title,
		Policy: policy(style, script),
		Style:  template.CSS(style),
		Script: template.JS(script),
		Apart:  explain.Simplified(),
		Words:  explain.Glossary(),
	}
	for i, r := range runs {
		v.Runs = append(v.Runs, newRun(i, len(runs), r))
		v.Reveals = v.Reveals || reveals(r.Entries)
		if v.Seed == "" {
			v.Seed = r.About.Seed
		}
	}
	if v.Title == "" {
		v.Title = v.Runs[0].title()
	}
	if len(runs) > 1 {
		v.Comparison = compare(v.Runs)
	}
	data, err := json.Marshal(v.data())
	if err != nil {
		return err
	}
	v.Data = template.JS(data) // json.Marshal escapes <, > and &
	var b bytes.Buffer
	if err := page.Execute(&b, v); err != nil {
		return err
	}
	_, err = w.Write(b.Bytes())
	return err
}

// view is the data of the template.
type view struct {
	Title      string
	Policy     string
	Style      template.CSS
	Script     template.JS
	Data       template.JS
	Runs       []*run
	Comparison *comparison
	Apart      []explain.Simplification
	Words      []explain.Word
	Reveals    bool   // it holds secrets
	Seed       string // from which anybody can derive them
}

// reveals reports whether events contain anything that was not sent in the clear.
func reveals(entries []trace.Entry) bool {
	for _, e := range entries {
		switch e := e.Event.(type) {
		case *trace.Derived:
			if len(e.Secret)+len(e.Output) > 0 {
				return true
			}
		case *trace.SharedSecret:
			if len(e.Output) > 0 {
				return true
			}
		case *trace.Ephemeral:
			if len(e.Private) > 0 {
				return true
			}
		case *trace.KeysInstalled:
			if len(e.MACKey)+len(e.Key)+len(e.IV) > 0 {
				return true
			}
		case *trace.ThrowawayKey:
			if len(e.Private) > 0 {
				return true
			}
		case *trace.Record:
			if constructionOf(e) != clear && len(e.Plaintext) > 0 {
				return true
			}
		}
	}
	return false
}

func asset(name string) string {
	b, err := files.ReadFile("page/" + name)
	if err != nil {
		panic(err) // embedded
	}
	return strings.TrimSpace(string(b))
}

// policy returns a Content-Security-Policy that allows the page's script and style by their hashes,
// and nothing else.
func policy(style, script string) string {
	return "default-src 'none'; script-src '" + digest(script) + "'; style-src '" + digest(style) +
		"'; base-uri 'none'; form-action 'none'"
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
