package front

import (
	"io"
	"net"
)

// Keep makes a connection that Server accepted hold v until it ends, and then close it. A
// connection holds one value.
func Keep(c net.Conn, v io.Closer) {
	g, ok := c.(*guest)
	if !ok {
		return
	}
	g.server.mu.Lock()
	defer g.server.mu.Unlock()
	g.kept = v
}

// Kept returns the value that a connection holds, or nil.
func Kept(c net.Conn) io.Closer {
	g, ok := c.(*guest)
	if !ok {
		return nil
	}
	g.server.mu.Lock()
	defer g.server.mu.Unlock()
	return g.kept
}

// End is how the socket of a connection ended, as far as TLS does not tell.
type End uint8

// The ends.
const (
	Unremarkable End = iota
	Idle             // nothing passed for as long as Limits.Idle
	Reset            // the client has reset it
)

// HowItEnded returns how the socket of a connection ended that Server accepted.
func HowItEnded(c net.Conn) End {
	g, ok := c.(*guest)
	switch {
	case ok && g.expired.Load():
		return Idle
	case ok && g.reset.Load():
		return Reset
	}
	return Unremarkable
}

// drop closes what the connection holds.
func (g *guest) drop() {
	g.server.mu.Lock()
	v := g.kept
	g.kept = nil
	g.server.mu.Unlock()
	if v != nil {
		v.Close()
	}
}
