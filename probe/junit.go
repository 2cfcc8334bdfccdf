package probe

import (
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"strings"
)

// The elements of JUnit's reports, in the strict form that is commonly validated against: a suite
// for each server, a case for each kind of finding and each question.
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Package    string    `xml:"package,attr"`
		ID         int       `xml:"id,attr"`
		Name       string    `xml:"name,attr"`
		Host       string    `xml:"hostname,attr"`
		Timestamp  string    `xml:"timestamp,attr"`
		Tests      int       `xml:"tests,attr"`
		Failures   int       `xml:"failures,attr"`
		Errors     int       `xml:"errors,attr"`
		Time       string    `xml:"time,attr"`
		Properties struct{}  `xml:"properties"`
		Cases      []junitOf `xml:"testcase"`
		Out        string    `xml:"system-out"`
		Err        string    `xml:"system-err"`
	}
	junitOf struct {
		Name    string     `xml:"name,attr"`
		Class   string     `xml:"classname,attr"`
		Time    string     `xml:"time,attr"`
		Skipped *struct{}  `xml:"skipped"`
		Error   *junitText `xml:"error"`
		Failure *junitText `xml:"failure"`
	}
	junitText struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes reports as JUnit XML. A finding of the threshold or worse is a failure, a
// question that was not told is an error, and one that does not apply is skipped.
func WriteJUnit(w io.Writer, reports []*Report, threshold Severity) error {
	var all junitSuites
	for i, r := range reports {
		all.Suites = append(all.Suites, r.junit(i, threshold))
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", " ")
	if err := e.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (r *Report) junit(id int, threshold Severity) junitSuite {
	host, _, err := net.SplitHostPort(r.Target)
	if err != nil {
		host = r.Target
	}
	s := junitSuite{Package: "vitrine.probe", ID: id, Name: r.Label(), Host: host,
		Timestamp: r.At.UTC().Format("2006-01-02T15:04:05"),
		Time:      fmt.Sprintf("%.3f", r.Took.Seconds()), Err: r.Problem}
	class := "vitrine.probe." + strings.ReplaceAll(host, ".", "_")
	add := func(name string) *junitOf {
		s.Cases = append(s.Cases, junitOf{Name: name, Class: class, Time: "0"})
		s.Tests++
		return &s.Cases[len(s.Cases)-1]
	}
	reached := add("reached")
	if !r.Reached {
		reached.Error = &junitText{r.Problem, "not reached", r.Problem}
		s.Errors++
		return s
	}
	found := map[string]*Finding{}
	for i := range r.Findings {
		found[r.Findings[i].ID] = &r.Findings[i]
	}
	for _, row := range rules {
		c, f := add(row.ID), found[row.ID]
		delete(found, row.ID)
		if fact := r.Fact(row.ID); f == nil && len(r.Facts) > 0 && fact.What != "" {
			switch fact.Told {
			case NotTold:
				c.Error = &junitText{fact.What + ": not told", "not told", fact.Detail}
				s.Errors++
			case NotApplicable:
				c.Skipped = &struct{}{}
			}
		}
		s.fail(c, f, threshold)
	}
	for i := range r.Findings { // of a policy
		if f := &r.Findings[i]; found[f.ID] != nil {
			s.fail(add(f.ID), f, threshold)
		}
	}
	return s
}

func (s *junitSuite) fail(c *junitOf, f *Finding, threshold Severity) {
	if f == nil || f.Severity.Weight() < threshold.Weight() {
		return
	}
	c.Failure = &junitText{f.What + ": " + f.Seen, string(f.Severity), f.Why + " (" + f.Ref + ")"}
	s.Failures++
}
