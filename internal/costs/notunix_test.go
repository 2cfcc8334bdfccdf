//go:build !unix

package costs_test

// maxOpenFiles returns 0: the limit is unknown, and the tests that need many files are skipped.
func maxOpenFiles() uint64 { return 0 }
