package handshake

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

// follow returns the next line of a figure that may come, with the reading that it leads to. last
// reports that no line after it may come in its place. A nil line is the end of the figure.
func (r reading) follow(s *Score) (l *Line, after reading, last bool) {
	for i := r.at; i < len(r.Lines); i++ {
		l := &r.Lines[i]
		if p := l.When(s); p != Never {
			return l, reading{r.Figure, i + 1}, p == Must
		}
	}
	return nil, r, true
}

// expected yields the lines that may come next, each with the reading that it leads to.
func (m *Machine) expected() iter.Seq2[reading, *Line] {
	return func(yield func(reading, *Line) bool) {
		for _, r := range m.open {
			for l, last := (*Line)(nil), false; !last; {
				if l, r, last = r.follow(&m.Score); l != nil && !yield(r, l) {
					return
				}
			}
		}
	}
}

// next returns the first of the lines that may come next, or nil at the end of the figure.
func (m *Machine) next() *Line {
	for _, r := range m.open {
		if l, _, _ := r.follow(&m.Score); l != nil {
			return l
		}
	}
	return nil
}

// order returns the line for a message from a side, and drops the readings in which that message
// may not come next. It returns an error if none is left, which cites the section of the message
// that was expected.
func (m *Machine) order(from iana.Side, k Kind) (line *Line, err error) {
	fit := m.spare[:0]
	for _, r := range m.open {
		for l, last := (*Line)(nil), false; !last; {
			if l, r, last = r.follow(&m.Score); l != nil && l.From == from && l.Says == k {
				fit, line = append(fit, r), l
			}
		}
	}
	if line == nil {
		expected, ref := m.spellExpected(), ""
		if at := strings.LastIndex(expected, " ("); at >= 0 { // an error ends with its section
			expected, ref = expected[:at], strings.TrimSuffix(expected[at+2:], ")")
		}
		return nil, alert.KindOrder.Fail(alert.UnexpectedMessage, ref,
			"got the %v's %v, expected %s", from, k, expected)
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
	if l := m.next(); l != nil {
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
	if k == Kind(iana.HelloRequest) && from == iana.Server && !m.done && knowsRequests(m.Config()) {
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
			return alert.Malformed(m.refOf(l, nil), err)
		}
	}
	m.show(l, m.current.msg, raw)
	return m.run()
}

// stages are the steps that every message goes through, in this order.
var stages = [...]func(*Machine) error{
	toCheck: (*Machine).check, toRemember: (*Machine).remember, toTakeEffect: (*Machine).effect,
	toFinish: (*Machine).finish,
}

// The first stage of a message: another side's begins with the check, our own after it, and one
// that an observer missed after the stages that need its bytes.
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
	for m.live && !m.done {
		if sent, err := m.send(); !sent || err != nil {
			return err
		}
	}
	return nil
}

// send sends our next message, or returns false if it is another side's turn.
func (m *Machine) send() (sent bool, err error) {
	for _, r := range m.open {
		for l, last := (*Line)(nil), false; !last; {
			if l, r, last = r.follow(&m.Score); l == nil {
				break
			}
			if l.From != m.me {
				return false, nil
			}
			msg, raw, err := m.compose(l.Says)
			if err != nil {
				return false, err
			}
			if raw == nil {
				continue // an optional line that we leave out: on to what may follow it
			}
			if _, err := m.order(m.me, l.Says); err != nil {
				return false, err
			}
			m.show(l, msg, raw)
			m.carrier.Send(l.Says, raw)
			m.current = currentMessage{Line: l, msg: msg, raw: raw, stage: toRemember}
			return true, m.run()
		}
	}
	return false, alert.Fail(alert.InternalError, "", "the %v has no message to send", m.me)
}

// show writes a message to the trace as soon as it is parsed, so that a message that a check
// rejects later can be inspected.
func (m *Machine) show(l *Line, msg message.Message, raw []byte) {
	if l.Says != ChangeCipherSpec && m.log.On() {
		m.log.Message(l.From, iana.HandshakeType(raw[0]), raw, m.refOf(l, msg))
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
	switch f := m.current.msg.(type) {
	case nil:
		return nil
	case *message.Finished:
		return m.verify(from, f.VerifyData, m.verifyData(from))
	}
	m.checking = m.current.raw
	err := m.player.receive(from, m.current.msg, &m.Score)
	m.checking = nil
	return err
}

// Hello returns the ClientHello, also one that was refused, or nil if there was none.
func (m *Machine) Hello() *message.ClientHello {
	if refused, ok := m.current.msg.(*message.ClientHello); ok {
		return refused
	}
	return m.ClientHello
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
func (m *Machine) verifyData(from iana.Side) []byte {
	return m.secrets.verifyData(from, &m.transcript)
}

// remember adds the message to the transcript and to the score, whichever side sent it.
func (m *Machine) remember() error {
	if m.current.Says != ChangeCipherSpec {
		m.note(m.current.From, m.current.msg)
		m.transcript.add(m.current.raw)
	}
	if m.current.Says == Kind(iana.ServerHello) {
		m.Resumed, m.Undecided = m.player.resumption(&m.Score)
		m.fit()
		m.protocol = m.open[0].protocol
	}
	return nil
}

// fit opens the figures that are possible after a ServerHello, each from its beginning.
func (m *Machine) fit() {
	m.open = m.open[:0]
	for _, f := range m.figures.all {
		if f.Fits(&m.Score) != Never {
			m.open = append(m.open, reading{Figure: f})
		}
	}
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
	if m.next() != nil {
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

// Export returns n bytes of keying material for an application, once Done. See RFC 5705 and RFC
// 8446 §7.5.
func (m *Machine) Export(label string, context []byte, n int) ([]byte, error) {
	return m.secrets.export(label, context, n)
}

// parse parses a message. Its type is taken from the bytes, and is not always that of the line.
// Some messages are optional for an observer: it ignores an error in them.
func (m *Machine) parse(from iana.Side, k Kind, raw []byte) (message.Message, error) {
	msg, err := m.dialectOf(from).Parse(raw)
	if err != nil && m.player.spares(iana.HandshakeType(k), m.unsound) {
		return m.dialectOf(from).New(iana.HandshakeType(k))
	}
	return msg, err
}

// Awaited returns a description of what may come next, such as "the server's server_hello (RFC 8446
// §4.1.3)". It is for explaining why a handshake did not continue. A message that was received
// and rejected is still awaited.
func (m *Machine) Awaited() string {
	if m.current.Line != nil {
		return m.spell(m.current.Line, m.current.msg)
	}
	return m.spellExpected()
}

// spellExpected lists the lines that may come next, each once, although two figures often continue
// with the same ones.
func (m *Machine) spellExpected() string {
	var words []string
	for _, l := range m.expected() {
		if w := m.spell(l, nil); !slices.Contains(words, w) {
			words = append(words, w)
		}
	}
	if len(words) == 0 {
		return "nothing more"
	}
	return strings.Join(words, " or ")
}

// spell returns, for example, "the client's certificate_verify (RFC 5246 §7.4.8)". A nil msg is not
// known yet.
func (m *Machine) spell(l *Line, msg message.Message) string {
	return fmt.Sprintf("the %v's %v (%s)", l.From, l.Says, m.refOf(l, msg))
}

// refOf returns the section that defines a line.
func (m *Machine) refOf(l *Line, msg message.Message) string {
	return m.figures.ref(&m.Score, l, msg)
}
