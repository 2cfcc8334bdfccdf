package api

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/playpage/lessons"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/playground"
)

// ask calls a function of the page with a request, and decodes its answer.
func ask(t *testing.T, f func([]byte) ([]byte, error), request, answer any) {
	t.Helper()
	q, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	out, err := f(q)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, answer); err != nil {
		t.Fatal(err)
	}
}

// request is what the page sends to Run and to Tool.
type request struct {
	State
	Lesson int    `json:"lesson,omitempty"`
	Tool   string `json:"tool,omitempty"`
}

// Every byte of every record has a name, in each version, and none has two.
func TestFieldsCoverEveryByte(t *testing.T) {
	for _, s := range []playground.Setup{{}, {Version: "1.3"}, {ExtendedMasterSecret: true},
		{Suite: "TLS_RSA_WITH_AES_128_CBC_SHA", EncryptThenMAC: true}, {ClientCertificate: true},
		{Version: "1.3", Resume: true, EarlyData: true}} {
		var shown Shown
		ask(t, new(Page).Run, State{Setup: s}, &shown)
		for i, r := range shown.Records {
			at := 0
			for _, f := range shown.Fields[i] {
				if f.Offset != at || f.Len < 1 || f.Name == "" {
					t.Errorf("%+v, %v's record %d: field %+v at %d", s, r.Side, r.Number, f, at)
				}
				at = f.Offset + f.Len
			}
			if at != len(r.Sent) {
				t.Errorf("%+v, %v's record %d: %d of %d bytes have a name", s, r.Side, r.Number, at,
					len(r.Sent))
			}
		}
	}
}

// A run up to a step shows what was delivered by then, and how many deliveries there are.
func TestARunIsShownStepByStep(t *testing.T) {
	var whole Shown
	ask(t, new(Page).Run, State{}, &whole)
	for n := range whole.Steps + 2 {
		var part Shown
		ask(t, new(Page).Run, State{Steps: &n}, &part)
		if want := min(n, whole.Steps); part.Step != want || part.Steps != whole.Steps ||
			part.Final != whole.Final {
			t.Errorf("step %d: got %d of %d, %q", n, part.Step, part.Steps, part.Final)
		}
		if ended := part.Verdict.Outcome == playground.Untouched; ended != (n >= whole.Steps) {
			t.Errorf("step %d: %s", n, part.Verdict.Outcome)
		}
	}
}

// The other connection of a replay is shown at the last step, and not only behind it.
func TestTheLastStepHasTheOtherConnection(t *testing.T) {
	s := State{Setup: playground.Setup{Version: "1.3", Resume: true, EarlyData: true,
		Careless: playground.AnyReplay}}
	r, err := playground.Run(s.Setup, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.Acts, err = replayEarly(r); err != nil {
		t.Fatal(err)
	}
	var whole Shown
	ask(t, new(Page).Run, s, &whole)
	for _, steps := range []int{whole.Steps - 1, whole.Steps, whole.Steps + 1} {
		var part Shown
		s.Steps = &steps
		ask(t, new(Page).Run, s, &part)
		last := steps >= whole.Steps
		if (part.Again != nil) != last || (part.Verdict.Sentence == whole.Final) != last ||
			part.Final != whole.Final {
			t.Errorf("%d of %d steps: %q", steps, whole.Steps, part.Verdict.Sentence)
		}
	}
}

// The sentence after the verdict begins with a capital, and leaves names and errors as they are.
func TestTheSentenceAfterTheVerdictBeginsWithACapital(t *testing.T) {
	for _, c := range []struct {
		setup playground.Setup
		acts  []playground.Act
		want  string
	}{
		{playground.Setup{}, nil, ""},
		{playground.Setup{Flaw: playground.NoPath}, nil, "The client's reason: tls: failed to " +
			"verify certificate: x509: certificate signed by unknown authority (RFC 5280 §6). " +
			"The client sent the alert unknown_ca."},
		// the sentence has it already
		{playground.Setup{}, []playground.Act{{Kind: playground.Flip, Record: 1, Offset: 2}}, ""},
	} {
		var shown Shown
		ask(t, new(Page).Run, State{Setup: c.setup, Acts: c.acts}, &shown)
		if shown.Said != c.want {
			t.Errorf("%+v: got %q, expected %q", c.setup, shown.Said, c.want)
		}
	}
}

// With the knob and the tools of its page alone every goal of a lesson can be reached, or by a flip
// and the buttons below a record where there are no tools.
func TestLessonsAreDoneWithTheirOwnTools(t *testing.T) {
	for _, l := range testkit.Sample(t, "lessons", 3, lessons.All()) {
		met := map[int]bool{}
		whole := func() bool { return len(met) == len(l.Goals) }
		try := func(s playground.Setup, acts []playground.Act) {
			var shown Shown
			ask(t, new(Page).Run, request{State: State{Setup: s, Acts: acts}, Lesson: l.Number},
				&shown)
			for _, goal := range shown.Goals {
				met[goal] = true
			}
		}
		for _, k := range l.Knob {
			if whole() {
				break // what is left could only reach the same goals again
			}
			try(k.Setup, nil)
			for _, tool := range l.Tools {
				q, _ := json.Marshal(request{State: State{Setup: k.Setup}, Tool: tool.Name})
				out, err := Tool(q)
				if err != nil {
					continue // it has nothing to work with in this position
				}
				var acts []playground.Act
				if err := json.Unmarshal(out, &acts); err != nil {
					t.Fatal(err)
				}
				try(k.Setup, acts)
			}
			for _, a := range clicks(t, k.Setup) {
				if !whole() {
					try(k.Setup, []playground.Act{a})
				}
			}
		}
		for i, goal := range l.Goals {
			if !met[i] {
				t.Errorf("lesson %d: nothing on its page reaches the goal %q", l.Number, goal)
			}
		}
		if len(l.Answer) != len(l.Goals) || len(l.Refs) == 0 || l.Talk == "" ||
			l.Reply == "" {
			t.Errorf("lesson %d: %d answers to %d goals", l.Number, len(l.Answer), len(l.Goals))
		}
	}
}

// clicks returns what a reader can do with single clicks, apart from most of the bytes.
func clicks(t *testing.T, s playground.Setup) (acts []playground.Act) {
	r, err := playground.Run(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range r.Records {
		for _, k := range []playground.Kind{playground.Drop, playground.Duplicate,
			playground.Swap, playground.Replay, playground.Cut} {
			acts = append(acts, playground.Act{Kind: k, Side: of.Side, Record: of.Number})
		}
		for at := range min(5, len(of.Sent)) {
			acts = append(acts, playground.Act{Kind: playground.Flip, Side: of.Side,
				Record: of.Number, Offset: at})
		}
	}
	return acts
}

// Every tool belongs to a lesson, and is there.
func TestEveryToolIsUsed(t *testing.T) {
	var used []string
	for _, l := range lessons.All() {
		for _, tool := range l.Tools {
			used = append(used, tool.Name)
		}
	}
	for name := range Tools() {
		if !slices.Contains(used, name) {
			t.Errorf("no lesson has the tool %q", name)
		}
	}
	for _, name := range used {
		if Tools()[name] == nil {
			t.Errorf("there is no tool %q", name)
		}
	}
}

// Each suite, group and kind that the page offers makes a run.
func TestEveryChoiceRuns(t *testing.T) {
	var o Options
	ask(t, func([]byte) ([]byte, error) { return Choices() }, nil, &o)
	var setups []playground.Setup
	for version, suites := range o.Suites {
		for _, s := range suites {
			setups = append(setups, playground.Setup{Version: version, Suite: s.Name})
		}
	}
	for _, g := range o.Groups {
		setups = append(setups, playground.Setup{Version: "1.3", Group: g})
	}
	for _, k := range o.Kinds {
		setups = append(setups, playground.Setup{Version: "1.3", Certificate: k})
	}
	for _, s := range setups {
		r, err := playground.Run(s, nil)
		if err != nil {
			t.Errorf("%+v: %v", s, err)
		} else if r.Verdict.Outcome != playground.Untouched {
			t.Errorf("%+v: %s", s, r.Verdict.Sentence)
		}
	}
	if len(setups) < 60 {
		t.Errorf("%d choices", len(setups))
	}
}

// The glass shows the step that was asked for, by its id or by its line.
func TestGlassShowsAStep(t *testing.T) {
	var first, named, lined GlassStep
	ask(t, new(Page).Glass, GlassQuery{}, &first)
	ask(t, new(Page).Glass, GlassQuery{ID: "certificate", Line: 1}, &named)
	ask(t, new(Page).Glass, GlassQuery{Line: 5}, &lined)
	if first.ID != "client-hello" || named.ID != "certificate" || lined.ID != "server-hello-done" {
		t.Errorf("got %q, %q and %q", first.ID, named.ID, lined.ID)
	}
	if len(first.Steps) < 12 || len(first.HTML) < 1000 {
		t.Errorf("%d steps, %d bytes", len(first.Steps), len(first.HTML))
	}
}

// A sweep in parts finds what a whole one finds, and the bytes that no check protects.
func TestSweepGoesOn(t *testing.T) {
	if testing.Short() {
		t.Skip("with -short: a sweep takes seconds")
	}
	var w Sweep
	var p Progress
	ask(t, w.Begin, State{}, &p)
	open := 0
	for all := p.All; p.Done < all; {
		before := p.Done
		ask(t, func([]byte) ([]byte, error) { return w.Go(50) }, nil, &p)
		if len(p.Found) != p.Done-before {
			t.Fatalf("%d found between %d and %d", len(p.Found), before, p.Done)
		}
		for _, g := range p.Found {
			if g.Verdict.Outcome == playground.Undetected {
				if open++; g.Record != 1 || g.Offset != 2 {
					t.Errorf("nobody notices byte %d of the %v's record %d", g.Offset, g.Side,
						g.Record)
				}
			}
		}
		p.Found = nil
	}
	if open != 2 {
		t.Errorf("%d bytes are protected by nobody, expected 2", open)
	}
}

func TestBadRequestsAreRefused(t *testing.T) {
	var w Sweep
	var p Page
	for _, f := range []func([]byte) ([]byte, error){p.Run, p.Glass, Tool, w.Begin} {
		for _, q := range []string{``, `{"setup":{"version":"9"}}`, `[]`} {
			if _, err := f([]byte(q)); err == nil {
				t.Errorf("%q was taken", q)
			}
		}
	}
	if _, err := w.Go(1); err == nil {
		t.Error("a sweep went on that had not begun")
	}
}

// What a page has asked for before changes nothing in what it is told, whatever comes between.
func TestARunIsTheSameWhateverCameBefore(t *testing.T) {
	var page Page
	one, flip := 1, []playground.Act{{Kind: playground.Flip, Record: 1, Offset: 9}}
	states := []State{{}, {Acts: flip}, {Steps: &one}, {Acts: flip, Steps: &one},
		{Setup: playground.Setup{ClientCertificate: true}},
		{Setup: playground.Setup{Flaw: playground.Expired}},
		{Setup: playground.Setup{Seed: "another"}, Acts: flip}}
	answers := map[string]bool{}
	for _, s := range slices.Concat(states, states) {
		for _, lesson := range []int{0, 2} { // lesson 2 has goals
			q, err := json.Marshal(request{State: s, Lesson: lesson})
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				got, err := page.Run(q)
				if err != nil {
					t.Fatal(err)
				}
				want, err := new(Page).Run(q)
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s: got\n%s\nexpected\n%s\n%v", q, got, want, err)
				}
				answers[string(got)] = true
			}
			glass, err := page.Glass(q)
			want, err2 := new(Page).Glass(q)
			if err != nil || err2 != nil || !bytes.Equal(glass, want) {
				t.Errorf("%s: another glass, %v, %v", q, err, err2)
			}
		}
	}
	if len(answers) < len(states) {
		t.Errorf("%d states have %d answers", len(states), len(answers))
	}
}
