package probe

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
)

// Severity is how much a finding matters.
type Severity string

// The severities. Failures, and what is broken in practice, have high severity; a precondition of
// an attack is a warning, and never called a vulnerability.
const (
	Info Severity = "info"
	Warn Severity = "warn"
	High Severity = "high"
)

// Weight orders severities: the higher, the worse.
func (s Severity) Weight() int { return slices.Index([]Severity{Info, Warn, High}, s) }

// Finding is a weakness of the server's configuration.
type Finding struct {
	ID       string   `json:"id"`
	Severity Severity `json:"severity"`
	What     string   `json:"what"`
	Seen     string   `json:"seen"` // what the server showed
	Why      string   `json:"why"`
	Ref      string   `json:"ref"`
	Mend     []Mend   `json:"mend,omitempty"`

	// Bytes is the server's message that shows it, if it is one: a ServerHello, in hexadecimal.
	Bytes string `json:"bytes,omitempty"`
}

// Mend is a line for a program's configuration that removes a finding.
type Mend struct {
	For  string `json:"for"` // "nginx", "Apache", …
	Line string `json:"line"`
}

// rule is a row of the table of findings. seen returns what shows it, or "" if nothing does.
type rule struct {
	Finding
	seen func(*Report) string
}

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

// fact returns the rule that holds if a fact has this answer.
func fact(id string, bad Told, s Severity, what, ref, why string, mend []Mend) rule {
	return rule{Finding{ID: id, Severity: s, What: what, Ref: ref, Why: why, Mend: mend},
		func(r *Report) string {
			f := r.Fact(id)
			if f.Told != bad {
				return ""
			}
			if f.Detail != "" {
				return fmt.Sprintf("%s: %s (%s)", f.What, f.Told, f.Detail)
			}
			return fmt.Sprintf("%s: %s", f.What, f.Told)
		}}
}

func has(v iana.Version) func(*Report) string {
	return func(r *Report) string {
		if v := r.version(v); v.Told == Yes {
			if v.version == ssl2 {
				return strings.TrimSuffix("it answered a hello of SSL 2.0; "+v.Detail, "; ")
			}
			return fmt.Sprintf("%s with %s", v.Name, count(len(v.Suites), "suite"))
		}
		return ""
	}
}

func lacks(r *Report, v iana.Version) string {
	if v := r.version(v); v.Told == No && r.best(iana.TLS13) != nil {
		return v.Name + ": " + v.Detail
	}
	return ""
}

// suites returns a function that lists the accepted suites whose name has one of the marks.
func suites(marks ...string) func(*Report) string {
	return func(r *Report) string {
		var names []string
		for _, v := range r.Versions {
			for _, x := range v.Suites {
				if slices.ContainsFunc(
					marks,
					func(m string) bool { return strings.Contains(x.Name, m) },
				) &&
					!slices.Contains(names, x.Name) {
					names = append(names, x.Name)
				}
			}
		}
		return few(names)
	}
}

func primes(bad func(Prime) bool) func(*Report) string {
	return func(r *Report) string {
		var texts []string
		for _, p := range r.Primes {
			if bad(p) {
				texts = append(texts, fmt.Sprintf("%d bits with %s", p.Bits, p.Suite))
			}
		}
		return few(texts)
	}
}

func chains(bad func(*Report, *Chain) string) func(*Report) string {
	return func(r *Report) string {
		var texts []string
		for i := range r.Chains {
			if s := bad(r, &r.Chains[i]); s != "" {
				texts = append(texts, s)
			}
		}
		return few(texts)
	}
}

// few joins texts, the first of them.
func few(texts []string) string {
	const most = 6
	if len(texts) > most {
		return strings.Join(texts[:most], ", ") + fmt.Sprintf(" and %d more", len(texts)-most)
	}
	return strings.Join(texts, ", ")
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
