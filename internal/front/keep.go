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
