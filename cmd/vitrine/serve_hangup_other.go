//go:build !unix

package main

import "os"

// notifyHangup does nothing: SIGHUP is a signal of Unix.
func notifyHangup(chan<- os.Signal) {}
