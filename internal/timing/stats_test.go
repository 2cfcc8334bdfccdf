package main

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The statistics find a difference that is there, with its size, and none that is not.
func TestStatisticsFindADifferenceThatIsThere(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	sample := func(mean float64) []float64 {
		x := make([]float64, 20_000)
		for i := range x {
			x[i] = mean + 30*random.NormFloat64()
		}
		return trim(x)
	}
	same, other, slower := sample(1000), sample(1000), sample(1010)
	if got := welch(other, same); math.Abs(got) > 4.5 {
		t.Errorf("t is %.1f of two samples of one distribution", got)
	}
	if got := welch(slower, same); got < 10 {
		t.Errorf("t is %.1f of a difference of 10", got)
	}
	if low, high := bootstrap(same, slower); low > 10 || high < 10 || high-low > 4 {
		t.Errorf("the interval of a difference of 10 is %.1f to %.1f", low, high)
	}
}

// Every place can be measured, and classes differ in their inputs alone.
func TestEveryPlaceIsMeasured(t *testing.T) {
	all, err := places()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		for i, samples := range p.measure(3) {
			if len(samples) != 3 || len(p.classes[i].inputs) != variants {
				t.Errorf("%s, %s: %d samples", p.name, p.classes[i].name, len(samples))
			}
		}
	}
	if len(all) < 9 {
		t.Errorf("%d places", len(all))
	}
}
