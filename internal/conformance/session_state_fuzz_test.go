package conformance_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/session"
)

// tooLong returns an encoded state whose only Extra, at its end, is longer than a session may be.
func tooLong(b []byte, extra string) []byte {
	long := session.MaxSessionSize + 1
	end := len(b) - len(extra) - 3 - 3
	at := 1 + int(b[0]) + 8 // the session, behind its ID and its deadline
	length := func(n int) []byte { return []byte{byte(n >> 16), byte(n >> 8), byte(n)} }
	return slices.Concat(b[:at], length(end+6+long-at-3), b[at+3:end], length(3+long), length(long),
		make([]byte, long))
}

// A resumption is a client and a server with the states from which they resume a session.
type resumption struct {
	client, server *vitrine.Config
	ticket         []byte
	states         [2][]byte // by iana.Side
}

// newResumption makes a session. The server asks for a client's certificate.
func newResumption(f *testing.F, version func(*vitrine.Config)) *resumption {
	cache := &rig.OneSession{}
	r := &resumption{client: rig.ClientConfig(version), server: rig.ServerConfig(f, version)}
	r.client.Certificates = []tls.Certificate{rig.IssueForClient(f, rig.Authority(),
		throwaway.ECDSA)}
	r.client.ClientSessionCache = cache
	r.server.ClientAuth = tls.RequireAndVerifyClientCert
	r.server.ClientCAs = rig.Authority().Pool()
	r.server.WrapSession = func(cs vitrine.ConnectionState, s *vitrine.SessionState) (b []byte,
		err error) {
		s.Extra = [][]byte{[]byte("kept")}
		if r.states[iana.Server], err = s.Bytes(); err != nil {
			return nil, err
		}
		return r.server.EncryptTicket(cs, s)
	}
	c, s := rig.Pair(f, r.client, r.server)
	defer c.Close()
	defer s.Close()
	if _, err := s.Write([]byte{1}); err != nil {
		f.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err != nil {
		f.Fatal(err)
	}
	ticket, state, err := cache.S.ResumptionState()
	if err != nil {
		f.Fatal(err)
	}
	state.Extra = [][]byte{[]byte("kept")}
	if r.states[iana.Client], err = state.Bytes(); err != nil {
		f.Fatal(err)
	}
	r.ticket = ticket
	return r
}

// meet has the two resume from states that they take for their own. Neither panics or hangs, and
// nobody is trusted who has no chain to a root.
func (r *resumption) meet(t testing.TB, states [2][]byte) (resumed bool) {
	t.Helper()
	state := func(of iana.Side) *vitrine.SessionState {
		s, err := vitrine.ParseSessionState(states[of])
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	offered, err := vitrine.NewResumptionState(r.ticket, state(iana.Client))
	if err != nil {
		t.Fatal(err)
	}
	client, server := r.client.Clone(), r.server.Clone()
	client.ClientSessionCache, server.WrapSession = &rig.OneSession{S: offered}, nil
	server.UnwrapSession = func([]byte, vitrine.ConnectionState) (*vitrine.SessionState, error) {
		return state(iana.Server), nil
	}
	a, z := rig.Wires(t)
	defer a.Close()
	defer z.Close()
	c, s := vitrine.Client(a, client), vitrine.Server(z, server)
	clientErr, serverErr := rig.Shake(c, s)
	for _, err := range []error{clientErr, serverErr} {
		if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
			t.Fatalf("they wait for each other: %v, %v", clientErr, serverErr)
		}
	}
	if clientErr != nil || serverErr != nil {
		return false
	}
	got, theirs := c.ConnectionState(), s.ConnectionState()
	if got.DidResume != theirs.DidResume {
		t.Errorf("the client resumed: %t; the server: %t", got.DidResume, theirs.DidResume)
	}
	if len(got.VerifiedChains) == 0 || len(theirs.VerifiedChains) == 0 {
		t.Errorf("%d chains of the server, %d of the client; resumed: %t", len(got.VerifiedChains),
			len(theirs.VerifiedChains), got.DidResume)
	}
	return got.DidResume
}

// FuzzSessionState: a state that a program gives back is refused, or is the one that it is written
// as, and neither a client nor a server that resumes from it panics or trusts whom it should not.
func FuzzSessionState(f *testing.F) {
	var resumptions []*resumption
	for _, version := range []func(*vitrine.Config){rig.Only13, rig.Until12} {
		r := newResumption(f, version)
		if !r.meet(f, r.states) {
			f.Error("what was not changed is not resumed: then what was shows little")
		}
		resumptions = append(resumptions, r)
		for _, b := range r.states {
			f.Add(b)
			for _, spoilt := range testkit.Spoil(b, 60) {
				f.Add(spoilt)
			}
		}
		f.Add(tooLong(r.states[iana.Client], "kept"))
		f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0}) // the session is none
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		state, err := vitrine.ParseSessionState(b)
		if err != nil {
			return
		}
		again, err := state.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if other, err := vitrine.ParseSessionState(again); err != nil {
			t.Fatal(err)
		} else if once, err := other.Bytes(); err != nil || !bytes.Equal(once, again) {
			t.Errorf("%x is written as %x and then %x: %v", b, again, once, err)
		}
		resumed, err := vitrine.NewResumptionState([]byte("ticket"), state)
		if err != nil {
			return
		}
		if ticket, same, err := resumed.ResumptionState(); err != nil ||
			string(ticket) != "ticket" {
			t.Errorf("%q, %v", ticket, err)
		} else if once, err := same.Bytes(); err != nil ||
			!bytes.Equal(once, again) {
			t.Errorf("%x is resumed as %x: %v", again, once, err)
		}
		for _, r := range resumptions {
			r.meet(t, [2][]byte{iana.Client: again, iana.Server: r.states[iana.Server]})
			r.meet(t, [2][]byte{iana.Client: r.states[iana.Client], iana.Server: again})
			r.meet(t, [2][]byte{again, again})
		}
		state.Extra = append(state.Extra, make([]byte, session.MaxSessionSize+1))
		if b, err := state.Bytes(); err == nil {
			t.Errorf("a state of %d bytes is written", len(b))
		}
		if _, err := new(vitrine.SessionState).Bytes(); err == nil {
			t.Error("a state of nothing is written")
		}
		if _, err := vitrine.NewResumptionState(nil, nil); err == nil {
			t.Error("nothing is resumed")
		}
		if _, same, err := new(vitrine.ClientSessionState).ResumptionState(); same != nil ||
			err != nil {
			t.Errorf("a session that is empty: %v, %v", same, err)
		}
	})
}
