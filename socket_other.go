//go:build !unix

package vitrine

import "net"

// A socket reads from a connection of the operating system; there is none here.
type socket struct{}

func socketOf(net.Conn) *socket { return nil }

func (*socket) read(buffer) (int, error) { panic("vitrine: there are no sockets here") }
