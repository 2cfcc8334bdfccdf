//go:build race

package testkit

// RaceEnabled reports whether the race detector is on. It allocates, and sync.Pool then drops some
// of what it is given, so that tests which count allocations are skipped.
const RaceEnabled = true
