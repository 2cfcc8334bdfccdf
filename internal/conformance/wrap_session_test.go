package conformance_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/internal/rig"
)

// wrapping is a server's WrapSession and UnwrapSession in one of the two ways that crypto/tls
// suggests, each with something of the program in the session.
type wrapping struct {
	config  *vitrine.Config
	sealed  bool // by EncryptTicket; else the ticket is a number
	stored  [][]byte
	wrapped []vitrine.ConnectionState
	asked   []vitrine.ConnectionState
	extra   []string // that came back
	noEarly bool
	unwraps func() error // the error of UnwrapSession
	forgets bool
}

func (w *wrapping) wrap(cs vitrine.ConnectionState, s *vitrine.SessionState) ([]byte, error) {
	w.wrapped = append(w.wrapped, cs)
	s.Extra = append(s.Extra, []byte(fmt.Sprintf("session %d", len(w.wrapped))))
	if w.sealed {
		return w.config.EncryptTicket(cs, s)
	}
	b, err := s.Bytes()
	w.stored = append(w.stored, b)
	return []byte{byte(len(w.stored))}, err
}

func (w *wrapping) unwrap(ticket []byte,
	cs vitrine.ConnectionState) (*vitrine.SessionState, error) {
	w.asked = append(w.asked, cs)
	if w.unwraps != nil {
		if err := w.unwraps(); err != nil || w.forgets {
			return nil, err
		}
	}
	s, err := w.config.DecryptTicket(ticket, cs)
	if !w.sealed {
		s, err = vitrine.ParseSessionState(w.stored[ticket[0]-1])
	}
	if err != nil {
		return nil, err
	}
	for _, x := range s.Extra {
		w.extra = append(w.extra, string(x))
	}
	if w.noEarly {
		s.EarlyData = false
	}
	return s, nil
}

func (w *wrapping) edit(c *vitrine.Config) {
	w.config, c.WrapSession, c.UnwrapSession = c, w.wrap, w.unwrap
}

// WrapSession and UnwrapSession have crypto/tls's meaning: they make a ticket of a session, and a
// session of a ticket.
func TestAProgramWrapsSessions(t *testing.T) {
	rig.EachVersion(t, func(t *testing.T, version func(*vitrine.Config)) {
		for _, sealed := range []bool{true, false} {
			w := &wrapping{sealed: sealed}
			server := rig.ServerConfig(t, version, w.edit)
			client := rig.ClientConfig(version, func(c *vitrine.Config) {
				c.ClientSessionCache = vitrine.NewLRUClientSessionCache(1)
			})
			for i := range 2 {
				if got := rig.Resumes(t, client, server); got != (i == 1) {
					t.Errorf("sealed %t, connection %d: resumed %t", sealed, i+1, got)
				}
			}
			if len(w.extra) != 1 || w.extra[0][:8] != "session " || len(w.asked) != 1 {
				t.Fatalf("sealed %t: %q came back, in %d calls", sealed, w.extra, len(w.asked))
			}
			want := server.MaxVersion
			if a := w.asked[0]; a.Version != want || a.ServerName != rig.ServerName ||
				a.HandshakeComplete {
				t.Errorf("UnwrapSession is told %x, %q", a.Version, a.ServerName)
			}
			if s := w.wrapped[0]; s.Version != want || s.CipherSuite == 0 ||
				s.ServerName != rig.ServerName || s.DidResume {
				t.Errorf("WrapSession is told %x, %x, %q", s.Version, s.CipherSuite, s.ServerName)
			}
		}
	})
}

// Without a session the handshake is a full one; an error ends it, with the alert that the program
// chooses.
func TestAProgramRefusesToUnwrapASession(t *testing.T) {
	rig.EachVersion(t, func(t *testing.T, version func(*vitrine.Config)) {
		no := errors.New("the store is gone")
		for _, tt := range []struct {
			what string
			err  error
			want alert.Description
		}{
			{"no session", nil, 0},
			{"an error", no, alert.InternalError},
			{"an alert", alert.Fail(alert.AccessDenied, "", "not today"), alert.AccessDenied},
		} {
			w := &wrapping{sealed: true, forgets: true, unwraps: func() error { return tt.err }}
			server := rig.ServerConfig(t, version, w.edit)
			client := rig.ClientConfig(version, func(c *vitrine.Config) {
				c.ClientSessionCache = vitrine.NewLRUClientSessionCache(1)
			})
			rig.Resumes(t, client, server)
			c, _, err := rig.Connect(t, client, server)
			got, _ := rig.ReceivedAlert(err)
			if got != tt.want || (err == nil) != (tt.err == nil) || c.DidResume {
				t.Errorf("%s: got %v, resumed %t; expected %v", tt.what, err, c.DidResume, tt.want)
			}
		}
		server := rig.ServerConfig(t, version, func(c *vitrine.Config) {
			c.WrapSession = func(vitrine.ConnectionState, *vitrine.SessionState) ([]byte, error) {
				return nil, no
			}
		})
		client := rig.ClientConfig(version, func(c *vitrine.Config) {
			c.ClientSessionCache = vitrine.NewLRUClientSessionCache(1)
		})
		a, b := rig.Wires(t)
		_, err := rig.Shake(vitrine.Client(a, client), vitrine.Server(b, server))
		if got, _ := rig.AlertOf(err); !errors.Is(err, no) || got != alert.InternalError {
			t.Errorf("WrapSession fails: the server got %v", err)
		}
	})
}

// A program that sets EarlyData to false declines early data, and the session is resumed.
func TestAProgramDeclinesEarlyData(t *testing.T) {
	for _, declines := range []bool{false, true} {
		w := &wrapping{sealed: true, noEarly: declines}
		z := newZeroRTT(t, func(_, s *vitrine.Config) { w.edit(s) })
		client, server, _, err := z.visit(t, []byte("early data"))
		want := map[bool]vitrine.EarlyDataStatus{false: vitrine.EarlyDataAccepted,
			true: vitrine.EarlyDataRejected}[declines]
		if s := client.ConnectionState(); server.err != nil || s.EarlyData != want || !s.DidResume {
			t.Errorf("declines %t: %v, resumed %t; %v, %v", declines, s.EarlyData, s.DidResume, err,
				server.err)
		}
	}
}

// Tickets under keys that were replaced, and bytes that are not a ticket, yield no session.
func TestATicketOfOtherKeysIsNotDecrypted(t *testing.T) {
	w := &wrapping{sealed: true}
	server := rig.ServerConfig(t, rig.Only13, w.edit)
	client := rig.ClientConfig(rig.Only13, func(c *vitrine.Config) {
		c.ClientSessionCache = vitrine.NewLRUClientSessionCache(1)
	})
	rig.Resumes(t, client, server)
	s, _ := client.ClientSessionCache.Get(rig.ServerName)
	ticket, _, err := s.ResumptionState()
	if err != nil {
		t.Fatal(err)
	}
	none := vitrine.ConnectionState{}
	if got, err := server.DecryptTicket(ticket, none); got == nil || err != nil {
		t.Errorf("its own ticket: %v, %v", got, err)
	}
	for _, b := range [][]byte{nil, ticket[1:], slices.Concat(ticket, ticket)} {
		if got, err := server.DecryptTicket(b, none); got != nil || err != nil {
			t.Errorf("%d bytes: %v, %v", len(b), got, err)
		}
	}
	server.SetSessionTicketKeys([][32]byte{{1}})
	if got, err := server.DecryptTicket(ticket, none); got != nil || err != nil {
		t.Errorf("after a change of keys: %v, %v", got, err)
	}
	if _, err := server.EncryptTicket(none, &vitrine.SessionState{}); err == nil {
		t.Error("an empty SessionState was taken")
	}
}
