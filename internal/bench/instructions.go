package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
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
		if _, err := counters[i].run(exec.Command("true"), nil, dir); err == nil {
			return &counters[i]
		}
	}
	return nil
}

// run runs a command with this input, and returns how many instructions it took.
func (c *counter) run(cmd *exec.Cmd, in []byte, dir string) (float64, error) {
	file := filepath.Join(dir, "instructions")
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

// instructions returns what one operation of j takes: the difference of two processes, so that
// neither's start counts. A tenth of a block is enough for what repeats, and takes cachegrind as
// long as many blocks take without it.
func (b *bench) instructions(j job, block int) (float64, error) {
	n := max(block/10, 2)
	var totals [2]float64
	for i, operations := range []int{1, 1 + n} {
		cmd, err := b.command(j)
		if err == nil {
			totals[i], err = b.counter.run(cmd, fmt.Appendln(nil, operations), b.dir)
		}
		if err != nil {
			return 0, err
		}
	}
	return (totals[1] - totals[0]) / float64(n), nil
}
