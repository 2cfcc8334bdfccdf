package probe

import (
	"net"
	"time"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// patience is how long an answer is waited for that a mended server does not give: several times
// what its first answer took.
func (s *Server) patience() time.Duration {
	return min(max(300*time.Millisecond, 8*s.first), 2*time.Second)
}

// verdict returns what the server says within a time: the alert, that it closed, or "" if nothing.
func verdict(r *reader, conn net.Conn, wait time.Duration) string {
	conn.SetReadDeadline(time.Now().Add(wait))
	for {
		typ, content, err := r.record()
		switch {
		case err != nil && timedOut(err):
			return ""
		case err != nil && isReset(err):
			return "reset"
		case err != nil:
			return "closed"
		case typ == iana.RecordAlert && len(content) == 2:
			return "alert " + alert.Description(content[1]).String()
		case typ == iana.RecordAlert:
			return "an alert of another length"
		}
	}
}
