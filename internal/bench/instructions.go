package main

import (
	"bytes"
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
)

// A counter counts the instructions of a process.
type counter struct {
	name string
	// args run the process whose arguments follow, and write the count into a file.
	args  func(file string) []string
	count *regexp.Regexp // finds the count in that file
}

var counters = []counter{
	{"perf", func(file string) []string {
		return []string{"perf", "stat", "-x", ",", "-o", file, "-e", "instructions:u"}
	}, regexp.MustCompile(`(?m)^([0-9]+),,instructions`)},
	{"cachegrind", func(file string) []string {
		return []string{"valgrind", "--tool=cachegrind", "--cache-sim=no",
			"--cachegrind-out-file=/dev/null", "--log-file=" + file}
	}, regexp.MustCompile(`I +refs: +([0-9,]+)`)},
}

// instructionCounter returns what counts on this machine, or nil.
func instructionCounter(dir string) *counter {
	for i := range counters {
		_, err := counters[i].run(exec.Command("true"), nil, filepath.Join(dir, "none"))
		if err == nil {
			return &counters[i]
		}
	}
	return nil
}

// run runs a command with this input, and returns how many instructions it took. The count goes
// through a file of this name.
func (c *counter) run(cmd *exec.Cmd, in []byte, file string) (float64, error) {
	args := append(c.args(file), cmd.Args...)
	counted := exec.Command(args[0], args[1:]...)
	counted.Env, counted.Stdin = cmd.Env, bytes.NewReader(in)
	if out, err := counted.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%s: %w: %s", c.name, err, out)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	m := c.count.FindSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("%s: no count", c.name)
	}
	return strconv.ParseFloat(strings.ReplaceAll(string(m[1]), ",", ""), 64)
}

// counted is how many operations are counted, of a block of so many: few are enough for what
// repeats, and cachegrind takes as long for one as 50 take without it.
func counted(block int) int { return min(max(block/10, 2), 100) }

// count fills in the instructions of an operation of each job: the difference of two processes, so
// that neither's start counts. As many processes run at a time as there are processors, which does
// not change what they count.
func (b *bench) count(r *result, jobs []job) error {
	n := counted(r.block)
	var totals [3][2]float64
	var errs [3][2]error
	var all sync.WaitGroup
	free := make(chan struct{}, runtime.NumCPU())
	for i, j := range jobs {
		for k, operations := range []int{1, 1 + n} {
			if len(r.stacks[i].samples) == 0 {
				continue
			}
			all.Go(func() {
				free <- struct{}{}
				defer func() { <-free }()
				cmd, err := b.command(j)
				if err == nil {
					cmd.Env = append(cmd.Environ(), warmEnv+"=3")
					totals[i][k], err = b.counter.run(cmd, fmt.Appendln(nil, operations),
						filepath.Join(b.dir, fmt.Sprint("instructions", i, k)))
				}
				errs[i][k] = err
			})
		}
	}
	all.Wait()
	for i := range jobs {
		if err := errors.Join(errs[i][:]...); err != nil {
			return err
		}
		r.stacks[i].instructions = (totals[i][1] - totals[i][0]) / float64(n)
	}
	return nil
}
