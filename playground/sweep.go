package playground

import "github.com/vitrine-tls/vitrine/iana"

// Guard says what happens if the lowest bit of a byte is flipped on its way.
type Guard struct {
	Side    iana.Side `json:"side"`
	Record  int       `json:"record"` // as an Act counts
	Offset  int       `json:"offset"`
	Verdict Verdict   `json:"verdict"`
}

// Sweeper flips every byte of a run, one after the other, and keeps the verdicts.
type Sweeper struct {
	setup  Setup
	acts   []Act // one flip each
	guards []Guard
}

// NewSweeper performs the run of s, and returns a Sweeper for its bytes.
func NewSweeper(s Setup) (*Sweeper, error) {
	r, err := Run(s, nil)
	if err != nil {
		return nil, err
	}
	w := &Sweeper{setup: s}
	for _, x := range r.Records {
		for at := range x.Sent {
			w.acts = append(w.acts, Act{Kind: Flip, Side: x.Side, Record: x.Number, Offset: at})
		}
	}
	return w, nil
}

// Len returns how many bytes there are.
func (w *Sweeper) Len() int { return len(w.acts) }

// Next flips the next byte, and reports whether there was one.
func (w *Sweeper) Next() (bool, error) {
	n := len(w.guards)
	if n == len(w.acts) {
		return false, nil
	}
	a := w.acts[n]
	r, err := Run(w.setup, []Act{a})
	if err != nil {
		return false, err
	}
	w.guards = append(w.guards, Guard{a.Side, a.Record, a.Offset, r.Verdict})
	return true, nil
}

// Guards returns the verdicts so far, in the order of the wire.
func (w *Sweeper) Guards() []Guard { return w.guards }

// Sweep flips every byte of a run. It calls progress, if it is not nil, before each, and stops if
// that returns false.
func Sweep(s Setup, progress func(done, all int) bool) ([]Guard, error) {
	w, err := NewSweeper(s)
	if err != nil {
		return nil, err
	}
	for more := true; more; {
		if progress != nil && !progress(len(w.guards), w.Len()) {
			break
		}
		if more, err = w.Next(); err != nil {
			return nil, err
		}
	}
	return w.guards, nil
}
