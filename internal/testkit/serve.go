package testkit

import (
	"net"
	"testing"
)

// Serve accepts connections from l until the test ends, and calls do for each in a goroutine of its
// own. It closes the connection when do returns.
func Serve(t testing.TB, l net.Listener, do func(net.Conn)) {
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				do(c)
			}()
		}
	}()
}

// ServeTCP is Serve at a free port of the loopback interface, whose address it returns.
func ServeTCP(t testing.TB, do func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	Serve(t, l, do)
	return l.Addr().String()
}
