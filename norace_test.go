//go:build !race

package vitrine_test

const raceEnabled = false
