// Timing measures whether the time of what Vitrine does with secrets depends on them.
//
//	go run ./internal/timing                      # some minutes
//	go run ./internal/timing -n 1000000 -rsa 100000
//	go run ./internal/timing -only 'CBC|planted'
//	go run ./internal/timing -wire                # a server in another process
//
// Each place has classes of input that must not be told apart by time. Samples of all classes are
// taken in turn, in an order drawn anew for each round, into the same memory. Each class is
// compared with the first: by Welch's t-test, without the slowest twentieth of each class, in which
// the garbage collector and the scheduler are; and by a bootstrap interval of the mean of the
// differences within a round, without the twentieth at either end. What changes from round to
// round, such as the load of the machine, is in both samples of a difference, and so in none of
// them. |t| above 4.5 is usually taken for a difference; with many classes a single one a little
// above it says little. The place "planted" has a difference put in, one more compression of
// SHA-256, and must be found: else the measurement is worth nothing.
//
// What takes longer than some ten microseconds is measured by the processor time of the thread
// where the system has such a clock (Linux): it does not count what other programs do meanwhile.
//
// It prints figures, and passes no judgement. Interrupted, it prints those of the samples so far.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"time"
)

// started is what clock readings count from.
var started = time.Now()

func main() {
	n := flag.Int("n", 100_000, "samples of each class")
	rsa := flag.Int("rsa", 2_000, "samples of each class of RSA, and over the wire")
	only := flag.String("only", "", "places whose names match this expression")
	wire := flag.Bool("wire", false, "measure a server in another process, over loopback")
	serve := flag.Bool("serve", false, "be that process")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	match, err := regexp.Compile(*only)
	switch {
	case err != nil:
	case *serve:
		err = serveChild()
	default:
		err = run(ctx, match, *wire, *n, *rsa)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "timing:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, match *regexp.Regexp, wire bool, n, rsa int) error {
	make := places
	if wire {
		addr, key, err := startChild(ctx)
		if err != nil {
			return err
		}
		make = func() ([]*place, error) { return wirePlaces(addr, key) }
	}
	all, err := make()
	if err != nil {
		return err
	}
	fmt.Printf("%-40s %-34s %9s %10s %8s  %s\n", "place", "class", "samples", "mean", "t",
		"95 % of the difference from the first")
	for _, p := range all {
		if !match.MatchString(p.name) {
			continue
		}
		count := n
		if p.slow {
			count = rsa
		}
		p.report(p.measure(ctx, count))
		if ctx.Err() != nil {
			break
		}
	}
	return nil
}

// report prints a line for each class.
func (p *place) report(samples [][]float64) {
	if len(samples[0]) == 0 {
		return // interrupted before the first
	}
	first := trim(samples[0])
	for i, c := range p.classes {
		x := trim(samples[i])
		m, _ := moments(x)
		fmt.Printf("%-40s %-34s %9d %8.0f ns", p.name, c.name, len(samples[i]), m)
		if i > 0 {
			low, high := bootstrap(differences(samples[0], samples[i]))
			fmt.Printf(" %8.2f  %+.1f to %+.1f ns", welch(x, first), low, high)
		}
		fmt.Println()
	}
}

// A place is something that is done with secrets.
type place struct {
	name    string
	slow    bool // takes a millisecond
	long    bool // takes so long that the processor time of the thread is the better clock
	classes []class
	run     func(input []byte) // may change the input

	// done before and after, and not measured
	before func(input []byte)
	after  func()
}

// A class has inputs that take the same time, so it is hoped. Of its inputs one is drawn for each
// sample.
type class struct {
	name   string
	inputs [][]byte
	more   func() // done besides: see "planted"
}

// measure returns the nanoseconds of n samples of each class, by round, or of fewer if ctx ends.
func (p *place) measure(ctx context.Context, n int) [][]float64 {
	samples := make([][]float64, len(p.classes))
	for i := range samples {
		samples[i] = make([]float64, 0, n)
	}
	longest := 0
	for _, c := range p.classes {
		for _, in := range c.inputs {
			longest = max(longest, len(in))
		}
	}
	buf := make([]byte, longest)
	clock := func() time.Duration { return time.Since(started) }
	if p.long {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		clock = threadTime
	}
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	for round := range n + n/50 {
		if ctx.Err() != nil {
			break
		}
		for _, i := range random.Perm(len(p.classes)) {
			c := &p.classes[i]
			in := buf[:copy(buf, c.inputs[random.IntN(len(c.inputs))])]
			took := p.time(clock, in, c.more)
			if round >= n/50 { // those before warm up
				samples[i] = append(samples[i], float64(took))
			}
		}
	}
	return samples
}

// time returns how long run and more take, which may be nil.
func (p *place) time(clock func() time.Duration, in []byte, more func()) time.Duration {
	if p.before != nil {
		p.before(in)
	}
	start := clock()
	p.run(in)
	if more != nil {
		more()
	}
	took := clock() - start
	if p.after != nil {
		p.after()
	}
	return took
}
