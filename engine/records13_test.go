package engine

import (
	"errors"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/record"
)

// In the clear nothing may come under keys, once the handshake is done, whichever keys they are:
// RFC 8446 §5.
func TestUnprotectedRecordsAreRefusedAfterwards(t *testing.T) {
	for what, b := range map[string][]byte{
		"a change_cipher_spec": {20, 3, 3, 0, 1, 1}, "an alert": {21, 3, 3, 0, 2, 2, 40},
		"a handshake message": {22, 3, 3, 0, 4, 0, 0, 0, 0},
	} {
		for _, updates := range []int{0, 1} {
			for me := range []iana.Side{iana.Client, iana.Server} {
				engines, _ := connectBy(t, config13)
				for range updates {
					if err := engines[1-me].UpdateKeys(iana.UpdateNotRequested); err != nil {
						t.Fatal(err)
					}
				}
				arrive(engines[me], append(sealed(engines[1-me]), b...))
				_, err := engines[me].Read(make([]byte, 1))
				if alert.Of(err) != alert.UnexpectedMessage {
					t.Errorf("%s, after %d KeyUpdates, for side %d: %v", what, updates, me, err)
				}
			}
		}
	}
}

// afterClientHello returns two ends of TLS 1.3, of which the server has its first flight to send.
func afterClientHello(t *testing.T) (client, server *Engine) {
	t.Helper()
	client, server = NewEngine(iana.Client, config13(iana.Client)),
		NewEngine(iana.Server, config13(iana.Server))
	if err := advance(client); err != nil {
		t.Fatal(err)
	}
	arrive(server, sealed(client))
	if err := advance(server); err != nil {
		t.Fatal(err)
	}
	return client, server
}

// An alert in the clear may come under keys only from a client that could not use our ServerHello,
// and whose protected records would say more: RFC 8446 §4.1.3 and §5.
func TestOnlyAClientsRefusalComesInTheClearUnderKeys(t *testing.T) {
	refusal := []byte{21, 3, 3, 0, 2, 2, byte(alert.IllegalParameter)}
	client, server := afterClientHello(t)
	flight := sealed(server)
	h, err := record.ParseHeader(flight)
	if err != nil {
		t.Fatal(err)
	}
	hello := record.HeaderLen + h.Length
	for _, c := range []struct {
		to       *Engine
		arrives  []byte
		received bool
	}{
		{server, refusal, true},
		{client, append(flight[:hello:hello], refusal...), false},
	} {
		arrive(c.to, c.arrives)
		err := advance(c.to)
		_, received := errors.AsType[*alert.Received](err)
		if received != c.received || !received && alert.Of(err) != alert.UnexpectedMessage {
			t.Errorf("the %v: %v", c.to.me, err)
		}
	}
}

// In the handshake a bounded number of ChangeCipherSpecs means nothing, and other bytes than 1 are
// refused: RFC 8446 §5.
func TestChangeCipherSpecsOfTLS13AreBounded(t *testing.T) {
	for _, c := range []struct {
		n    int
		body byte
		ok   bool
	}{{1, 1, true}, {maxEmpty - 1, 1, true}, {maxEmpty, 1, false}, {1, 2, false}} {
		client, server := afterClientHello(t)
		arrive(client, sealed(server)) // one is in it already
		if err := advance(client); err != nil {
			t.Fatal(err)
		}
		for range c.n {
			arrive(server, []byte{20, 3, 3, 0, 1, c.body})
		}
		arrive(server, sealed(client))
		if err := advance(server); (err == nil) != c.ok {
			t.Errorf("%d of byte %d: %v", c.n, c.body, err)
		}
	}
}

// Early data that we do not take is skipped, up to a bound: RFC 8446 §4.2.10.
func TestEarlyDataIsSkippedUpToABound(t *testing.T) {
	for _, c := range []struct {
		retry   bool
		records int
		bytes   int // in each
		ok      bool
	}{
		{false, 1, 100, true}, {true, 1, 100, true},
		{false, maxSkipped >> 10, 1<<10 - record.HeaderLen, true},
		{false, maxSkipped>>10 + 1, 1<<10 - record.HeaderLen, false},
		{true, maxSkipped>>10 + 1, 1<<10 - record.HeaderLen, false},
		{false, maxSkipped / record.HeaderLen, 0, true},
		{false, maxSkipped/record.HeaderLen + 1, 0, false},
		{true, maxSkipped/record.HeaderLen + 1, 0, false},
	} {
		groups := func(me iana.Side) *negotiation.Config {
			config := config13(me)
			if c.retry && me == iana.Server {
				config.Groups = []iana.Group{iana.Secp256r1}
			}
			return config
		}
		client, server := NewEngine(iana.Client, groups(iana.Client)),
			NewEngine(iana.Server, groups(iana.Server))
		if err := advance(client); err != nil {
			t.Fatal(err)
		}
		hello := withEarlyData(t, sealed(client))
		arrive(server, hello)
		var err error
		for range c.records {
			arrive(server, rec(iana.RecordApplicationData, make([]byte, c.bytes)...))
			if err = advance(server); err != nil {
				break
			}
		}
		if (err == nil) != c.ok || err != nil && alert.Of(err) != alert.UnexpectedMessage {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// In TLS 1.2 there is no early data, whatever the hello says: RFC 8446 §D.3.
func TestEarlyDataIsNotSkippedInTLS12(t *testing.T) {
	client, server := NewEngine(iana.Client, config(iana.Client)),
		NewEngine(iana.Server, config(iana.Server))
	if err := advance(client); err != nil {
		t.Fatal(err)
	}
	arrive(server, withEarlyData(t, sealed(client)))
	if err := advance(server); err != nil {
		t.Fatal(err)
	}
	arrive(server, []byte{23, 3, 3, 0, 1, 0})
	if err := advance(server); err == nil {
		t.Error("a record of application data was taken during the handshake")
	}
}

// withEarlyData adds early_data to the ClientHello in a record.
func withEarlyData(t *testing.T, b []byte) []byte {
	t.Helper()
	d := message.Dialect{Version: iana.TLS12}
	m, err := d.Parse(b[record.HeaderLen:])
	if err != nil {
		t.Fatal(err)
	}
	hello := m.(*message.ClientHello)
	if err := hello.Extensions.Add(iana.ExtEarlyData, nil); err != nil {
		t.Fatal(err)
	}
	raw, err := d.Encode(hello)
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte{22, 3, 1, byte(len(raw) >> 8), byte(len(raw))}, raw...)
}
