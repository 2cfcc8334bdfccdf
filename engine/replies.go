package engine

import (
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// Abort records err as the reason why we end the connection. SealReplies makes a fatal alert of it,
// unless the peer ended the connection before. That is not read from err, since a callback may
// return the error of another connection. After a fatal alert of either side nothing more is
// sealed, and the session is withdrawn as far as a ticket allows. See RFC 5246 §7.2.2.
func (e *Engine) Abort(err error) {
	if e.eof != nil {
		return // close_notify
	}
	e.logFailure(err)
	e.machine.Withdraw() // RFC 5246 §7.2.2: what ends with a fatal alert must not be resumed
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ended == nil && !e.muted {
		e.ended, e.silent = err, e.over
	}
}

// Mute drops the waiting replies and all later ones, because nothing can be sent any more.
func (e *Engine) Mute() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.replies = replies{muted: true}
}

// Fail writes to the trace that the handshake failed.
func (e *Engine) Fail(err error) {
	e.logFailure(err)
	e.log.Done("", err)
}

// Answering reports whether SealReplies has something to do.
func (e *Engine) Answering() bool {
	e.mu.Lock()
	waits := e.declines || e.ended != nil || len(e.answers) > 0
	e.mu.Unlock() // not deferred: each Read and Write asks
	return waits
}

// SealReplies seals the waiting alerts, a fatal one last. It returns in ended why nothing may
// follow, or nil; told reports whether a fatal alert says so to the peer, which gets none if it
// ended the connection itself. The caller must hold the outbound half.
func (e *Engine) SealReplies() (ended error, told bool, err error) {
	e.mu.Lock()
	waiting := e.replies
	e.replies = replies{muted: waiting.muted}
	e.mu.Unlock()
	if waiting.declines {
		err = e.SealAlert(alert.Warning, alert.NoRenegotiation, "we do not renegotiate")
	}
	if err == nil {
		err = e.sealAnswers(waiting.answers)
	}
	ended, told = waiting.ended, waiting.ended != nil && !waiting.silent
	if told && err == nil {
		err = e.SealAlert(alert.Fatal, alert.Of(ended), ended.Error())
	}
	return ended, told, err
}

// SealAlert seals one alert and writes it, with the reason, to the trace.
func (e *Engine) SealAlert(l alert.Level, d alert.Description, reason string) error {
	e.log.AlertIn(e.Out.half.Number()+1, e.me, l, d, reason, e.rules().alerts)
	return e.Out.Seal(iana.RecordAlert, []byte{byte(l), byte(d)})
}
