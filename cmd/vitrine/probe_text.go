package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/probe"
)

// print writes one report.
func (o *probeOptions) print(cmd *cobra.Command, r *probe.Report, next, known bool) error {
	out := cmd.OutOrStdout()
	if o.json {
		return writeJSON(out, r)
	}
	if next {
		fmt.Fprintln(out)
	}
	w := &reportText{lines{fit(out)}, r, o, known}
	w.write()
	return nil
}

// reportText writes a report for people: the good first.
type reportText struct {
	lines
	r     *probe.Report
	o     *probeOptions
	known bool // from --state
}

func (w *reportText) write() {
	r := w.r
	w.title("Vitrine TLS · probe " + r.Label())
	if r.Problem != "" {
		w.put("problem", "%s", r.Problem)
	}
	if r.Reached {
		w.good()
		w.versions()
		w.certificates()
		w.facts()
		w.findings(w.lines.w)
	}
	w.changes()
	took := fmt.Sprintf("%.1f s", r.Took.Seconds())
	var again []string
	for _, o := range slices.Sorted(maps.Keys(r.Retries)) {
		again = append(again, fmt.Sprintf("%d %s", r.Retries[o], o))
	}
	if len(again) > 0 {
		took += "; questions asked again: " + strings.Join(again, ", ")
	}
	if w.known {
		took += "; that was on " + r.At.Local().Format("2006-01-02 at 15:04") + ", and " +
			w.o.state +
			" has it"
	}
	w.title(fmt.Sprintf("%s in %s.", explain.Count(r.Connections, "connection"), took))
}

// good prints what is right with the server.
func (w *reportText) good() {
	w.title("GOOD")
	good := w.r.Good()
	for _, what := range good {
		w.put("+", "%s", what)
	}
	if len(good) == 0 {
		w.put("", "nothing of note")
	}
}

// changes prints the differences from an earlier report.
func (w *reportText) changes() {
	if w.r.Compared == nil {
		if w.o.earlier != nil {
			w.title("SINCE THEN")
			w.put("", "%s has no report of this server", w.o.compare)
		}
		return
	}
	w.title("SINCE " + w.r.Compared.Local().Format("2006-01-02 15:04"))
	for _, c := range w.r.Changes {
		w.put("", "%s", c)
	}
	if len(w.r.Changes) == 0 {
		w.put("", "nothing changed")
	}
}

func (w *reportText) versions() {
	w.title("VERSIONS AND SUITES")
	for _, v := range w.r.Versions {
		text := string(v.Told)
		if len(v.Suites) > 0 {
			text += ", " + explain.Count(len(v.Suites), "suite")
		}
		if v.Order != "" {
			text += ", the " + v.Order + "'s order counts"
			if v.ChaCha {
				text += ", but ChaCha20 comes first if the client prefers it"
			}
		}
		w.put(v.Name, "%s", explain.Join("; ", text, v.Detail))
		for i, s := range v.Suites {
			if i == 5 && !w.o.detail && len(v.Suites) > 7 {
				w.put("", "  … and %d more: --detail", len(v.Suites)-i)
				break
			}
			with := "" // any group that the server has, but a prime goes with its suite
			if s.Bits > 0 {
				with = fmt.Sprintf("%s, %d bits", s.Group, s.Bits)
			}
			w.put("", "  %s", explain.Join("  ", s.Name, with))
		}
	}
	var by = map[string][]string{}
	for _, g := range w.r.Groups {
		by[g.Version] = append(by[g.Version], g.Name)
	}
	for _, v := range []string{"TLS 1.3", "TLS 1.2"} {
		if len(by[v]) > 0 {
			w.put("groups", "%s: %s", w.until(v), strings.Join(by[v], ", "))
		}
	}
	by = map[string][]string{}
	for _, x := range w.r.Schemes {
		by[x.Version] = append(by[x.Version], x.Name)
	}
	for _, v := range []string{"TLS 1.3", "TLS 1.2"} {
		if len(by[v]) > 0 {
			w.put("signatures", "%s: %s", v, strings.Join(by[v], ", "))
		}
	}
	for _, p := range w.r.Primes {
		known := "of no group that is known here"
		if p.Known != "" {
			known = p.Known
		}
		w.put("prime", "%d bits, %s, with %s", p.Bits, known, p.Suite)
	}
}

// until returns "TLS 1.2 and before", for which the groups were asked in the newest of them.
func (w *reportText) until(version string) string {
	if version == "TLS 1.3" {
		return version
	}
	return version + " and before"
}

func (w *reportText) certificates() {
	const day = "2006-01-02"
	for _, c := range w.r.Chains {
		w.title("CERTIFICATE")
		w.put("subject", "%s", c.Subject)
		w.put("names", "%s", strings.Join(c.Names, ", "))
		w.put("issuer", "%s", c.Issuer)
		w.put(
			"key",
			"%s, signed with %s",
			explain.Join(" ", c.Key.Type, fmt.Sprint(c.Key.Bits)),
			c.Signed,
		)
		w.put("valid", "%s to %s", c.NotBefore.Format(day), c.NotAfter.Format(day))
		trust := "yes"
		if c.Trusted != probe.Yes {
			trust = strings.ToUpper(string(c.Trusted)) + ": " + c.Trust
		}
		w.put("trusted", "%s", trust)
		w.put("pin", "%s", c.Pin)
	}
}

func (w *reportText) facts() {
	w.title("ANSWERS")
	for _, f := range w.r.Facts {
		if f.Told == probe.NotApplicable && !w.o.detail {
			continue
		}
		text := f.What
		if f.Detail != "" {
			text += ": " + f.Detail
		}
		if f.How == probe.Inferred {
			text += " [inferred]"
		}
		w.put(string(f.Told), "%s", text)
	}
}

func (w *reportText) findings(out io.Writer) {
	if len(w.r.Findings) == 0 {
		w.title("FINDINGS")
		w.put("", "none of what was asked")
		return
	}
	w.title("FINDINGS")
	for _, f := range w.r.Findings {
		w.put(string(f.Severity), "%s: %s (%s)", f.What, f.Why, f.Ref)
		w.put("", "seen: %s", f.Seen)
		if w.o.detail && f.Bytes != "" {
			w.put("", "in:   %s", f.Bytes)
		}
	}
	mends := map[string][]string{}
	var order []string
	for _, f := range w.r.Findings {
		if f.Severity == probe.Info && !w.o.detail {
			continue
		}
		for _, m := range f.Mend {
			if mends[m.For] == nil {
				order = append(order, m.For)
			}
			if !slices.Contains(mends[m.For], m.Line) {
				mends[m.For] = append(mends[m.For], m.Line)
			}
		}
	}
	if len(order) > 0 {
		w.title("LINES THAT MEND IT")
	}
	for _, program := range order {
		fmt.Fprintf(out, "  %s\n", program)
		for _, line := range mends[program] {
			fmt.Fprintf(out, "    %s\n", line) // not wrapped: it is to be copied
		}
	}
}
