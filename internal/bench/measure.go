package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

// A bench is one run.
type bench struct {
	options
	self    string // this program
	openssl string // the harness, or empty
	dir     string // of the certificates
	counter *counter
	machine machine
}

// A machine describes where, with which programs and when a table was made.
type machine struct {
	kind string // tables of one kind can be compared
	when string
}

func (m machine) String() string { return m.kind + "\n" + m.when }

func newBench(o options) (b *bench, err error) {
	b = &bench{options: o}
	if b.self, err = os.Executable(); err != nil {
		return nil, err
	}
	if b.dir, err = os.MkdirTemp("", "vitrine-bench"); err != nil {
		return nil, err
	}
	if err := certify(b.dir); err != nil {
		return nil, err
	}
	name, version, err := buildOpenSSL(b.dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench: without OpenSSL:", err)
		version = "no OpenSSL"
	}
	b.openssl = name
	counts := "instructions not counted"
	if o.counts {
		b.counter = instructionCounter(b.dir)
	}
	if b.counter != nil {
		counts = "instructions counted by " + b.counter.name
	}
	b.machine = machine{fmt.Sprintf("%s, %s, %s/%s, %d cores of %s", runtime.Version(), version,
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), processor()),
		time.Now().Format(time.DateOnly) + load() + "; " + counts}
	return b, nil
}

// processor returns the name of this machine's.
func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "an unknown processor"
}

// load returns the load of the machine.
func load() string {
	text, _ := os.ReadFile("/proc/loadavg")
	one, _, _ := strings.Cut(string(text), " ")
	if one == "" {
		return ""
	}
	return ", at a load of " + one
}

// measured is what one stack's blocks cost, in order; none if it cannot do the job.
type measured struct {
	samples      []sample
	instructions float64 // of an operation; 0: not counted
}

// A result is a row with what was measured: of Vitrine, crypto/tls and OpenSSL.
type result struct {
	row
	stacks [3]measured
	shares [2]shares // of Vitrine's time and of crypto/tls's, if they were profiled
	failed error     // why there is nothing else
}

// measure runs the blocks of a row in turn.
func (b *bench) measure(r row) (got result, err error) {
	got.row = r
	var workers [3]*worker
	defer func() {
		for _, w := range workers {
			if w != nil {
				w.end()
			}
		}
	}()
	jobs := r.jobs()
	for i, j := range jobs {
		if j.Stack == "" || j.Stack == openSSL && b.openssl == "" {
			continue
		}
		cmd, err := b.command(j)
		if err == nil {
			b.profiled(cmd, j)
			workers[i], err = begin(cmd)
		}
		if err != nil {
			return got, err
		}
	}
	pairs := b.pairs
	if r.memory() {
		pairs = min(pairs, 3)
	}
	for range pairs {
		for i, w := range workers {
			if w == nil {
				continue
			}
			s, err := w.do(r.block)
			if err != nil {
				return got, fmt.Errorf("%s: %w", jobs[i].Stack, err)
			}
			got.stacks[i].samples = append(got.stacks[i].samples, s)
		}
	}
	if b.counter != nil && r.countable() {
		complain(r, b.count(&got, jobs))
	}
	for i := range got.shares {
		if b.profiles && !r.memory() && len(got.stacks[i].samples) > 0 {
			got.shares[i], err = b.shares(got, i)
			complain(r, err)
		}
	}
	return got, nil
}

// complain prints what a row lacks.
func complain(r row, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: %s: %s: %v\n", r.section, r.name, err)
	}
}

// profiled makes Vitrine's worker write the requested profiles.
func (b *bench) profiled(cmd *exec.Cmd, j job) {
	if j.Stack == ours {
		cmd.Env = append(cmd.Env, cpuProfileEnv+"="+b.cpuProfile, memProfileEnv+"="+b.memProfile)
	}
}

// of returns one figure of all samples.
func (m measured) of(figure func(sample) float64) []float64 {
	all := make([]float64, len(m.samples))
	for i, s := range m.samples {
		all[i] = figure(s)
	}
	return all
}

func microsOf(s sample) float64 { return s.micros }
func bytesOf(s sample) float64  { return s.bytes }
func allocsOf(s sample) float64 { return s.allocs }

// A spread is the median of some figures, and their quartiles.
type spread struct{ low, median, high float64 }

func spreadOf(figures []float64) spread {
	s := slices.Sorted(slices.Values(figures))
	n := len(s)
	return spread{s[n/4], s[n/2], s[(n-1)-n/4]}
}

// ratio returns what Vitrine costs beside stack i, by pairs of blocks, or false if that stack was
// not measured. It is of processor time, or in rows about memory of bytes.
func (r result) ratio(i int) (spread, bool) {
	if len(r.stacks[i].samples) == 0 {
		return spread{}, false
	}
	figure := microsOf
	if r.memory() {
		figure = bytesOf
	}
	ratios, theirs := r.stacks[0].of(figure), r.stacks[i].of(figure)
	for k := range ratios {
		ratios[k] /= theirs[k]
	}
	return spreadOf(ratios), true
}
