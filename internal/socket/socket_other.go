//go:build !unix

package socket

import "net"

// ofSystem returns nil: sockets are read with a buffer here.
func ofSystem(net.Conn) Reader { return nil }
