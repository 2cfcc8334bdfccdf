package probe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/iana"
)

// rule is a row of the table of findings. seen returns what shows it, or "" if nothing does.
type rule struct {
	Finding
	seen func(*Report) string
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
