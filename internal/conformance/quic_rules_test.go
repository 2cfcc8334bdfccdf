package conformance_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/internal/rig"
)

// What a side must refuse in QUIC, and what QUIC must see at the end of a connection.

// withoutIn returns a flight whose first message, a ClientHello or EncryptedExtensions, has lost an
// extension.
func withoutIn(flight []byte, typ uint16) []byte {
	b := bytes.Clone(flight)
	at := 4 // of the length of the extensions
	if b[0] == 1 {
		at += 2 + 32
		at += 1 + int(b[at])
		at += 2 + int(binary.BigEndian.Uint16(b[at:]))
		at += 1 + int(b[at])
	}
	size := binary.BigEndian.Uint16(b[at:])
	for x := at + 2; x < at+2+int(size); {
		n := 4 + int(binary.BigEndian.Uint16(b[x+2:]))
		if binary.BigEndian.Uint16(b[x:]) != typ {
			x += n
			continue
		}
		binary.BigEndian.PutUint16(b[at:], size-uint16(n))
		binary.BigEndian.PutUint16(b[2:], binary.BigEndian.Uint16(b[2:])-uint16(n))
		return slices.Delete(b, x, x+n)
	}
	return b
}

// withSessionID returns a ClientHello with a legacy_session_id of 32 bytes.
func withSessionID(hello []byte) []byte {
	b := bytes.Clone(hello)
	binary.BigEndian.PutUint16(b[2:], binary.BigEndian.Uint16(b[2:])+32)
	b[38] = 32
	return slices.Insert(b, 39, make([]byte, 32)...)
}

// atLevel returns an edit of what is sent at one level.
func atLevel(level tls.QUICEncryptionLevel, edit func([]byte) []byte) func(*quicEnd) {
	return func(e *quicEnd) {
		e.edit = func(l tls.QUICEncryptionLevel, data []byte) []byte {
			if l != level {
				return data
			}
			return edit(data)
		}
	}
}

func TestQUICRefusesInTheHandshake(t *testing.T) {
	longer := func(b []byte) []byte { return append(bytes.Clone(b), 1) }
	no := func(x uint16) func([]byte) []byte {
		return func(b []byte) []byte { return withoutIn(b, x) }
	}
	const initial, handshake = tls.QUICEncryptionLevelInitial, tls.QUICEncryptionLevelHandshake
	for _, test := range []struct {
		what      string
		ourServer bool
		pair      func(*quicPair)
		peer      func(*quicEnd)
		want      alert.Description
	}{
		{"bytes behind ClientHello, RFC 9001 §4.1.3", true, nil, atLevel(initial, longer),
			alert.UnexpectedMessage},
		{"bytes behind ServerHello, RFC 9001 §4.1.3", false, nil, atLevel(initial, longer),
			alert.UnexpectedMessage},
		{"bytes behind the server's Finished, RFC 9001 §4.1.3", false, nil,
			atLevel(handshake, longer), alert.UnexpectedMessage},
		{"bytes behind the client's Finished, RFC 9001 §4.1.3", true, nil,
			atLevel(handshake, longer), alert.UnexpectedMessage},
		{"EndOfEarlyData, RFC 9001 §8.3", true, nil,
			atLevel(handshake, func([]byte) []byte { return []byte{5, 0, 0, 0} }),
			alert.UnexpectedMessage},
		{"HelloRequest, RFC 8446 §4", false, nil,
			atLevel(initial, func([]byte) []byte { return []byte{0, 0, 0, 0} }),
			alert.UnexpectedMessage},
		{"KeyUpdate in the handshake, RFC 9001 §6", true, nil,
			atLevel(handshake, func([]byte) []byte { return []byte{24, 0, 0, 1, 0} }),
			alert.UnexpectedMessage},
		{"a session ID, RFC 9001 §8.4", true, nil, atLevel(initial, withSessionID),
			alert.IllegalParameter},
		{"no transport parameters of the client, RFC 9001 §8.2", true, nil,
			atLevel(initial, no(57)), alert.MissingExtension},
		{"no transport parameters of the server, RFC 9001 §8.2", false, nil,
			atLevel(handshake, no(57)), alert.MissingExtension},
		{"TLS 1.2, RFC 9001 §4.2", true, nil, atLevel(initial, no(43)), alert.ProtocolVersion},
		{"no ALPN of the client, RFC 9001 §8.1", true, nil, atLevel(initial, no(16)),
			alert.NoApplicationProtocol},
		{"no ALPN of the server, RFC 9001 §8.1", false, nil, atLevel(handshake, no(16)),
			alert.NoApplicationProtocol},
		{"another protocol, RFC 9001 §8.1", true,
			func(p *quicPair) { p.goClient.NextProtos = []string{"x"} }, nil,
			alert.NoApplicationProtocol},
	} {
		t.Run(test.what, func(t *testing.T) {
			p := newQUICPair(t)
			if test.pair != nil {
				test.pair(p)
			}
			client, server := p.ends(!test.ourServer, test.ourServer)
			ours, peer := client, server
			if test.ourServer {
				ours, peer = server, client
			}
			if test.peer != nil {
				test.peer(peer)
			}
			err := shakeQUIC(client, server)
			if err == nil {
				err = ours.failed // SetTransportParameters returns no error
			}
			if got := alertOfQUIC(t, err); got != tls.AlertError(test.want) {
				t.Errorf("got %v (%v), expected %v", got, err, test.want)
			}
			if d, ok := rig.AlertOf(err); !ok || d != test.want || ours.done {
				t.Errorf("got %v, done: %v; expected an *alert.Error of ours", err, ours.done)
			}
		})
	}
}

func TestQUICRefusesAfterTheHandshake(t *testing.T) {
	const application = tls.QUICEncryptionLevelApplication
	for _, test := range []struct {
		what      string
		ourServer bool
		level     tls.QUICEncryptionLevel
		data      []byte
		want      alert.Description
	}{
		{"KeyUpdate of the server, RFC 9001 §6", false, application, []byte{24, 0, 0, 1, 0},
			alert.UnexpectedMessage},
		{"KeyUpdate of the client, RFC 9001 §6", true, application, []byte{24, 0, 0, 1, 1},
			alert.UnexpectedMessage},
		{"CertificateRequest, RFC 9001 §4.4", false, application, []byte{13, 0, 0, 3, 0, 0, 0},
			alert.UnexpectedMessage},
		{"a ticket of the client, RFC 8446 §4.6.1", true, application, []byte{4, 0, 0, 0},
			alert.UnexpectedMessage},
		{"a level that is over, RFC 9001 §4.1.3", false, tls.QUICEncryptionLevelHandshake,
			[]byte{4}, alert.UnexpectedMessage},
		{"a message that is too long, RFC 8446 §4", false, application,
			[]byte{4, 255, 255, 255}, alert.IllegalParameter},
	} {
		t.Run(test.what, func(t *testing.T) {
			client, server := newQUICPair(t).ends(!test.ourServer, test.ourServer)
			if err := shakeQUIC(client, server); err != nil {
				t.Fatal(err)
			}
			ours := client
			if test.ourServer {
				ours = server
			}
			err := ours.conn.HandleData(test.level, test.data)
			if got := alertOfQUIC(t, err); got != tls.AlertError(test.want) {
				t.Errorf("got %v (%v), expected %v", got, err, test.want)
			}
		})
	}
}

func TestQUICRefusesAWrongLevelBeforeTheHello(t *testing.T) {
	for _, level := range []tls.QUICEncryptionLevel{tls.QUICEncryptionLevelEarly,
		tls.QUICEncryptionLevelHandshake, tls.QUICEncryptionLevelApplication} {
		_, server := newQUICPair(t).ends(false, true)
		if err := server.start(); err != nil {
			t.Fatal(err)
		}
		err := server.conn.HandleData(level, []byte{1})
		if got := alertOfQUIC(t, err); got != tls.AlertError(alert.UnexpectedMessage) {
			t.Errorf("%v: got %v, expected unexpected_message", level, err)
		}
	}
}

// RFC 9001 §8.2: the extension is refused where there is no QUIC, whatever the version.
func TestQUICParametersAreRefusedOverTCP(t *testing.T) {
	rig.EachVersion(t, func(t *testing.T, version func(*vitrine.Config)) {
		client, _ := newQUICPair(t).ends(true, true)
		client.early = true
		if err := client.start(); err != nil {
			t.Fatal(err)
		}
		hello := client.conn.NextEvent().Data
		a, b := rig.Wires(t)
		record := binary.BigEndian.AppendUint16([]byte{22, 3, 1}, uint16(len(hello)))
		if _, err := a.Write(append(record, hello...)); err != nil {
			t.Fatal(err)
		}
		err := vitrine.Server(b, rig.ServerConfig(t, version)).Handshake()
		if got, _ := rig.AlertOf(err); got != alert.UnsupportedExtension {
			t.Errorf("got %v, expected unsupported_extension", err)
		}
	})
}

func TestQUICRefusesCallsAfterItsEnd(t *testing.T) {
	t.Run("closed", func(t *testing.T) {
		client, _ := newQUICPair(t).ends(true, true)
		if err := client.conn.HandleData(0, nil); err == nil {
			t.Error("HandleData before Start: no error")
		}
		if err := client.start(); err != nil {
			t.Fatal(err)
		}
		if err := client.start(); err == nil {
			t.Error("a second Start: no error")
		}
		if err := client.conn.Close(); err != nil {
			t.Error(err)
		}
		client.conn.SetTransportParameters([]byte{})
		if err := client.conn.HandleData(0, []byte{2}); err == nil {
			t.Error("HandleData after Close: no error")
		}
		if e := client.conn.NextEvent(); e.Kind != tls.QUICNoEvent {
			t.Errorf("an event %v after Close", e.Kind)
		}
	})
	t.Run("failed", func(t *testing.T) {
		_, server := newQUICPair(t).ends(true, true)
		if err := server.start(); err != nil {
			t.Fatal(err)
		}
		err := server.conn.HandleData(tls.QUICEncryptionLevelInitial, []byte{9, 0, 0, 0})
		alertOfQUIC(t, err)
		if e := server.conn.NextEvent(); e.Kind != tls.QUICErrorEvent || e.Err != err {
			t.Errorf("got the event %v, %v; expected an error event with %v", e.Kind, e.Err, err)
		}
		if e := server.conn.NextEvent(); e.Kind != tls.QUICNoEvent {
			t.Errorf("got the event %v behind the error", e.Kind)
		}
	})
	t.Run("given up", func(t *testing.T) {
		client, _ := newQUICPair(t).ends(true, true)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := client.conn.Start(ctx); err == nil {
			t.Error("Start with a context that has ended: no error")
		}
	})
}
