package handshake

import (
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/negotiation"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

// Secrets finds where derivation begins for a handshake that was watched up to ClientKeyExchange,
// or ErrNoSecret. A Pending asks to be called again, by Speak.
type Secrets func(*Score) (Input, error)

// observer says nothing and refuses little: it takes every handshake that makes sense, also one
// that we would not speak.
type observer struct{ secrets Secrets }

// NewObserver is a Machine that only listens. It is told each line by Take, when it is that line's
// Turn.
func NewObserver(secrets Secrets, log *trace.Log, carrier Carrier) *Machine {
	m := newMachine(iana.Client, &observer{secrets}, &negotiation.Config{Log: log}, carrier)
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

// Keys are those that in would give a direction first. It is for an observer who has several
// secrets, and must find the one that fits: nothing changes, and the glass hears nothing of it.
func (s *Score) Keys(in Input, from iana.Side) (*TrafficKeys, error) {
	d, ok, err := s.protocol.first(s, in, from)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, ErrNoSecret
	}
	return trafficKeys(s.Agreed, from, d), nil
}

// first12 returns the keys that in gives a direction first, until TLS 1.2.
func first12(s *Score, in Input, from iana.Side) (keys.Direction, bool, error) {
	derived, err := s.derive(in, nil)
	if err != nil {
		return keys.Direction{}, false, err
	}
	return derived.block.Of(from), true, nil
}

// first13 returns the keys that in gives a direction first in TLS 1.3.
func first13(s *Score, in Input, from iana.Side) (d keys.Direction, ok bool, err error) {
	k := keys.HKDF{Hash: s.Agreed.Suite.PRF}
	switch {
	case in.Traffic != nil:
		d, ok = logged(k, s.Agreed.Suite, in.Traffic).keys(from, Handshaking)
	case in.Shared != nil || in.PSK != nil:
		d, ok = k.Early(in.PSK).Handshake(in.Shared).Traffic(from, s.transcript.sum()).
			Direction(s.Agreed.Suite.Shape(iana.TLS13)), true
	}
	return d, ok, nil
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
func (m *Machine) spares(t iana.HandshakeType) bool {
	return slices.Contains(beside, t) || m.unsound && slices.Contains(exchange, t)
}

// nameGroup names the group of a ServerKeyExchange, also one that nobody here can compute in.
func nameGroup(m *message.ServerKeyExchange) (iana.Group, string) {
	switch {
	case m == nil || m.P == nil && m.Group == 0:
		return 0, "" // it is missing
	case m.P == nil:
		return m.Group, m.Group.String()
	}
	return kex.NameOf(m.P, m.G)
}

// Exchange is how the secret was agreed on and who vouched for it, in the words of a suite's name:
// "ECDHE_RSA".
func (s *Score) Exchange() string {
	kx, auth := s.Agreed.Kex.String(), s.Agreed.Auth
	switch {
	case auth == iana.AuthNone || s.Agreed.Kex.PreShared() || s.Agreed.Kex == iana.KexRSA:
		return kx
	case auth == iana.AuthAnon:
		// "DH_anon" is ephemeral, whatever its name says
		return fmt.Sprintf("%s_anon", kx[:len(kx)-1])
	}
	return fmt.Sprintf("%s_%v", kx, auth)
}

// ResumedByPSK tells whether a TLS 1.3 handshake goes on from an earlier one, or begins with a key
// that both sides held.
func (s *Score) ResumedByPSK() bool {
	return s.Agreed != nil && s.Agreed.PSK
}

// PSKIdentity returns the identity of the pre-shared key that a server of TLS 1.3 selected, or nil.
func (s *Score) PSKIdentity() []byte {
	var offered message.OfferedPSKs
	if s.Agreed == nil || !s.Agreed.PSK {
		return nil
	}
	if ok, err := s.ClientHello.Extensions.Read(iana.ExtPreSharedKey, &offered); !ok ||
		err != nil || s.Agreed.Identity >= len(offered.Identities) {
		return nil
	}
	return offered.Identities[s.Agreed.Identity].Identity
}

// keyShare returns what a side sent in key_share for the group that was negotiated, or nil.
func (s *Score) keyShare(from iana.Side) []byte {
	if from == iana.Server {
		var share message.KeyShare
		if ok, err := s.ServerHello.Extensions.Read(iana.ExtKeyShare, &share); !ok || err != nil {
			return nil
		}
		return share.KeyExchange
	}
	var shares message.KeyShares
	if ok, err := s.ClientHello.Extensions.Read(iana.ExtKeyShare, &shares); !ok || err != nil {
		return nil
	}
	for _, share := range shares.Shares {
		if share.Group == s.Agreed.Group {
			return share.KeyExchange
		}
	}
	return nil
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

// KeysOf returns the keys of TLS 1.3 under which a side sends in an epoch, or nil if they are not
// known yet. It is for an observer that reads records before, or without, the messages that change
// keys.
func (m *Machine) KeysOf(from iana.Side, e Epoch) *TrafficKeys {
	if m.secrets == nil || m.Agreed == nil {
		return nil
	}
	d, ok := m.secrets.keys(from, e)
	if !ok {
		return nil
	}
	k := trafficKeys(m.Agreed, from, d)
	k.Epoch = e
	return k
}

// LogKeys makes an observer pass on the secrets that it derives, as lines of a key log.
func (m *Machine) LogKeys(put func(keylog.Line)) {
	m.keyLog = func(l keylog.Line) error {
		put(l)
		return nil
	}
}

// deriveEarly derives the secret of early data for an observer that has the pre-shared key. Early
// data is under the first identity of the first ClientHello alone. See RFC 8446 §4.2.10.
func (m *Machine) deriveEarly(s *schedule13, early keys.Early) error {
	if m.Retried() || !m.Agreed.PSK || m.Agreed.Identity != 0 || !m.OfferedEarly() ||
		len(m.transcript.messages) == 0 {
		return nil
	}
	h := m.Agreed.Suite.PRF.New()
	h.Write(m.transcript.messages[0])
	traffic := early.ClientTraffic(h.Sum(nil))
	s.set(Early, iana.Client, traffic)
	return m.logKey(keylog.ClientEarlyTraffic, traffic.Bytes())
}

// hearEarly lets an observer hear early data, or all that the client sends next if the secret of
// early data is not known. Then its boundary must be found by trial.
func (m *Machine) hearEarly() error {
	if m.KeysOf(iana.Client, Early) != nil {
		return m.install(iana.Client, Early)
	}
	m.Blind[iana.Client] = m.KeysOf(iana.Client, Handshaking) == nil
	return m.carrier.Protect(iana.Client, nil)
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

// TrafficSecrets are what a key log knows of a TLS 1.3 connection. A secret that it does not know
// is nil, and one whose length is not that of the suite's hash is ignored.
type TrafficSecrets struct {
	Early       []byte    // of the client, before the server has answered
	Handshake   [2][]byte // by side
	Application [2][]byte
}
