package main

import (
	"syscall"
	"time"
	"unsafe"
)

// clockThread is CLOCK_THREAD_CPUTIME_ID.
const clockThread = 3

// threadTime returns the processor time of this thread, which does not go on while other programs
// have the processor. The caller has locked its goroutine to the thread.
func threadTime() time.Duration {
	var t syscall.Timespec
	_, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockThread,
		uintptr(unsafe.Pointer(&t)), 0)
	if errno != 0 {
		panic(errno) // unreachable: each Linux has this clock
	}
	return time.Duration(t.Nano())
}
