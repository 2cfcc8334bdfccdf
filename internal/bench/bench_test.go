package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// The workers of tests are this program too.
func TestMain(m *testing.M) {
	if worked() {
		return
	}
	os.Exit(m.Run())
}

// OpenSSL is among them where there is a compiler and libssl.
func TestEachStackDoesTheWorkOfARow(t *testing.T) {
	b, err := newBench(options{pairs: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(b.dir) })
	t.Log(b.machine)
	_, noHeader := os.Stat("/usr/include/openssl/ssl.h")
	_, noCompiler := exec.LookPath("cc")
	if b.openssl == "" && noHeader == nil && noCompiler == nil {
		t.Error("the harness was not built")
	}
	for _, r := range []row{
		resumed("resumed", job{What: byPSK, Version: tls13, Group: x25519}),
		moved("bulk", 0, 16<<10, job{Version: tls12, Suite: ecdsaGCM}),
		idle("idle", job{What: reading, Version: tls13}),
		beside("open", job{What: opened, Size: 3}),
		beside("held", job{What: held, Size: 3}),
	} {
		r.block, r.Size = 1, min(r.Size, 10)
		if r.What == bulk {
			r.Size = 16 << 10
		}
		got, err := b.measure(r)
		if err != nil {
			t.Fatalf("%s: %v", r.name, err)
		}
		t.Log(got.line())
		for i, j := range r.jobs() {
			expected := j.Stack != "" && (j.Stack != openSSL || b.openssl != "")
			if measured := len(got.stacks[i].samples) == 1; measured != expected {
				t.Errorf("%s: measured %q: %v, expected %v", r.name, j.Stack, measured, expected)
			}
		}
	}
}

// made returns a result whose figures are known. Without instructions none were counted.
func made(micros, theirs, instructions float64) result {
	of := min(1000, instructions*1000)
	return result{row{section: "S", name: "a row", goal: 0.9}, [3]measured{
		{[]sample{{micros, 1000, 10}}, instructions}, {[]sample{{theirs, 2000, 20}}, of}, {}},
		[2]shares{}, nil}
}

func TestTheTableIsRewrittenAndTheRestIsKept(t *testing.T) {
	m := machine{"here", "now"}
	text := rewritten("before\n"+tableBegins+"old\n"+tableEnds+"after\n", m,
		[]result{made(80, 100, 900)}, nil)
	for _, want := range []string{"before\n" + tableBegins + "here\nnow.\n", tableEnds + "after\n",
		"| a row | 80 µs | 0.80 (0.80–0.80) | 0.900 | – | – | 10 / 20 | 1 / 2 | – | ≤ 0.90: met " +
			"|\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("got\n%s\nexpected it to contain\n%s", text, want)
		}
	}
	if strings.Contains(text, "old") {
		t.Error("the old table is still there")
	}
}

func TestSlowerRowsAreReported(t *testing.T) {
	here := machine{"here", "now"}
	for _, c := range []struct {
		what     string
		was, now result
		m        machine
		want     string // matches the error; empty: none
	}{
		{"the same", made(100, 100, 900), made(100, 100, 900), here, ""},
		{"more time but not more instructions", made(80, 100, 900), made(120, 100, 900), here, ""},
		{"more instructions", made(100, 100, 900), made(100, 100, 950), here,
			"1 figures got slower"},
		{"more time where nothing else is known", made(80, 100, 0), made(120, 100, 0), here,
			"1 fig"},
		{"less time", made(80, 100, 0), made(60, 100, 0), here, ""},
		{"another machine", made(80, 100, 0), made(80, 100, 0), machine{"there", ""}, "elsewhere"},
	} {
		text := table(machine{"here", "then"}, []result{c.was}, nil)
		err := compare(t.Output(), text, c.m, []result{c.now})
		if c.want == "" && err != nil || c.want != "" &&
			(err == nil || !regexp.MustCompile(c.want).MatchString(err.Error())) {
			t.Errorf("%s: got %v, expected %q", c.what, err, c.want)
		}
	}
}
