package playground

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// A record that its side never sent has a line of its own, and moves no other: what is sent and
// what is received stay pairs, equal unless an act touched them.
func TestPairsAreByNumber(t *testing.T) {
	warning := trace.Hex{21, 3, 3, 0, 2, 1, 112}
	for name, acts := range map[string][]Act{
		"forged": {{Kind: Inject, Side: iana.Server, Record: 1, Data: warning}},
		"twice": {{Kind: Inject, Side: iana.Server, Record: 1,
			Data: append(warning, warning...)}},
		"untouched": nil,
	} {
		r := run(t, Setup{}, acts...)
		pairs, forged := 0, 0
		for _, g := range explain.Rungs(r.Entries) {
			if g.Fate == trace.FateForged {
				forged++
				continue
			}
			if g.Altered || g.Opened == nil || !bytes.Equal(g.Opened.Fragment, g.Record.Fragment) {
				t.Errorf("%s: line %d is no pair", name, g.Number)
			}
			if g.Message != nil && (g.Received == nil ||
				!bytes.Equal(g.Message.Raw, g.Received.Raw)) {
				t.Errorf("%s: the %v of line %d is no pair", name, g.Message.Type, g.Number)
			}
			pairs++
		}
		if want := map[string]int{"forged": 1, "twice": 2}[name]; forged != want || pairs < 12 {
			t.Errorf("%s: %d lines forged, expected %d, and %d pairs", name, forged, want, pairs)
		}
	}
}

// What arrived is what the glass shows as the wire, whatever was done.
func TestTheWireOfTheGlassIsWhatArrived(t *testing.T) {
	for _, acts := range [][]Act{
		nil, {{Kind: Flip, Side: iana.Client, Record: 1, Offset: 2}},
		{{Kind: Set, Side: iana.Server, Record: 1, Offset: 700, Data: trace.Hex{1, 2}}},
		{{Kind: Drop, Side: iana.Client, Record: 2}},
		{{Kind: Inject, Side: iana.Server, Record: 1, Data: trace.Hex{21, 3, 3, 0, 2, 1, 112}}},
		{{Kind: Duplicate, Side: iana.Client, Record: 1}}, {{Kind: Replay, Record: 1, At: 3}},
		{{Kind: Swap, Side: iana.Client, Record: 2}},
	} {
		r := run(t, Setup{}, acts...)
		slices.SortStableFunc(r.Records, func(a, b Record) int { return a.Arrival - b.Arrival })
		var arrived, shown [2][]byte
		for _, of := range r.Records {
			arrived[of.Side] = append(arrived[of.Side], of.Got...)
		}
		for _, s := range explain.Wire(r.Entries) {
			shown[s.From] = append(shown[s.From], s.Bytes...)
		}
		for side := range arrived {
			if !bytes.Equal(arrived[side], shown[side]) {
				t.Errorf("%v: the %v's wire is not what arrived", acts, iana.Side(side))
			}
		}
	}
}

// Who could read a recording later is explained for connections, and not for failed attempts.
func TestNoVerdictAboutSecrecyAfterAFailure(t *testing.T) {
	for _, version := range []string{"1.2", "1.3"} {
		s := Setup{Version: version}
		flip := Act{Kind: Flip, Side: iana.Server, Record: 1, Offset: 50}
		for _, acts := range [][]Act{nil, {flip}} {
			r := run(t, s, acts...)
			story := explain.Tell(r.Entries, r.Run)
			failed := r.Verdict.Outcome == Caught
			if failed == (acts == nil) || story.Result.Judged == failed {
				t.Errorf("%s %v: %s, judged %v", version, acts, r.Verdict.Sentence,
					story.Result.Judged)
			}
			for _, sentence := range story.Result.Sentences {
				if failed && strings.Contains(sentence.Text, "FORWARD SECRET") {
					t.Errorf("%s: %s", version, sentence.Text)
				}
			}
			if failed && (explain.Readers(story) != nil || story.Result.KeySays != "") {
				t.Errorf("%s: says who could read it", version)
			}
		}
	}
}
