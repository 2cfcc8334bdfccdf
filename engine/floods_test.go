package engine

import (
	"errors"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
)

// Items without an effect are bounded, in a row: up to it nothing happens, and one more ends the
// connection. Application data between them makes the count begin anew.
func TestFloodsOfEmptyItemsAreBounded(t *testing.T) {
	handshakeOf := func(typ iana.HandshakeType, body ...byte) func(*Engine) error {
		raw := append([]byte{byte(typ), 0, 0, byte(len(body))}, body...)
		return func(e *Engine) error { return e.Out.Seal(iana.RecordHandshake, raw) }
	}
	warning := func(d alert.Description) func(*Engine) error {
		return func(e *Engine) error { return e.SealAlert(alert.Warning, d, "") }
	}
	empty := func(e *Engine) error { return e.Out.Seal(iana.RecordApplicationData, nil) }
	renegotiates := func(e *Engine) { e.Renegotiates = func() bool { return true } }
	ticket13 := handshakeOf(iana.NewSessionTicket, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 9, 0, 0)
	for _, c := range []struct {
		what   string
		by     func(iana.Side) *negotiation.Config
		from   iana.Side
		send   func(*Engine) error
		most   int
		edit   func(receiver *Engine) // nil: nothing
		passes error                  // what a receiver returns for each; nil is ErrMore
	}{
		{"RFC 5246 §7.2: warnings", config, iana.Client, warning(90), maxWarnings, nil, nil},
		{"RFC 5246 §7.2: warnings", config, iana.Server, warning(90), maxWarnings, nil, nil},
		{"RFC 5246 §6.2.1: empty records", config, iana.Client, empty, maxEmpty, nil, nil},
		{"RFC 5246 §6.2.1: empty records", config, iana.Server, empty, maxEmpty, nil, nil},
		{"RFC 5246 §7.4.1.1: declined HelloRequests", config, iana.Server,
			handshakeOf(iana.HelloRequest), maxRequests, nil, nil},
		{"RFC 5246 §7.4.1.1: granted HelloRequests", config, iana.Server,
			handshakeOf(iana.HelloRequest), maxRequests, renegotiates, ErrRenegotiate},
		{"RFC 5246 §7.2.2: declined ClientHellos", config, iana.Client,
			handshakeOf(iana.ClientHello), maxRequests, nil, nil},
		{"RFC 8446 §6.1: user_canceled", config13, iana.Client, warning(alert.UserCanceled),
			maxWarnings, nil, nil},
		{"RFC 8446 §5.4: empty records", config13, iana.Server, empty, maxEmpty, nil, nil},
		{"RFC 8446 §4.6.3: KeyUpdates", config13, iana.Client, func(e *Engine) error {
			return e.UpdateKeys(iana.UpdateNotRequested)
		}, maxUpdates, nil, nil},
		{"RFC 8446 §4.6.1: tickets", config13, iana.Server, ticket13, maxUpdates, nil, nil},
	} {
		engines, _ := connectBy(t, c.by)
		sender, receiver := engines[c.from], engines[c.from.Peer()]
		if c.edit != nil {
			c.edit(receiver)
		}
		if c.passes == nil {
			c.passes = ErrMore
		}
		sends := func() error {
			if err := c.send(sender); err != nil {
				t.Fatalf("%s: %v", c.what, err)
			}
			arrive(receiver, sealed(sender))
			_, err := receiver.Read(make([]byte, 1))
			receiver.replies = replies{}
			return err
		}
		for range 2 { // the second time behind data
			for i := range c.most {
				if err := sends(); !errors.Is(err, c.passes) {
					t.Fatalf("%s from the %v: number %d of %d: %v", c.what, c.from, i+1, c.most,
						err)
				}
			}
			if err := say(t, sender, receiver, "x"); err != nil {
				t.Fatalf("%s: data: %v", c.what, err)
			}
		}
		for range c.most {
			sends()
		}
		if err := sends(); alert.KindOf(err) != alert.KindFlood {
			t.Errorf("%s from the %v: more than %d gave %v", c.what, c.from, c.most, err)
		}
	}
}

// A message's length is refused as soon as its header says it: RFC 5246 §7.4 and RFC 8446 §4.
func TestMessagesAreNotLongerThanTheirBound(t *testing.T) {
	for n, want := range map[int]alert.Kind{maxMessage: "", maxMessage + 1: alert.KindLength} {
		body := n - message.HeaderLen
		in := NewInbound(iana.Client, nil)
		_, err := feed(in, [][]byte{rec(iana.RecordHandshake, byte(iana.Certificate),
			byte(body>>16), byte(body>>8), byte(body))})
		if got := alert.KindOf(err); (err != nil) != (want != "") || err != nil && got != want {
			t.Errorf("a message of %d bytes: got %v (%v), expected %v", n, got, err, want)
		}
	}
}
