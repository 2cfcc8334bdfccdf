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

// differences returns b less a, round by round and sorted.
func differences(a, b []float64) []float64 {
	d := make([]float64, len(a))
	for i := range d {
		d[i] = b[i] - a[i]
	}
	slices.Sort(d)
	return d
}

// bootstrap returns an interval that has the mean of the middle half of sorted with 95 %. It draws
// samples of the whole, so that the interval has what leaving out the ends does to the mean.
func bootstrap(sorted []float64) (low, high float64) {
	random := rand.New(rand.NewPCG(1, 2))
	n := len(sorted)
	times := make([]uint16, n) // how often each was drawn
	means := make([]float64, resamples)
	for i := range means {
		clear(times)
		for range n {
			times[random.IntN(n)]++
		}
		means[i] = middle(sorted, times)
	}
	slices.Sort(means)
	return means[resamples*25/1000], means[resamples*975/1000-1]
}

// middle returns the mean of the middle half of a sample that has each value of sorted so many
// times. The interquartile mean is moved little by the few samples that something interrupted.
func middle(sorted []float64, times []uint16) float64 {
	n := len(sorted)
	from, to := n/4, n-n/4
	sum, seen := 0.0, 0
	for i, x := range sorted {
		end := seen + int(times[i])
		if in := min(end, to) - max(seen, from); in > 0 {
			sum += x * float64(in)
		}
		seen = end
	}
	return sum / float64(to-from)
}
