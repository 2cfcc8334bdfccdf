//go:build !unix

package main

import "io/fs"

// owned is told by the system's own access control.
func owned(fs.FileInfo) bool { return true }
