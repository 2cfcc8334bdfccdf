package engine

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/trace"
)

// QUIC is one end of a handshake whose messages are carried by QUIC, which protects them with the
// secrets that QUIC.Protect passes to it: see RFC 9001. What an implementation of QUIC must do is
// returned as a queue of events.
type QUIC struct {
	me      iana.Side
	machine *handshake.Machine
	log     *trace.Log

	read, write tls.QUICEncryptionLevel // of CRYPTO bytes
	messages    record.Joiner           // of the bytes at level read
	events      []tls.QUICEvent

	toldPeer, toldRejected, toldDone bool // an event was queued
	tickets                          int  // in a row
}

// NewQUIC returns the engine of a client or a server. c.QUIC must be set.
func NewQUIC(me iana.Side, c *negotiation.Config) *QUIC {
	q := &QUIC{me: me, log: c.Log}
	if me == iana.Client {
		q.machine = handshake.NewClient(c, q)
	} else {
		q.machine = handshake.NewServer(c, q)
	}
	return q
}

// Machine returns the handshake, which holds what was negotiated.
func (q *QUIC) Machine() *handshake.Machine { return q.machine }

// Next returns the next event, or one of kind QUICNoEvent.
func (q *QUIC) Next() tls.QUICEvent {
	if len(q.events) == 0 {
		return tls.QUICEvent{Kind: tls.QUICNoEvent}
	}
	e := q.events[0]
	q.events[0] = tls.QUICEvent{}
	q.events = q.events[1:]
	return e
}

// Tell queues an event about a session.
func (q *QUIC) Tell(e tls.QUICEvent) { q.queueEvent(e) }

func (q *QUIC) queueEvent(e tls.QUICEvent) { q.events = append(q.events, e) }

// Await queues the event that asks for our transport parameters.
func (q *QUIC) Await() { q.queueEvent(tls.QUICEvent{Kind: tls.QUICTransportParametersRequired}) }

// Send, SetNegotiated and Protect implement handshake.Carrier.

// Send gives a message to QUIC. Messages of one level that follow one another become one event.
func (q *QUIC) Send(_ handshake.Kind, raw []byte) {
	if n := len(q.events); n > 0 && q.events[n-1].Kind == tls.QUICWriteData {
		if last := &q.events[n-1]; last.Level == q.write {
			last.Data = append(last.Data, raw...)
			return
		}
	}
	q.queueEvent(tls.QUICEvent{Kind: tls.QUICWriteData, Level: q.write, Data: bytes.Clone(raw)})
}

// SetNegotiated does nothing: there are no records.
func (q *QUIC) SetNegotiated(*negotiation.Agreed) {}

// Protect gives QUIC the traffic secret of a level. Handshake bytes that came at a level before
// this one must all have been used. See RFC 9001 §4.1.3.
func (q *QUIC) Protect(from iana.Side, k *handshake.TrafficKeys) error {
	if k == nil {
		return nil // only early data has a level that ends before the next one begins
	}
	level := levels[k.Epoch]
	e := tls.QUICEvent{Kind: tls.QUICSetWriteSecret, Level: level,
		Data: bytes.Clone(k.Traffic.Bytes()), Suite: uint16(k.Suite.ID)}
	early := level == tls.QUICEncryptionLevelEarly // it has no CRYPTO bytes
	switch {
	case from != q.me:
		e.Kind = tls.QUICSetReadSecret
		if !early {
			if q.messages.Len() > 0 {
				return q.leftover("the keys change")
			}
			q.read = level
		}
	case !early:
		q.write = level
	}
	q.queueEvent(e)
	return nil
}

// levels are the encryption levels, by epoch.
var levels = [...]tls.QUICEncryptionLevel{
	handshake.Early:       tls.QUICEncryptionLevelEarly,
	handshake.Handshaking: tls.QUICEncryptionLevelHandshake,
	handshake.Application: tls.QUICEncryptionLevelApplication,
	handshake.Resumable:   tls.QUICEncryptionLevelApplication,
}

func (q *QUIC) leftover(when string) error {
	return alert.KindFlight.Fail(alert.UnexpectedMessage, "RFC 9001 §4.1.3",
		"got %d handshake bytes too many of the level %v, when %s", q.messages.Len(), q.read, when)
}

// Arrived takes handshake bytes that came in order at a level; Advance processes them. More than
// this side can use without an answer of its own is an error.
func (q *QUIC) Arrived(level tls.QUICEncryptionLevel, data []byte) error {
	if len(data) == 0 {
		return nil
	}
	if level != q.read {
		return alert.KindOrder.Fail(alert.UnexpectedMessage, "RFC 9001 §4.1.3",
			"got handshake bytes of the level %v, expected those of %v", level, q.read)
	}
	if q.messages.Len()+len(data) > 2*maxMessage {
		return alert.KindLength.Fail(alert.UnexpectedMessage, "RFC 9001 §4.1.3",
			"got more than %d handshake bytes that cannot be used yet", 2*maxMessage)
	}
	q.messages.Add(0, data) // QUIC has no records
	return nil
}

// Advance processes what has arrived. It returns a *handshake.Pending if the handshake waits for
// something slow; call Advance again once that is done.
func (q *QUIC) Advance() error {
	for {
		err := q.machine.Speak()
		q.queueNews()
		if err != nil {
			return err
		}
		raw, err := q.messages.Next(maxMessage, tooLong)
		if raw == nil || err != nil {
			return err
		}
		raw = bytes.Clone(raw) // so that it takes no more memory than its length
		if q.machine.Done() {
			err = q.post(raw)
		} else {
			err = q.take(raw)
		}
		if err != nil {
			return err
		}
	}
}

// Proceed is Advance, and does what it waits for unless ctx has ended.
func (q *QUIC) Proceed(ctx context.Context) error {
	return Wait(ctx, func() error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return q.Advance()
	})
}

// take passes a message to the handshake. Nothing may follow the last message of a flight.
func (q *QUIC) take(raw []byte) error {
	if iana.HandshakeType(raw[0]) == iana.HelloRequest {
		return alert.KindOrder.Fail(alert.UnexpectedMessage, "RFC 8446 §4",
			"got a %v, which TLS 1.3 does not have", iana.HelloRequest)
	}
	err := q.machine.Take(q.me.Peer(), q.machine.KindOf(raw), raw)
	if _, waits := errors.AsType[*handshake.Pending](err); err != nil && !waits {
		return err
	}
	if from, more := q.machine.Turn(); more && from != q.me || q.messages.Len() == 0 {
		return err
	}
	return cmp.Or(q.leftover("the flight ends"), err)
}

// queueNews queues the events that follow from the present state of the handshake.
func (q *QUIC) queueNews() {
	if !q.toldPeer {
		if p, ok := q.machine.PeerTransportParameters(); ok {
			q.toldPeer = true
			q.queueEvent(tls.QUICEvent{Kind: tls.QUICTransportParameters, Data: p})
		}
	}
	if q.me == iana.Client && !q.toldRejected &&
		q.machine.EarlyData() == handshake.EarlyRejected {
		q.toldRejected = true
		q.queueEvent(tls.QUICEvent{Kind: tls.QUICRejectedEarlyData})
	}
	if !q.toldDone && q.machine.Done() {
		q.toldDone = true
		q.machine.Forget()
		q.queueEvent(tls.QUICEvent{Kind: tls.QUICHandshakeDone})
	}
}

// post handles a message after the handshake. QUIC updates keys by itself and has no post-handshake
// authentication, so only tickets may come. See RFC 9001 §4.4 and §6.
func (q *QUIC) post(raw []byte) error {
	const ref = "RFC 9001 §6"
	t := iana.HandshakeType(raw[0])
	if q.me == iana.Server || t != iana.NewSessionTicket {
		return alert.KindOrder.Fail(alert.UnexpectedMessage, ref,
			"got a %v after the handshake, which QUIC does not allow", t)
	}
	if q.tickets++; q.tickets > maxQUICTickets {
		return alert.KindFlood.Fail(alert.UnexpectedMessage, "RFC 8446 §4.6.1",
			"more than %d tickets", maxQUICTickets)
	}
	return q.machine.TakeTicket(raw)
}

// maxQUICTickets bounds the tickets of a connection: a nonce of one byte has that many values.
const maxQUICTickets = 255

// Ticket sends a ticket. Without one, because the client uses none, it sends nothing.
func (q *QUIC) Ticket(ctx context.Context, early bool, extra [][]byte) error {
	raw, err := q.machine.NewTicket(ctx, early, extra)
	if err == nil && raw != nil {
		q.Send(handshake.Kind(iana.NewSessionTicket), raw)
	}
	return err
}

// Fail ends the connection: its session is withdrawn, and the alert, which QUIC carries as an error
// of its own, is written to the trace. See RFC 9001 §4.8.
func (q *QUIC) Fail(err error) {
	q.machine.Withdraw()
	q.log.Alert(q.me, alert.Fatal, alert.Of(err), err.Error(), rules13.alerts)
	if !q.machine.Done() {
		q.log.Done("", err)
	}
}
