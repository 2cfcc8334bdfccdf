// Bench runs Vitrine, crypto/tls and OpenSSL on the same work, and compares them.
//
//	go run ./internal/bench                        # all rows: about a quarter of an hour
//	go run ./internal/bench -rows 'PSK|16 KiB'
//	go run ./internal/bench -write                 # and writes the table into docs/performance.md
//	go run ./internal/bench -check                 # and says what got slower than the table there
//	go run ./internal/bench -rows 'PSK, X25519$' -cpuprofile cpu.out
//
// Each stack works in a process of its own, both ends of a connection on one core. The processes
// take turns, a block of operations each: what else the machine does disturbs all of them. What is
// compared is the processor time (user and system) of pairs of blocks: the table has the median of
// the ratios and, behind it, the quartiles. Below 1, Vitrine is faster.
//
// Time on a shared machine moves by 10 % and more. Instructions do not, and small differences are
// judged by them: perf counts them where the machine lets it, else valgrind's cachegrind, whose
// processor has fewer special instructions, and which does not see what the kernel does.
//
// OpenSSL is openssl.c, built by cc against this machine's libssl, and left out where that fails.
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
)

// options are what a run is told.
type options struct {
	rows       *regexp.Regexp
	open       int
	pairs      int
	counts     bool
	cpuProfile string
	memProfile string
	profiles   bool // of each row
}

func main() {
	if worked() {
		return
	}
	o := options{}
	rows := flag.String("rows", "", "only rows whose `expression` matches \"section: name\"")
	flag.IntVar(&o.pairs, "pairs", 12, "`number` of blocks of each stack")
	flag.IntVar(&o.open, "open", many, "`number` of connections in the rows about many")
	flag.BoolVar(&o.counts, "instructions", true, "count instructions too")
	flag.StringVar(&o.cpuProfile, "cpuprofile", "",
		"write the processor profile of Vitrine's work in the last row to `file`")
	flag.StringVar(&o.memProfile, "memprofile", "", "the same of what it allocates")
	flag.BoolVar(&o.profiles, "profiles", false, "say what the time of each row goes to")
	write := flag.Bool("write", false, "write the table into "+document+", of all rows")
	check := flag.Bool("check", false, "compare with the table in "+document)
	flag.Parse()
	var err error
	if o.rows, err = regexp.Compile(*rows); err == nil {
		err = run(o, *write, *check)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures, prints, and does with the table what was asked for.
func run(o options, write, check bool) error {
	o.profiles = o.profiles || write
	b, err := newBench(o)
	if err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	fmt.Println(b.machine)
	var results []result
	for _, r := range withOpen(o.open) {
		if !o.rows.MatchString(r.section + ": " + r.name) {
			continue
		}
		got, err := b.measure(r)
		got.failed = err
		complain(r, err)
		fmt.Println(got.line())
		results = append(results, got)
	}
	fmt.Print(behind(results))
	if check {
		text, err := committed()
		if err != nil {
			return err
		}
		if err := compare(os.Stdout, text, b.machine, results); err != nil {
			return err
		}
	}
	if !write {
		return nil
	}
	read, err := captures()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench: without captures:", err)
	}
	text, err := os.ReadFile(document)
	if err != nil {
		return err
	}
	return os.WriteFile(document, []byte(rewritten(string(text), b.machine, results, read)), 0o644)
}
