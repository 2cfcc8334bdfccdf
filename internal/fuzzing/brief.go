package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/internal/testkit"
)

const (
	// most is how long a target's corpus may take, on a machine that has much else to do: a sample
	// of it is run before anything is changed (testkit.SampleSeeds).
	most = 6 * time.Second
	// patience is how long its process may take to come to an end.
	patience = 2 * time.Minute
	// instrumented is the flag by which the compiler counts what an input reaches. go test -fuzz
	// would give it to the standard library and to other people's modules too, and build all of
	// them once more.
	instrumented = "-gcflags=github.com/vitrine-tls/vitrine/...=-d=libfuzzer"
)

// A brief run fuzzes every target for a moment behind its corpus, each in one process, as many
// packages at a time as there are processors. It builds one program for each package, and measures
// and writes nothing.
type brief struct {
	length time.Duration
	dir    string // of the programs, and of what fuzzing finds interesting

	mu       sync.Mutex // guards what follows, and the output
	inputs   int
	starved  []string // targets whose process did not get to an end in time
	findings []error
}

// briefly fuzzes the targets whose names have a part.
func briefly(length time.Duration, only string) error {
	dir, err := os.MkdirTemp("", "fuzzing")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &brief{length: length, dir: dir}
	byPackage, order := map[string][]target{}, []string{}
	for _, t := range targets {
		if !strings.Contains(t.key(), only) {
			continue
		}
		if byPackage[t.pkg] == nil {
			order = append(order, t.pkg)
		}
		byPackage[t.pkg] = append(byPackage[t.pkg], t)
	}
	packages, workers := make(chan string), sync.WaitGroup{}
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for pkg := range packages {
				b.fuzz(pkg, byPackage[pkg])
			}
		})
	}
	for _, pkg := range order {
		packages <- pkg
	}
	close(packages)
	workers.Wait()
	fmt.Printf("   %d packages, %d inputs besides the corpus\n", len(order), b.inputs)
	if len(b.starved) > 0 {
		fmt.Printf("   did not get to an end in time: %s\n", strings.Join(b.starved, ", "))
	}
	return errors.Join(b.findings...)
}

// fuzz builds a package's program and runs its targets one after the other.
func (b *brief) fuzz(pkg string, all []target) {
	program := filepath.Join(b.dir, strings.ReplaceAll(pkg, "/", "_")+".test")
	defer os.Remove(program)
	out, err := exec.Command("go", "test", "-c", instrumented, "-ldflags=-s -w", "-o", program,
		"./"+pkg).CombinedOutput()
	if err != nil {
		b.note(all[0], outcome{finding: true}, out)
		return
	}
	for _, t := range all {
		out, err := b.run(program, t)
		b.note(t, judge(out, err), out)
	}
}

// run fuzzes a target for b.length from the end of its corpus on. That of which the corpus takes
// longer than most is not fuzzed. What the corpus finds does not depend on it: go test runs it
// whole.
func (b *brief) run(program string, t target) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "-test.run", "^$", "-test.fuzz", "^"+t.name+"$",
		"-test.fuzztime", (2 * patience).String(), "-test.parallel", "1",
		"-test.fuzzcachedir", filepath.Join(b.dir, "found", t.pkg))
	cmd.Dir = t.pkg
	cmd.Env = append(os.Environ(), testkit.InBrief+"=1")
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	// An interrupt ends fuzzing as the end of its time does.
	end := time.AfterFunc(patience, func() { cmd.Process.Signal(os.Interrupt) })
	defer end.Stop()
	var out []byte
	for lines := bufio.NewScanner(pipe); lines.Scan(); {
		switch out = append(append(out, lines.Bytes()...), '\n'); {
		case bytes.Contains(lines.Bytes(), []byte("coverage: 0/")):
			end.Reset(most)
		case bytes.Contains(lines.Bytes(), []byte("now fuzzing with")):
			end.Reset(b.length)
		}
	}
	err = cmd.Wait()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return out, err
}

// An outcome is what came of fuzzing a target.
type outcome struct {
	finding bool   // an input failed, or the target itself
	starved bool   // the process did not get to an end; nothing was found
	inputs  int    // how many were tried, besides the corpus
	file    string // of the input that failed, in the package's folder
}

var (
	executed = regexp.MustCompile(`execs: (\d+)`)
	baseline = regexp.MustCompile(`gathering baseline coverage: (\d+)/\d+ completed`)
	written  = regexp.MustCompile(`Failing input written to (\S+)`)
)

// unfinished are what go test -fuzz says of a process that was stopped when the time was over, or
// that the system ended: https://go.dev/issue/48591. Nothing was found then.
var unfinished = [][]byte{
	[]byte("context deadline exceeded"),
	[]byte("no crash will be recorded"),
	[]byte("communicating with fuzzing process"),
}

// judge tells a finding from a process that a busy machine did not let come to an end.
func judge(out []byte, err error) (o outcome) {
	if all := executed.FindAllSubmatch(out, -1); len(all) > 0 {
		o.inputs, _ = strconv.Atoi(string(all[len(all)-1][1]))
		if seeds := baseline.FindAllSubmatch(out, -1); len(seeds) > 0 {
			n, _ := strconv.Atoi(string(seeds[len(seeds)-1][1]))
			o.inputs = max(0, o.inputs-n)
		}
	}
	if err == nil {
		return o
	}
	if m := written.FindSubmatch(out); m != nil {
		o.file = string(m[1])
	}
	failed := o.file != "" || bytes.Contains(out, []byte("failure while testing seed corpus")) ||
		bytes.Contains(out, []byte("panic:")) || bytes.Contains(out, []byte("fatal error:"))
	o.starved = !failed && errors.Is(err, context.DeadlineExceeded)
	for _, words := range unfinished {
		o.starved = o.starved || !failed && bytes.Contains(out, words)
	}
	o.finding = !o.starved
	return o
}

// note prints what came of a target: of a finding all, and the input, so that a log is enough to
// repeat it.
func (b *brief) note(t target, o outcome, out []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inputs += o.inputs
	switch {
	case o.finding:
		fmt.Printf("   %s\n%s", t.key(), out)
		if input, err := os.ReadFile(filepath.Join(t.pkg, o.file)); err == nil && o.file != "" {
			fmt.Printf("   %s:\n%s\n", o.file, input)
		}
		b.findings = append(b.findings, fmt.Errorf("%s failed", t.key()))
	case o.starved:
		b.starved = append(b.starved, t.key())
	default:
		fmt.Printf("   %s: %d inputs\n", t.key(), o.inputs)
	}
}
