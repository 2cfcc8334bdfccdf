// Package reports writes the reports of package probe as one page, in the look of package html. It
// is apart from that package so that the page of a connection does not bring along all that probe
// needs.
//
// It has no compatibility promise, except for what Vitrine's API refers to.
package reports

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/probe"
	"github.com/vitrine-tls/vitrine/render/html"
)

//go:embed page/reports.css
var style string

//go:embed page/reports.gohtml
var markup string

var page = template.Must(template.New("reports.gohtml").Funcs(template.FuncMap{
	"text": explain.Escape,
}).Parse(markup))

// reportsView is what reports.gohtml shows.
type reportsView struct {
	Title   string
	Policy  string
	Style   template.CSS
	Reports []reportView
}

// reportView is a report with what the page says of it besides.
type reportView struct {
	*probe.Report
	ID      string
	Date    string
	Seconds string
	Since   string
	Spoken  string // versions
	Lists   []reportList
}

// reportList is a row of groups, signature schemes or primes.
type reportList struct{ Name, Version, Text string }

// Write writes reports of package probe as one page, with an index if there are several. It
// has no script, and no secrets. It returns an error if writing to w fails.
func Write(w io.Writer, reports []*probe.Report) error {
	style := html.Style() + "\n" + strings.TrimSpace(style)
	v := reportsView{Title: fmt.Sprintf("%d servers · Vitrine TLS probe", len(reports)),
		Policy: "default-src 'none'; style-src '" + html.Hash(style) +
			"'; base-uri 'none'; form-action 'none'",
		Style: template.CSS(style)}
	if len(reports) == 1 {
		v.Title = reports[0].Label() + " · Vitrine TLS probe"
	}
	for i, r := range reports {
		v.Reports = append(v.Reports, newReportView(i, r))
	}
	return page.Execute(w, v)
}

func newReportView(i int, r *probe.Report) reportView {
	v := reportView{Report: r, ID: fmt.Sprintf("server-%d", i+1),
		Date:    r.At.Format("2006-01-02 15:04 MST"),
		Seconds: fmt.Sprintf("%.1f", r.Took.Seconds())}
	if r.Compared != nil {
		v.Since = r.Compared.Format("2006-01-02 15:04 MST")
	}
	var spoken []string
	for _, x := range r.Versions {
		if x.Told == probe.Yes {
			spoken = append(spoken, x.Name)
		}
	}
	v.Spoken = strings.Join(spoken, ", ")
	add := func(name, version string, texts []string) {
		if len(texts) > 0 {
			v.Lists = append(v.Lists, reportList{name, version, strings.Join(texts, ", ")})
		}
	}
	for _, version := range []string{"TLS 1.3", "TLS 1.2"} {
		var groups, schemes []string
		for _, g := range r.Groups {
			if g.Version == version {
				groups = append(groups, g.Name)
			}
		}
		for _, x := range r.Schemes {
			if x.Version == version {
				schemes = append(schemes, x.Name)
			}
		}
		add("groups", version, groups)
		add("signatures", version, schemes)
	}
	for _, p := range r.Primes {
		known := p.Known
		if known == "" {
			known = "of no group that is known here"
		}
		add("prime", "", []string{fmt.Sprintf("%d bits, %s", p.Bits, known)})
	}
	return v
}
