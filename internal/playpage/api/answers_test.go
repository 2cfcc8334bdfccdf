package api

import (
	"regexp"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/playpage/lessons"
	"github.com/vitrine-tls/vitrine/playground"
	"github.com/vitrine-tls/vitrine/trace"
)

// What the answers for a teacher say of alerts is what the program does: of the alerts that an
// answer names, the run that reaches its goal has one, and no other.
func TestAnswersNameTheAlertsOfTheProgram(t *testing.T) {
	named := regexp.MustCompile(`[a-z]+(_[a-z]+)+`)
	known := map[string]bool{}
	for n := range 256 {
		if a := alert.Description(n); a != alert.CloseNotify {
			known[a.String()] = true
		}
	}
	checked := 0
	for i, l := range lessons.All() {
		lesson := playground.Lessons()[i]
		for goal, answer := range l.Answer {
			var alerts []string
			for _, word := range named.FindAllString(answer, -1) {
				if known[word] {
					alerts = append(alerts, word)
				}
			}
			s, acts, err := lesson.Solve(goal)
			if err != nil {
				t.Fatal(err)
			}
			r, err := playground.Run(s, acts)
			if err != nil {
				t.Fatal(err)
			}
			sent := r.Verdict.Alert
			if r.Verdict.Outcome == playground.Undetected && len(acts) == 1 {
				for _, e := range r.Entries { // a forged one
					if a, ok := e.Event.(*trace.Alert); ok && a.Description != alert.CloseNotify {
						sent = a.Description.String()
					}
				}
			}
			if len(alerts) > 0 {
				checked++
			}
			if len(alerts) > 0 && !slices.Contains(alerts, sent) {
				t.Errorf("lesson %d, goal %d: the answer names %v, the program has %q", l.Number,
					goal+1, alerts, sent)
			}
		}
	}
	if checked < 15 {
		t.Errorf("%d answers name an alert", checked)
	}
}

// The answer to lesson 7's question about TLS 1.3: a warning before ServerHello is read, and behind
// it no alert in the clear is. See RFC 8446 §6 and §5.
func TestWarningsInTLS13AreAsTheAnswerSays(t *testing.T) {
	s := playground.Setup{Version: "1.3"}
	for record, want := range map[int]string{1: "", 2: alert.UnexpectedMessage.String()} {
		r, err := playground.Run(s, []playground.Act{{Kind: playground.Inject, Side: iana.Server,
			Record: record, Data: []byte{21, 3, 3, 0, 2, byte(alert.Warning),
				byte(alert.UnrecognizedName)}}})
		if err != nil {
			t.Fatal(err)
		}
		read := r.Ends[iana.Client].Received == playground.Response
		if r.Verdict.Alert != want || read != (want == "") {
			t.Errorf("before record %d: %+v", record, r.Verdict)
		}
	}
}
