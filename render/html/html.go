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
// The files can be read in this order, each after those that it builds on; a test holds that none
// refers to a later one:
//
//	refs.go model.go                        what the template reads
//	x509.go der.go certificate.go           certificates
//	message.go records.go                   messages to the last byte, and records
//	derive.go schedule.go commands.go       derivations, signatures, the key schedule, commands
//	words.go prints.go family.go ladder.go  words, fingerprints, secrets, and the picture
//	compare.go resume.go run.go             several runs; one, with all of these
//	html.go fragment.go                     the page, and a part of it
//
// It has no compatibility promise, except for what Vitrine's API refers to.
package html

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"html/template"
	"io"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

//go:embed page
var files embed.FS

var page = template.Must(template.New("page.gohtml").Funcs(template.FuncMap{
	"text": explain.Escape, "refs": references, "breakable": breakable, "lower": strings.ToLower,
}).ParseFS(files, "page/*.gohtml"))

// Options are options of the page as a whole.
type Options struct {
	Title string // empty: made from the first run
	Lead  string // a sentence above everything; with it comes a link to the first record of Marks
}

// Fingerprints returns the fingerprints of the secrets of a run, by name: their lengths and the
// beginnings of their SHA-256. They are for the page of the same run without its secrets.
func Fingerprints(r Run) map[string]string {
	prints := map[string]string{}
	for name, s := range newRun(0, 1, r).secrets {
		if b, err := hex.DecodeString(s.Value.Any()); err == nil && !s.Value.Public {
			prints[name] = trace.Secret(b).Fingerprint()
		}
	}
	return prints
}

// Policy returns the Content-Security-Policy of the page, for a server that sends it along.
func Policy() string { return policy(asset("page.css"), asset("page.js")) }

// Write writes the page of one run, or of several side by side. It returns an error if there are no
// runs, or if writing to w fails.
func Write(w io.Writer, o Options, runs ...Run) error {
	if len(runs) == 0 {
		return errors.New("html: there is no run to show")
	}
	style, script := asset("page.css"), asset("page.js")
	v := view{
		Title:  o.Title,
		Lead:   o.Lead,
		Policy: policy(style, script),
		Style:  template.CSS(style),
		Script: template.JS(script),
	}
	var versions []iana.Version
	for i, r := range runs {
		v.Runs = append(v.Runs, newRun(i, len(runs), r))
		versions = append(versions, v.Runs[i].Version)
		keys, data := explain.Reveals(r.Entries)
		v.Reveals, v.Said = v.Reveals || keys, v.Said || data
		if v.Marked == nil {
			v.Marked = v.Runs[i].marked()
		}
		if v.Seed == "" {
			v.Seed = r.About.Seed
		}
	}
	v.Apart, v.Words = explain.Simplified(versions...), explain.Glossary(versions...)
	if v.Title == "" {
		v.Title = v.Runs[0].title()
	}
	if len(runs) > 1 {
		resume(v.Runs)
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
	Lead       string
	Marked     *step  // the first step with a mark
	Reveals    bool   // it holds keys
	Said       bool   // it has the plaintext of the connection, and so secrets too
	Seed       string // the secrets can be derived from it
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
	return "default-src 'none'; script-src '" + Hash(script) + "'; style-src '" + Hash(style) +
		"'; base-uri 'none'; form-action 'none'"
}

// Style returns the style sheet of the page, for other pages of the same look.
func Style() string { return asset("page.css") }

// Hash returns the source expression that allows a script or a style in a Content-Security-Policy,
// without quotation marks.
func Hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// datum is a secret for the script.
type datum struct {
	Name    string   `json:"name"`
	Step    string   `json:"step"`
	Number  int      `json:"number"`
	Title   string   `json:"title"`
	Client  string   `json:"client,omitempty"`
	Server  string   `json:"server,omitempty"`
	Public  bool     `json:"public,omitempty"`
	Anyone  bool     `json:"anyone,omitempty"`
	Hashed  string   `json:"hashed,omitempty"` // the messages whose hash goes in
	Print   string   `json:"print,omitempty"`
	From    []string `json:"from"`
	Into    []string `json:"into"`
	Command string   `json:"command,omitempty"`
}

// data returns what the script needs and the markup does not have.
func (v *view) data() any {
	type runData struct {
		ID      string  `json:"id"`
		Secrets []datum `json:"secrets"`
	}
	var list []runData
	for _, r := range v.Runs {
		d := runData{ID: r.ID}
		for _, name := range r.names() {
			if s := r.secrets[name]; s != nil {
				d.Secrets = append(d.Secrets, r.datum(s))
			}
		}
		list = append(list, d)
	}
	return map[string]any{"runs": list}
}

func (r *run) datum(s *secret) datum {
	d := datum{Name: s.Name, Step: s.Born.ID, Number: s.Born.Number,
		Title:  explain.Escape(s.Born.Title),
		Client: s.Value.Client, Server: s.Value.Server, Public: s.Value.Public, From: s.From,
		Into: s.Into, Print: s.Value.Print, Anyone: s.Value.Anyone,
		Hashed: r.hashed(s)}
	if s.Value.Bytes > 0 && (!s.Value.Public || s.Value.Verdict == "") {
		d.Command = s.Born.commandFor(s.Value)
	}
	return d
}
