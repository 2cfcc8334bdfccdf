package vitrine

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// A SessionState is a session that a program can store outside of the process, encoded by Bytes and
// decoded by ParseSessionState. A client stores the ticket beside it. A SessionState contains
// secrets: anyone who obtains it can resume the session and may be able to decrypt connections.
type SessionState struct {
	// Extra is for use by the program. It is part of the session from then on, of a client's and of
	// what is in a server's ticket, together with the session at most 16 KiB.
	Extra [][]byte

	// EarlyData reports whether early data may be sent with the ticket. A program may set it to
	// false: then a client sends none with it, and a server accepts none.
	EarlyData bool

	session *session.Session
}

var errEmptyState = errors.New("vitrine: an empty SessionState")

// ResumptionState returns the ticket and the state of the session, for a ClientSessionCache outside
// of this process. The ticket is nil for a session that the server finds by its ID; the ID is part
// of the state. A nil or empty cs has neither ticket nor state.
func (cs *ClientSessionState) ResumptionState() (ticket []byte, state *SessionState, err error) {
	if cs == nil || cs.session == nil {
		return nil, nil, nil
	}
	return bytes.Clone(cs.session.Ticket), newSessionState(cs.session), nil
}

func newSessionState(s *session.Session) *SessionState {
	return &SessionState{session: s, EarlyData: s.MaxEarlyData > 0, Extra: slices.Clone(s.Extra)}
}

// kept returns a copy of the session with what the program has set.
func (s *SessionState) kept() *session.Session {
	k := *s.session
	k.Extra = slices.Clone(s.Extra)
	if !s.EarlyData {
		k.MaxEarlyData = 0
	}
	return &k
}

// NewResumptionState returns the session with the ticket and the state that ResumptionState
// returned.
func NewResumptionState(ticket []byte, state *SessionState) (*ClientSessionState, error) {
	if state == nil || state.session == nil {
		return nil, errors.New("vitrine: a SessionState that neither ResumptionState nor " +
			"ParseSessionState made")
	}
	s := state.kept()
	s.Ticket = bytes.Clone(ticket)
	return &ClientSessionState{s}, nil
}

// fitting is kept for a session that is to be stored: it has at most session.MaxSessionSize bytes.
func (s *SessionState) fitting() (*session.Session, error) {
	if s == nil || s.session == nil {
		return nil, errEmptyState
	}
	k := s.kept()
	if err := k.Fits(); err != nil {
		return nil, fmt.Errorf("vitrine: %w", err)
	}
	return k, nil
}

// Bytes encodes the state for ParseSessionState. A session that is longer than 16 KiB together with
// Extra is an error.
func (s *SessionState) Bytes() ([]byte, error) {
	k, err := s.fitting()
	if err != nil {
		return nil, err
	}
	inner, err := k.Encode()
	if err != nil {
		return nil, err
	}
	return wire.Encode("session_state", func(c *wire.Codec) { s.layout(c, &inner) })
}

// ParseSessionState decodes a state encoded by Bytes. One that is longer than Bytes encodes is an
// error.
func ParseSessionState(data []byte) (*SessionState, error) {
	s := &SessionState{session: &session.Session{}}
	var inner []byte
	if err := wire.Decode(bytes.Clone(data), "session_state",
		func(c *wire.Codec) { s.layout(c, &inner) }); err != nil {
		return nil, err
	}
	session, err := session.DecodeSession(inner)
	if err != nil {
		return nil, err
	}
	session.ID, session.Deadline = s.session.ID, s.session.Deadline
	state := newSessionState(session)
	if _, err := state.fitting(); err != nil {
		return nil, err
	}
	return state, nil
}

// layout describes the encoding: the fields that only a client keeps, and the session as a server
// would store it (inner).
func (s *SessionState) layout(c *wire.Codec, inner *[]byte) {
	var until uint64
	if !s.session.Deadline.IsZero() {
		until = uint64(s.session.Deadline.Unix())
	}
	high, low := uint32(until>>32), uint32(until)
	wire.Opaque8(c, "session_id", &s.session.ID, 0, 32)
	wire.Uint32(c, "deadline_high", &high)
	wire.Uint32(c, "deadline_low", &low)
	wire.Opaque24(c, "session", inner, 1, 1<<24-1)
	if until = uint64(high)<<32 | uint64(low); c.Reading() && until != 0 {
		s.session.Deadline = time.Unix(int64(until), 0)
	}
}
