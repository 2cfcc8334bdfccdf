package playground_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/playground"
	"github.com/vitrine-tls/vitrine/render/html"
	"github.com/vitrine-tls/vitrine/render/term"
)

// No output of a run that failed, in whatever way, has a verdict about forward secrecy: not the
// story, the screen, the page or the result.
func TestNoOutputJudgesSecrecyAfterAFailure(t *testing.T) {
	runs := 0
	for _, s := range []playground.Setup{{}, {Suite: "TLS_RSA_WITH_AES_128_CBC_SHA"},
		{Version: "1.3"}, {Version: "1.3", Resume: true, EarlyData: true}} {
		whole, err := playground.Run(s, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i, of := range whole.Records {
			kind := playground.Kinds()[i%len(playground.Kinds())]
			a := playground.Act{Kind: kind, Side: of.Side, Record: of.Number,
				Offset: len(of.Sent) - 1}
			if kind == playground.Set || kind == playground.Inject {
				a.Data = []byte{0x15, 3, 3, 0, 2, 2, 40}
			}
			r, err := playground.Run(s, []playground.Act{a})
			if err != nil {
				t.Fatal(err)
			}
			switch r.Verdict.Outcome {
			case playground.Caught, playground.Stalled, playground.Ended:
				runs++
				noSecrecy(t, r, runs%4 == 0 || r.Verdict.Outcome == playground.Stalled)
			}
		}
	}
	if runs < 12 {
		t.Errorf("only %d runs failed", runs)
	}
}

func noSecrecy(t *testing.T, r *playground.Result, page bool) {
	t.Helper()
	story := explain.Tell(r.Entries, r.Run)
	var out bytes.Buffer
	if err := term.Write(&out, story, term.Style{Unicode: true}); err != nil {
		t.Fatal(err)
	}
	if err := json.NewEncoder(&out).Encode(r); err != nil {
		t.Fatal(err)
	}
	if page {
		run := html.Run{Entries: r.Entries, About: r.Run}
		if err := html.Write(&out, html.Options{}, run); err != nil {
			t.Fatal(err)
		}
	}
	for _, words := range []string{"FORWARD SECRET", ">forward secret<", "QUANTUM COMPUTER"} {
		if bytes.Contains(out.Bytes(), []byte(words)) {
			t.Errorf("%+v: %s: %q", r.Acts, r.Verdict.Sentence, words)
		}
	}
}
