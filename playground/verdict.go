package playground

import (
	"errors"
	"strings"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// Verdict says who noticed what somebody between the two sides did.
type Verdict struct {
	Outcome Outcome `json:"outcome"`

	// The rest but Sentence is of Caught: which side, by which check.
	By iana.Side `json:"by"`
	// Check says it in words, "the MAC". Kind is for programs; it is empty if the alert says it
	// all.
	Check   string     `json:"check,omitempty"`
	Kind    alert.Kind `json:"kind,omitempty"`
	Section string     `json:"section,omitempty"` // "RFC 5246 §6.2.3.1"
	Alert   string     `json:"alert,omitempty"`   // "bad_record_mac"
	Why     string     `json:"why,omitempty"`     // as the side gives the reason
	// Step is the line of the glass, and Index says which of Records was refused, from 1; 0: none.
	Step  int `json:"step,omitempty"`
	Index int `json:"index,omitempty"`

	// Changes says what became different, if it was Undetected.
	Changes  []string `json:"changes,omitempty"`
	Sentence string   `json:"sentence"`
}

// Outcome is what came of a run.
type Outcome string

// The outcomes.
const (
	Untouched  Outcome = "untouched"  // nobody did anything, and all went to its end
	Running    Outcome = "running"    // more is on its way
	Caught     Outcome = "caught"     // a side noticed
	Undetected Outcome = "undetected" // all went to its end, and nobody noticed
	Stalled    Outcome = "stalled"    // a side waits for what never comes
)

// judge sets the verdict.
func (w *Wire) judge(r *Result) {
	v := &r.Verdict
	first, failed := w.firstFailure()
	switch {
	case failed:
		v.Outcome, v.By = Caught, first
		w.caught(r, w.ends[first].err)
	case len(w.queue) > 0 || w.held[0] != nil || w.held[1] != nil:
		v.Outcome, v.Sentence = Running, "More is on its way."
	case !w.ends[0].over() || !w.ends[1].over():
		v.Outcome = Stalled
		v.Sentence = "Stopped: nobody was told anything false; one side waits for bytes that " +
			"never come."
	case !w.touched():
		v.Outcome, v.Sentence = Untouched, "Nothing was changed, and all went to its end."
	default:
		v.Outcome = Undetected
		v.Sentence = "Undetected: neither side noticed."
	}
}

func (w *Wire) touched() bool {
	for _, r := range w.records {
		if r.Fate != Delivered {
			return true
		}
	}
	return false
}

// firstFailure returns the side that failed by itself: not because of its peer's alert.
func (w *Wire) firstFailure() (iana.Side, bool) {
	for _, side := range []iana.Side{iana.Client, iana.Server} {
		err := w.ends[side].err
		if _, told := errors.AsType[*alert.Received](err); err != nil && !told {
			if other := w.ends[side.Peer()].err; other != nil {
				if _, truncated := errors.AsType[*Truncated](err); truncated {
					continue
				}
			}
			return side, true
		}
	}
	for _, side := range []iana.Side{iana.Client, iana.Server} {
		if w.ends[side].err != nil {
			return side, true
		}
	}
	return 0, false
}

func (w *Wire) caught(r *Result, err error) {
	v := &r.Verdict
	v.Why, v.Alert = err.Error(), r.Ends[v.By].Alert
	if e, ok := errors.AsType[*alert.Error](err); ok {
		v.Section, v.Kind, v.Check = e.Ref, e.Kind, string(e.Kind)
		if v.Check == "" {
			v.Check = e.Alert.String()
		}
	}
	if _, ok := errors.AsType[*Truncated](err); ok {
		v.Section, v.Check = "RFC 5246 §7.2.1", "close_notify"
	}
	if e, ok := errors.AsType[*alert.Received](err); ok {
		v.Section, v.Check = "RFC 5246 §7.2", "a forged alert: "+e.Description.String()
	}
	if v.Index = w.ends[v.By].failedAt; v.Index > 0 {
		if of := &r.Records[v.Index-1]; len(of.Carries) > 0 {
			v.Step = of.Carries[0].Step
		}
	}
	parts := []string{"Caught by the " + v.By.String() + ": " + v.Check}
	if v.Section != "" {
		parts = append(parts, v.Section)
	}
	v.Sentence = strings.Join(parts, ", ") + "."
}
