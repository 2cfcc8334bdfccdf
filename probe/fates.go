package probe

import (
	"cmp"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// fates is what became of hellos: those that were answered, also by an alert, and those that were
// dropped.
type fates struct {
	answered, dropped struct {
		bare, extended int // how many had no extensions, and how many had some
		least, most    int // bytes
	}
	bare string // the last answer to one without extensions
}

func (f *fates) add(a *Answer) {
	to := &f.answered
	switch {
	case a.Outcome.dropped():
		to = &f.dropped
	case a.Outcome != Accepted && a.Outcome != Alerted:
		return
	}
	n := len(a.sent)
	to.least, to.most = min(cmp.Or(to.least, n), n), max(to.most, n)
	if len(helloIn(a.sent).Extensions) > 0 {
		to.extended++
		return
	}
	to.bare++
	if to == &f.answered {
		f.bare = a.Refusal()
	}
}

// dropped reports whether the connection ended without an answer.
func (o Outcome) dropped() bool { return o == Closed || o == Reset }

// helloIn returns a ClientHello that was sent.
func helloIn(raw []byte) *message.ClientHello {
	m, err := message.Dialect{Version: iana.TLS12}.Parse(raw)
	if hello, ok := m.(*message.ClientHello); err == nil && ok {
		return hello
	}
	return &message.ClientHello{} // ours can be read
}
