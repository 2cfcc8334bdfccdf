package vitrine

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/session"
)

var errNoTicketKey = errors.New("vitrine: Config.TicketKeys has no key")

// EncryptTicket returns a ticket with the session s, sealed with the ticket keys of c. It can be
// used as, or in, a Config.WrapSession. The state is not used. A session that is longer than 16 KiB
// together with Extra is an error.
func (c *Config) EncryptTicket(_ ConnectionState, s *SessionState) ([]byte, error) {
	k, err := s.fitting()
	if err != nil {
		return nil, err
	}
	keys, err := c.ticketKeys(context.Background())
	if err != nil {
		return nil, err
	}
	random := c.Rand
	if random == nil {
		random = rand.Reader
	}
	return seal(random, keys, k)
}

// DecryptTicket returns the session in a ticket that EncryptTicket made, or nil if the ticket is
// malformed or was sealed by none of the ticket keys of c. It can be used as, or in, a
// Config.UnwrapSession. The state is not used.
func (c *Config) DecryptTicket(ticket []byte, _ ConnectionState) (*SessionState, error) {
	keys, err := c.ticketKeys(context.Background())
	if err != nil {
		return nil, err
	}
	s := session.OpenTicket(keys, ticket)
	if s == nil {
		return nil, nil
	}
	return newSessionState(s), nil
}

// seal seals a session with the first of the keys.
func seal(random io.Reader, keys []session.TicketKey, s *session.Session) ([]byte, error) {
	if len(keys) == 0 {
		return nil, errNoTicketKey
	}
	return session.SealTicket(random, keys[0], s)
}

// maxTicketLen is how long a ticket may be, in bytes: a client keeps none that is longer.
const maxTicketLen = session.MaxSessionSize

// wrapped puts the program's WrapSession and UnwrapSession into r.
func (c *Config) wrapped(r *negotiation.Resumption, conn *Conn) {
	refused := func(what string, err error) error {
		return alert.Refused(alert.InternalError, "Config."+what+" fails", err)
	}
	if wrap := c.WrapSession; wrap != nil {
		r.Seal = func(_ context.Context, s *session.Session) ([]byte, error) {
			ticket, err := wrap(conn.stateNow(), newSessionState(s))
			if err == nil && len(ticket) > maxTicketLen {
				err = fmt.Errorf("got a ticket of %d bytes, expected at most %d", len(ticket),
					maxTicketLen)
			}
			if err != nil {
				return nil, refused("WrapSession", err)
			}
			return ticket, nil
		}
	}
	if unwrap := c.UnwrapSession; unwrap != nil {
		r.Open = func(_ context.Context, ticket []byte) (*session.Session, error) {
			s, err := unwrap(ticket, conn.stateNow())
			if err == nil && s != nil && s.session == nil {
				err = errEmptyState
			}
			if err != nil {
				return nil, refused("UnwrapSession", err)
			}
			if s == nil {
				return nil, nil
			}
			return s.kept(), nil
		}
	}
}

// stateNow returns the state in the middle of a server's handshake. Before its ServerHello that is
// the version and the server name.
func (c *Conn) stateNow() ConnectionState {
	m := c.machine()
	if m.Agreed == nil {
		v, name := m.Greeting()
		return ConnectionState{Version: uint16(v), ServerName: name}
	}
	s := c.stateOf(m)
	s.HandshakeComplete = m.Done()
	return s
}
