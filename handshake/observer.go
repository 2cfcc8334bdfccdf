package handshake

import (
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/trace"
)

// Secrets finds where derivation begins for a handshake that was watched up to ClientKeyExchange,
// or ErrNoSecret. A Pending asks to be called again, by Speak.
type Secrets func(*Score) (Input, error)

// observer says nothing and refuses little: it takes every handshake that makes sense, also one
// that we would not speak.
type observer struct {
	secrets Secrets
	late    lateWatch
}

// NewObserver is a Machine that only listens. It is told each line by Take, when it is that line's
// Turn.
func NewObserver(secrets Secrets, log *trace.Log, carrier Carrier) *Machine {
	m := newMachine(iana.Client, &observer{secrets: secrets}, &negotiation.Config{Log: log}, carrier)
	m.live = false
	return m
}

func (*observer) compose(Kind, *Score) (message.Message, error)    { return nil, nil }
func (*observer) receive(iana.Side, message.Message, *Score) error { return nil }

func (*observer) resumption(s *Score) (resumed, undecided bool) {
	return negotiation.Resumes(s.ClientHello, s.ServerHello)
}

func (o *observer) secret(s *Score) (Input, error) { return o.secrets(s) }

// finished: what could not be verified is told by the package that observes.
func (*observer) finished(*Score) ([]message.Message, error) { return nil, nil }

func (*observer) withdraw() {}

func (*observer) config() *negotiation.Config { return nil }
func (*observer) proved() *Peer               { return nil }

// Keys are those that in would give a direction first. It is for an observer who has several
// secrets, and must find the one that fits: nothing changes, and the glass hears nothing of it.
func (m *Machine) Keys(in Input, from iana.Side) (*TrafficKeys, error) {
	d, ok, err := m.protocol.first(&m.Score, in, from)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, ErrNoSecret
	}
	return trafficKeys(m.Agreed, from, d), nil
}

// Unsound says that the next messages were not captured whole. What they would prove is not asked
// for any more.
func (m *Machine) Unsound() { m.unsound = true }

// Sound tells whether the transcript is what both sides said.
func (m *Machine) Sound() bool { return !m.unsound }

// beside are the messages that an observer can do without: what it cannot read of them is no reason
// to stop.
var beside = []iana.HandshakeType{iana.Certificate, iana.CertificateStatus, iana.CertificateRequest,
	iana.CertificateVerify,
	iana.NewSessionTicket, iana.NextProtocol}

// exchange are those that it can do without if it was told a secret that comes after them, and
// bytes are missing in them.
var exchange = []iana.HandshakeType{iana.ServerKeyExchange, iana.ClientKeyExchange}

// spares reports whether an observer can do without a message of type t.
func (*observer) spares(t iana.HandshakeType, unsound bool) bool {
	return slices.Contains(beside, t) || unsound && slices.Contains(exchange, t)
}

// Miss goes on as if a side had said all its lines up to one of this kind, or for kind 0 all until
// it is the other's turn: an observer knows that they were said, and does not have them. Secrets
// that need none of them are enough. It is false if there is no such line.
func (m *Machine) Miss(from iana.Side, until Kind) bool {
	for m.failed == nil && !m.done {
		var next *Line
		for _, l := range m.expected() {
			if l.From != from {
				return until == 0
			}
			if l.Says == until {
				return true
			}
			next = l // the last is the one that must be said
		}
		if next == nil {
			return false
		}
		if _, err := m.order(from, next.Says); err != nil {
			return false
		}
		m.unsound = true
		m.current = currentMessage{Line: next, stage: toTakeEffect}
		if m.end(m.run()) != nil {
			return false
		}
	}
	return m.done && until == 0
}

// PassEarly adds an EndOfEarlyData that could not be read to the transcript, and reports whether it
// was expected. Its bytes are always the same. The client's keys do not change: its sender is
// already known to be past it. See RFC 8446 §4.5.
func (m *Machine) PassEarly() bool {
	const kind = Kind(iana.EndOfEarlyData)
	if m.failed != nil || m.done {
		return false
	}
	for _, l := range m.expected() {
		if l.From != iana.Client || l.Says != kind {
			return false
		}
		break
	}
	raw := []byte{byte(iana.EndOfEarlyData), 0, 0, 0}
	if _, err := m.order(iana.Client, kind); err != nil {
		return false
	}
	m.transcript.add(raw)
	return true
}

func (*observer) earlyKeys(*Score) *earlyKeys { return nil }
