//go:build !linux

package main

import "time"

// threadTime returns the time of the clock: the time of a thread is read on Linux alone.
func threadTime() time.Duration { return time.Since(started) }
