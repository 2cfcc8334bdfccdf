package testkit

import (
	"bytes"
	"math/rand/v2"
	"slices"
)

// Spoil returns up to n inputs that a valid one becomes by one fault, for the corpus of a fuzz
// target: cut off, with a byte that is 0, 255, one more or has a bit changed, with a byte doubled,
// or with one left out. Which, and where, depends on the input alone; faults are likelier near the
// front, where lengths and types are.
func Spoil(valid []byte, n int) (all [][]byte) {
	if len(valid) == 0 {
		return nil
	}
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
		all = append(all, b)
	}
	return all
}
