package engine

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/session"
)

// earlyConfigs returns both sides' configurations for a connection with early data: the client has
// a ticket that allows max bytes, and thinks that it allows more. The server keeps sessions by
// ticket, and finds them there.
func earlyConfigs(t testing.TB, max, more uint32) func(iana.Side) *negotiation.Config {
	t.Helper()
	var sessions [][]byte
	var kept *session.Session
	configs := func(me iana.Side) *negotiation.Config {
		c := config13(me)
		c.Tickets = true
		if me == iana.Client {
			c.Sends, c.Offer = kept != nil, kept
			c.Keep = func(s *session.Session) { kept = s }
			return c
		}
		c.Seal = func(_ context.Context, s *session.Session) ([]byte, error) {
			b, err := s.Encode()
			sessions = append(sessions, b)
			return []byte{byte(len(sessions) - 1)}, err
		}
		c.Open = func(_ context.Context, ticket []byte) (*session.Session, error) {
			return session.DecodeSession(sessions[ticket[0]])
		}
		c.Reads, c.MaxEarlyData = true, max
		c.Announce = func(context.Context, []byte) error { return nil }
		c.Take = func(context.Context, []byte) (bool, error) { return true, nil }
		return c
	}
	engines, _ := connectBy(t, configs)
	if _, err := engines[0].Read(make([]byte, 1)); err != ErrMore || kept == nil {
		t.Fatal("no ticket came", err)
	}
	kept.MaxEarlyData += more
	return configs
}

// early begins a connection whose client has sent its hello, under the keys of early data.
func early(t *testing.T, configs func(iana.Side) *negotiation.Config) (client, server *Engine) {
	t.Helper()
	client, server = NewEngine(iana.Client, configs(iana.Client)),
		NewEngine(iana.Server, configs(iana.Server))
	if err := advance(client); err != nil {
		t.Fatal(err)
	}
	return client, server
}

// Early data has no KeyUpdate: it ends before its key has sealed as much as it may, and the
// handshake goes on. See RFC 9846 §5.5.
func TestEarlyDataEndsAtTheLimitOfItsKey(t *testing.T) {
	client, server := early(t, earlyConfigs(t, 100, 0))
	half := &client.Out.half
	half.Seek(half.SeqNum() + half.Left() - 2) // one for data, and one kept for an alert
	server.In.half.Seek(half.SeqNum())
	if err := client.SealEarly([]byte("a")); err != nil {
		t.Fatal(err)
	}
	if err := client.SealEarly([]byte("b")); err == nil {
		t.Error("no error beyond the limit")
	}
	if n := half.Left(); n != 1 {
		t.Errorf("%d records left, expected 1", n)
	}
}

// RFC 8446 §4.6.1: "A server receiving more than max_early_data_size bytes of 0-RTT data SHOULD
// terminate the connection with an "unexpected_message" alert."
func TestEarlyDataIsBoundedByTheTicket(t *testing.T) {
	for _, c := range []struct {
		parts []int
		ok    bool
	}{{[]int{100}, true}, {[]int{60, 40}, true}, {[]int{101}, false}, {[]int{60, 41}, false}} {
		client, server := early(t, earlyConfigs(t, 100, 50))
		sum, err := 0, error(nil)
		for _, n := range c.parts {
			if err := client.SealEarly(make([]byte, n)); err != nil {
				t.Fatal(err)
			}
			arrive(server, sealed(client))
			if err = advance(server); err == nil {
				sum += n
			}
		}
		if (err == nil) != c.ok || err != nil && alert.Of(err) != alert.UnexpectedMessage ||
			server.BufferedEarly() != sum {
			t.Errorf("%v: %d bytes, %v", c.parts, server.BufferedEarly(), err)
		}
	}
	client, _ := early(t, earlyConfigs(t, 100, 0))
	if err := client.SealEarly(make([]byte, 101)); err == nil {
		t.Error("our client sends more than its ticket allows")
	}
}

// What a client may not send where early data is: RFC 8446 §4.2.10, §4.5 and §5.1.
func TestTheKeysOfEarlyDataProtectNothingElse(t *testing.T) {
	end := msg(iana.EndOfEarlyData)
	for _, c := range []struct {
		what string
		send func(*Engine) error
		want alert.Description
	}{
		{"a Finished without an EndOfEarlyData", func(e *Engine) error {
			return e.Out.Seal(iana.RecordHandshake, msg(iana.Finished, make([]byte, 32)...))
		}, alert.UnexpectedMessage},
		{"a KeyUpdate", func(e *Engine) error {
			return e.Out.Seal(iana.RecordHandshake, msg(iana.KeyUpdate, 0))
		}, alert.UnexpectedMessage},
		{"another ClientHello", func(e *Engine) error {
			return e.Out.Seal(iana.RecordHandshake, msg(iana.ClientHello))
		}, alert.UnexpectedMessage},
		{"an EndOfEarlyData with a body", func(e *Engine) error {
			return e.Out.Seal(iana.RecordHandshake, msg(iana.EndOfEarlyData, 0))
		}, alert.DecodeError},
		{"a message behind EndOfEarlyData in its record", func(e *Engine) error {
			return e.Out.Seal(iana.RecordHandshake, append(end, msg(iana.Finished)...))
		}, alert.UnexpectedMessage},
		{"data under old keys behind EndOfEarlyData", func(e *Engine) error {
			if err := e.Out.Seal(iana.RecordHandshake, end); err != nil {
				return err
			}
			return e.Out.Seal(iana.RecordApplicationData, []byte("more"))
		}, alert.BadRecordMAC},
		{"a change_cipher_spec under keys", func(e *Engine) error {
			return e.Out.Seal(iana.RecordChangeCipherSpec, []byte{1})
		}, alert.UnexpectedMessage},
		{"empty records without end", func(e *Engine) (err error) {
			for range maxEmpty + 1 {
				if err == nil {
					err = e.Out.Seal(iana.RecordApplicationData, nil)
				}
			}
			return err
		}, alert.UnexpectedMessage},
		{"data in the clear", func(e *Engine) error {
			e.Out.Clear()
			return e.Out.Seal(iana.RecordApplicationData, make([]byte, 50))
		}, alert.BadRecordMAC},
		{"a handshake message in the clear", func(e *Engine) error {
			e.Out.Clear()
			return e.Out.Seal(iana.RecordHandshake, end)
		}, alert.UnexpectedMessage},
	} {
		client, server := early(t, earlyConfigs(t, 100, 0))
		if err := c.send(client); err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		arrive(server, sealed(client))
		if err := advance(server); alert.Of(err) != c.want || err == nil {
			t.Errorf("%s: got %v, expected %v", c.what, err, c.want)
		}
	}
}

// A client that sees no EndOfEarlyData in its figure may not send one: RFC 8446 §4.5.
func TestAnEndOfEarlyDataThatWasRejectedIsRefused(t *testing.T) {
	configs := earlyConfigs(t, 100, 0)
	client, server := early(t, func(me iana.Side) *negotiation.Config {
		c := configs(me)
		c.Reads = false
		return c
	})
	if err := client.SealEarly([]byte("early data")); err != nil {
		t.Fatal(err)
	}
	// It cannot be read, and is skipped with the rest.
	if err := client.Out.Seal(iana.RecordHandshake, msg(iana.EndOfEarlyData)); err != nil {
		t.Fatal(err)
	}
	arrive(server, sealed(client))
	if err := advance(server); err != nil {
		t.Fatal(err)
	}
	arrive(client, sealed(server))
	if err := advance(client); err != nil {
		t.Fatal(err)
	}
	arrive(server, sealed(client))
	if err := advance(server); err != nil || !server.Machine().Done() ||
		server.BufferedEarly() > 0 ||
		server.Machine().EarlyData() != handshake.EarlyRejected ||
		client.Machine().EarlyData() != handshake.EarlyRejected {
		t.Errorf("done: %t, %v; %d bytes", server.Machine().Done(), err, server.BufferedEarly())
	}
	if err := say(t, client, server, "data"); err != nil {
		t.Error(err)
	}
}

// An alert may come instead of the end: RFC 8446 §6.
func TestAnAlertMayEndEarlyData(t *testing.T) {
	client, server := early(t, earlyConfigs(t, 100, 0))
	if err := client.SealAlert(alert.Fatal, alert.InternalError, ""); err != nil {
		t.Fatal(err)
	}
	arrive(server, sealed(client))
	if _, received := errors.AsType[*alert.Received](advance(server)); !received {
		t.Error("the alert was not read")
	}
}

// A retry ends early data: the second hello goes in the clear, RFC 8446 §4.1.2, in records of TLS
// 1.2 as the change_cipher_spec before early data, §5.1 and §D.4.
func TestARetryEndsEarlyData(t *testing.T) {
	configs := earlyConfigs(t, 100, 0)
	client, server := early(t, func(me iana.Side) *negotiation.Config {
		c := configs(me)
		c.Groups = []iana.Group{iana.X25519, iana.Secp256r1}
		if me == iana.Server {
			c.Groups = c.Groups[1:]
		}
		return c
	})
	if err := client.SealEarly([]byte("early data")); err != nil {
		t.Fatal(err)
	}
	first := sealed(client)
	arrive(server, first)
	if err := advance(server); err != nil {
		t.Fatal(err)
	}
	arrive(client, sealed(server))
	if err := advance(client); err != nil {
		t.Fatal(err)
	}
	second := sealed(client)
	hello, err := message.Dialect{Version: iana.TLS12}.Parse(second[5:])
	if err != nil || second[0] != byte(iana.RecordHandshake) || second[1] != 3 || second[2] != 3 {
		t.Fatalf("% x: %v", second[:9], err)
	}
	if hello.(*message.ClientHello).Extensions.Has(iana.ExtEarlyData) {
		t.Error("the second hello offers early data")
	}
	if n := 5 + int(first[3])<<8 + int(first[4]); first[1] != 3 || first[2] != 1 ||
		first[n] != byte(iana.RecordChangeCipherSpec) || first[n+2] != 3 {
		t.Errorf("the first flight begins with % x, and goes on with % x", first[:5], first[n:n+6])
	}
	arrive(server, second)
	for range 2 {
		for _, e := range []*Engine{server, client} {
			if err := advance(e); err != nil {
				t.Fatal(err)
			}
			other := server
			if e == server {
				other = client
			}
			arrive(other, sealed(e))
		}
	}
	if err := say(t, client, server, "data"); err != nil || server.BufferedEarly() > 0 {
		t.Error(err)
	}
}

// A server skips as much early data as its own tickets allowed before its configuration changed.
func TestRejectedEarlyDataIsSkippedAsFarAsTicketsAllowIt(t *testing.T) {
	const most = 4 * maxSkipped
	configs := earlyConfigs(t, most, 0)
	client, server := early(t, func(me iana.Side) *negotiation.Config {
		c := configs(me)
		c.EarlyFrom = c.Now.Add(time.Hour)
		return c
	})
	if err := client.SealEarly(make([]byte, most)); err != nil {
		t.Fatal(err)
	}
	for part := range slices.Chunk(sealed(client), smallBuffer) {
		arrive(server, part)
		if err := advance(server); err != nil {
			t.Fatal(err)
		}
	}
}
