package broken

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// Ending is how a connection ends whose answer is cut.
type Ending string

// The endings.
const (
	Closing   Ending = "closed"
	Resetting Ending = "reset"
	Stalling  Ending = "stalled"
)

// Relay returns the address of somebody on the way to a server who passes no more than the first
// bytes of what it answers in each connection.
func Relay(t testing.TB, server string, most int64, end Ending) string {
	return testkit.ServeTCP(t, func(c net.Conn) {
		s, err := net.Dial("tcp", server)
		if err != nil {
			return
		}
		defer s.Close()
		s.SetDeadline(time.Now().Add(rig.Patience))
		go func() {
			io.Copy(s, c)
			s.(*net.TCPConn).CloseWrite()
		}()
		if _, err := io.CopyN(c, s, most); err != nil {
			return // it sent no more
		}
		if s.Read(make([]byte, 1)); end == Stalling { // it sends more, or ends
			io.Copy(io.Discard, c)
		}
		if end == Resetting {
			c.(*net.TCPConn).SetLinger(0)
		}
	})
}
