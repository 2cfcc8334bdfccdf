package engine

import (
	"slices"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/negotiation"
)

// Post-handshake authentication: see RFC 8446 §4.6.2.

// maxLate bounds the requests for a certificate in a row, and the answers that wait to be sent.
const maxLate = 4

// RequestCertificate seals a server's request for a certificate. The caller must hold the outbound
// half.
func (e *Engine) RequestCertificate(auth negotiation.ClientAuth) error {
	raw, err := e.machine.RequestCertificate(auth)
	if err != nil {
		return err
	}
	return e.Out.Seal(iana.RecordHandshake, raw)
}

// lateRequest handles a server's request. Its answer may wait for something slow: Step then returns
// a *handshake.Pending, and continues it when it is called again.
func (e *Engine) lateRequest(raw []byte) error {
	if e.requests++; e.requests > maxLate {
		return alert.KindFlood.Fail(alert.UnexpectedMessage, "RFC 8446 §4.6.2",
			"more than %d requests for a certificate in a row", maxLate)
	}
	if err := e.machine.TakeRequest(raw); err != nil {
		return err
	}
	return e.queueAnswer()
}

// goOn continues an answer that waited for something slow.
func (e *Engine) goOn() error {
	if err := e.machine.GoOn(); err != nil {
		return err
	}
	return e.queueAnswer()
}

// queueAnswer queues a complete answer for the goroutine that sends next, which makes its Finished
// with the keys that are then in use.
func (e *Engine) queueAnswer() error {
	a := e.machine.LateAnswer()
	if a == nil {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.answers) >= maxLate {
		return alert.KindFlood.Fail(alert.UnexpectedMessage, "RFC 8446 §4.6.2",
			"more than %d requests for a certificate, whose answers the peer does not "+
				"read", maxLate)
	}
	if !e.muted {
		e.answers = append(e.answers, a)
	}
	if e.Shown != nil {
		e.Shown(a.Shown)
	}
	return nil
}

// sealAnswers seals the answers that wait, each in one piece.
func (e *Engine) sealAnswers(answers []*handshake.LateAnswer) error {
	for _, a := range answers {
		finished, err := e.machine.LateFinished(a)
		if err != nil {
			return err
		}
		flight := slices.Concat(append(a.Messages, finished)...)
		if err := e.Out.Seal(iana.RecordHandshake, flight); err != nil {
			return err
		}
	}
	return nil
}

// lateProof handles a message of a client's answer.
func (e *Engine) lateProof(raw []byte) error {
	peer, err := e.machine.TakeProof(raw)
	if err != nil || peer == nil || e.Proved == nil {
		return err
	}
	return e.Proved(peer)
}
