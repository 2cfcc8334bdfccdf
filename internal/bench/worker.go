package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
)

// workerEnv has the job of a process that works.
const workerEnv = "VITRINE_BENCH_JOB"

// A sample is what a block of operations cost, an operation.
type sample struct {
	micros float64 // of processor time
	bytes  float64 // allocated; in rows about memory, held for each end
	allocs float64
}

// worked performs the job of this process, if it has one, and reports whether it had one. For each
// number n on standard input it performs n operations and prints a line: processor time in µs,
// bytes and allocations, all of them together.
func worked() bool {
	text := os.Getenv(workerEnv)
	if text == "" {
		return false
	}
	if err := work(text, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

func work(text string, in io.Reader, out io.Writer) error {
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return err
	}
	if os.Getenv(memProfileEnv) != "" {
		runtime.MemProfileRate = 512
	}
	if j.What == peer {
		return j.obey(in)
	}
	once, err := j.operation()
	if err != nil {
		return err
	}
	stop, err := profile()
	if err != nil {
		return err
	}
	defer stop()
	for n := 0; ; {
		if _, err := fmt.Fscan(in, &n); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		var before, after runtime.MemStats
		runtime.GC() // garbage of one block must not be collected during the next
		runtime.ReadMemStats(&before)
		start, held := cpu(), 0
		for range n {
			if held, err = once(); err != nil {
				return err
			}
		}
		micros := (cpu() - start).Microseconds()
		runtime.ReadMemStats(&after)
		allocated := int(after.TotalAlloc - before.TotalAlloc)
		if held > 0 {
			allocated = held * n
		}
		fmt.Fprintln(out, micros, allocated, after.Mallocs-before.Mallocs)
	}
}

// The files that a worker's profiles go to; empty ones are not written.
const cpuProfileEnv, memProfileEnv = "VITRINE_BENCH_CPU", "VITRINE_BENCH_MEM"

// profile begins the profiles that were asked for, and returns what ends them.
func profile() (stop func(), err error) {
	create := func(name string) *os.File {
		if name == "" || err != nil {
			return nil
		}
		var f *os.File
		f, err = os.Create(name)
		return f
	}
	mem, cpu := create(os.Getenv(memProfileEnv)), create(os.Getenv(cpuProfileEnv))
	if cpu != nil && err == nil {
		err = pprof.StartCPUProfile(cpu)
	}
	return func() {
		pprof.StopCPUProfile()
		if mem != nil {
			pprof.Lookup("allocs").WriteTo(mem, 0)
		}
	}, err
}
