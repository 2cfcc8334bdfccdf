package negotiation

import (
	"context"
	"time"

	"github.com/vitrine-tls/vitrine/session"
)

// Resumption is how sessions are kept. The zero value keeps none. Its functions may be slow: they
// are called under Pending, but for Keep and Forget, which must not take long.
type Resumption struct {
	// Offer is the session that a client offers, or nil. Keep receives a new one once the handshake
	// is done, and nil when the connection ends with a fatal alert: RFC 5246 §7.2.2. Tickets says
	// that tickets are wanted (client) or issued (server).
	Offer   *session.Session
	Keep    func(*session.Session)
	Tickets bool

	// A server finds and stores sessions by ID (nil: no session IDs), and seals and opens tickets.
	// In TLS 1.3, where Tickets is false, the ID is the ticket.
	// For an unknown, expired or forged one they return nil without an error, and the handshake is
	// a full one, as it is after an error, which is written to the trace. Forget, if set, is called
	// with the ID of a session whose connection ended with a fatal alert.
	Find   func(ctx context.Context, id []byte) (*session.Session, error)
	Store  func(ctx context.Context, id []byte, s *session.Session) error
	Forget func(id []byte) error

	// Count is how many tickets a server of TLS 1.3 sends behind a full handshake, at most 255, and
	// 1 if it is 0. Lifetime is how long its sessions may be resumed, at most seven days, and
	// MaxSessionAge if it is 0.
	Count    int
	Lifetime time.Duration
	Seal     func(context.Context, *session.Session) ([]byte, error)
	Open     func(ctx context.Context, ticket []byte) (*session.Session, error)
}
