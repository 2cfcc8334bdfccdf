package handshake

import (
	"slices"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/trace"
)

// Secrets returns the input of key derivation for a handshake that was observed up to
// ClientKeyExchange, or ErrNoSecret. After a *Pending, Speak calls it again.
type Secrets func(*Score) (Input, error)

// observer is the player that sends nothing and rejects little: it accepts every handshake that it
// can follow, also those that our client and server would reject.
type observer struct {
	secrets Secrets
	late    lateWatch
}

// NewObserver returns a Machine that only receives. The caller passes each message to Take when it
// is its sender's Turn.
func NewObserver(secrets Secrets, log *trace.Log, carrier Carrier) *Machine {
	m := newMachine(iana.Client, &observer{secrets: secrets}, &negotiation.Config{Log: log},
		carrier)
	m.live = false
	return m
}

func (*observer) compose(Kind, *Score) (message.Message, error)    { return nil, nil }
func (*observer) receive(iana.Side, message.Message, *Score) error { return nil }

func (*observer) resumption(s *Score) (resumed, undecided bool) {
	return negotiation.Resumes(s.ClientHello, s.ServerHello)
}

func (o *observer) secret(s *Score) (Input, error) { return o.secrets(s) }

// finished requires nothing: package observe reports what could not be verified.
func (*observer) finished(*Score) ([]message.Message, error) { return nil, nil }

func (*observer) withdraw() {}

func (*observer) config() *negotiation.Config { return nil }
func (*observer) proved() *Peer               { return nil }

// Keys returns the first keys that in would give a direction. It is for an observer that has
// several secrets and must find the one that fits: it changes nothing and emits no event.
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

// Unsound records that messages were not captured completely, so that verify_data and signatures
// cannot be checked any more.
func (m *Machine) Unsound() { m.unsound = true }

// Sound reports whether the transcript is complete.
func (m *Machine) Sound() bool { return !m.unsound }

// beside lists the messages that an observer can do without: an unreadable one does not stop it.
var beside = []iana.HandshakeType{iana.Certificate, iana.CertificateStatus, iana.CertificateRequest,
	iana.CertificateVerify,
	iana.NewSessionTicket, iana.NextProtocol}

// exchange lists the messages that it can do without, if bytes are missing in them, when it has a
// secret that is derived later.
var exchange = []iana.HandshakeType{iana.ServerKeyExchange, iana.ClientKeyExchange}

// spares reports whether an observer can do without a message of type t.
func (*observer) spares(t iana.HandshakeType, unsound bool) bool {
	return slices.Contains(beside, t) || unsound && slices.Contains(exchange, t)
}

// Miss continues as if a side had sent all its messages up to one of this kind, or for kind 0 all
// until it is the other side's turn: an observer knows that they were sent, but was not able to
// capture them. Secrets that do not depend on them are enough. It returns false if the figure has
// no such line.
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
			next = l // the last is the one that must be sent
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
func (*observer) forget()                     {}
