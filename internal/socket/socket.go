// Package socket reads from connections without a buffer to wait with.
package socket

import "net"

// A Room is what is read into: Space returns where to, and Drained takes that back if nothing is in
// it.
type Room interface {
	Space() []byte
	Drained()
}

// A Reader reads into a Room what Read would return, and needs no space in it while it waits.
// Whoever waits, as most of many connections do, then holds no buffer, and nothing is read twice.
type Reader interface{ ReadInto(Room) (int, error) }

// Of returns the Reader of a connection: conn, if it is one, or that of the operating system's
// socket; nil if conn is of another kind. A type that embeds a socket's may read in its own way,
// and is of another kind.
func Of(conn net.Conn) Reader {
	if r, ok := conn.(Reader); ok {
		return r
	}
	return ofSystem(conn)
}
