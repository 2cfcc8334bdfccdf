// Command fuzzing runs the fuzz targets and records measurements of them: how much of the functions
// that each attacks its corpus reaches, how long it was fuzzed altogether, and after how much of
// that time it found anything new the last time.
//
//	go run ./internal/fuzzing                 measure, and write docs/fuzzing.md
//	go run ./internal/fuzzing -time 10m       fuzz each target for ten minutes, then that
//	go run ./internal/fuzzing -only Scenes    some targets
//	go run ./internal/fuzzing -brief 1s       fuzz each target for a second, and do nothing else
package main

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

func main() {
	var do doing
	flag.DurationVar(&do.length, "time", 0, "how long to fuzz each target")
	flag.IntVar(
		&do.workers,
		"parallel",
		0,
		"how many processes fuzz at a time; 0 is one a processor",
	)
	only := flag.String("only", "", `a part of the package and the target: "record FuzzOpen"`)
	moment := flag.Duration("brief", 0, "fuzz each target for so long, without measuring anything")
	flag.BoolVar(&do.missed, "missed", false, "print the statements that the corpus does not reach")
	flag.BoolVar(&do.keep, "keep", false, "add to testdata/fuzz what was found and reaches more")
	flag.Parse()
	if *moment > 0 {
		if err := briefly(*moment, *only); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if err := do.all(*only); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// doing is what is done with each target before it is measured.
type doing struct {
	length       time.Duration
	workers      int
	missed, keep bool
}

// all does it with the targets whose names have a part, and writes the page.
func (do doing) all(only string) error {
	results, err := load(ledger)
	if err != nil {
		return err
	}
	b, err := newBinaries()
	if err != nil {
		return err
	}
	defer b.remove()
	var failed []error
	for _, t := range targets {
		if !strings.Contains(t.key(), only) {
			continue
		}
		r := results[t.key()]
		if err := do.one(t, &r, b); err != nil {
			fmt.Fprintln(os.Stderr, err)
			failed = append(failed, fmt.Errorf("%s failed", t.key()))
		}
		results[t.key()] = r
		if err := save(ledger, results); err != nil {
			return err
		}
		if err := os.WriteFile("docs/fuzzing.md", page(results), 0o644); err != nil {
			return err
		}
	}
	return errors.Join(failed...)
}

// one fuzzes a target if that is asked, keeps what was found, and measures.
func (do doing) one(t target, r *result, b *binaries) error {
	var failed error
	if do.length > 0 {
		failed = t.fuzz(do.length, do.workers, r)
	}
	if do.keep {
		n, err := t.keep(b)
		if failed = errors.Join(failed, err); n > 0 {
			fmt.Println(t.key(), "kept", n)
		}
	}
	c, err := t.measure(b)
	if err != nil {
		return errors.Join(failed, err)
	}
	r.coverage = c.percent()
	fmt.Printf("%s: %.1f %%, fuzzed for %s, the last new at %s\n", t.key(), r.coverage,
		minutes(r.total), minutes(r.last))
	if do.missed {
		for _, line := range c.missed {
			fmt.Println("  ", line)
		}
	}
	return failed
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
func (t target) fuzz(length time.Duration, workers int, r *result) error {
	args := []string{
		"test",
		"-run",
		"^$",
		"-fuzz",
		"^" + t.name + "$",
		"-fuzztime",
		length.String(),
	}
	if workers > 0 {
		args = append(args, "-parallel", strconv.Itoa(workers))
	}
	cmd := exec.Command("go", append(args, "./"+t.pkg)...)
	out, err := cmd.CombinedOutput()
	found, last, ran := 0, time.Duration(0), time.Duration(0)
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		m := progress.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		at, _ := time.ParseDuration(m[1])
		ran = at
		if n, _ := strconv.Atoi(m[2]); n > found {
			found, last = n, at
		}
	}
	if last > 0 {
		r.last = r.total + last
	}
	if judge(out, err).starved {
		err = nil
	}
	if err == nil {
		ran = length // else it stopped at what failed
	}
	r.total += ran
	if err != nil {
		os.Stdout.Write(out)
	}
	return err
}
