// Command fuzzing runs the fuzz targets and writes down what was measured of them: how much of the
// functions that each attacks its corpus reaches, how long it was fuzzed altogether, and after how
// much of that time it found anything new the last time.
//
//	go run ./internal/fuzzing                 measure, and write docs/fuzzing.md
//	go run ./internal/fuzzing -time 10m       fuzz each target for ten minutes, then that
//	go run ./internal/fuzzing -only Scenes    some targets
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

func main() {
	length := flag.Duration("time", 0, "how long to fuzz each target")
	only := flag.String("only", "", "the part of a target's name")
	flag.Parse()
	all, err := load(ledger)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	failed := false
	for _, t := range targets {
		if !strings.Contains(t.name, *only) {
			continue
		}
		r := all[t.key()]
		if *length > 0 {
			fmt.Println(t.pkg, t.name)
			failed = t.fuzz(*length, &r) != nil || failed
		}
		if r.coverage, err = t.measure(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			failed = true
		}
		all[t.key()] = r
		if err := save(ledger, all); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	if err := os.WriteFile("docs/fuzzing.md", page(all), 0o644); err != nil || failed {
		fmt.Fprintln(os.Stderr, err, "failed:", failed)
		os.Exit(1)
	}
}

// ledger is the file that keeps the results.
const ledger = "internal/fuzzing/results.tsv"

func (t target) key() string { return t.pkg + " " + t.name }

// A result is what is known of a target.
type result struct {
	total, last time.Duration // fuzzed, and when something new was found the last time
	coverage    float64       // of the statements of the functions it attacks, by its corpus
}

func load(name string) (map[string]result, error) {
	all := map[string]result{}
	b, err := os.ReadFile(name)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if len(f) != 4 {
			return nil, fmt.Errorf("%s: %q", name, line)
		}
		var r result
		total, _ := strconv.Atoi(f[1])
		last, _ := strconv.Atoi(f[2])
		r.total, r.last = time.Duration(total)*time.Second, time.Duration(last)*time.Second
		r.coverage, _ = strconv.ParseFloat(f[3], 64)
		all[f[0]] = r
	}
	return all, nil
}

func save(name string, all map[string]result) error {
	var b bytes.Buffer
	for _, t := range targets {
		if r, ok := all[t.key()]; ok {
			fmt.Fprintf(&b, "%s\t%.0f\t%.0f\t%.1f\n", t.key(), r.total.Seconds(), r.last.Seconds(),
				r.coverage)
		}
	}
	return os.WriteFile(name, b.Bytes(), 0o644)
}

// progress is a line of go test -fuzz.
var progress = regexp.MustCompile(`elapsed: ([0-9hms.]+), .*new interesting: (\d+)`)

// fuzz runs a target and adds to its result.
func (t target) fuzz(length time.Duration, r *result) error {
	cmd := exec.Command("go", "test", "-run", "^$", "-fuzz", "^"+t.name+"$", "-fuzztime",
		length.String(), "./"+t.pkg)
	out, err := cmd.CombinedOutput()
	found, last := 0, time.Duration(0)
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		m := progress.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		at, _ := time.ParseDuration(m[1])
		if n, _ := strconv.Atoi(m[2]); n > found {
			found, last = n, at
		}
	}
	if last > 0 {
		r.last = r.total + last
	}
	r.total += length
	// https://go.dev/issue/48591: an input under way when the time is over fails
	if err != nil && bytes.Contains(out, []byte("context deadline exceeded")) &&
		!bytes.Contains(out, []byte("Failing input")) {
		err = nil
	}
	if err != nil {
		os.Stdout.Write(out)
	}
	return err
}

// measure returns the part of the statements that the corpus reaches, in per cent: the seeds and
// what lies in testdata/fuzz.
func (t target) measure() (float64, error) {
	dir, err := os.MkdirTemp("", "fuzzing")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	profile := filepath.Join(dir, "cover")
	cover := cmp.Or(t.cover, "./"+t.pkg)
	if out, err := exec.Command("go", "test", "-run", "^"+t.name+"$", "-coverpkg", cover,
		"-coverprofile", profile, "./"+t.pkg).CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%s: %v\n%s", t.key(), err, out)
	}
	b, err := os.ReadFile(profile)
	if err != nil {
		return 0, err
	}
	functions, err := declarations(cover)
	if err != nil {
		return 0, err
	}
	wanted, err := regexp.Compile(t.functions)
	if err != nil {
		return 0, err
	}
	hit, all := 0, 0
	for _, block := range merged(string(b)) {
		f := functions.at(block.file, block.line)
		if !wanted.MatchString(filepath.Base(block.file) + ":" + f) {
			continue
		}
		if all += block.statements; block.count > 0 {
			hit += block.statements
		}
	}
	if all == 0 {
		return 0, fmt.Errorf("%s: %q matches no function", t.key(), t.functions)
	}
	return 100 * float64(hit) / float64(all), nil
}

// page is docs/fuzzing.md.
func page(all map[string]result) []byte {
	var b bytes.Buffer
	b.WriteString(head)
	var sum time.Duration
	var last []string
	low := 0
	for _, t := range targets {
		r := all[t.key()]
		sum += r.total
		reached := fmt.Sprintf("%.0f %%", r.coverage)
		if r.coverage == 0 {
			reached = "not measured"
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | `%s` | %s | %s | %s |\n", t.pkg, t.name,
			strings.ReplaceAll(t.functions, "|", `\|`), reached, minutes(r.total), minutes(r.last))
		if r.coverage > 0 && r.coverage < 90 {
			low++
		}
		if r.last > 0 {
			last = append(last, t.name)
		}
	}
	slices.Sort(last)
	fmt.Fprintf(&b, "\nAltogether %s of fuzzing; %d of %d targets found something new in it, the "+
		"last time as the table says.\n", minutes(sum), len(last), len(targets))
	fmt.Fprintf(&b, "The goal is 90 %% of the statements: %d of the measured targets are below it "+
		"by their corpus alone.\n", low)
	return b.Bytes()
}

// minutes is a time in minutes and seconds.
func minutes(d time.Duration) string {
	return fmt.Sprintf("%d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

const head = `# Fuzzing

Every parser of what a stranger sends, the record layer and the engine have a fuzz target. The corpora
are the seeds in the code (published vectors, captures, valid connections of every kind) and what lies in
testdata/fuzz. CI runs each target for a second; "./test.sh fuzz 10m" runs each for ten minutes.

This page is written by "go run ./internal/fuzzing", which measures how many statements of the functions
that a target attacks its corpus reaches without fuzzing, and, with "-time 10m", fuzzes first. The functions
are regular expressions for "file:function" in the package (internal/fuzzing/targets.go). The last two
columns are minutes and seconds: fuzzed altogether, and into that when something new was last found.

| package | target | functions attacked | reached | fuzzed | last new |
|---|---|---|---|---|---|
`
