//go:build !unix

package costs_test

import "net"

// maxOpenFiles returns 0: the limit is unknown, and the tests that need many files are skipped.
func maxOpenFiles() uint64 { return 0 }

// unread returns false: it is not asked here.
func unread(net.Conn) bool { return false }
