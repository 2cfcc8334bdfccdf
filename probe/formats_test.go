package probe_test

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/broken"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/probe"
)

// What is read by other programs has the members that they need, one result for each finding, and
// says what was not reached.
func TestFormatsFollowTheirSchemas(t *testing.T) {
	old := ask(t, listen(t, broken.Stdlib(&tls.Config{Certificates: []tls.Certificate{
		rig.Certificate(t, throwaway.ECDSA)}, MinVersion: tls.VersionTLS10,
		MaxVersion: tls.VersionTLS12})))
	old.Target = "[2001:db8::1]:443"
	gone := &probe.Report{Target: "gone.example:443", Problem: "not reached: <no> such host"}
	reports := []*probe.Report{old, gone}

	var b bytes.Buffer
	if err := probe.WriteSARIF(&b, reports); err != nil {
		t.Fatal(err)
	}
	var log struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct {
					Name  string
					Rules []struct{ ID string }
				}
			}
			Invocations []struct{ ExecutionSuccessful bool }
			Results     []struct {
				RuleID, Level string
				Message       struct{ Text string }
				Locations     []struct {
					PhysicalLocation struct{ ArtifactLocation struct{ URI string } }
				}
				PartialFingerprints map[string]string
			}
		}
	}
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if log.Version != "2.1.0" || run.Tool.Driver.Name == "" ||
		run.Invocations[0].ExecutionSuccessful ||
		len(run.Results) != len(old.Findings) ||
		len(run.Results) != len(run.Tool.Driver.Rules) {
		t.Errorf("SARIF: %s", b.Bytes())
	}
	for i, x := range run.Results {
		uri := x.Locations[0].PhysicalLocation.ArtifactLocation.URI
		if x.RuleID != old.Findings[i].ID || x.Message.Text == "" || strings.Contains(uri, ":") ||
			len(x.PartialFingerprints) == 0 {
			t.Errorf("result %+v", x)
		}
	}

	b.Reset()
	if err := probe.WriteJUnit(&b, reports, probe.High); err != nil {
		t.Fatal(err)
	}
	var suites struct {
		Suite []struct {
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
			Errors   int `xml:"errors,attr"`
			Case     []struct {
				Name    string    `xml:"name,attr"`
				Failure *struct{} `xml:"failure"`
				Error   *struct{} `xml:"error"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(b.Bytes(), &suites); err != nil {
		t.Fatal(err)
	}
	high := 0
	for _, f := range old.Findings {
		if f.Severity == probe.High {
			high++
		}
	}
	if s := suites.Suite[0]; s.Failures != high || high == 0 || s.Tests != len(s.Case) {
		t.Errorf("JUnit: %d failures of %d tests, %d were expected", s.Failures, s.Tests, high)
	}
	if s := suites.Suite[1]; s.Errors != 1 || s.Case[0].Error == nil {
		t.Errorf("JUnit of an unreached server: %+v", s)
	}

	b.Reset()
	if err := probe.WriteTestssl(&b, reports); err != nil {
		t.Fatal(err)
	}
	var rows []struct{ ID, IP, Port, Severity, Finding string }
	if err := json.Unmarshal(b.Bytes(), &rows); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, x := range rows {
		got[x.ID] = x.Severity
	}
	for id, severity := range map[string]string{"TLS1": "LOW", "TLS1_2": "OK", "SSLv3": "OK",
		"heartbleed": "OK", "cert_chain_of_trust": "OK", "scanProblem": "FATAL"} {
		if got[id] != severity {
			t.Errorf("%s is %q, expected %q", id, got[id], severity)
		}
	}
}
