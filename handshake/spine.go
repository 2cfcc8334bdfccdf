package handshake

import (
	"crypto/subtle"
	"errors"
	"iter"

	"github.com/vitrine-tls/vitrine/negotiation"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

// Carrier is the record layer as the handshake sees it: it sends messages and changes keys.
type Carrier interface {
	Send(k Kind, raw []byte)
	// called when the version and the limits of records are negotiated
	SetNegotiated(a *negotiation.Agreed)
	// nil keys: this direction can no longer be read, or, if it is our own, is in the clear again
	Protect(from iana.Side, keys *TrafficKeys) error
}

// Machine performs a handshake in one of the three roles. It does no I/O: it receives whole
// messages by Take and sends through its Carrier.
type Machine struct {
	Score

	live    bool // a client or a server, which speaks; an observer does not
	me      iana.Side
	player  player
	carrier Carrier
	log     *trace.Log

	open    []reading // the figures that still fit: one is left when it matters
	spare   []reading // what open was before: order fills the one from the other
	current currentMessage
	prior   *negotiation.Prior
	late    late

	early     earlyState
	disguised bool                    // the ChangeCipherSpec for middleboxes was sent
	keyLog    func(keylog.Line) error // an observer's: see Config.KeyLog

	done    bool
	failed  error // for good
	unsound bool  // an observer's: the transcript has holes
}

// expected yields the lines that may come next, each with the reading that it leads to.
func (m *Machine) expected() iter.Seq2[reading, *Line] {
	return func(yield func(reading, *Line) bool) {
		for _, r := range m.open {
			for i := r.at; i < len(r.Lines); i++ {
				l := &r.Lines[i]
				p := l.When(&m.Score)
				if p != Never && !yield(reading{r.Figure, i + 1}, l) {
					return
				}
				if p == Must {
					break
				}
			}
		}
	}
}

// order returns the line for a message from a side, and drops the readings in which that message
// may not come next. It returns an error if none is left.
func (m *Machine) order(from iana.Side, k Kind) (line *Line, err error) {
	fit := m.spare[:0]
	for r, l := range m.expected() {
		if l.From == from && l.Says == k {
			fit, line = append(fit, r), l
		}
	}
	if line == nil {
		return nil, alert.KindOrder.Fail(alert.UnexpectedMessage, "",
			"got the %v's %v, expected %s", from, k, spell(m.expected()))
	}
	m.open, m.spare = fit, m.open
	return line, nil
}

// Turn returns the side that may send next. All lines that may come next are of one side; an
// observer lets the other direction wait.
func (m *Machine) Turn() (from iana.Side, ok bool) {
	if m.failed != nil {
		return 0, false
	}
	for _, l := range m.expected() {
		return l.From, true
	}
	return 0, false
}

// Take receives one message or ChangeCipherSpec of another side. It checks its order, its layout
// and its content, in this sequence, before the message has any effect. The caller must call Speak
// next. Take keeps raw.
func (m *Machine) Take(from iana.Side, k Kind, raw []byte) error {
	return m.end(m.take(from, k, raw))
}

func (m *Machine) take(from iana.Side, k Kind, raw []byte) error {
	if m.failed != nil {
		return m.failed
	}
	if k == Kind(iana.HelloRequest) && from == iana.Server && !m.done {
		if _, err := m.dialect().Parse(raw); err != nil {
			return alert.Malformed("RFC 5246 §7.4.1.1", err)
		}
		// RFC 5246 §7.4.1.1: a client that is negotiating ignores it, and it is in no transcript
		return nil
	}
	l, err := m.order(from, k)
	if err != nil {
		return err
	}
	m.current = currentMessage{Line: l, raw: raw}
	if k != ChangeCipherSpec {
		if m.current.msg, err = m.parse(from, k, raw); err != nil {
			return alert.Malformed(l.Ref, err)
		}
	}
	m.show(l, m.current.msg, raw)
	return m.run()
}

// said is the message that is being processed, and the stage it has reached. A slow operation may
// interrupt it at any stage.
type currentMessage struct {
	*Line
	msg   message.Message
	raw   []byte
	stage int // an index of stages
}

// stages are the steps that every message goes through, in this order.
var stages = [...]func(*Machine) error{
	toCheck: (*Machine).check, toRemember: (*Machine).remember, toTakeEffect: (*Machine).effect,
	toFinish: (*Machine).finish,
}

// Where a line begins: another side's with the first, our own behind the check, and one that an
// observer missed behind what would need its bytes.
const (
	toCheck = iota
	toRemember
	toTakeEffect
	toFinish
)

// end stores a fatal error: after one nothing more is received, sent or derived. A Pending is not
// an error in this sense.
func (m *Machine) end(err error) error {
	if err == nil {
		return nil
	}
	if _, waits := errors.AsType[*Pending](err); !waits {
		m.failed = err
	}
	return err
}

// run takes the current message through as many stages as it can.
func (m *Machine) run() error {
	for ; m.current.Line != nil && m.current.stage < len(stages); m.current.stage++ {
		if err := stages[m.current.stage](m); err != nil {
			return err
		}
	}
	m.current = currentMessage{}
	return nil
}

// Speak sends our messages until it is another side's turn. After a Pending it continues where it
// stopped.
func (m *Machine) Speak() error { return m.end(m.speak()) }

func (m *Machine) speak() error {
	if m.failed != nil {
		return m.failed
	}
	if err := m.run(); err != nil {
		return err
	}
next:
	for m.live && !m.done {
		for _, l := range m.expected() {
			if l.From != m.me {
				return nil
			}
			msg, raw, err := m.compose(l.Says)
			if err != nil {
				return err
			}
			if raw == nil {
				continue // an optional line that we leave out: on to what may follow it
			}
			if _, err := m.order(m.me, l.Says); err != nil {
				return err
			}
			m.show(l, msg, raw)
			m.carrier.Send(l.Says, raw)
			m.current = currentMessage{Line: l, msg: msg, raw: raw, stage: toRemember}
			if err := m.run(); err != nil {
				return err
			}
			continue next
		}
		return alert.Fail(alert.InternalError, "", "the %v has nothing to say", m.me)
	}
	return nil
}

// show writes a message to the trace as soon as it is parsed, so that a message that a check
// rejects later can be inspected.
func (m *Machine) show(l *Line, msg message.Message, raw []byte) {
	if l.Says != ChangeCipherSpec && m.log.On() {
		m.log.Message(l.From, iana.HandshakeType(raw[0]), raw, refOf(l, msg))
	}
}

// compose returns the message for a line of ours. The player makes it, except for ChangeCipherSpec
// and Finished, which are the same in all roles.
func (m *Machine) compose(k Kind) (msg message.Message, raw []byte, err error) {
	switch k {
	case ChangeCipherSpec:
		return nil, []byte{1}, nil
	case Kind(iana.Finished):
		m.VerifyData[m.me] = m.verifyData(m.me)
		msg = &message.Finished{VerifyData: m.VerifyData[m.me]}
	default:
		if msg, err = m.player.compose(k, &m.Score); err != nil || msg == nil {
			return nil, nil, err
		}
	}
	raw, err = m.dialectOf(m.me).Encode(msg)
	return msg, raw, err
}

// check returns an error if the message must not have an effect. A Finished is compared before it
// enters the transcript that it proves.
func (m *Machine) check() error {
	from := m.current.From
	m.checking = m.current.raw
	defer func() { m.checking = nil }()
	switch f := m.current.msg.(type) {
	case nil:
		return nil
	case *message.Finished:
		return m.verify(from, f.VerifyData, m.verifyData(from))
	}
	return m.player.receive(from, m.current.msg, &m.Score)
}

func (m *Machine) verify(from iana.Side, got, want []byte) error {
	if m.unsound {
		return nil // messages are missing, so that there is nothing to compare with
	}
	if subtle.ConstantTimeCompare(got, want) != 1 {
		return alert.KindFinished.Fail(alert.DecryptError, m.current.Ref,
			"the %v's verify_data does not match the messages of this handshake", from)
	}
	m.VerifyData[from] = want
	m.log.Verified(trace.Verified{What: "finished", From: from}, m.current.Ref)
	return nil
}

// verifyData returns the verify_data that the Finished of from must have now.
func (m *Machine) verifyData(from iana.Side) []byte { return m.secrets.verifyData(from, &m.transcript) }

// remember adds the message to the transcript and to the score, whichever side sent it.
func (m *Machine) remember() error {
	if m.current.Says != ChangeCipherSpec {
		m.note(m.current.From, m.current.msg)
		m.transcript.add(m.current.raw)
	}
	if m.current.Says == Kind(iana.ServerHello) {
		m.Resumed, m.Undecided = m.player.resumption(&m.Score)
		m.open = m.fitting()
		m.protocol = m.open[0].protocol
	}
	return nil
}

// fitting returns the figures that are possible after a ServerHello, each from its beginning.
func (m *Machine) fitting() (open []reading) {
	for _, f := range figures {
		if f.Fits(&m.Score) != Never {
			open = append(open, reading{Figure: f})
		}
	}
	return open
}

// effect performs the effect of the current line, if it has one.
func (m *Machine) effect() error {
	if m.current.Then == nil {
		return nil
	}
	return m.current.Then(m)
}

// finish ends the handshake after the last line. It requires the player's proof of the peer's
// identity: without it there is no application data.
func (m *Machine) finish() error {
	for range m.expected() {
		return nil // a line can still come
	}
	more, err := m.player.finished(&m.Score)
	if err != nil {
		return err
	}
	for _, msg := range more {
		raw, err := m.dialect().Encode(msg)
		if err != nil {
			return err
		}
		m.log.Message(m.me, msg.Type(), raw, "RFC 8446 §4.6.1")
		m.carrier.Send(Kind(msg.Type()), raw)
	}
	m.protocol.end(m)
	m.done = true
	m.transcript = transcript{}
	m.log.Done(m.open[0].Name, nil)
	return nil
}

// Done reports whether the handshake is complete: every line of the figure was exchanged and every
// check succeeded.
func (m *Machine) Done() bool { return m.done }

// Forget releases what only the handshake needed. What was negotiated, and the Peer, are kept.
func (m *Machine) Forget() {
	m.forget()
	m.open, m.spare = nil, nil
}

// First reports whether this is a connection's first handshake.
func (m *Machine) First() bool { return m.prior == nil }

// Renegotiations returns how many handshakes of the connection came before this one.
func (m *Machine) Renegotiations() int {
	if m.prior == nil {
		return 0
	}
	return m.prior.Number
}

// Export returns n bytes of keying material for an application, once Done. See RFC 5705 and RFC
// 8446 §7.5.
func (m *Machine) Export(label string, context []byte, n int) ([]byte, error) {
	return m.secrets.export(label, context, m.Randoms(), n)
}

// dialect returns how messages are encoded, as far as the hellos determine it.
func (m *Machine) dialect() message.Dialect {
	d := message.Dialect{Version: iana.TLS12}
	if m.Agreed != nil {
		d = message.Dialect{Version: m.Agreed.Version, Kex: m.Agreed.Kex, Auth: m.Agreed.Auth}
	}
	return d
}

// dialectOf returns how the messages of a side are encoded.
func (m *Machine) dialectOf(from iana.Side) message.Dialect {
	d := m.dialect()
	if m.Agreed != nil {
		d.CertificateType = m.Agreed.CertificateTypes[from]
	}
	return d
}

// parse parses a message. Its type is taken from the bytes, and is not always that of the line.
// Some messages are optional for an observer: it ignores an error in them.
func (m *Machine) parse(from iana.Side, k Kind, raw []byte) (message.Message, error) {
	msg, err := m.dialectOf(from).Parse(raw)
	if err != nil && !m.live && m.spares(iana.HandshakeType(k)) {
		return m.dialectOf(from).New(iana.HandshakeType(k))
	}
	return msg, err
}
