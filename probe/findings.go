package probe

import (
	"encoding/hex"
	"slices"
	"strings"
)

// findings applies the table to a report: the worst first.
func findings(r *Report) []Finding {
	found := []Finding{}
	for _, row := range rules {
		if seen := row.seen(r); seen != "" {
			f := row.Finding
			f.Seen, f.Bytes = seen, r.shown(seen)
			found = append(found, f)
		}
	}
	slices.SortStableFunc(found, func(a, b Finding) int {
		return b.Severity.Weight() - a.Severity.Weight()
	})
	return found
}

// shown returns the ServerHello of the first version or suite that seen names.
func (r *Report) shown(seen string) string {
	words := strings.FieldsFunc(seen, func(r rune) bool { return r == ' ' || r == ',' })
	for _, v := range r.Versions {
		for _, x := range v.Suites {
			if strings.HasPrefix(seen, v.Name+" with ") || slices.Contains(words, x.Name) {
				return hex.EncodeToString(x.hello)
			}
		}
	}
	return ""
}

// Worst returns the highest severity of the findings, or "" if there are none.
func (r *Report) Worst() Severity {
	var worst Severity
	for _, f := range r.Findings {
		if f.Severity.Weight() > worst.Weight() {
			worst = f.Severity
		}
	}
	return worst
}
