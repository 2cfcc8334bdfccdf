package engine

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/session"
)

// frozen keeps no session besides the first, so that each connection is like the one before.
func frozen(configs func(iana.Side) *negotiation.Config) func(iana.Side) *negotiation.Config {
	return func(me iana.Side) *negotiation.Config {
		c := configs(me)
		c.Keep = nil
		c.Seal = func(context.Context, *session.Session) ([]byte, error) { return []byte{255}, nil }
		return c
	}
}

// rejecting is a server that does not take the early data that it once allowed.
func rejecting(configs func(iana.Side) *negotiation.Config) func(iana.Side) *negotiation.Config {
	return func(me iana.Side) *negotiation.Config {
		c := configs(me)
		c.Take = func(context.Context, []byte) (bool, error) { return false, nil }
		return c
	}
}

// injects makes the liar seal records of its own, some times, and both sides go on.
func (s *staged) injects() {
	e, kind := s.engines[s.liar], iana.ContentType(s.inject[0])
	for range 1 + int(s.inject[1])%70 {
		if !e.Machine().Done() || s.errs[s.liar] != nil {
			return
		}
		body := s.inject[2:]
		if kind == iana.RecordApplicationData {
			s.sent[s.liar] = append(s.sent[s.liar], body...)
		}
		update := kind == iana.RecordHandshake && bytes.HasPrefix(body, []byte{24, 0, 0, 1}) &&
			len(body) == 5 && body[4] < 2
		if update { // with the new keys that it announces
			if e.UpdateKeys(iana.KeyUpdateRequest(body[4])) != nil {
				return
			}
		} else if e.Out.Seal(kind, body) != nil {
			return
		}
		s.turn()
	}
	s.say("then ")
}

// injections are what may come after a handshake: messages of every kind, alerts and empty records,
// once and without end. The first byte is the type of the record, the second how often it comes.
func injections() (all [][]byte) {
	for _, times := range []byte{0, 69} {
		for _, m := range [][]byte{msg(iana.KeyUpdate, 0), msg(iana.KeyUpdate, 1),
			msg(iana.KeyUpdate, 2),
			msg(iana.KeyUpdate), msg(iana.HelloRequest), msg(iana.Finished, make([]byte, 12)...),
			msg(iana.CertificateRequest, 1, 7, 0, 8, 0, 13, 0, 4, 0, 2, 8, 7),
			msg(iana.CertificateRequest, 0, 0, 0), msg(iana.Certificate, 0, 0, 0, 0),
			msg(iana.NewSessionTicket, 0, 0, 28, 32, 0, 0, 0, 5, 1, 9, 0, 1, 9, 0, 0),
			msg(iana.NewSessionTicket, 0, 0, 28, 32, 0, 1, 9), msg(iana.ClientHello, 3, 3),
			msg(99, 1), {4}} {
			all = append(all, append([]byte{byte(iana.RecordHandshake), times}, m...))
		}
		for _, alert := range [][]byte{{1, 0}, {2, 0}, {1, 90}, {1, 100}, {2, 40}, {1, 41},
			{1}, {3, 3}} {
			all = append(all, append([]byte{byte(iana.RecordAlert), times}, alert...))
		}
		all = append(all, []byte{byte(iana.RecordApplicationData), times},
			[]byte{byte(iana.RecordApplicationData), times, 1, 2, 3},
			[]byte{byte(iana.RecordChangeCipherSpec), times, 1}, []byte{24, times, 1})
	}
	return all
}

// FuzzScenes: in valid connections of every kind one side changes, drops, doubles, swaps or cuts
// messages under the right keys. The other side is never done if the transcript was touched, reads
// only what was sent, and does not panic.
func FuzzScenes(f *testing.F) {
	all, keep := scenes(f), testkit.SampleSeeds(29)
	for i := range all {
		for side := range byte(2) {
			f.Add(byte(i), side, []byte{}, []byte{})
			for at := range byte(7) {
				for how := range byte(9) {
					if keep() { // each fault of each message in some scene
						f.Add(byte(i), side, []byte{at, how, at * 31}, []byte{})
					}
				}
			}
			for _, inject := range injections() {
				if keep() {
					f.Add(byte(i), side, []byte{}, inject)
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, which, side byte, how, inject []byte) {
		c := all[int(which)%len(all)]
		var edits []edit
		for e := range slices.Chunk(how[:min(len(how), 12)], 3) {
			if len(e) == 3 {
				edits = append(edits, edit{e[0], e[1], e[2]})
			}
		}
		s := newStaged(c, iana.Side(side%2), edits)
		if len(inject) >= 2 && len(inject) < 2000 {
			s.inject = inject
		}
		s.perform(c)
		s.check(t, fmt.Sprintf("%s, a lying %v", c.what, s.liar))
	})
}
