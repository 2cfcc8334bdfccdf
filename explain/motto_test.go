package explain_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/playground"
	"github.com/vitrine-tls/vitrine/trace"
)

// The chapter of Finished says that nobody changed a byte of the messages only if nobody did, even
// where both sides go on, as they do up to a Finished that is wrong.
func TestTheChapterOfFinishedKnowsWhatWasChanged(t *testing.T) {
	for _, version := range []string{"1.2", "1.3"} {
		for what, c := range map[string]struct {
			acts []playground.Act
			want bool
		}{
			"nothing": {nil, true},
			"the version of a record": {[]playground.Act{{Kind: playground.Flip,
				Side: iana.Client, Record: 1, Offset: 2}}, true},
			"the client's random": {[]playground.Act{{Kind: playground.Flip,
				Side: iana.Client, Record: 1, Offset: 20}}, false},
			"data": {[]playground.Act{{Kind: playground.Flip, Side: iana.Client,
				Record: map[string]int{"1.2": 5, "1.3": 4}[version], Offset: 30}}, true},
		} {
			r, err := playground.Run(playground.Setup{Version: version,
				Suite: map[string]string{"1.2": "TLS_RSA_WITH_AES_128_GCM_SHA256"}[version]},
				c.acts)
			if err != nil {
				t.Fatal(err)
			}
			for _, chapter := range explain.Tell(r.Entries, r.Run).Chapters {
				if chapter.Number == 5 &&
					strings.HasPrefix(chapter.Motto, "nobody changed a byte") != c.want {
					t.Errorf("TLS %s, %s: %q", version, what, chapter.Motto)
				}
			}
		}
	}
}

// A handshake that fails before a Finished is accepted has no chapter that claims what a Finished
// or a message that did not come would prove.
func TestChaptersOfAFailureClaimNothing(t *testing.T) {
	for _, version := range []string{"1.2", "1.3"} {
		for _, act := range []playground.Act{
			{Kind: playground.Flip, Record: 2, Offset: 12}, {Kind: playground.Drop, Record: 2},
			{Kind: playground.Flip, Record: 3, Offset: 5}, {Kind: playground.Drop, Record: 3},
			{Kind: playground.Flip, Record: 4, Offset: 12}, {Kind: playground.Drop, Record: 4},
		} {
			act.Side = iana.Client
			r, err := playground.Run(playground.Setup{Version: version}, []playground.Act{act})
			if err != nil {
				t.Fatal(err)
			}
			server := slices.DeleteFunc(slices.Clone(r.Entries), func(e trace.Entry) bool {
				return e.Role != trace.Server
			})
			s := explain.Tell(server, explain.Run{})
			if s.Result.Ending.Handshake == explain.Finished {
				continue
			}
			for _, c := range s.Chapters {
				if strings.HasPrefix(c.Motto, "nobody changed") || strings.HasPrefix(c.Motto,
					"a secret") && !has(c, "client_key_exchange") {
					t.Errorf("TLS %s, %v: %d %q", version, act, c.Number, c.Motto)
				}
			}
		}
	}
}

func has(c explain.Chapter, key string) bool {
	return slices.ContainsFunc(c.Steps, func(s explain.Step) bool {
		return strings.HasPrefix(s.Key, key)
	})
}
