package main

import (
	"math"
	"math/rand/v2"
	"slices"
)

// trim returns the samples without the slowest twentieth, sorted.
func trim(x []float64) []float64 {
	x = slices.Sorted(slices.Values(x))
	return x[:len(x)-len(x)/20]
}

// moments returns the mean and the variance.
func moments(x []float64) (mean, variance float64) {
	for _, v := range x {
		mean += v
	}
	mean /= float64(len(x))
	for _, v := range x {
		variance += (v - mean) * (v - mean)
	}
	return mean, variance / float64(len(x)-1)
}

// welch returns the t of Welch's test: positive if a is slower.
func welch(a, b []float64) float64 {
	ma, va := moments(a)
	mb, vb := moments(b)
	return (ma - mb) / math.Sqrt(va/float64(len(a))+vb/float64(len(b)))
}

// resamples is how often bootstrap draws.
const resamples = 200

// bootstrap returns an interval that has the difference of the means, b less a, with 95 %.
func bootstrap(a, b []float64) (low, high float64) {
	random := rand.New(rand.NewPCG(1, 2))
	mean := func(x []float64) (m float64) {
		for range x {
			m += x[random.IntN(len(x))]
		}
		return m / float64(len(x))
	}
	d := make([]float64, resamples)
	for i := range d {
		d[i] = mean(b) - mean(a)
	}
	slices.Sort(d)
	return d[resamples*25/1000], d[resamples*975/1000-1]
}
