package engine

import (
	"bytes"
	"cmp"
	"errors"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/record"
)

// Send, SetNegotiated and Protect implement handshake.Carrier.

// Send keeps a message until the flight is sealed.
func (e *Engine) Send(k handshake.Kind, raw []byte) {
	if e.flight == nil {
		e.flight = make([]outgoing, 0, 4) // most flights are no longer
	}
	e.flight = append(e.flight, outgoing{k, raw})
}

// SetNegotiated sets the version and the maximum length of records, in both directions.
func (e *Engine) SetNegotiated(a *negotiation.Agreed) {
	in, out := a.MaxFragment, a.MaxFragment
	if a.EncryptsHandshake() {
		in, out = a.MaxPlaintext(e.me.Peer()), a.MaxPlaintext(e.me)
	}
	e.skipRejected()
	e.Out.SetVersion(a.Version, out)
	if e.takesEarly() {
		return // early data does not use the limit that its answer negotiates: see Protect
	}
	e.In.SetVersion(a.Version, in)
}

// Protect replaces the keys of a direction. What we sent before is sealed under the old keys.
// Without keys our own records are sent in the clear again.
func (e *Engine) Protect(from iana.Side, k *handshake.TrafficKeys) error {
	if k == nil {
		err := e.sealFlight()
		e.Out.Clear()
		return err
	}
	p, err := record.New(k.Suite.Cipher, k.Suite.MAC, k.Params(e.machine.Config().Rand))
	if err != nil {
		return err
	}
	if from != e.me {
		e.awaitsFinished = true
		e.skipRejected()
		e.In.SetVersion(k.Version, k.MaxPlaintext)
		return e.In.Protect(p)
	}
	if err := e.sealFlight(); err != nil {
		return err
	}
	e.Out.SetVersion(k.Version, k.MaxPlaintext)
	c := e.machine.Config()
	e.Out.half.Pad, e.Out.growing = c.RecordPadding, !c.FullRecords && c.RecordPadding == nil
	e.Out.Protect(p, k)
	e.Out.split = e.Out.split && !c.RecordSplitDisabled
	return nil
}

func (e *Engine) sealFlight() error {
	err := e.Out.SealFlight(e.flight)
	clear(e.flight) // the messages need not be kept as long as the handshake
	e.flight = e.flight[:0]
	return err
}

func (e *Engine) speak() error {
	if err := e.machine.Speak(); err != nil {
		return err
	}
	return e.sealFlight()
}

// Advance processes what has arrived, up to the end of the handshake. It returns a
// *handshake.Pending if the handshake waits for something slow; call Advance again once that is
// done.
func (e *Engine) Advance() error {
	if err := e.speak(); err != nil {
		return err
	}
	for !e.machine.Done() {
		item, ok, err := e.next()
		e.mirrorVersion()
		if !ok || err != nil {
			return err
		}
		switch item.Type {
		case iana.RecordAlert:
			err = e.receiveAlert(item.Body)
			if err == nil && e.eof != nil {
				err = &ClosedError{e.me.Peer()}
			}
		case iana.RecordApplicationData:
			err = e.early(item.Body)
		case iana.RecordChangeCipherSpec:
			err = e.rules().changeCipherSpec(e)
		default:
			err = e.take(item.Body)
		}
		if err == nil {
			err = e.speak()
		}
		if err != nil {
			return err
		}
	}
	e.awaitsFinished = false
	e.In.done = true
	e.machine.Forget()
	e.flight = nil
	e.In.Release()
	return nil
}

// take passes a message to the handshake. The peer's flight must end with its last message:
// handshake bytes after it in the same record were written before the peer could read our answer,
// or under keys that the next message will change. See RFC 5246 §7.3.
func (e *Engine) take(raw []byte) error {
	if err := e.limitRequests(raw); err != nil {
		return err
	}
	err := e.machine.Take(e.me.Peer(), e.machine.KindOf(raw), raw)
	if _, waits := errors.AsType[*handshake.Pending](err); err != nil && !waits {
		return err
	}
	if from, more := e.machine.Turn(); more && from != e.me {
		return err
	}
	return cmp.Or(e.flightEnds(iana.HandshakeType(raw[0])), err)
}

// limitRequests returns an error if there are too many HelloRequests. The handshake ignores them,
// and a server could send them without end.
func (e *Engine) limitRequests(raw []byte) error {
	if iana.HandshakeType(raw[0]) != iana.HelloRequest {
		return nil
	}
	if e.requests++; e.requests > maxRequests {
		return alert.KindFlood.Fail(alert.UnexpectedMessage, "RFC 5246 §7.4.1.1",
			"got more than %d requests to negotiate during a handshake", maxRequests)
	}
	return nil
}

// early handles application data that arrives during a handshake: early data of TLS 1.3 that we
// accept, or data under the old keys of a renegotiation. Under the new keys nothing may come before
// the Finished that proves them.
func (e *Engine) early(plain []byte) error {
	if e.takesEarly() {
		return e.takeEarly(plain)
	}
	if e.machine.First() || e.awaitsFinished || len(e.plain) > maxMessage {
		return alert.KindOrder.Fail(alert.UnexpectedMessage, "RFC 5246 §7.3, RFC 8446 §2",
			"application data before the handshake is done")
	}
	e.plain = append(bytes.Clone(e.plain), plain...)
	return nil
}

// mirrorVersion gives our records the version of the peer's records until a version is negotiated.
// A client that rejects a ServerHello sends an alert, and the server, which has already chosen a
// version, would not read it in another one.
func (e *Engine) mirrorVersion() {
	if e.In.version == 0 && e.In.lastVersion != 0 {
		e.Out.version = min(e.In.lastVersion, iana.TLS12)
	}
}

// receiveAlert processes an alert of the peer.
func (e *Engine) receiveAlert(body []byte) error {
	level, description := alert.Level(body[0]), alert.Description(body[1])
	e.log.AlertIn(e.In.half.Number(), e.me.Peer(), level, description, "", e.rules().alerts)
	return e.rules().alert(e, level, description)
}
