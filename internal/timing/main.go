// Timing measures whether the time of what Vitrine does with secrets depends on them.
//
//	go run ./internal/timing                      # some minutes
//	go run ./internal/timing -n 1000000 -rsa 100000
//	go run ./internal/timing -only 'CBC|planted'
//
// Each place has classes of input that must not be told apart by time. Samples of all classes are
// taken in turn, in an order drawn anew for each round, into the same memory. Each class is compared
// with the first: by Welch's t-test, and by a bootstrap interval of the difference of the means, both
// without the slowest twentieth, in which the garbage collector and the scheduler are. |t| above
// 4.5 is usually taken for a difference; with many classes, and on a machine that does other things,
// a single one a little above it says little. The place "planted" has a difference put in, one more
// compression of SHA-256, and must be found: else the measurement is worth nothing.
//
// It prints figures, and passes no judgement.
package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"time"
)

func main() {
	n := flag.Int("n", 100_000, "samples of each class")
	rsa := flag.Int("rsa", 2_000, "samples of each class of RSA, whose operations take a millisecond")
	only := flag.String("only", "", "places whose names match this expression")
	flag.Parse()
	match, err := regexp.Compile(*only)
	if err == nil {
		err = run(match, *n, *rsa)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "timing:", err)
		os.Exit(1)
	}
}

func run(match *regexp.Regexp, n, rsa int) error {
	all, err := places()
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
		samples := p.measure(count)
		first := trim(samples[0])
		for i, c := range p.classes {
			x := trim(samples[i])
			m, _ := moments(x)
			fmt.Printf("%-40s %-34s %9d %8.0f ns", p.name, c.name, count, m)
			if i > 0 {
				low, high := bootstrap(first, x)
				fmt.Printf(" %8.2f  %+.1f to %+.1f ns", welch(x, first), low, high)
			}
			fmt.Println()
		}
	}
	return nil
}

// A place is something that is done with secrets.
type place struct {
	name    string
	slow    bool
	classes []class
	run     func(input []byte) // may change the input
}

// A class has inputs that take the same time, so it is hoped. Of its inputs one is drawn for each
// sample.
type class struct {
	name   string
	inputs [][]byte
	more   func() // done besides: see "planted"
}

// measure returns the nanoseconds of n samples of each class.
func (p *place) measure(n int) [][]float64 {
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
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	for round := range n + n/50 {
		for _, i := range random.Perm(len(p.classes)) {
			c := &p.classes[i]
			in := buf[:copy(buf, c.inputs[random.IntN(len(c.inputs))])]
			start := time.Now()
			p.run(in)
			if c.more != nil {
				c.more()
			}
			took := time.Since(start)
			if round >= n/50 { // those before warm up
				samples[i] = append(samples[i], float64(took))
			}
		}
	}
	return samples
}
