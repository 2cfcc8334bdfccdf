package engine

import (
	"context"
	"errors"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/suite"
)

// config13 is config for TLS 1.3 alone.
func config13(me iana.Side) *negotiation.Config {
	c := config(me)
	c.MinVersion, c.MaxVersion, c.Suites, c.Suites13 = iana.TLS13, iana.TLS13, nil,
		suite.Preference13()
	return c
}

// say seals data in one engine and reads it in the other.
func say(t *testing.T, from, to *Engine, data string) error {
	t.Helper()
	if err := from.Seal([]byte(data)); err != nil {
		t.Fatal(err)
	}
	arrive(to, sealed(from))
	got := make([]byte, len(data))
	n, err := to.Read(got)
	if err == nil && string(got[:n]) != data {
		t.Errorf("got %q, expected %q", got[:n], data)
	}
	return err
}

// Both sides change their keys, alone and asked to, and data goes on: RFC 8446 §4.6.3.
func TestKeysAreUpdated(t *testing.T) {
	engines, _ := connectBy(t, config13)
	for side, e := range engines {
		other := engines[1-side]
		for _, request := range []iana.KeyUpdateRequest{iana.UpdateNotRequested,
			iana.UpdateRequested} {
			before := other.Out.half.SeqNum()
			if err := e.UpdateKeys(request); err != nil {
				t.Fatal(err)
			}
			if err := say(t, e, other, "under new keys"); err != nil {
				t.Errorf("%v: %v", request, err)
			}
			if err := say(t, other, e, "and back"); err != nil {
				t.Errorf("%v: %v", request, err)
			}
			// An answer changes the other side's keys, and its records are counted anew.
			answered := other.Out.half.SeqNum() <= before
			if answered != (request == iana.UpdateRequested) {
				t.Errorf("%v: answered: %v", request, answered)
			}
		}
	}
}

// One change of keys answers all requests that came before it: RFC 8446 §4.6.3.
func TestManyRequestsAreAnsweredOnce(t *testing.T) {
	engines, _ := connectBy(t, config13)
	client, server := engines[0], engines[1]
	for range 5 {
		client.asked.Store(false) // RFC 8446, unlike RFC 9846 §4.7.3, lets it ask again
		if err := client.UpdateKeys(iana.UpdateRequested); err != nil {
			t.Fatal(err)
		}
	}
	if err := say(t, client, server, "data"); err != nil {
		t.Fatal(err)
	}
	if err := server.Seal([]byte("answer")); err != nil {
		t.Fatal(err)
	}
	n := 0
	for b := sealed(server); len(b) >= record.HeaderLen; n++ {
		h, err := record.ParseHeader(b)
		if err != nil {
			t.Fatal(err)
		}
		b = b[record.HeaderLen+h.Length:]
	}
	if n != 2 {
		t.Errorf("%d records, expected a KeyUpdate and the data", n)
	}
}

// A peer that sends no data answers as many requests as we make: RFC 8446 §4.6.3.
func TestAnswersToOurRequestsAreNoFlood(t *testing.T) {
	engines, _ := connectBy(t, config13)
	client, server := engines[0], engines[1]
	for range 3 * maxUpdates {
		if err := client.UpdateKeys(iana.UpdateRequested); err != nil {
			t.Fatal(err)
		}
		if err := say(t, client, server, "data"); err != nil {
			t.Fatal(err)
		}
		if err := server.UpdateKeys(iana.UpdateNotRequested); err != nil {
			t.Fatal(err)
		}
		arrive(client, sealed(server))
		if _, err := client.Read(make([]byte, 1)); err != ErrMore {
			t.Fatal(err)
		}
	}
}

// A key that is nearly used up is changed without being asked: RFC 8446 §5.5.
func TestKeysAreUpdatedBeforeTheirLimit(t *testing.T) {
	engines, _ := connectBy(t, config13)
	for _, e := range engines {
		e.Out.half.Seek(e.Out.half.Left() - 10) // both sides count so many
	}
	engines[1].In.half.Seek(engines[0].Out.half.SeqNum())
	engines[0].In.half.Seek(engines[1].Out.half.SeqNum())
	for side, e := range engines {
		if err := say(t, e, engines[1-side], "data"); err != nil {
			t.Error(err)
		}
		if n := e.Out.half.SeqNum(); n > 2 {
			t.Errorf("the key has sealed %d records", n)
		}
	}
}

// A sender may update its keys 2^48-1 times. Afterwards it ignores requests and goes on sending; a
// receiver does not count. See RFC 9846 §4.7.3.
func TestKeyUpdatesOfASenderAreBounded(t *testing.T) {
	engines, _ := connectBy(t, config13)
	client, server := engines[0], engines[1]
	server.epochs = maxEpochs - 1
	for i := range 3 {
		before := server.epochs
		client.asked.Store(false)
		if err := client.UpdateKeys(iana.UpdateRequested); err != nil {
			t.Fatal(err)
		}
		if err := say(t, client, server, "a request"); err != nil {
			t.Fatal(err)
		}
		if err := say(t, server, client, "data"); err != nil {
			t.Fatal(err)
		}
		if updated := server.epochs > before; updated != (i == 0) {
			t.Errorf("request %d: updated: %v", i+1, updated)
		}
	}
	if err := server.UpdateKeys(iana.UpdateNotRequested); err == nil {
		t.Error("no error beyond the limit")
	}
}

// Messages that a peer must not send after the handshake of TLS 1.3, with the alert for each.
func TestBadPeersAfterTheHandshakeOfTLS13(t *testing.T) {
	raw := func(t iana.HandshakeType, body ...byte) []byte {
		return append([]byte{byte(t), 0, 0, byte(len(body))}, body...)
	}
	for _, c := range []struct {
		what string
		from iana.Side
		send func(e *Engine) error
		want alert.Description
	}{
		{"RFC 8446 §4.6.3: request_update 2", iana.Client, func(e *Engine) error {
			return e.Out.Seal(iana.RecordHandshake, raw(iana.KeyUpdate, 2))
		}, alert.IllegalParameter},
		{"§4.6.3: a KeyUpdate of two bytes", iana.Client, func(e *Engine) error {
			return e.Out.Seal(iana.RecordHandshake, raw(iana.KeyUpdate, 0, 0))
		}, alert.DecodeError},
		{"§5.1: a message goes on behind a change of keys", iana.Client, func(e *Engine) error {
			return e.Out.Seal(iana.RecordHandshake,
				append(raw(iana.KeyUpdate, 0), byte(iana.KeyUpdate)))
		}, alert.UnexpectedMessage},
		{"§5.1: data between the halves of a message", iana.Client, func(e *Engine) error {
			if err := e.Out.Seal(iana.RecordHandshake, raw(iana.KeyUpdate, 0)[:3]); err != nil {
				return err
			}
			return e.Out.Seal(iana.RecordApplicationData, []byte("data"))
		}, alert.UnexpectedMessage},
		{"§4.6: a flood of KeyUpdates", iana.Server, func(e *Engine) error {
			for range maxUpdates + 1 {
				if err := e.UpdateKeys(iana.UpdateNotRequested); err != nil {
					return err
				}
			}
			return nil
		}, alert.UnexpectedMessage},
		{"§6.1: a flood of user_canceled", iana.Client, func(e *Engine) error {
			for range maxWarnings + 1 {
				if err := e.SealAlert(alert.Warning, alert.UserCanceled, ""); err != nil {
					return err
				}
			}
			return nil
		}, alert.UnexpectedMessage},
		{"§4.6.1: a client's ticket", iana.Client, func(e *Engine) error {
			return e.Out.Seal(iana.RecordHandshake,
				raw(iana.NewSessionTicket, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 9, 0, 0))
		}, alert.UnexpectedMessage},
		{"§4.6.1: a lifetime above seven days", iana.Server, func(e *Engine) error {
			return e.Out.Seal(iana.RecordHandshake,
				raw(iana.NewSessionTicket, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 9, 0, 0))
		}, alert.IllegalParameter},
		{"§4.6.1: an extension in the wrong message", iana.Server, func(e *Engine) error {
			return e.Out.Seal(iana.RecordHandshake,
				raw(iana.NewSessionTicket, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 9, 0, 4, 0, 51, 0, 0))
		}, alert.IllegalParameter},
		{"§4.1.2: a renegotiation", iana.Client, func(e *Engine) error {
			return e.Out.Seal(iana.RecordHandshake, raw(iana.ClientHello))
		}, alert.UnexpectedMessage},
		{"§4: a HelloRequest", iana.Server, func(e *Engine) error {
			return e.Out.Seal(iana.RecordHandshake, raw(iana.HelloRequest))
		}, alert.UnexpectedMessage},
		{"§4.6.2: a request for a certificate", iana.Server, func(e *Engine) error {
			return e.Out.Seal(iana.RecordHandshake, raw(iana.CertificateRequest, 0, 0, 0))
		}, alert.UnexpectedMessage},
		{"§5: a ChangeCipherSpec under keys", iana.Client, func(e *Engine) error {
			return e.Out.Seal(iana.RecordChangeCipherSpec, []byte{1})
		}, alert.UnexpectedMessage},
		{"§5.4: the inner type 0", iana.Client, func(e *Engine) error {
			return e.Out.Seal(0, []byte{0, 0})
		}, alert.UnexpectedMessage},
		{"§4.5: a server's EndOfEarlyData", iana.Server, func(e *Engine) error {
			return e.Out.Seal(iana.RecordHandshake, raw(iana.EndOfEarlyData))
		}, alert.UnexpectedMessage},
		{"§5: an unknown inner type", iana.Client, func(e *Engine) error {
			return e.Out.Seal(99, []byte{0})
		}, alert.UnexpectedMessage},
		// Behind a content of one byte, the type 0 is padding, and the content is the type.
		{"§5.4: an empty handshake record", iana.Client, func(e *Engine) error {
			return e.Out.Seal(0, []byte{byte(iana.RecordHandshake)})
		}, alert.UnexpectedMessage},
		{"§5.4: an empty alert", iana.Client, func(e *Engine) error {
			return e.Out.Seal(0, []byte{byte(iana.RecordAlert)})
		}, alert.UnexpectedMessage},
		{"§6: two alerts in a record", iana.Client, func(e *Engine) error {
			return e.Out.Seal(iana.RecordAlert, []byte{1, 90, 1, 90})
		}, alert.DecodeError},
		{"§6: an alert of one byte", iana.Client, func(e *Engine) error {
			return e.Out.Seal(iana.RecordAlert, []byte{1})
		}, alert.DecodeError},
	} {
		engines, _ := connectBy(t, config13)
		sender, receiver := engines[c.from], engines[c.from.Peer()]
		if err := c.send(sender); err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		arrive(receiver, sealed(sender))
		if _, err := receiver.Read(make([]byte, 10)); alert.Of(err) != c.want ||
			errors.Is(err, ErrMore) {
			t.Errorf("%s: got %v, expected %v", c.what, err, c.want)
		}
	}
}

// A ticket for which a later hello might have no room is not kept: RFC 8446 §4.6.1 allows 65,535
// bytes.
func TestLongTicketsOfTLS13AreNotKept(t *testing.T) {
	for n, want := range map[int]bool{1: true, 100: true, session.MaxSessionSize + 1: false} {
		var kept *session.Session
		engines, _ := connectBy(t, func(me iana.Side) *negotiation.Config {
			c := config13(me)
			c.Tickets = true
			c.Keep = func(s *session.Session) { kept = s }
			c.Seal = func(context.Context, *session.Session) ([]byte, error) {
				return make([]byte, n), nil
			}
			return c
		})
		if _, err := engines[0].Read(make([]byte, 1)); !errors.Is(err, ErrMore) {
			t.Errorf("a ticket of %d bytes: %v", n, err)
		}
		if got := kept != nil && len(kept.Ticket) == n; got != want {
			t.Errorf("a ticket of %d bytes: kept: %v", n, got)
		}
	}
}

// In TLS 1.3 the level of an alert is ignored, and two alerts do not end the connection at once:
// RFC 8446 §6.
func TestAlertLevelsOfTLS13MeanNothing(t *testing.T) {
	for d, ends := range map[alert.Description]bool{alert.UserCanceled: false,
		alert.NoRenegotiation: true, alert.HandshakeFailure: true, 200: true} {
		engines, _ := connectBy(t, config13)
		if err := engines[0].SealAlert(alert.Warning, d, ""); err != nil {
			t.Fatal(err)
		}
		arrive(engines[1], sealed(engines[0]))
		_, err := engines[1].Read(make([]byte, 1))
		if _, received := errors.AsType[*alert.Received](err); received != ends {
			t.Errorf("%v: %v", d, err)
		}
	}
}

// A fatal alert is not answered with another one: RFC 8446 §6.2.
func TestFatalAlertsOfTLS13AreNotAnswered(t *testing.T) {
	for from := range []iana.Side{iana.Client, iana.Server} {
		engines, _ := connectBy(t, config13)
		if err := engines[from].SealAlert(alert.Fatal, alert.BadCertificate, ""); err != nil {
			t.Fatal(err)
		}
		receiver := engines[1-from]
		arrive(receiver, sealed(engines[from]))
		_, err := receiver.Read(make([]byte, 1))
		receiver.Abort(err)
		if ended, told, err := receiver.SealReplies(); ended == nil || told || err != nil {
			t.Errorf("from side %d: ended by %v, answered: %v, %v", from, ended, told, err)
		}
	}
}
