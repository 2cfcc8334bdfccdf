package api

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/playground"
)

// Whatever a list of acts within its bounds makes of a run: what the page gets, and has to show, is
// bounded, and a sentence stays one.
func TestNoListOfActsMakesALongAnswer(t *testing.T) {
	repeat := func(n int, a playground.Act) (list []playground.Act) {
		for range n {
			list = append(list, a)
		}
		return list
	}
	long := strings.Repeat("data ", 6000)
	forged := bytes.Repeat([]byte{21, 3, 3, 0, 2, 1, 90}, 100)
	for what, s := range map[string]State{
		"copies of a hello": {Acts: repeat(1000,
			playground.Act{Kind: playground.Duplicate, Side: iana.Client, Record: 1})},
		"copies at the end": {Acts: repeat(1000,
			playground.Act{Kind: playground.Replay, Side: iana.Server, Record: 1})},
		"copies of much data": {Setup: playground.Setup{Version: "1.3", Request: long,
			Response: long}, Acts: repeat(1000,
			playground.Act{Kind: playground.Replay, Side: iana.Client, Record: 4})},
		"warnings": {Acts: repeat(10, playground.Act{Kind: playground.Inject, Side: iana.Server,
			Record: 1, Data: forged})},
		"warnings that nobody notices": {Acts: repeat(4, playground.Act{Kind: playground.Inject,
			Side: iana.Server, Record: 1, Data: forged[:7]})},
		"small pieces": {Setup: playground.Setup{Request: long[:1000], Response: long[:1000],
			Pieces: 1}},
	} {
		if testing.Short() && len(s.Acts) == 1000 {
			continue
		}
		q, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := new(Page).Run(q)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		var shown Shown
		if err := json.Unmarshal(answer, &shown); err != nil {
			t.Fatal(err)
		}
		glass, err := new(Page).Glass(q)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		said := shown.Verdict.Sentence + " " + shown.Said
		if len(answer) > 6<<20 || len(glass) > 6<<20 || len(said) > 3000 {
			t.Errorf("%s: an answer of %d bytes, a page of %d, and words of %d: %.200s", what,
				len(answer), len(glass), len(said), said)
		}
		t.Logf("%s: %d, %d, %d", what, len(answer), len(glass), len(said))
	}
	for what, s := range map[string]State{
		"records of no bytes": {Acts: repeat(20, playground.Act{Kind: playground.Inject,
			Side: iana.Server, Record: 1, Data: bytes.Repeat([]byte{21, 3, 3, 0, 0}, 100)})},
		"pieces of one byte": {Setup: playground.Setup{Request: long, Pieces: 1}},
	} {
		q, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := new(Page).Run(q); err == nil || !strings.Contains(err.Error(), "records") {
			t.Errorf("%s: %v", what, err)
		}
	}
}
