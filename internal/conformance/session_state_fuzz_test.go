package conformance_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/testkit"
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

// FuzzSessionState: a state that a program gives back is refused, or is the one that it is written
// as, and a client that resumes from it neither panics nor trusts whom it should not.
func FuzzSessionState(f *testing.F) {
	for _, version := range []func(*vitrine.Config){rig.Only13, rig.Until12} {
		cache := &rig.OneSession{}
		client, server := rig.ClientConfig(version), rig.ServerConfig(f, version)
		client.ClientSessionCache = cache
		c, s := rig.Pair(f, client, server)
		if _, err := s.Write([]byte{1}); err != nil {
			f.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); err != nil {
			f.Fatal(err)
		}
		_, state, err := cache.S.ResumptionState()
		if err != nil {
			f.Fatal(err)
		}
		state.Extra = [][]byte{[]byte("kept")}
		b, err := state.Bytes()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
		for _, spoilt := range testkit.Spoil(b, 60) {
			f.Add(spoilt)
		}
		f.Add(tooLong(b, "kept"))
		f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0}) // the session is none
		c.Close()
		s.Close()
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
