//go:build !unix

package main

import "os"

// notifyHangup does nothing: SIGHUP is Unix's.
func notifyHangup(chan<- os.Signal) {}
