package handshake

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
)

// A stage is a handshake that repeats to the byte: one side is a machine, the other its lines,
// recorded.
type stage struct {
	what  string
	under iana.Side // the machine
	lines []spoke   // of the other side, in their right order
	again func(Carrier) *Machine
}

// rehearse performs Figure 1 of RFC 5246 with and without ephemeral keys, with a client
// certificate, and keeps what both sent.
func rehearse(t testing.TB) []stage {
	var all []stage
	for _, c := range []struct {
		suite iana.CipherSuite
		kind  throwaway.Kind
	}{{ecdheECDSA, throwaway.Ed25519}, {rsaRSA, throwaway.RSA}} {
		ours, theirs := credential(t, throwaway.Ed25519, "client.test"), credential(t, c.kind, name)
		client := func() *negotiation.Config {
			x := config("client", c.suite)
			x.Credentials = []*pki.Credential{ours}
			return x
		}
		server := func() *negotiation.Config {
			x := config("server", c.suite)
			x.Credentials = []*pki.Credential{theirs}
			x.ClientAuth = negotiation.ClientAuth{Request: true}
			return x
		}
		_, _, said, errs := perform(client(), server())
		if errs != [2]error{} {
			t.Fatal(c.suite, errs)
		}
		all = append(all,
			stage{c.suite.String() + " client", iana.Client, said[iana.Server],
				func(d Carrier) *Machine { return NewClient(client(), d) }},
			stage{c.suite.String() + " server", iana.Server, said[iana.Client],
				func(d Carrier) *Machine { return NewServer(server(), d) }})
	}
	return all
}

// play gives a machine lines until one is refused, and what it thinks then.
func (s *stage) play(lines []spoke) (m *Machine, taken int, err error) {
	m = s.again(&desk{})
	if err = patient(m.Speak, m.Speak); err != nil {
		return m, 0, err
	}
	for _, l := range lines {
		if m.Done() {
			return m, taken, nil
		}
		err = patient(func() error { return m.Take(s.under.Peer(), l.kind, bytes.Clone(l.raw)) },
			m.Speak)
		if err == nil {
			err = patient(m.Speak, m.Speak)
		}
		if err != nil {
			return m, taken, err
		}
		taken++
	}
	return m, taken, nil
}

// genuine reports whether lines are the right ones in their order; a HelloRequest may stand
// anywhere, except for a client of TLS 1.3 alone, which has none.
func (s *stage) genuine(lines []spoke) bool {
	lines = slices.DeleteFunc(slices.Clone(lines), func(l spoke) bool {
		return s.under == iana.Client && l.kind == Kind(iana.HelloRequest) && len(l.raw) == 4 &&
			!strings.HasPrefix(s.what, "TLS 1.3")
	})
	return len(lines) >= len(s.lines) &&
		slices.EqualFunc(lines[:len(s.lines)], s.lines, func(a, b spoke) bool {
			return a.kind == b.kind && (a.kind == ChangeCipherSpec || bytes.Equal(a.raw, b.raw))
		})
}

// check plays lines: a machine is done with the genuine ones, and with no others.
func (s *stage) check(t *testing.T, what string, lines []spoke) {
	t.Helper()
	m, taken, err := s.play(lines)
	if from, more := m.Turn(); more && err != nil || more && m.Done() && from == s.under {
		t.Errorf("%s, %s: after %v it is the turn of the %v", s.what, what, err, from)
	}
	if err != nil && len(lines) > 0 {
		if m.Take(s.under.Peer(), lines[0].kind, bytes.Clone(lines[0].raw)) == nil ||
			m.Speak() == nil {
			t.Errorf("%s, %s: after %v it goes on", s.what, what, err)
		}
	}
	switch genuine := s.genuine(lines); {
	case genuine && (!m.Done() || err != nil):
		t.Errorf("%s, %s: the genuine lines ended in %v", s.what, what, err)
	case m.Done() && !genuine:
		t.Errorf("%s, %s: done after %d lines", s.what, what, taken)
	case m.Done() &&
		(s.under == iana.Client &&
			!m.Agreed.Kex.PreShared() && !m.Resumed &&
			(m.Peer().Verified == nil || !m.Peer().possessed && m.Agreed.Suite.Ephemeral())):
		t.Errorf("%s, %s: done without a proof", s.what, what)
	}
}

func TestNoOtherOrderEndsInAHandshake(t *testing.T) {
	count := 0
	for _, s := range rehearse(t) {
		try := func(what string, lines ...spoke) {
			count++
			s.check(t, what, lines)
		}
		n := len(s.lines)
		try("as it is", s.lines...)
		try("nothing")
		for i := range n {
			try(fmt.Sprintf("without line %d", i), slices.Delete(slices.Clone(s.lines), i, i+1)...)
			try(fmt.Sprintf("line %d twice", i),
				slices.Insert(slices.Clone(s.lines), i, s.lines[i])...)
			try(fmt.Sprintf("up to line %d", i), s.lines[:i]...)
			for j := range n {
				swapped := slices.Clone(s.lines)
				swapped[i], swapped[j] = swapped[j], swapped[i]
				try(fmt.Sprintf("lines %d and %d swapped", i, j), swapped...)
				moved := slices.Insert(slices.Delete(slices.Clone(s.lines), i, i+1), j%n,
					s.lines[i])
				try(fmt.Sprintf("line %d moved to %d", i, j), moved...)
			}
			for at := range s.lines[i].raw {
				// every byte of what is short
				if s.lines[i].kind == ChangeCipherSpec || at%7 != i%7 && at > 60 {
					continue
				}
				changed := slices.Clone(s.lines)
				changed[i].raw = bytes.Clone(changed[i].raw)
				changed[i].raw[at] ^= 1 << (at % 8)
				try(fmt.Sprintf("line %d (%v), byte %d changed", i, s.lines[i].kind, at),
					changed...)
			}
		}
	}
	t.Logf("%d transcripts", count)
}
