package engine

import (
	"io"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// Post-handshake messages and alerts of TLS 1.3.

const (
	// maxUpdates bounds the KeyUpdates that a peer may send without application data between them,
	// and the tickets that a server may send in a row.
	maxUpdates = 32

	// spareRecords is how many records our key can still seal when we replace it. A Write seals far
	// fewer at a time.
	spareRecords = 1 << 10

	// maxEpochs is how often a sender may update its keys: RFC 9846 §4.7.3. A receiver must
	// not enforce it.
	maxEpochs = 1<<48 - 1
)

// alert13 handles an alert of TLS 1.3, where the level is ignored. All alerts but close_notify and
// user_canceled are errors; close_notify is the regular end of what the peer sends. See RFC 8446
// §6.
func (e *Engine) alert13(level alert.Level, d alert.Description) error {
	switch d {
	case alert.CloseNotify:
		e.eof = io.EOF
		return nil
	case alert.UserCanceled:
		if e.warnings++; e.warnings > maxWarnings {
			return alert.KindFlood.Fail(alert.UnexpectedMessage, "RFC 8446 §6.1",
				"more than %d warnings in a row", maxWarnings)
		}
		return nil
	}
	e.over = true
	return &alert.Received{Level: level, Description: d}
}

// post13 handles a post-handshake message: a NewSessionTicket, a KeyUpdate, or
// one of an authentication. See RFC 8446 §4.6.
func (e *Engine) post13(raw []byte) error {
	switch t := iana.HandshakeType(raw[0]); {
	case e.machine.Proving():
		return e.lateProof(raw)
	case t == iana.KeyUpdate:
		return e.keyUpdate(raw)
	case t == iana.NewSessionTicket && e.me == iana.Client:
		if e.tickets++; e.tickets > maxUpdates {
			return alert.KindFlood.Fail(alert.UnexpectedMessage, "RFC 8446 §4.6.1",
				"more than %d tickets in a row", maxUpdates)
		}
		return e.machine.TakeTicket(raw)
	case t == iana.CertificateRequest && e.me == iana.Client:
		return e.lateRequest(raw)
	case e.me == iana.Server && (t == iana.Certificate || t == iana.CompressedCertificate ||
		t == iana.CertificateVerify || t == iana.Finished):
		return e.lateProof(raw)
	default:
		return alert.KindOrder.Fail(alert.UnexpectedMessage, "RFC 8446 §4.6",
			"a %v after the handshake", t)
	}
}

// keyUpdate handles a KeyUpdate: it replaces the peer's traffic keys. If the peer requests an
// update of ours, they are replaced before we next send data, so one update answers all requests
// before it. See RFC 8446 §4.6.3.
func (e *Engine) keyUpdate(raw []byte) error {
	const ref = "RFC 8446 §4.6.3"
	m, err := message.Dialect{Version: iana.TLS13}.Parse(raw)
	if err != nil {
		return alert.Malformed(ref, err)
	}
	e.log.Message(e.me.Peer(), iana.KeyUpdate, raw, ref)
	request := m.(*message.KeyUpdate).RequestUpdate
	if request > iana.UpdateRequested {
		return alert.KindMalformed.Fail(alert.IllegalParameter, ref,
			"got a KeyUpdate with request_update %d, expected 0 or 1", request)
	}
	// Each of our requests allows one more: a peer that only reads answers them all without sending
	// data.
	if !e.asked.Swap(false) {
		e.updates++
	}
	if e.updates > maxUpdates {
		return alert.KindFlood.Fail(alert.UnexpectedMessage, ref,
			"more than %d KeyUpdates without data between them", maxUpdates)
	}
	if err := e.machine.KeyUpdate(e.me.Peer()); err != nil {
		return err
	}
	if request == iana.UpdateRequested {
		e.rekey.Store(true)
	}
	return nil
}
