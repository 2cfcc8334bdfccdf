// Package liveview writes the page that lists the connections of a running server, in the look of
// package html. The page is empty: its script asks the server that it came from for rows, by
// server-sent events, and puts what it gets into the page as text only.
//
// It has no compatibility promise, except for what Vitrine's API refers to.
package liveview

import (
	_ "embed"
	"html/template"
	"io"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/render/html"
)

//go:embed page/live.css
var style string

//go:embed page/live.js
var script string

//go:embed page/live.gohtml
var markup string

var page = template.Must(template.New("live.gohtml").Funcs(template.FuncMap{
	"text": explain.Escape,
}).Parse(markup))

// Options are what the page says besides its connections.
type Options struct {
	Where  string // what is watched: "serve at 127.0.0.1:8443"
	Reveal bool   // secrets are shown, and can be exported
	Room   string // how much is kept, in words
}

// Write writes the page.
func Write(w io.Writer, o Options) error {
	return page.ExecuteTemplate(w, "live.gohtml", view(o))
}

// Fact is a line of WriteBare.
type Fact struct {
	Name, Value string
	Bad         bool
}

// WriteBare writes the page of a connection that has no story, such as one that ended before it
// sent anything, with what is known of it.
func WriteBare(w io.Writer, o Options, why string, facts []Fact) error {
	v := view(o)
	v.Why, v.Facts = why, facts
	return page.ExecuteTemplate(w, "bare", v)
}

// pageView is what the templates show.
type pageView struct {
	Options
	Style  template.CSS
	Script template.JS
	Why    string
	Facts  []Fact
}

func view(o Options) pageView {
	return pageView{Options: o, Style: template.CSS(styles()),
		Script: template.JS(strings.TrimSpace(script))}
}

func styles() string { return html.Style() + "\n" + strings.TrimSpace(style) }

// Policy returns the Content-Security-Policy of the pages: one script and one style, and
// connections to the server that they came from.
func Policy() string {
	return "default-src 'none'; script-src '" + html.Hash(strings.TrimSpace(script)) +
		"'; style-src '" + html.Hash(styles()) + "'; connect-src 'self'; base-uri 'none'; " +
		"form-action 'none'; frame-ancestors 'none'"
}
