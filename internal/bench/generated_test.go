package main

import (
	"errors"
	"strings"
	"testing"
)

const profileText = `File: bench
Type: cpu
Showing nodes accounting for 1000us, 100% of 1000us total
      flat  flat%   sum%        cum   cum%
     500us 50.00% 50.00%      500us 50.00%  crypto/internal/fips140/sha256.blockSHANI
     250us 25.00% 75.00%      250us 25.00%  internal/runtime/syscall/linux.Syscall6
     150us 15.00% 90.00%      900us 90.00%  github.com/vitrine-tls/vitrine.Dial (inline)
     100us 10.00%   100%      100us 10.00%  runtime.mallocgc
         0     0%   100%      900us 90.00%  main.main
`

func TestAProfileIsAddedUpByKind(t *testing.T) {
	got, err := sharesOf([]byte(profileText))
	want := "50 % the standard library's cryptography, 25 % system calls, 15 % Vitrine's own " +
		"packages, 10 % the runtime (memory, collection, scheduling)"
	if err != nil || got.String() != want {
		t.Errorf("got %v, %v\nexpected %s", got, err, want)
	}
	if _, err := sharesOf([]byte("File: bench\n")); err == nil {
		t.Error("a profile without samples has shares")
	}
}

// A row that misses its goal is listed with its profile and a reason, one that does not is not.
func TestEachRowThatMissesItsGoalHasAReason(t *testing.T) {
	missed, reached, broken := made(95, 100, 0), made(80, 100, 0), made(200, 100, 0)
	missed.What, missed.shares[0][kernel] = bulk, 0.75
	reached.name, broken.name, broken.failed = "reached", "broken", errors.New("no sockets")
	got := behind([]result{missed, reached, broken})
	want := "- **S: a row** (0.95, goal 0.90): 75 % system calls. The cipher and"
	if !strings.Contains(got, want) || strings.Contains(got, "reached") ||
		strings.Contains(got, "broken") {
		t.Errorf("got %s\nexpected it to contain %s, and no other row", got, want)
	}
	if line := broken.line(); !strings.Contains(line, "no sockets") {
		t.Errorf("got %s, expected the reason", line)
	}
	for _, r := range withOpen(7) {
		if r.goal != 0 && r.What != reading && r.What != unread && r.because() == "" {
			t.Errorf("%s: %s: no reason is known", r.section, r.name)
		}
		if strings.Contains(r.name, "%") {
			t.Errorf("%s: its number is not filled in", r.name)
		}
	}
}

func TestCapturesAreReadFromTheirBenchmark(t *testing.T) {
	got := capturesTable(capturesOf([]byte(`goos: linux
BenchmarkDecrypt/CBC-SHA256/vitrine-2     1   1500000000 ns/op   200.5 MB/s
BenchmarkDecrypt/CBC-SHA256/tshark-2      1  15000000000 ns/op    20.1 MB/s
--- SKIP: BenchmarkDecrypt/CBC-SHA256/ssldump
BenchmarkDecrypt/AES-GCM/vitrine-2        1    250000000 ns/op  1100.0 MB/s
BenchmarkDecrypt/AES-GCM/ssldump-2        1   2500000000 ns/op   110.0 MB/s
PASS
`)))
	for _, want := range []string{
		" AES_128_CBC_SHA256, key log | 1.50 s | 200 | 15.0 s, 10.0 times as long | – |\n",
		" AES_128_GCM, key log | 0.25 s | 1100 | – | 2.5 s, 10.0 times as long |\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got %s\nexpected it to contain %s", got, want)
		}
	}
}
