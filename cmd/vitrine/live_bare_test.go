package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/live"
)

// What of an offer is not listed is counted, and a name that is not valid is shown as such.
func TestFactsOfAnOfferCountWhatIsNotListed(t *testing.T) {
	for _, c := range []struct {
		row  live.Row
		want string
	}{
		{live.Row{}, "[]"},
		{live.Row{Name: "a.test", Offer: &live.Offer{ServerName: "a.test",
			Versions: []string{"TLS 1.3"}}}, "offered versions TLS 1.3"},
		{live.Row{Offer: &live.Offer{ServerName: "<b>", Suites: []string{"x", "y"}, More: 9936}},
			"offered suites x, y|asked for, not a valid name <b>|not listed 9936 more"},
	} {
		got := fmt.Sprint(offeredFacts(c.row))
		for _, part := range strings.Split(c.want, "|") {
			if !strings.Contains(got, part) {
				t.Errorf("%s is not in %s", part, got)
			}
		}
		if c.row.Name != "" && strings.Contains(got, "asked for") {
			t.Errorf("a valid name is told again: %s", got)
		}
	}
}
