package engine

import (
	"errors"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
)

// ErrMore is returned if nothing can be read until more bytes arrive.
var ErrMore = errors.New("engine: more bytes are needed")

// Read copies application data into p. All of it was authenticated. Read returns io.EOF after the
// peer's close_notify, and ErrMore if more bytes are needed.
func (e *Engine) Read(p []byte) (int, error) {
	if err := e.data(); err != nil {
		return 0, err
	}
	n := copy(p, e.plain)
	e.Discard(n)
	return n, nil
}

// data processes what the peer sent until there is application data. Its errors are those of Read.
func (e *Engine) data() error {
	for len(e.plain) == 0 {
		if e.eof != nil {
			return e.eof
		}
		if err := e.Step(); err != nil {
			return err
		}
	}
	return nil
}

// Buffered returns the data that can be read before more bytes arrive. It is valid until the next
// call.
func (e *Engine) Buffered() []byte { return e.plain }

// Discard drops the first n bytes of Buffered.
func (e *Engine) Discard(n int) {
	if e.plain = e.plain[n:]; len(e.plain) == 0 {
		e.plain = nil
		e.In.Drained()
	}
}

// Step processes one item that the peer sent after the handshake. Application data waits for Read.
// Step returns ErrMore if more bytes are needed. The caller must not call it while data waits.
func (e *Engine) Step() error {
	if err := e.goOn(); err != nil {
		return err
	}
	item, ok, err := e.next()
	if err != nil {
		return err
	}
	if !ok {
		return ErrMore
	}
	if e.machine.Proving() && item.Type == iana.RecordApplicationData {
		return alert.KindOrder.Fail(alert.UnexpectedMessage, "RFC 8446 §4.6.2",
			"got data inside the client's answer to a certificate_request")
	}
	switch item.Type {
	case iana.RecordApplicationData:
		e.plain = item.Body
		if len(item.Body) > 0 {
			e.warnings, e.requests, e.updates, e.tickets = 0, 0, 0, 0
			e.dataReceived = true
		}
	case iana.RecordAlert:
		err = e.receiveAlert(item.Body)
	case iana.RecordHandshake:
		err = e.rules().post(e, item.Body)
	default:
		err = alert.KindOrder.Fail(alert.UnexpectedMessage, "RFC 5246 §7.1, RFC 8446 §5",
			"a %v after the handshake", item.Type)
	}
	return err
}

// DataReceived reports whether the peer has sent application data.
func (e *Engine) DataReceived() bool { return e.dataReceived }
