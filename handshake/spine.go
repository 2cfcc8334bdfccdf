package handshake

import (
	"crypto/subtle"
	"errors"
	"iter"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/keylog"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

// Kind is what a line says: a handshake message, or ChangeCipherSpec, which is none but has its
// place in the figure.
type Kind uint16

// ChangeCipherSpec is outside the range of handshake types. See RFC 5246 §7.1.
const ChangeCipherSpec Kind = 0x100

func (k Kind) String() string {
	switch k {
	case ChangeCipherSpec:
		return "change_cipher_spec"
	case HelloRetryRequest:
		return "hello_retry_request"
	}
	return iana.HandshakeType(k).String()
}

// Presence says whether a line is said at this point.
type Presence uint8

// The three answers.
const (
	Never Presence = iota
	May
	Must
)

// Line is one arrow of a figure: who speaks, what is said, when it is said, and what changes once
// it has been said.
type Line struct {
	From iana.Side
	Says Kind
	When func(*Score) Presence
	Then func(*Machine) error
	Ref  string
}

// Figure is a table of lines, in the RFC's order.
type Figure struct {
	Name  string
	Fits  func(*Score) Presence // asked once both hellos are known
	Lines []Line
}

// A reading is one figure that fits everything said so far, and how far it has come.
type reading struct {
	*Figure
	at int
}

// Carrier takes what the handshake says to the record layer, and learns from it when to protect
// what.
type Carrier interface {
	Send(k Kind, raw []byte)
	// the version and the limits of records hold from here on
	Settle(a *Agreed)
	// nil keys: this direction can no longer be read
	Protect(from iana.Side, keys *TrafficKeys) error
}

// Machine performs a handshake in one of the three roles. It reads no bytes and writes none: it is
// handed whole messages by Take, and speaks through its Carrier.
type Machine struct {
	Score

	live    bool // a client or a server, which speaks; an observer does not
	me      iana.Side
	player  player
	carrier Carrier
	log     *trace.Log

	open  []reading // the figures that still fit: one is left when it matters
	spare []reading // what open was before: order fills the one from the other
	said  said
	prior *Prior

	disguised bool // the ChangeCipherSpec for middleboxes was sent
	keyLog    func(keylog.Line) error

	done    bool
	failed  error // for good
	unsound bool  // an observer's: the transcript has holes
}

// expected yields the lines that may come next, each with the reading that it would lead to.
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

// order finds the line that is being said and strikes out the figures in which it is not.
func (m *Machine) order(from iana.Side, k Kind) (said *Line, err error) {
	fit := m.spare[:0]
	for r, l := range m.expected() {
		if l.From == from && l.Says == k {
			fit, said = append(fit, r), l
		}
	}
	if said == nil {
		return nil, alert.Fail(alert.UnexpectedMessage, "", "got the %v's %v, expected %s", from, k,
			spell(m.expected()))
	}
	m.open, m.spare = fit, m.open
	return said, nil
}

// Turn is the side that may speak next; an observer lets the other direction wait. What may come
// next names one side only.
func (m *Machine) Turn() (from iana.Side, ok bool) {
	if m.failed != nil {
		return 0, false
	}
	for _, l := range m.expected() {
		return l.From, true
	}
	return 0, false
}

// Take hears one line of another side: its order, its layout, its content, and only then it counts.
// Speak comes next. raw is kept.
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
		// RFC 5246 §7.4.1.1: ignored by a client that is negotiating, and in no transcript
		return nil
	}
	l, err := m.order(from, k)
	if err != nil {
		return err
	}
	m.said = said{Line: l, raw: raw}
	if k != ChangeCipherSpec {
		if m.said.msg, err = m.parse(k, raw); err != nil {
			return alert.Malformed(l.Ref, err)
		}
	}
	m.show(l, m.said.msg, raw)
	return m.run()
}

// said is the line that is becoming a fact, and how far it has come: what is slow may stop it at
// any stage.
type said struct {
	*Line
	msg   message.Message
	raw   []byte
	stage int // an index of stages
}

// stages are what happens to every line, in this order.
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

// end keeps an error for good: after one nothing is taken, said or derived any more. A Pending is
// none.
func (m *Machine) end(err error) error {
	if err == nil {
		return nil
	}
	if _, waits := errors.AsType[*Pending](err); !waits {
		m.failed = err
	}
	return err
}

// run brings the line that was said as far as it can.
func (m *Machine) run() error {
	for ; m.said.Line != nil && m.said.stage < len(stages); m.said.stage++ {
		if err := stages[m.said.stage](m); err != nil {
			return err
		}
	}
	m.said = said{}
	return nil
}

// Speak says our lines until it is another's turn. After a Pending it goes on where it stopped.
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
			m.said = said{Line: l, msg: msg, raw: raw, stage: toRemember}
			if err := m.run(); err != nil {
				return err
			}
			continue next
		}
		return alert.Fail(alert.InternalError, "", "the %v has nothing to say", m.me)
	}
	return nil
}

// show puts a message into the trace, as soon as it is one: what a check refuses afterwards can
// still be looked at.
func (m *Machine) show(l *Line, msg message.Message, raw []byte) {
	if l.Says != ChangeCipherSpec && m.log.On() {
		m.log.Message(l.From, iana.HandshakeType(raw[0]), raw, refOf(l, msg))
	}
}

// compose asks the player for a line; ChangeCipherSpec and Finished are the same for everyone.
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
	raw, err = m.dialect().Encode(msg)
	return msg, raw, err
}

// check refuses what must not become a fact. A Finished is compared before it enters the transcript
// that it proves.
func (m *Machine) check() error {
	from := m.said.From
	m.checking = m.said.raw
	defer func() { m.checking = nil }()
	switch f := m.said.msg.(type) {
	case nil:
		return nil
	case *message.Finished:
		return m.verify(from, f.VerifyData, m.verifyData(from))
	}
	return m.player.receive(from, m.said.msg, &m.Score)
}

func (m *Machine) verify(from iana.Side, got, want []byte) error {
	if m.unsound {
		return nil // messages are missing, so that there is nothing to compare with
	}
	if subtle.ConstantTimeCompare(got, want) != 1 {
		return alert.Fail(alert.DecryptError, m.said.Ref,
			"the %v's verify_data does not match the messages of this handshake", from)
	}
	m.VerifyData[from] = want
	m.log.Verified(trace.Verified{What: "finished", From: from}, m.said.Ref)
	return nil
}

// verifyData is what from's Finished must hold now.
func (m *Machine) verifyData(from iana.Side) []byte { return m.secrets.verifyData(from, &m.transcript) }

// remember is where something said becomes a fact, whoever said it.
func (m *Machine) remember() error {
	if m.said.Says != ChangeCipherSpec {
		m.note(m.said.From, m.said.msg)
		m.transcript.add(m.said.raw)
	}
	if m.said.Says == Kind(iana.ServerHello) {
		m.Resumed, m.Undecided = m.player.resumption(&m.Score)
		m.open = m.fitting()
	}
	return nil
}

// fitting are the figures that a ServerHello leaves open, each from its beginning.
func (m *Machine) fitting() (open []reading) {
	for _, f := range figures {
		if f.Fits(&m.Score) != Never {
			open = append(open, reading{Figure: f})
		}
	}
	return open
}

// effect does what the figure wants to happen now.
func (m *Machine) effect() error {
	if m.said.Then == nil {
		return nil
	}
	return m.said.Then(m)
}

// finish ends the handshake after the last line. It demands the player's proof of who the peer is:
// without one there is no application data.
func (m *Machine) finish() error {
	for range m.expected() {
		return nil // a line can still come
	}
	more, err := m.player.finished(&m.Score)
	if err != nil {
		return err
	}
	if more != nil {
		raw, err := m.dialect().Encode(more)
		if err != nil {
			return err
		}
		m.log.Message(m.me, more.Type(), raw, "RFC 8446 §4.6.1")
		m.carrier.Send(Kind(more.Type()), raw)
	}
	m.done = true
	m.transcript = transcript{}
	m.log.Done(m.open[0].Name, nil)
	return nil
}

// Done tells whether every line of the figure was said, and every check held.
func (m *Machine) Done() bool { return m.done }

// Forget drops what only the handshake needed. What both sides settled, and the peer, stay.
func (m *Machine) Forget() {
	m.forget()
	m.open, m.spare = nil, nil
}

// First tells whether this is a connection's first handshake.
func (m *Machine) First() bool { return m.prior == nil }

// Renegotiations returns how many handshakes of the connection came before this one.
func (m *Machine) Renegotiations() int {
	if m.prior == nil {
		return 0
	}
	return m.prior.Number
}

// Export derives keying material for an application, once Done. See RFC 5705 and RFC 8446 §7.5.
func (m *Machine) Export(label string, context []byte, n int) ([]byte, error) {
	return m.secrets.export(label, context, m.Randoms(), n)
}

// dialect is how messages look, as far as the hellos have told.
func (m *Machine) dialect() message.Dialect {
	d := message.Dialect{Version: iana.TLS12}
	if m.Agreed != nil {
		d = message.Dialect{Version: m.Agreed.Version, Kex: m.Agreed.Kex, Auth: m.Agreed.Auth}
	}
	return d
}

// parse reads a message. Its type is that of the bytes, and not always that of the line. An
// observer can do without some messages: what it cannot read of them is no reason to stop.
func (m *Machine) parse(k Kind, raw []byte) (message.Message, error) {
	msg, err := m.dialect().Parse(raw)
	if err != nil && !m.live && m.spares(iana.HandshakeType(k)) {
		return m.dialect().New(iana.HandshakeType(k))
	}
	return msg, err
}
