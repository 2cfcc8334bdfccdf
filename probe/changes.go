package probe

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
)

// maxReports bounds what Read takes, in bytes: a report has some 40 KB.
const maxReports = 1 << 30

// Read reads reports as encoding/json writes them, one after the other. A report that was made by a
// later version of this package may have fields that are ignored.
func Read(r io.Reader) (reports []*Report, err error) {
	d := json.NewDecoder(io.LimitReader(r, maxReports))
	for {
		report := &Report{}
		switch err := d.Decode(report); {
		case errors.Is(err, io.EOF):
			return reports, nil
		case err != nil:
			return reports, fmt.Errorf("probe: report %d cannot be read: %w", len(reports)+1, err)
		case report.Target == "" || report.At.IsZero():
			return reports, fmt.Errorf("probe: object %d is not a report of a probe",
				len(reports)+1)
		}
		if err := report.restore(); err != nil {
			return reports, fmt.Errorf("probe: report %d: %w", len(reports)+1, err)
		}
		reports = append(reports, report)
	}
}

// restore finds the numbers of what a report names. A report with an unknown version or severity is
// refused, because these texts are shown as they are.
func (r *Report) restore() error {
	for _, f := range r.Findings {
		if f.Severity.Weight() < 0 {
			return fmt.Errorf("there is no severity %q", f.Severity)
		}
	}
	for i := range r.Versions {
		v := &r.Versions[i]
		for _, known := range versions {
			if known.String() == v.Name {
				v.version = known
			}
		}
		if v.Name == ssl2Name {
			v.version = ssl2
		}
		if v.version == 0 {
			return fmt.Errorf("there is no version %q", v.Name)
		}
		for j := range v.Suites {
			v.Suites[j].id, _ = iana.SuiteByName(v.Suites[j].Name)
		}
	}
	for i := range r.Groups {
		r.Groups[i].id, _ = iana.GroupByName(r.Groups[i].Name)
	}
	for i := range r.Schemes {
		r.Schemes[i].id, _ = iana.SchemeByName(r.Schemes[i].Name)
	}
	return nil
}

// Since compares r with an earlier report of the same server, and notes the changes in r.
func (r *Report) Since(old *Report) {
	r.since, r.Changes, r.Compared = old, []Change{}, &old.At
	r.changed("reached", yes(old.Reached), yes(r.Reached))
	if !r.Reached || !old.Reached {
		return
	}
	for _, v := range r.Versions {
		was := old.version(v.version)
		r.changed(v.Name, string(was.Told), string(v.Told))
		r.lists("suite of "+v.Name, names(was.Suites), names(v.Suites))
		r.changed("whose order of suites counts in "+v.Name, was.Order, v.Order)
	}
	r.lists("group", old.groupNames(), r.groupNames())
	r.lists("signature scheme", old.schemeNames(), r.schemeNames())
	r.lists("certificate", old.leaves(), r.leaves())
	for _, c := range r.Chains {
		for _, was := range old.Chains {
			if c.Pin == was.Pin && c.NotAfter.Equal(was.NotAfter) {
				r.changed("trust in "+c.Subject, string(was.Trusted), string(c.Trusted))
			}
		}
	}
	r.lists("prime", old.primeNames(), r.primeNames())
	for _, f := range r.Facts {
		if was := old.Fact(f.ID); was.What != "" {
			r.changed(f.What, string(was.Told), string(f.Told))
		}
	}
	r.lists("finding", old.findingNames(), r.findingNames())
}

func yes(b bool) string {
	if b {
		return string(Yes)
	}
	return string(No)
}

// changed notes that a value changed.
func (r *Report) changed(what, was, is string) {
	if was != is {
		r.Changes = append(r.Changes, Change{what, was, is})
	}
}

// lists notes what is in one list only.
func (r *Report) lists(what string, was, is []string) {
	for _, x := range was {
		if !slices.Contains(is, x) {
			r.changed(what, x, "")
		}
	}
	for _, x := range is {
		if !slices.Contains(was, x) {
			r.changed(what, "", x)
		}
	}
}

func (r *Report) groupNames() (all []string) {
	for _, g := range r.Groups {
		all = append(all, g.Name+" in "+g.Version)
	}
	return all
}

func (r *Report) schemeNames() (all []string) {
	for _, x := range r.Schemes {
		all = append(all, x.Name+" in "+x.Version)
	}
	return all
}

func (r *Report) primeNames() (all []string) {
	for _, p := range r.Primes {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%d bits %s", p.Bits, p.Known)))
	}
	return all
}

func (r *Report) leaves() (all []string) {
	for _, c := range r.Chains {
		all = append(all, fmt.Sprintf("%s, %s %d, until %s, %s", c.Subject, c.Key.Type, c.Key.Bits,
			c.NotAfter.UTC().Format(time.RFC3339), c.Pin))
	}
	return all
}

func (r *Report) findingNames() (all []string) {
	for _, f := range r.Findings {
		all = append(all, string(f.Severity)+" "+f.What)
	}
	return all
}

// baseline returns whether a finding is new since the report that r was compared with, in SARIF's
// words; "" if r was not compared.
func (r *Report) baseline(f *Finding) string {
	if r.since == nil {
		return ""
	}
	old := r.since.finding(f.ID)
	switch {
	case old == nil:
		return "new"
	case old.Seen == f.Seen && old.Severity == f.Severity:
		return "unchanged"
	}
	return "updated"
}

// finding returns the finding with an ID, or nil.
func (r *Report) finding(id string) *Finding {
	i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.ID == id })
	if i < 0 {
		return nil
	}
	return &r.Findings[i]
}

// gone returns the findings of the earlier report that r does not have.
func (r *Report) gone() (gone []Finding) {
	if r.since == nil || !r.Reached {
		return nil
	}
	for _, old := range r.since.Findings {
		if r.finding(old.ID) == nil {
			gone = append(gone, old)
		}
	}
	return gone
}
