package testkit

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"testing"
)

// Sample returns all, or with -short one in n of them, rounded up, in their order. The test's name
// is the seed of the choice, so that a test always makes the same one. The sample is logged with
// its size, so that a count says that it is one of a sample.
func Sample[T any](t testing.TB, what string, n int, all []T) []T {
	t.Helper()
	if !testing.Short() {
		return all
	}
	seed := fnv.New64a()
	seed.Write([]byte(t.Name()))
	chosen := rand.New(rand.NewPCG(seed.Sum64(), 0)).Perm(len(all))[:(len(all)+n-1)/n]
	slices.Sort(chosen)
	some := make([]T, len(chosen))
	for i, at := range chosen {
		some[i] = all[at]
	}
	t.Logf("%d of %d %s: a sample, because of -short", len(some), len(all), what)
	return some
}

// FirstOfEach returns all, or with -short the first of each kind, in their order. It logs what
// Sample logs.
func FirstOfEach[T any, K comparable](t testing.TB, what string, all []T, kind func(T) K) []T {
	t.Helper()
	if !testing.Short() {
		return all
	}
	seen := map[K]bool{}
	var some []T
	for _, one := range all {
		if k := kind(one); !seen[k] {
			seen[k] = true
			some = append(some, one)
		}
	}
	t.Logf("%d of %d %s: the first of each kind, because of -short", len(some), len(all), what)
	return some
}
