package explain

import (
	"fmt"
	"strings"
)

// Tried says what a search for an expected value tried.
type Tried struct {
	Values   int      // that were compared
	Mistakes int      // usual ones that were made, each alone; 0: not counted
	Pairs    int      // of them, together
	Typed    []string // the inputs in which each digit was varied
	Missing  []string // inputs that were not given, with what was not derived for lack of each
}

// Sentences say what was tried without success, and what could not be tried.
func (t *Tried) Sentences() (list []string) {
	mistakes := "with one or two of the usual mistakes"
	if t.Mistakes > 0 {
		mistakes = fmt.Sprintf("with any of %s, nor with any of %s of them",
			Count(t.Mistakes, "usual mistake"), Count(t.Pairs, "pair"))
	}
	tried := fmt.Sprintf("None of %s tried gives it: not what follows from the inputs, not %s",
		Count(t.Values, "value"), mistakes)
	if len(t.Typed) > 0 {
		tried += ", not with one digit mistyped of " + strings.Join(t.Typed, ", ")
	}
	list = append(list, tried+".")
	if len(t.Missing) > 0 {
		list = append(list, "Not given, so that what follows from it was not tried: "+
			strings.Join(t.Missing, "; ")+".")
	}
	return append(list, "What is left: an input that is another in more than one digit, or a "+
		"mistake that is not among them.")
}

// Missing returns which inputs were not given, and what is not derived without each.
func (d *Derivation) Missing() (list []string) {
	g := &d.Given
	if g.PreMaster == nil {
		list = append(list, "a pre_master_secret (the step to the master_secret)")
	}
	if g.SessionHash == nil && d.transcript.session() == nil {
		list = append(list, "a session_hash or a transcript (an extended master_secret)")
	}
	if d.transcript == nil {
		list = append(list, "a transcript (verify_data)")
	}
	if _, ok := d.randoms(); !ok {
		list = append(list, "client_random and server_random (the key_block)")
	}
	return list
}
