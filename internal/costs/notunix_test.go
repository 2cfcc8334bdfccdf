//go:build !unix

package costs_test

import "time"

// cpu returns 0: benchmarks report processor time on Unix alone.
func cpu() time.Duration { return 0 }

// maxOpenFiles returns 0: the limit is unknown, and the tests that need many files are skipped.
func maxOpenFiles() uint64 { return 0 }
