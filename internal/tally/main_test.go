package main

import (
	"bytes"
	"strings"
	"testing"
)

// The events of a package with a failed, a skipped or a passed test (ENDB), and a test with two
// subtests.
const some = `{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}
{"Action":"run","Package":"p","Test":"TestA/one"}
{"Action":"pass","Package":"p","Test":"TestA/one"}
{"Action":"run","Package":"p","Test":"TestA/two"}
{"Action":"pass","Package":"p","Test":"TestA/two"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:7: 2 cases\n"}
{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:8: chatter\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"run","Package":"p","Test":"TestB"}
{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:9: REASON\n"}
{"Action":"ENDB","Package":"p","Test":"TestB"}
{"Action":"output","Package":"p","Output":"PASS\n"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}
`

func TestTheTallyCountsAndFailsAsItShould(t *testing.T) {
	for _, c := range []struct {
		name, in string
		noSkips  bool
		ok       bool
		says     []string
	}{
		{"all well", some[:strings.Index(some, `{"Action":"run","Package":"p","Test":"TestB"}`)],
			true, true, []string{"TestA: 2 cases\n", "2 passed, 0 failed, 0 skipped\n"}},
		{"a failure", replace("ENDB", "fail"), false, false,
			[]string{"FAILED  p TestB\n", "REASON", "2 passed, 1 failed, 0 skipped\n"}},
		{"a skip", replace("ENDB", "skip"), false, true,
			[]string{"SKIPPED p TestB: REASON\n", "2 passed, 0 failed, 1 skipped\n"}},
		{"a skip where none may be", replace("ENDB", "skip"), true, false,
			[]string{"SKIPPED p TestB: REASON\n", "1 tests were skipped"}},
		{"a skip for want of ../shared",
			replace("ENDB", "skip", "REASON", "../shared/captures is not there"), true, true,
			[]string{"0 failed, 1 skipped\n"}},
		{"a skip for want of LIMBO",
			replace("ENDB", "skip", "REASON", "LIMBO does not name the suite"), true, true,
			[]string{"0 failed, 1 skipped\n"}},
		{"a skip for want of BOGO_RUNNER",
			replace("ENDB", "skip", "REASON", "BOGO_RUNNER names no runner"), true, true,
			[]string{"0 failed, 1 skipped\n"}},
		{"a skip for want of a part of another program",
			replace("ENDB", "skip", "REASON", "this GnuTLS was built without zlib"), true, true,
			[]string{"0 failed, 1 skipped\n"}},
		{"a skip that -short asks for",
			replace("ENDB", "skip", "REASON", "with -short: two thousand runs"), true, true,
			[]string{"0 failed, 1 skipped\n"}},
		{"a package that does not compile", `{"Action":"build-output","Output":"x.go:1: oops\n"}` +
			"\n" + `{"Action":"fail","Package":"p"}` + "\n" + replace("ENDB", "pass"), false, false,
			[]string{"x.go:1: oops\n"}},
		{"nothing", "", false, false, []string{"0 passed, 0 failed, 0 skipped\n"}},
		{"no JSON", "go: cannot find main module\n", false, false,
			[]string{"go: cannot find main module\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			y := newTally(&out)
			if err := y.read(strings.NewReader(c.in)); err != nil {
				t.Fatal(err)
			}
			if ok := y.report(c.noSkips); ok != c.ok {
				t.Errorf("got the verdict %v, expected %v", ok, c.ok)
			}
			if strings.Contains(out.String(), "chatter") {
				t.Errorf("got %s\nexpected counts alone of what passed", &out)
			}
			for _, s := range c.says {
				if !strings.Contains(out.String(), s) {
					t.Errorf("got %s\nexpected %q in it", &out, s)
				}
			}
		})
	}
}

func replace(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(some) }
