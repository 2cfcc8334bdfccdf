package playground

import (
	"bytes"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// A list of acts is judged as a whole, before anything is done, and the error says which act.
func TestAListOfActsIsJudgedBeforeItIsPerformed(t *testing.T) {
	good := Act{Kind: Flip, Record: 1}
	many := make([]Act, 1_000_000)
	for i := range many {
		many[i] = good
	}
	var heavy []Act
	for range 20 {
		heavy = append(heavy, Act{Kind: Inject, Record: 1, Data: make([]byte, maxData)})
	}
	for _, c := range []struct {
		acts []Act
		want string
	}{
		{many, "got 1000000 acts, expected at most 1000"},
		{heavy, "bytes of data in all acts"},
		{[]Act{good, {Kind: "melt", Record: 1}}, `act 2: got the kind "melt"`},
		{[]Act{{Kind: Flip, Record: 1, Side: 2}}, "act 1: got side 2"},
		{[]Act{good, good, {Kind: Drop}}, "act 3: got record 0"},
		{[]Act{{Kind: Flip, Record: 1, Offset: -1}}, "act 1: got offset -1"},
		{[]Act{{Kind: Replay, Record: 1, At: -1}}, "act 1: got at -1"},
		{[]Act{{Kind: Set, Record: 1}}, "act 1: set needs data"},
		{[]Act{{Kind: Inject, Record: 1}}, "act 1: inject needs data"},
		{[]Act{{Kind: Drop, Record: 1, Data: trace.Hex{1}}}, "act 1: drop takes no data"},
		{[]Act{{Kind: Inject, Record: 1, Data: make([]byte, maxData+1)}}, "act 1: got 65537 bytes"},
		{[]Act{{Kind: Replay, Record: 1, Side: iana.Server, Fresh: true}}, "only what a client"},
	} {
		if _, err := Run(Setup{}, c.acts); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, expected %q", err, c.want)
		}
	}
}

// Acts on one record do not undo one another: what is dropped stays dropped, a cut behind the end
// takes nothing of the record, and a swap that nothing overtakes is none.
func TestActsOnOneRecordDoNotUndoOneAnother(t *testing.T) {
	for _, c := range []struct {
		acts []Act
		fate Fate // of the client's first record
		idle int
	}{
		{[]Act{{Kind: Drop, Record: 1}, {Kind: Flip, Record: 1, Offset: 20}}, Dropped, 0},
		{[]Act{{Kind: Flip, Record: 1, Offset: 20}, {Kind: Drop, Record: 1}}, Dropped, 0},
		{[]Act{{Kind: Cut, Record: 1, Offset: 1 << 20}}, Delivered, 0},
		{[]Act{{Kind: Cut, Record: 1}}, Dropped, 0},
		{[]Act{{Kind: Swap, Record: 1}}, Delivered, 1},
		{[]Act{{Kind: Swap, Record: 1}, {Kind: Flip, Record: 1, Offset: 2}}, Changed, 1},
		{[]Act{{Kind: Flip, Record: 1, Offset: 1 << 20}}, Delivered, 1},
	} {
		r := run(t, Setup{}, c.acts...)
		if got := r.Records[0].Fate; got != c.fate || len(r.Idle) != c.idle {
			t.Errorf("%+v: %s, idle %v, expected %s and %d", c.acts, got, r.Idle, c.fate, c.idle)
		}
	}
}

// A thousand acts that each bring as many bytes as they may are done in bounded time, and what the
// sentence says of a thousand idle acts is short.
func TestManyActsAreBounded(t *testing.T) {
	var forged, idle []Act
	junk := bytes.Repeat([]byte{0x17}, 1000)
	for range maxActs {
		forged = append(forged, Act{Kind: Inject, Record: 2, Data: junk})
		idle = append(idle, Act{Kind: Drop, Record: 1 << 30})
	}
	if r := run(t, Setup{}, forged...); r.Verdict.Outcome != Caught {
		t.Errorf("got %+v", r.Verdict)
	}
	if v := run(t, Setup{}, idle...).Verdict; len(v.Sentence) > 300 ||
		!strings.Contains(v.Sentence, "and 997 more") {
		t.Errorf("got %q", v.Sentence)
	}
}

// What somebody does to records after the handshake, at its end, and with forged ones: who notices,
// and what it is called.
func TestActsAfterTheHandshakeAreNoticed(t *testing.T) {
	closing := func(version string) (list []Act) { // the server's close_notify
		for _, of := range run(t, Setup{Version: version, Pieces: 9}).Records {
			if of.Side == iana.Server {
				list = []Act{{Kind: Drop, Side: iana.Server, Record: of.Number}}
			}
		}
		return list
	}
	data := func(version string, kind Kind) []Act {
		r := run(t, Setup{Version: version, Pieces: 9})
		return []Act{{Kind: kind, Record: r.Carrying(iana.Client, "application_data").Number + 1}}
	}
	warning := trace.Hex{21, 3, 3, 0, 2, 1, 90} // user_canceled
	for _, c := range []struct {
		name    string
		version string
		acts    []Act
		outcome Outcome
		section string
	}{
		{"close_notify dropped", "1.2", closing("1.2"), Caught, "RFC 5246 §7.2.1"},
		{"close_notify dropped", "1.3", closing("1.3"), Caught, "RFC 8446 §6.1"},
		{"data dropped", "1.2", data("1.2", Drop), Caught, "RFC 5246 §6.2.3.3"},
		{"data dropped", "1.3", data("1.3", Drop), Caught, "RFC 8446 §5.2"},
		{"data twice", "1.2", data("1.2", Duplicate), Caught, "RFC 5246 §6.2.3.3"},
		{"data twice", "1.3", data("1.3", Duplicate), Caught, "RFC 8446 §5.2"},
		{"data swapped", "1.2", data("1.2", Swap), Caught, "RFC 5246 §6.2.3.3"},
		{"data swapped", "1.3", data("1.3", Swap), Caught, "RFC 8446 §5.2"},
		{"an alert in the clear", "1.2", []Act{{Kind: Inject, Side: iana.Server, Record: 1,
			Data: warning}}, Undetected, ""},
		{"the same under keys", "1.3", []Act{{Kind: Inject, Side: iana.Server, Record: 4,
			Data: warning}}, Caught, "RFC 8446 §5"},
	} {
		v := run(t, Setup{Version: c.version, Pieces: 9}, c.acts...).Verdict
		if v.Outcome != c.outcome || v.Section != c.section {
			t.Errorf("%s, TLS %s: got %s (%s): %s, expected %s (%s)", c.name, c.version, v.Outcome,
				v.Section, v.Sentence, c.outcome, c.section)
		}
	}
}

// A run with as much data as a setup may have ends as it should, in as many records as pieces.
func TestALongRunEndsAsItShould(t *testing.T) {
	s := Setup{Request: strings.Repeat("q", 20_000), Response: strings.Repeat("a", 40_000),
		Pieces: 50}
	r := run(t, s)
	if r.Verdict.Outcome != Untouched || len(r.Records) < 1200 ||
		r.Ends[iana.Client].Received != s.Response {
		t.Errorf("%s in %d records", r.Verdict.Sentence, len(r.Records))
	}
}
