package vhttp

import (
	"io"
	"net"
	"testing"
)

// io.Copy and net/http prefer ReadFrom and WriteTo, which would pass by what these types do in Read
// and Write: the end of a panic, early data, the first line of HTTP/2.
func TestConnectionsHaveNoWayAroundReadAndWrite(t *testing.T) {
	for _, c := range []net.Conn{&stated{}, &conn{}, &sender{}} {
		if _, ok := c.(io.ReaderFrom); ok {
			t.Errorf("%T has ReadFrom", c)
		}
		if _, ok := c.(io.WriterTo); ok {
			t.Errorf("%T has WriteTo", c)
		}
	}
}
