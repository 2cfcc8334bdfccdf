package api

import (
	"encoding/json"
	"fmt"

	"github.com/vitrine-tls/vitrine/playground"
)

// Sweep is a sweep under way: it flips every byte of a run, one after the other.
type Sweep struct{ sweeper *playground.Sweeper }

// Progress is how far a sweep has come, and what it has found since it was asked before.
type Progress struct {
	Done  int                `json:"done"`
	All   int                `json:"all"`
	Found []playground.Guard `json:"found"`
}

// Begin begins a sweep of the run of a State's Setup, as JSON.
func (w *Sweep) Begin(request []byte) ([]byte, error) {
	var s State
	if err := json.Unmarshal(request, &s); err != nil {
		return nil, fmt.Errorf("playground: %w", err)
	}
	var err error
	if w.sweeper, err = playground.NewSweeper(s.Setup); err != nil {
		return nil, err
	}
	return json.Marshal(Progress{All: w.sweeper.Len()})
}

// Go flips up to n more bytes. It returns a Progress as JSON.
func (w *Sweep) Go(n int) ([]byte, error) {
	if w.sweeper == nil {
		return nil, fmt.Errorf("playground: no sweep has begun")
	}
	before := len(w.sweeper.Guards())
	for range n {
		if more, err := w.sweeper.Next(); err != nil {
			return nil, err
		} else if !more {
			break
		}
	}
	guards := w.sweeper.Guards()
	return json.Marshal(Progress{len(guards), w.sweeper.Len(), guards[before:]})
}
