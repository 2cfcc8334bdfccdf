//go:build unix

package costs_test

import "syscall"

// maxOpenFiles returns how many files this process may have open, or 0 if that is unknown.
func maxOpenFiles() uint64 {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return uint64(limit.Cur)
}
