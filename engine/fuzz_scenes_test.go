package engine

import (
	"bytes"
	"context"
	"crypto"
	"crypto/tls"
	"errors"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
)

// A scene is a kind of connection, and what both sides do when its handshake is done.
type scene struct {
	what    string
	configs func(iana.Side) *negotiation.Config
	early   bool // the client sends data before the handshake
	refused bool // the client ends in an error
	then    []func(s *staged)
}

// scenes are the kinds of valid connections that FuzzScenes starts from.
func scenes(t testing.TB) []scene {
	certified := func(configs func(iana.Side) *negotiation.Config,
		edits ...func(iana.Side, *negotiation.Config)) func(iana.Side) *negotiation.Config {
		return func(me iana.Side) *negotiation.Config {
			c := configs(me)
			c.Credentials = []*pki.Credential{serverCredential()}
			c.ClientAuth = negotiation.ClientAuth{Request: true, Require: true}
			for _, edit := range edits {
				edit(me, c)
			}
			return c
		}
	}
	retried := func(me iana.Side) *negotiation.Config {
		c := config13(me)
		if me == iana.Server {
			c.Groups = []iana.Group{iana.Secp256r1}
		}
		return c
	}
	return []scene{
		{what: "TLS 1.2", configs: config},
		{what: "TLS 1.2, both certified", configs: certified(config)},
		{what: "TLS 1.2, resumed by a ticket", configs: resuming(t)},
		{what: "TLS 1.2, raw keys", configs: certified(config, rawKeys)},
		{what: "TLS 1.2, another handshake", configs: config, refused: true,
			then: []func(*staged){again}},
		{what: "TLS 1.3", configs: config13},
		{what: "TLS 1.3, both certified", configs: certified(config13)},
		{what: "TLS 1.3, retried", configs: retried},
		{what: "TLS 1.3, raw keys", configs: certified(config13, rawKeys)},
		{what: "TLS 1.3, an external key", configs: shared13},
		{what: "TLS 1.3, early data", configs: frozen(earlyConfigs(t, 100, 0)), early: true},
		{what: "TLS 1.3, more early data than is allowed", early: true, refused: true,
			configs: frozen(earlyConfigs(t, 3, 9))},
		{what: "TLS 1.3, new keys", configs: config13, then: []func(*staged){newKeys}},
		{what: "TLS 1.3, a late certificate", configs: configLate,
			then: []func(*staged){askLate}},
		{what: "TLS 1.3, late certificates, one after the other", configs: configLate,
			then: []func(*staged){askLate, askLate}},
		{what: "TLS 1.3, early data that is rejected", early: true,
			configs: rejecting(frozen(earlyConfigs(t, 100, 0)))},
	}
}

// rawKeys makes a side show a raw public key and accept any.
func rawKeys(_ iana.Side, c *negotiation.Config) {
	cert, err := authority().Issue(throwaway.Ed25519, []string{"vitrine.test"})
	if err != nil {
		panic(err)
	}
	cred, err := pki.FromTLS(&tls.Certificate{
		PrivateKey: pki.RawPrivateKey{Signer: cert.PrivateKey.(crypto.Signer)}})
	if err != nil {
		panic(err)
	}
	c.Credentials = []*pki.Credential{cred}
	c.PeerTypes = []iana.CertificateType{iana.RawPublicKey}
	c.VerifyRawKey = func([]byte) error { return nil }
}

// shared13 has a pre-shared key that no ticket brought.
func shared13(me iana.Side) *negotiation.Config {
	c := config13(me)
	c.FindKey = func(context.Context, negotiation.KeyRequest) (*negotiation.PSK, error) {
		return &negotiation.PSK{Identity: []byte("gardener"), Key: bytes.Repeat([]byte{7}, 32)}, nil
	}
	return c
}

// An edit is what happens to a message of the liar.
type edit struct{ at, how, where byte }

// staged is a connection in which one side sends something else than it should.
type staged struct {
	engines [2]*Engine
	errs    [2]error
	liar    iana.Side
	edits   []edit
	inject  []byte     // records after the handshake: type, times, and what is in them
	said    []outgoing // the liar's messages as they should be
	broken  bool       // a message was changed that belongs to the transcript
	shown   int        // certificates after the handshake, by the client
	proved  int        // and those that the server believed
	done    bool       // the liar's Finished was sent
	seen    [2][]byte
	sent    [2][]byte
}

// liar is the Carrier of the side that lies.
type liar struct {
	*Engine
	*staged
}

// Send keeps a message, or what the edits make of it.
func (l liar) Send(k handshake.Kind, raw []byte) {
	n, right := len(l.said), outgoing{k, bytes.Clone(raw)}
	l.said = append(l.said, right)
	sends := []outgoing{right}
	for _, e := range l.edits {
		if int(e.at) == n {
			sends = l.change(right, e)
		}
	}
	heard, want := l.counts(sends), l.counts([]outgoing{right})
	if k == handshake.Kind(iana.Finished) { // what follows it comes too late to matter
		heard = heard[:min(len(heard), 1)]
	}
	l.broken = l.broken || !l.done && !slices.EqualFunc(heard, want, same)
	l.done = l.done || k == handshake.Kind(iana.Finished)
	for _, m := range sends {
		l.Engine.Send(m.kind, m.raw)
	}
}

func same(a, b outgoing) bool { return a.kind == b.kind && bytes.Equal(a.raw, b.raw) }

// counts returns the messages whose place matters: in TLS 1.3 a ChangeCipherSpec means nothing.
func (s *staged) counts(all []outgoing) []outgoing {
	return slices.DeleteFunc(slices.Clone(all), func(m outgoing) bool {
		return m.kind == handshake.Kind(iana.HelloRequest) ||
			m.kind == handshake.ChangeCipherSpec && s.engines[0].machine.Config().Suites == nil
	})
}

// change returns what is sent in place of a message.
func (s *staged) change(m outgoing, e edit) []outgoing {
	b, earlier := bytes.Clone(m.raw), s.said[int(e.where)%len(s.said)]
	of := func(raw []byte) []outgoing {
		n := len(raw) - 4
		if m.kind == handshake.ChangeCipherSpec || n < 0 {
			return []outgoing{{m.kind, raw}}
		}
		raw[1], raw[2], raw[3] = byte(n>>16), byte(n>>8), byte(n)
		return []outgoing{{handshake.KindOf(raw), raw}}
	}
	switch e.how % 9 {
	case 1:
		return nil
	case 2:
		return []outgoing{m, m}
	case 3:
		return []outgoing{earlier, m}
	case 4:
		return []outgoing{earlier}
	case 7:
		return of(append(b, make([]byte, 1+e.where%40)...))
	}
	if len(b) <= 4 {
		return []outgoing{m}
	}
	at := 4 + int(e.where)*len(b)/256%(len(b)-4)
	switch e.how % 9 {
	case 5:
		b[at] ^= 1 << (e.where % 8)
	case 6:
		return of(b[:at])
	case 8:
		b[0] = e.where
	}
	return of(b)
}

// newStaged returns both sides of a scene before they speak.
func newStaged(c scene, from iana.Side, edits []edit) *staged {
	s := &staged{liar: from, edits: edits}
	for side := range s.engines {
		s.engines[side] = NewEngine(iana.Side(side), c.configs(iana.Side(side)))
	}
	e := s.engines[from]
	if config := e.machine.Config(); from == iana.Client {
		e.machine = handshake.NewClient(config, s.carrier(from))
	} else {
		e.machine = handshake.NewServer(config, s.carrier(from))
	}
	s.engines[iana.Client].Renegotiates = func() bool { return true }
	s.engines[iana.Client].Shown = func(*pki.Credential) { s.shown++ }
	s.engines[iana.Server].Proved = func(*handshake.Peer) error { s.proved++; return nil }
	return s
}

// carrier returns what carries the messages of a side.
func (s *staged) carrier(side iana.Side) handshake.Carrier {
	if side == s.liar {
		return liar{s.engines[side], s}
	}
	return s.engines[side]
}

// turn makes both sides send and read all that is available.
func (s *staged) turn() {
	for side, e := range s.engines {
		s.act(iana.Side(side), e)
		if _, told, err := e.SealReplies(); err != nil && !told {
			s.fail(iana.Side(side), err)
		}
		arrive(s.engines[1-side], sealed(e))
	}
}

func (s *staged) act(side iana.Side, e *Engine) {
	if s.errs[side] != nil {
		return
	}
	if err := advance(e); err != nil {
		s.fail(side, err)
		return
	}
	early := make([]byte, 200)
	s.seen[side] = append(s.seen[side], early[:e.ReadEarly(early)]...)
	if e.BufferedEarly() > 0 && !e.EarlyEnded() && len(s.seen[side]) == 0 {
		s.fail(side, errors.New("early data is left, and was not read"))
	}
	for e.Machine().Done() {
		b := make([]byte, 64)
		n, err := e.Read(b)
		s.seen[side] = append(s.seen[side], b[:n]...)
		if p, ok := errors.AsType[*handshake.Pending](err); ok {
			err = p.Do(context.Background())
			if err == nil {
				continue
			}
		}
		switch {
		case err == ErrRenegotiate:
			e.Renegotiate() // honestly: only its first handshake can lie
			if err := advance(e); err != nil {
				s.fail(side, err)
			}
			return
		case err == ErrMore:
			return
		case err != nil:
			s.fail(side, err)
			return
		}
	}
}

func (s *staged) fail(side iana.Side, err error) {
	if s.errs[side] == nil {
		s.errs[side] = err
		s.engines[side].Abort(err)
	}
}

// say sends data of each side that can.
func (s *staged) say(what string) {
	for side, e := range s.engines {
		if e.Machine().Done() && s.errs[side] == nil && e.Seal([]byte(what)) == nil {
			s.sent[side] = append(s.sent[side], what...)
		}
	}
	s.turn()
	s.turn()
}

// perform plays a scene to its end.
func (s *staged) perform(c scene) {
	if c.early {
		if err := advance(s.engines[0]); err == nil &&
			s.engines[0].SealEarly([]byte("early ")) == nil {
			s.sent[0] = append(s.sent[0], "early "...)
		}
	}
	for range 6 {
		s.turn()
	}
	s.say("one ")
	if s.inject != nil {
		s.injects()
	}
	for _, do := range c.then {
		do(s)
		for range 6 {
			s.turn()
		}
		s.say("two ")
	}
}

// newKeys makes both sides change their keys, with an answer.
func newKeys(s *staged) {
	for _, e := range s.engines {
		if e.Machine().Done() && e.UpdateKeys(iana.UpdateRequested) == nil {
			s.turn()
		}
	}
}

// askLate makes the server ask for a certificate.
func askLate(s *staged) {
	if e := s.engines[iana.Server]; e.Machine().Done() {
		_ = e.RequestCertificate(negotiation.ClientAuth{Request: true})
	}
}

// again makes the server ask for another handshake. The client begins one, and the server, which
// never renegotiates, declines: the client's handshake fails.
func again(s *staged) {
	if e := s.engines[iana.Server]; e.Machine().Done() {
		_ = e.Out.Seal(iana.RecordHandshake, []byte{byte(iana.HelloRequest), 0, 0, 0})
	}
}

// check holds a connection to what must be true of every one.
func (s *staged) check(t *testing.T, what string) {
	t.Helper()
	victim := s.engines[s.liar.Peer()]
	if s.proved > s.shown && s.liar == iana.Server {
		t.Errorf("%s: %d late certificates were shown, and %d proved", what, s.shown, s.proved)
	}
	if n := len(victim.Buffered()); n > 1<<17 || n > 0 && !victim.DataReceived() {
		t.Errorf("%s: %d bytes are left", what, n)
	}
	if victim.Machine().Done() && s.broken {
		t.Errorf("%s: done, although the %v lied: %+v", what, s.liar, s.edits)
	}
	if s.engines[iana.Server].Machine().EarlyData() == handshake.EarlyRejected {
		s.sent[iana.Client] = bytes.TrimPrefix(s.sent[iana.Client], []byte("early "))
	}
	for side := range s.seen {
		if !bytes.HasPrefix(s.sent[1-side], s.seen[side]) {
			t.Errorf("%s: the %v read %q of %q", what, iana.Side(side), s.seen[side],
				s.sent[1-side])
		}
	}
}

// Every scene succeeds when no message is changed.
func TestScenesAreValid(t *testing.T) {
	for _, c := range scenes(t) {
		s := newStaged(c, iana.Client, nil)
		s.perform(c)
		s.check(t, c.what)
		if c.refused && s.errs[iana.Client] != nil {
			continue
		}
		if s.errs != [2]error{} {
			t.Errorf("%s: %v", c.what, s.errs)
		}
		for side := range s.seen {
			if want := s.sent[1-side]; len(want) == 0 || !bytes.Equal(s.seen[side], want) {
				t.Errorf("%s: the %v read %q of %q", c.what, iana.Side(side), s.seen[side], want)
			}
		}
	}
}
