// Package html lays a story out as one self-contained page: no network, no build step, the same
// bytes for the same events.
//
// The rules of the page: everything is in the markup, so that it reads and prints without a script;
// the script only turns pages, links bytes with fields, and asks questions. One hue for one secret,
// wherever it appears. Red only where something is deprecated, lost or wrong. Words come from
// package explain.
//
// What came from a peer is escaped three times over: unprintable characters by explain.Escape,
// markup by html/template, and in the data for the script by encoding/json, where it is inserted as
// text only. The page's own Content-Security-Policy allows one script and one style, by their
// hashes, and no connection to anywhere.
//
// The page holds every secret that its events reveal. It says so at its top; whoever writes it to a
// file gives it mode 0600.
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

// Run is one connection to show: the merged events of both sides, and what they do not tell.
type Run struct {
	Entries []trace.Entry
	About   explain.Run
}

// Options change the page as a whole.
type Options struct {
	Title string // empty: made from the first run
}

// Write writes the page of one run, or of several beside one another. It fails if there is no run,
// or if w does.
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

// view is what the template sees.
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
	Seed       string // that anybody can make them from
}

// reveals reports whether events hold anything that was not on the wire in the clear.
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

// policy allows the page's own script and style by their hashes, and nothing else.
func policy(style, script string) string {
	return "default-src 'none'; script-src '" + digest(script) + "'; style-src '" + digest(style) +
		"'; base-uri 'none'; form-action 'none'"
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
