package probe

import (
	"encoding/json"
	"io"
	"strings"
)

// The members of SARIF 2.1.0 that are written. See the OASIS standard, sections 3.13 to 3.27.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name  string      `json:"name"`
		Rules []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID          string          `json:"id"`
		Description sarifText       `json:"shortDescription"`
		Full        sarifText       `json:"fullDescription"`
		Help        sarifText       `json:"help"`
		Properties  sarifProperties `json:"properties"`
	}
	sarifProperties struct {
		Tags     []string `json:"tags"`
		Severity string   `json:"security-severity"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level   string    `json:"level"`
		Message sarifText `json:"message"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		Level        string            `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints"`
		// of a report that was compared
		Baseline string `json:"baselineState,omitempty"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
	sarifLogical struct {
		Name string `json:"name"`
		Kind string `json:"kind"`
	}
)

// levels are the severities in SARIF's words, and as numbers for those who sort by them.
var levels = map[Severity]struct{ level, number string }{
	Info: {"note", "2.0"}, Warn: {"warning", "5.0"}, High: {"error", "8.0"},
}

// WriteSARIF writes the findings of reports as SARIF 2.1.0: one rule for each kind of finding, and
// one result for each finding of each server. A location is "host/port", since what reads such
// files refuses addresses of the web.
func WriteSARIF(w io.Writer, reports []*Report) error {
	run := sarifRun{Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "vitrine probe", Rules: []sarifRule{}}
	known := map[string]bool{}
	done := sarifInvocation{Successful: true}
	for _, r := range reports {
		if !r.Reached {
			done.Successful = false
			done.Notifications = append(done.Notifications,
				sarifNotification{"error", sarifText{r.Label() + ": " + r.Problem}})
		}
		for _, f := range r.Findings {
			run.add(known, &f, r, r.baseline(&f))
		}
		for _, f := range r.gone() {
			run.add(known, &f, r, "absent")
		}
	}
	run.Invocations = []sarifInvocation{done}
	return writeIndented(w, sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0",
		[]sarifRun{run}})
}

// add adds a result, with its rule if it is the first of its kind.
func (run *sarifRun) add(known map[string]bool, f *Finding, r *Report, baseline string) {
	if !known[f.ID] {
		known[f.ID] = true
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, f.sarifRule())
	}
	run.Results = append(run.Results, f.sarifResult(r, baseline))
}

func (f *Finding) sarifRule() sarifRule {
	help := f.Why + " (" + f.Ref + ")"
	for _, m := range f.Mend {
		help += "\n" + m.For + ": " + m.Line
	}
	return sarifRule{f.ID, sarifText{f.What}, sarifText{f.Why}, sarifText{help},
		sarifProperties{[]string{"security", "tls"}, levels[f.Severity].number}}
}

func (f *Finding) sarifResult(r *Report, baseline string) sarifResult {
	where := r.Target
	if i := strings.LastIndexByte(where, ':'); i >= 0 {
		where = strings.Trim(where[:i], "[]") + "/" + where[i+1:]
	}
	where = strings.ReplaceAll(where, ":", "_") // of an IPv6 address: a colon would begin a scheme
	return sarifResult{f.ID, levels[f.Severity].level, sarifText{f.What + ": " + f.Seen},
		[]sarifLocation{{sarifPhysical{sarifArtifact{where}, sarifRegion{1}},
			[]sarifLogical{{r.Label(), "resource"}}}},
		map[string]string{"vitrine/v1": r.Label() + "#" + f.ID}, baseline}
}

func writeIndented(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(v)
}
