package main

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// The suites fit every terminal from 60 columns on, say what speaks against each, and begin with
// the good ones.
func TestSuitesFitTheTerminal(t *testing.T) {
	rows := matching(nil)
	for _, columns := range []int{60, 80, 100, 200, 300} {
		var b strings.Builder
		if err := table(&b, rows, columns); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > columns {
				t.Errorf("%d columns: %d: %s", columns, n, line)
			}
		}
		for _, r := range rows {
			if against := r.against(); !strings.Contains(b.String(), r.Name) ||
				!strings.Contains(strings.Join(strings.Fields(b.String()), " "), against) {
				t.Errorf("%d columns: %s, or what speaks against it, is missing", columns, r.Name)
			}
		}
	}
	order := []string{"fine", "avoided", "deprecated", "insecure"}
	last := 0
	for _, r := range rows {
		at := slices.Index(order, r.Status)
		if at < last {
			t.Errorf("%s (%s) comes after worse ones", r.Name, r.Status)
		}
		last = max(last, at)
		if (at == 0) != (len(r.Concerns) == 0) {
			t.Errorf("%s is %s, with %d concerns", r.Name, r.Status, len(r.Concerns))
		}
	}
}
