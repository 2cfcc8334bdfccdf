package vitrine

import (
	"context"
	"crypto/tls"
	"errors"
	"slices"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/session"
)

// The session events, by which QUIC stores its own data with a session: RFC 9000 §7.4.1.

var (
	errQUICAsks     = errors.New("vitrine: an event of QUICResumeSession must be answered first")
	errQUICStore    = errors.New("vitrine: only a client stores sessions")
	errQUICStranger = errors.New("vitrine: StoreSession: got a SessionState that is not from an " +
		"event of this connection, or was already used")
)

// maxQUICSessions is how many sessions wait for StoreSession.
const maxQUICSessions = 16

// quicSessions holds the sessions of a QUICConn that were passed to the program in events.
type quicSessions struct {
	on     bool
	keep   func(*session.Session) // stores a client's
	stored []quicSession          // passed to the program, and not stored yet
	// to be resumed; the program may change it until the next NextEvent
	asked    *quicSession
	answered []quicSession // sessions that a server's program has decided about
	offer    func()        // a client's: sets its Offer to what the program decided
}

// quicSession is a session and the state that the program sees.
type quicSession struct {
	id    string // of a server's: the ticket
	seen  *tls.SessionState
	inner *session.Session
}

func newQUICSession(id string, s *session.Session) quicSession {
	return quicSession{id, &tls.SessionState{EarlyData: s.MaxEarlyData > 0,
		Extra: slices.Clone(s.Extra)}, s}
}

// decided returns the session as the program left it.
func (s *quicSession) decided() *session.Session {
	state := newSessionState(s.inner)
	state.EarlyData = state.EarlyData && s.seen.EarlyData
	state.Extra = s.seen.Extra
	return state.kept()
}

// watchSessions makes h report sessions as events instead of storing and resuming them by itself.
func (q *QUICConn) watchSessions(h *negotiation.Config) {
	if keep := h.Keep; keep != nil {
		q.events.keep = keep
		h.Keep = func(s *session.Session) {
			if s == nil {
				keep(nil)
				return
			}
			k := newQUICSession("", s)
			q.events.stored = append(q.events.stored, k)
			q.events.stored = slices.Delete(q.events.stored, 0,
				max(0, len(q.events.stored)-maxQUICSessions))
			q.engine.Tell(QUICEvent{Kind: QUICStoreSession, SessionState: k.seen})
		}
	}
	h.Open, h.Find = q.asking(h.Open), q.asking(h.Find)
}

// asking returns a function that opens a ticket as open does, after the program was asked about the
// session.
func (q *QUICConn) asking(
	open func(context.Context, []byte) (*session.Session, error),
) func(context.Context, []byte) (*session.Session, error) {
	if open == nil {
		return nil
	}
	return func(ctx context.Context, ticket []byte) (*session.Session, error) {
		for _, k := range q.events.answered {
			if k.id == string(ticket) {
				return k.decided(), nil
			}
		}
		s, err := open(ctx, ticket)
		if s == nil || err != nil || s.Version != iana.TLS13 {
			return s, err
		}
		q.ask(newQUICSession(string(ticket), s))
		return nil, alert.KindCallback.Fail(alert.InternalError, "", "%w", errQUICAsks)
	}
}

// ask queues the event for a session that may be resumed. The handshake waits for the program.
func (q *QUICConn) ask(k quicSession) {
	q.events.asked = &k
	q.engine.Tell(QUICEvent{Kind: QUICResumeSession, SessionState: k.seen})
}

// goOn reports whether the program has decided about a session, so that the handshake can continue.
func (s *quicSessions) goOn() bool {
	if s.asked == nil {
		return false
	}
	if s.offer != nil {
		s.offer()
		s.offer = nil
	} else {
		s.answered = append(s.answered, *s.asked)
	}
	s.asked = nil
	return true
}

// offers asks the program about the session that a client would offer. It returns false if there is
// none.
func (q *QUICConn) offers(h *negotiation.Config) bool {
	if !q.events.on || q.conn.me != iana.Client || h.Offer == nil {
		return false
	}
	k := newQUICSession("", h.Offer)
	q.events.offer = func() {
		h.Offer = k.decided()
	}
	q.ask(k)
	return true
}

// StoreSession stores the session of a QUICStoreSession event in Config.ClientSessionCache. s must
// be the SessionState of the event, with which it can be called once.
func (q *QUICConn) StoreSession(s *tls.SessionState) error {
	if q.conn.me != iana.Client {
		return errQUICStore
	}
	i := slices.IndexFunc(q.events.stored, func(k quicSession) bool { return k.seen == s })
	if i < 0 {
		return errQUICStranger
	}
	k := q.events.stored[i]
	q.events.stored = slices.Delete(q.events.stored, i, i+1)
	q.events.keep(k.decided())
	return nil
}
