// Package api is what the page of the playground calls: JSON in, JSON out, and the glass as HTML.
// There is no browser in it; package wasm gives its functions to the page.
package api

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/playground"
)

// State is what the page shows: a setup, what somebody does between the two sides, and how many
// deliveries have been made.
type State struct {
	Setup playground.Setup `json:"setup"`
	Acts  []playground.Act `json:"acts,omitempty"`
	// Steps is a number of deliveries; nil means all.
	Steps *int `json:"steps,omitempty"`
}

// Shown is a run as the page shows it.
type Shown struct {
	*playground.Result
	Fields [][]Field `json:"fields"`          // of each record
	Step   int       `json:"step"`            // deliveries that were made
	Steps  int       `json:"steps"`           // deliveries of the whole run
	Said   string    `json:"said,omitempty"`  // what follows the verdict's sentence
	Final  string    `json:"final"`           // the sentence of the whole run
	Goals  []int     `json:"goals,omitempty"` // of the lesson, that the whole run reaches
	Later  *Later    `json:"later,omitempty"`
}

// A Page is what a page has asked for. Its zero value is ready to use.
type Page struct {
	kept []performed // the latest last
}

// performed is a run that a page may ask for again: for its glass, or by taking back an act.
type performed struct {
	state string // as JSON
	whole *playground.Result
	shown *Shown
}

const mostKept = 3

// run returns the whole run of a State, and what is shown of it.
func (p *Page) run(s *State) (*playground.Result, *Shown, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil, nil, err
	}
	state := string(b)
	for _, k := range p.kept {
		if k.state == state {
			again := *k.shown
			return k.whole, &again, nil
		}
	}
	whole, shown, err := s.perform()
	if err != nil {
		return nil, nil, err
	}
	p.kept = append(p.kept[max(0, len(p.kept)+1-mostKept):], performed{state, whole, shown})
	again := *shown
	return whole, &again, nil
}

// perform performs the run of a State. It returns the whole run, and what is shown of it.
func (s *State) perform() (*playground.Result, *Shown, error) {
	w, err := playground.New(s.Setup, s.Acts)
	if err != nil {
		return nil, nil, err
	}
	shown := &Shown{}
	more := true
	for (s.Steps == nil || shown.Steps < *s.Steps) && more {
		if more = w.Next(); more {
			shown.Steps++
		}
	}
	now := w.Result()
	shown.Result, shown.Step, shown.Fields = now, shown.Steps, fieldsOf(now)
	whole := now
	if more && s.Steps != nil {
		for w.Next() {
			shown.Steps++
		}
		whole = w.Result()
		if shown.Steps == shown.Step { // that was all, but for another connection
			shown.Result = whole
		}
	}
	shown.Final = whole.Verdict.Sentence
	shown.Said = because(&shown.Verdict)
	return whole, shown, nil
}

// because returns the reason of who noticed, as it is, and its alert; or what became different.
func because(v *playground.Verdict) string {
	var all []string
	if v.Why != "" {
		all = append(all, fmt.Sprintf("The %v's reason: %s.", v.By, v.Why))
	}
	if v.Outcome == playground.Caught && v.Alert != "" {
		all = append(all, fmt.Sprintf("The %v sent the alert %s.", v.By, v.Alert))
	}
	for _, c := range v.Changes {
		if !strings.Contains(v.Sentence, c[1:]) { // its first letter may be a capital there
			all = append(all, playground.Sentence(c))
		}
	}
	return strings.Join(all, " ")
}

// Run takes a State and a number of a lesson, 0 for none, and returns a Shown, as JSON.
func (p *Page) Run(request []byte) ([]byte, error) {
	var q struct {
		State
		Lesson int `json:"lesson"`
	}
	if err := json.Unmarshal(request, &q); err != nil {
		return nil, fmt.Errorf("playground: %w", err)
	}
	whole, shown, err := p.run(&q.State)
	if err != nil {
		return nil, err
	}
	shown.Goals, shown.Later = reached(q.Lesson, whole), later(q.Lesson, whole)
	return json.Marshal(shown)
}
