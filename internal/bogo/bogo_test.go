// Package bogo runs BoringSSL's tests of TLS against Vitrine. See README.md.
package bogo

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// configuration is what the runner reads of config.json, too.
type configuration struct {
	DisabledTests map[string]string // reasons, by pattern of path.Match
}

// patterns returns those that disable a test.
func (c *configuration) patterns(test string) (all []string) {
	for p := range c.DisabledTests {
		if ok, err := path.Match(p, test); ok || err != nil {
			all = append(all, p)
		}
	}
	return all
}

func readConfiguration(t *testing.T) *configuration {
	t.Helper()
	b, err := os.ReadFile("config.json")
	if err != nil {
		t.Fatal(err)
	}
	c := &configuration{}
	if err := json.Unmarshal(b, c); err != nil {
		t.Fatal(err)
	}
	for p, reason := range c.DisabledTests {
		if _, err := path.Match(p, ""); err != nil || len(reason) < 8 {
			t.Errorf("the pattern %q with the reason %q: %v", p, reason, err)
		}
	}
	return c
}

// results are what the runner found, by test: "PASS", "FAIL" or "SKIP".
type results map[string]string

func (r results) count(result string) (n int) {
	for _, got := range r {
		if got == result {
			n++
		}
	}
	return n
}

// run starts the runner with the shim, which gets the extra flags.
func run(t *testing.T, runner, shim, extra string) results {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.json")
	cmd := exec.Command(runner, "-shim-path", shim, "-shim-extra-flags", extra, "-pipe",
		"-shim-config", "config.json", "-include-disabled",
		"-allow-unimplemented", "-json-output", out,
		"-skip", "DTLS*;QUIC*;*-DTLS*;*-QUIC*")
	log, err := cmd.CombinedOutput() // the runner's status is 1 as soon as a test fails
	b, readErr := os.ReadFile(out)
	if readErr != nil {
		t.Fatalf("%v: %v\n%s", err, readErr, log[:min(len(log), 1000)])
	}
	var all struct {
		Tests map[string]struct{ Actual string }
	}
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	r := results{}
	for name, test := range all.Tests {
		r[name] = test.Actual
	}
	if len(r) < 5000 {
		t.Fatalf("the runner knows %d tests, expected some 5,200", len(r))
	}
	return r
}

// Every test passes, needs what the shim has not, or has a reason to fail; and every reason is
// needed. What also a shim passes that refuses every connection is counted apart.
func TestBoringSSLsRunner(t *testing.T) {
	config := readConfiguration(t)
	runner := os.Getenv("BOGO_RUNNER")
	if runner == "" {
		t.Skip("BOGO_RUNNER does not name the runner of BoringSSL's tests: see README.md")
	}
	runner, err := filepath.Abs(runner)
	if err != nil {
		t.Fatal(err)
	}
	shim := filepath.Join(t.TempDir(), "shim")
	if out, err := exec.Command("go", "build", "-o", shim, "./shim").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got, refusing := run(t, runner, shim, ""), run(t, runner, shim, "-refuse")
	needed, disabled, vacuous := map[string]bool{}, 0, 0
	for _, name := range sorted(got) {
		switch patterns := config.patterns(name); {
		case got[name] == "PASS" && refusing[name] == "PASS":
			vacuous++
		case got[name] == "FAIL" && patterns == nil:
			t.Errorf("%s failed", name)
		case got[name] == "FAIL":
			for _, p := range patterns {
				needed[p] = true
			}
			disabled++
		}
	}
	for pattern := range config.DisabledTests {
		if !needed[pattern] {
			t.Errorf("no test needs the reason for %q any more", pattern)
		}
	}
	t.Logf("%d tests: %d passed, %d of them as also a shim does that refuses everything, "+
		"%d failed with a reason, %d unimplemented", len(got), got.count("PASS"), vacuous, disabled,
		got.count("SKIP"))
	countMeaningful(t, got)
}

// goals are how many of the tests in testdata/meaningful.tsv.gz must pass, by whether TLS 1.3 is
// the highest version that runner and shim both allow.
var goals = map[bool]int{false: 2000, true: 1000}

// countMeaningful counts the tests that nobody passes who only fails connections or never does TLS,
// and which of them ask for -async, for which there is only one way here.
func countMeaningful(t *testing.T, got results) {
	t.Helper()
	packed, err := os.Open("testdata/meaningful.tsv.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	list, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	all, passed, async := map[bool]int{}, map[bool]int{}, map[bool]int{}
	for lines := bufio.NewScanner(list); lines.Scan(); {
		name, what, _ := strings.Cut(lines.Text(), "\t")
		tls13 := strings.HasPrefix(what, "1.3")
		all[tls13]++
		if got[name] == "PASS" {
			passed[tls13]++
			if strings.HasSuffix(what, "async") {
				async[tls13]++
			}
		}
	}
	for _, tls13 := range []bool{false, true} {
		t.Logf("TLS 1.3: %v: %d of %d tests that ask for more than a failure passed, %d of them "+
			"with -async", tls13, passed[tls13], all[tls13], async[tls13])
		if passed[tls13] < goals[tls13] {
			t.Errorf("TLS 1.3: %v: %d passed, the goal is %d", tls13, passed[tls13], goals[tls13])
		}
	}
}

func sorted(r results) (names []string) {
	for name := range r {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
