package main

import (
	"context"
	"errors"
	"testing"
)

// A run fails because of an input or of the target itself, and not because the machine is busy.
func TestFindingIsToldFromBusyMachine(t *testing.T) {
	exit := errors.New("exit status 1")
	for _, c := range []struct {
		name string
		out  string
		err  error
		want outcome
	}{
		{"to the end", "fuzz: elapsed: 0s, gathering baseline coverage: 0/16 completed\n" +
			"fuzz: elapsed: 0s, gathering baseline coverage: 16/16 completed, now fuzzing with 1 " +
			"workers\nfuzz: elapsed: 1s, execs: 116 (50/sec), new interesting: 1 (total: 17)\n",
			nil, outcome{inputs: 100}},
		{"in the corpus", "fuzz: elapsed: 1s, gathering baseline coverage: 90/1000 completed\n" +
			"fuzz: elapsed: 1s, execs: 90 (90/sec), new interesting: 0 (total: 90)\n",
			nil, outcome{}},
		{"an input fails", "--- FAIL: FuzzHello (1.54s)\n" +
			"    --- FAIL: FuzzHello (0.00s)\n        x_test.go:63: crypto/tls reads it\n\n" +
			"    Failing input written to testdata/fuzz/FuzzHello/f43f\n", exit,
			outcome{finding: true, file: "testdata/fuzz/FuzzHello/f43f"}},
		{"an input fails, and the time is over", "context deadline exceeded\n" +
			"    Failing input written to testdata/fuzz/FuzzHello/f43f\n", exit,
			outcome{finding: true, file: "testdata/fuzz/FuzzHello/f43f"}},
		{"an input ends the process", "fuzzing process hung or terminated unexpectedly: exit " +
			"status 2\n    Failing input written to testdata/fuzz/FuzzHello/f43f\n", exit,
			outcome{finding: true, file: "testdata/fuzz/FuzzHello/f43f"}},
		{"a seed fails", "failure while testing seed corpus entry: FuzzHello/seed#3\n", exit,
			outcome{finding: true}},
		{"the target fails", "--- FAIL: FuzzHello (0.00s)\n    x_test.go:9: no such file\n", exit,
			outcome{finding: true}},
		{"it panics", "panic: runtime error: index out of range\ncontext deadline exceeded\n",
			exit, outcome{finding: true}},
		{"the time is over", "fuzz: elapsed: 2s, execs: 0 (0/sec)\n--- FAIL: FuzzHello (2.0s)\n" +
			"    context deadline exceeded\n", exit, outcome{starved: true}},
		{"the system ends it", "    fuzzing process terminated by unexpected signal; no crash " +
			"will be recorded: signal: killed\n", exit, outcome{starved: true}},
		{"it does not end", "", context.DeadlineExceeded, outcome{starved: true}},
	} {
		if got := judge([]byte(c.out), c.err); got != c.want {
			t.Errorf("%s: got %+v, expected %+v", c.name, got, c.want)
		}
	}
}
