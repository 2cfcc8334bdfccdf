package testkit

import (
	"bytes"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// Spoil returns up to n inputs that a valid one becomes by one fault, for the corpus of a fuzz
// target: cut off, with a byte that is 0, 255, one more or has a bit changed, with a byte doubled,
// or with one left out. Which, and where, depends on the input alone; faults are likelier near the
// front, where lengths and types are. In a brief run there are a sixth of them.
func Spoil(valid []byte, n int) (all [][]byte) {
	if len(valid) == 0 {
		return nil
	}
	keep := SampleSeeds(6)
	r := rand.New(rand.NewPCG(uint64(len(valid)), 1))
	for i := range n {
		at := i / 7
		if at >= len(valid) || i >= n/2 {
			at = r.IntN(len(valid))
		}
		b := bytes.Clone(valid)
		switch i % 7 {
		case 0:
			b = b[:at]
		case 1:
			b[at] = 0
		case 2:
			b[at] = 255
		case 3:
			b[at]++
		case 4:
			b[at] ^= 1 << r.IntN(8)
		case 5:
			b = slices.Insert(b, at, b[at])
		case 6:
			b = slices.Delete(b, at, at+1)
		}
		if keep() {
			all = append(all, b)
		}
	}
	return all
}

// InBrief is the environment variable by which internal/fuzzing -brief says that the corpus ran
// before, as tests, and that little time is there to change it.
const InBrief = "VITRINE_FUZZING_BRIEFLY"

// SampleSeeds returns a function that reports whether the next seed of a long sweep is added: each
// of them is but in a brief run and with -short, and there each nth. The lengths of the sweep's
// loops should be no multiples of n, so that the sample has every kind.
func SampleSeeds(n int) func() bool {
	if os.Getenv(InBrief) == "" && !testing.Short() {
		n = 1
	}
	calls := -1
	return func() bool {
		calls++
		return calls%n == 0
	}
}
