package explain_test

import (
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/playground"
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
