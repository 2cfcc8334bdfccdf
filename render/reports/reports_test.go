package reports_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/probe"
	"github.com/vitrine-tls/vitrine/render/reports"
)

// What a server sent stays text, and what was not asked is not in the page.
func TestThePageOfReportsKeepsTextAsText(t *testing.T) {
	evil := "<script>alert(1)</script>\x1b[31m\u202e"
	r := &probe.Report{
		Target:  "a.example:443",
		Reached: true,
		At:      time.Unix(1e9, 0).UTC(),
		Versions: []probe.Version{{Name: "TLS 1.3", Told: probe.Yes,
			Suites: []probe.Suite{{Name: "TLS_AES_128_GCM_SHA256"}}}, {Name: "TLS 1.2",
			Told: probe.NotTold, Detail: evil}},
		Chains: []probe.Chain{
			{Subject: evil, Names: []string{evil}, Trusted: probe.No, Trust: evil},
		},
		Facts: []probe.Fact{
			{What: "compresses", Told: probe.No, How: probe.Inferred, Detail: evil},
		},
		Findings: []probe.Finding{{Severity: probe.High, What: "a finding", Seen: evil}},
	}
	gone := &probe.Report{Target: "b.example:443", Problem: "not reached: " + evil}
	for _, list := range [][]*probe.Report{{r}, {r, gone}} {
		var b bytes.Buffer
		if err := reports.Write(&b, list); err != nil {
			t.Fatal(err)
		}
		page := b.String()
		if strings.Contains(page, "<script") || strings.ContainsAny(page, "\x1b\u202e") {
			t.Error("a text of the server's became markup, or moves the cursor")
		}
		for _, want := range []string{"a.example:443", "TLS 1.3", "not told", "inferred",
			"a finding",
			"default-src &#39;none&#39;; style-src"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page lacks %q", want)
			}
		}
		if index := strings.Contains(page, `href="#server-2"`); index != (len(list) > 1) {
			t.Errorf("index %v for %d reports", index, len(list))
		}
	}
}
