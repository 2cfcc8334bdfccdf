package html_test

import (
	"strings"
	"testing"
)

// A run that resumes an earlier one of the page says so where it offers the ticket, where the PSK
// goes in, and in its result, with links to the ticket; one that stands alone does not.
func TestAResumptionIsLinkedWithItsTicket(t *testing.T) {
	o := examples[7].options
	o.Resume = true
	runs := performAll(t, o, "--resume")
	page := strings.ReplaceAll(write(t, runs...), "&#39;", "'")
	for _, want := range []string{
		"B resumes A: its PSK is that of ticket 1 of connection A, the newest of 2.",
		"identity 0 is ticket 1 of connection A, the newest of 2. Which it takes",
		"= 60000 (modulo 2³²): the ticket's age in milliseconds",
		"equal to the PSK of ticket 1 of connection A",
		"connection B, which offers it",
		"with a recording of the connection that brought the ticket, too, it finds",
	} {
		if strings.Count(page, want) == 0 {
			t.Errorf("the page does not say %q", want)
		}
	}
	for link, n := range map[string]int{`href="#a-new-session-ticket-2">`: 4,
		`href="#b-client-hello">its ClientHello`: 1} {
		if got := strings.Count(page, link); got < n {
			t.Errorf("%s stands %d times, expected at least %d", link, got, n)
		}
	}
	if alone := write(t, runs[1]); strings.Contains(alone, "of connection A") {
		t.Error("the second connection alone names another")
	}
}
