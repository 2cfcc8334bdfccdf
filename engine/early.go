package engine

import (
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
)

// Early data of TLS 1.3: RFC 8446 §4.2.10. Early data, which an attacker may replay, is kept apart
// from the data after the handshake.

// skipRejected makes a server skip the early data that it rejects: after a HelloRetryRequest until
// the second ClientHello, otherwise until a record opens. It has an effect once. It skips at most
// maxSkipped bytes more than the server's tickets allow.
func (e *Engine) skipRejected() {
	if e.me == iana.Server && e.rules().earlyData && !e.skipsEarly &&
		e.machine.EarlyData() == handshake.EarlyRejected {
		e.skipsEarly = true
		e.In.SkipEarlyData(maxSkipped + int64(e.machine.Config().MaxEarlyData))
	}
}

// takesEarly reports whether the client sends early data, and we accept it.
func (e *Engine) takesEarly() bool { return e.me == iana.Server && e.machine.EarlyOpen() }

// takeEarly keeps early data for ReadEarly. The ticket bounds how much that is.
func (e *Engine) takeEarly(plain []byte) error {
	if err := e.machine.SpendEarly(len(plain)); err != nil {
		return err
	}
	e.zeroRTT = append(e.zeroRTT, plain...)
	return nil
}

// ReadEarly copies early data of the client into p. It returns 0 if there is none now.
func (e *Engine) ReadEarly(p []byte) int {
	n := copy(p, e.zeroRTT)
	if e.zeroRTT = e.zeroRTT[n:]; len(e.zeroRTT) == 0 {
		e.zeroRTT = nil
	}
	return n
}

// BufferedEarly returns the number of bytes of early data that ReadEarly can return now.
func (e *Engine) BufferedEarly() int { return len(e.zeroRTT) }

// EarlyEnded reports whether no more early data will come.
func (e *Engine) EarlyEnded() bool {
	m := e.machine
	return !m.EarlyOpen() && (m.Done() || m.Agreed != nil || m.Retried())
}

// SealEarly seals early data of a client, before anything has come from the server. The caller must
// hold the outbound half.
func (e *Engine) SealEarly(data []byte) error {
	if !e.machine.EarlyOpen() || e.me != iana.Client {
		return alert.Fail(alert.InternalError, "RFC 8446 §4.2.10", "early data may not be sent now")
	}
	if err := e.machine.SpendEarly(len(data)); err != nil {
		return err
	}
	return e.Out.Seal(iana.RecordApplicationData, data)
}
