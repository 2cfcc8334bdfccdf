package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/render/html"
)

// GlassPrefix begins the ids of the glass in the page.
const GlassPrefix = "glass-"

// GlassQuery asks for a step of the glass: by its id, or else by its line of the ladder, or else
// the first.
type GlassQuery struct {
	State
	ID   string `json:"id,omitempty"`
	Line int    `json:"line,omitempty"`
	Link string `json:"link"` // begins the links between steps
}

// GlassStep is a step of the glass, with the others to go to.
type GlassStep struct {
	Steps []html.Step `json:"steps"`
	ID    string      `json:"id"`
	HTML  string      `json:"html"`
}

// Glass takes a GlassQuery and returns a GlassStep, as JSON.
func (p *Page) Glass(request []byte) ([]byte, error) {
	var q GlassQuery
	if err := json.Unmarshal(request, &q); err != nil {
		return nil, fmt.Errorf("playground: %w", err)
	}
	_, shown, err := p.run(&q.State)
	if err != nil {
		return nil, err
	}
	run := html.Run{Entries: shown.Entries, About: shown.Run}
	out := GlassStep{Steps: html.Steps(run)}
	if len(out.Steps) == 0 {
		return json.Marshal(out)
	}
	at := slices.IndexFunc(out.Steps, func(s html.Step) bool {
		return s.ID == q.ID || q.ID == "" && q.Line > 0 && s.Line == q.Line
	})
	out.ID = out.Steps[max(0, at)].ID
	var b bytes.Buffer
	if err := html.WriteFragment(&b, html.Fragment{Prefix: GlassPrefix, Link: q.Link,
		Step: out.ID}, run); err != nil {
		return nil, err
	}
	out.HTML = b.String()
	return json.Marshal(out)
}
