// Tally reads the output of `go test -json`, prints a summary for people, and counts.
//
// It prints what packages print, the output of failed tests, the counts that passed tests log, and
// every skipped test with its reason. The last line is "N passed, N failed, N skipped", in which a
// test with subtests is not counted besides them, and the seeds of a fuzz target not besides it. It
// exits with 1 if a test or a package failed, or if no test passed. With -no-skips it also fails if
// a test was skipped, unless the reason names what is not part of the repository and cannot be
// installed: the folder ../shared, BOGO_RUNNER, LIMBO, BETTERTLS or TLSFUZZER, or a part that
// another program "was built without"; or says that the test runs "on command: ", or not "with
// -short: ".
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
)

// event is a line of test2json, or of the build before the test.
type event struct {
	Action, Package, Test, Output string
}

// tally collects results.
type tally struct {
	out    io.Writer
	output map[string][]string // by test, until it ends
	parent map[string]bool     // tests that have subtests

	results map[string][]string // the tests that ended with pass, fail or skip
	skips   []string            // with reasons
	broken  bool                // a package failed
}

func main() {
	noSkips := flag.Bool("no-skips", false, "fail if a test was skipped")
	flag.Parse()
	t := newTally(os.Stdout)
	if err := t.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "tally:", err)
		os.Exit(1)
	}
	if !t.report(*noSkips) {
		os.Exit(1)
	}
}

func newTally(out io.Writer) *tally {
	return &tally{out: out, output: map[string][]string{}, parent: map[string]bool{},
		results: map[string][]string{}}
}

func (t *tally) read(r io.Reader) error {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		var e event
		switch {
		case len(line) == 0:
		case json.Unmarshal(line, &e) != nil:
			fmt.Fprintf(t.out, "%s", line) // go's own words
		case e.Test == "":
			t.aside(e)
		default:
			t.test(e)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// aside handles an event about a package.
func (t *tally) aside(e event) {
	switch e.Action {
	case "build-output":
		fmt.Fprint(t.out, e.Output)
	case "output":
		if e.Output != "PASS\n" && e.Output != "FAIL\n" &&
			!strings.HasPrefix(e.Output, "coverage:") &&
			e.Output != "testing: warning: no tests to run\n" {
			fmt.Fprint(t.out, e.Output)
		}
	case "fail", "build-fail":
		t.broken = true
	}
}

var (
	absent = regexp.MustCompile(`\.\./shared|BOGO_RUNNER|LIMBO |BETTERTLS |TLSFUZZER |` +
		`was built without|on command: |with -short: `)
	logged  = regexp.MustCompile(`^ +\S+_test\.go:\d+: (.*)`) // a line of t.Log or t.Skip
	counted = regexp.MustCompile(`(^|: )\d[\d,]* `)           // "12 cases", "file.json: 12 cases"
)

func (t *tally) test(e event) {
	key := e.Package + " " + e.Test
	if seed := strings.HasPrefix(e.Test, "Fuzz") && strings.Contains(e.Test, "/"); seed &&
		e.Action != "fail" && e.Action != "output" {
		return // a fuzz target is one test, however many seeds it has
	}
	switch e.Action {
	case "run":
		for name := e.Test; strings.Contains(name, "/"); {
			name = name[:strings.LastIndex(name, "/")]
			t.parent[e.Package+" "+name] = true
		}
	case "output":
		if !strings.HasPrefix(e.Output, "=== ") {
			t.output[key] = append(t.output[key], e.Output)
		}
	case "pass", "fail", "skip":
		t.results[e.Action] = append(t.results[e.Action], key)
		t.ended(e, t.output[key])
		delete(t.output, key)
	}
}

func (t *tally) ended(e event, lines []string) {
	switch e.Action {
	case "fail":
		fmt.Fprintf(t.out, "FAILED  %s %s\n%s", e.Package, e.Test, strings.Join(lines, ""))
	case "pass":
		if !strings.Contains(e.Test, "/") {
			for _, line := range logs(lines) {
				if counted.MatchString(line) {
					fmt.Fprintf(t.out, "        %s %s: %s\n", path.Base(e.Package), e.Test, line)
				}
			}
		}
	case "skip":
		t.skips = append(t.skips,
			fmt.Sprintf("%s %s: %s", e.Package, e.Test, strings.Join(logs(lines), "; ")))
	}
}

func logs(lines []string) (out []string) {
	for _, line := range lines {
		if m := logged.FindStringSubmatch(line); m != nil {
			out = append(out, m[1])
		}
	}
	return out
}

// count returns the number of tests with a result, except those that have subtests.
func (t *tally) count(action string) int {
	return len(slices.DeleteFunc(slices.Clone(t.results[action]),
		func(key string) bool { return t.parent[key] }))
}

// report prints the results, and reports whether all is well.
func (t *tally) report(noSkips bool) bool {
	wrong := t.skips
	if noSkips {
		wrong = slices.DeleteFunc(slices.Clone(t.skips),
			func(s string) bool {
				return absent.MatchString(s)
			})
	}
	for _, s := range t.skips {
		fmt.Fprintln(t.out, "SKIPPED", s)
	}
	passed, failed := t.count("pass"), t.count("fail")
	ok := passed > 0 && len(t.results["fail"]) == 0 && !t.broken
	if noSkips && len(wrong) > 0 {
		fmt.Fprintf(t.out, "FAILED  %d tests were skipped, and nothing may be skipped here\n",
			len(wrong))
		ok = false
	}
	fmt.Fprintf(t.out, "%d passed, %d failed, %d skipped\n", passed, failed, t.count("skip"))
	return ok
}
