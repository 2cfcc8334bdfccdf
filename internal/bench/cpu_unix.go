//go:build unix

package main

import (
	"syscall"
	"time"
)

// cpu returns the processor time of this process so far.
func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// allowFiles lets this process have n files open.
func allowFiles(n int) error {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil || l.Cur >= uint64(n) {
		return err
	}
	l.Cur, l.Max = uint64(n), max(l.Max, uint64(n))
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l)
}
