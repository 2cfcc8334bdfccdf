package conformance_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/script"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/suite"
)

// badServer is a server that departs from the RFC in one point, with the expected reaction of a
// client.
type badServer struct {
	what   string
	ref    string // the section that says so
	want   alert.Description
	says   string // part of the client's error
	ends   how
	edits  script.Edits
	config func(*vitrine.Config) // of the client
	suite  iana.CipherSuite      // 0: ECDHE_ECDSA with AES_128_GCM
	kind   throwaway.Kind        // of the server's key; "": what the suite wants
	issue  func(*x509.Certificate)
}

// how a case ends, if not with our alert during the handshake.
type how uint8

const (
	refused  how = iota // with our alert, during the handshake
	accepted            // it is no mistake: the handshake holds, and the data comes
	later               // with our alert, after the handshake
	theirs              // with their alert
	cut                 // with io.ErrUnexpectedEOF
	untold              // as refused, but nothing is sent: the peer would take it for an answer
)

func TestClientRefusesBadServers(t *testing.T) {
	cases := slices.Concat(disorderlyServers(), serversWithBadRecords(), serversWithBadHellos(),
		serversWithBadProofs(t), serversWithBadKeys())
	for _, c := range cases {
		for what, offer := range offers {
			t.Run(c.what+what, func(t *testing.T) {
				t.Parallel()
				c.run(t, offer)
			})
		}
	}
	t.Logf("%d bad servers", len(cases))
}

func (c *badServer) run(t *testing.T, offer func(*vitrine.Config)) {
	id := c.suite
	if id == 0 {
		id = rig.ECDSAGCM
	}
	s := suite.ByID(id)
	kind := c.kind
	if kind == "" {
		kind = rig.KindFor(s)
	}
	var cert tls.Certificate
	if c.issue != nil {
		cert = rig.Certificate(t, kind, c.issue)
	} else {
		cert = rig.Certificate(t, kind)
	}
	config := rig.ClientConfig(offer)
	if !slices.Contains(vitrine.Modern.CipherSuites(), id) {
		config.CipherSuites = []uint16{uint16(id)}
	}
	if c.config != nil {
		c.config(config)
	}
	ours, wire := rig.Wires(t)
	edits := c.edits
	if edits.Request != nil { // two cases may have the same, and encoding writes to it
		request := *edits.Request
		edits.Request = &request
	}
	peer := rig.Script(t, iana.Server, wire, cert, edits)
	done := peer.Play(func() error {
		err := peer.Serve(id)
		if c.ends == cut {
			wire.Close()
		}
		return err
	})
	conn := vitrine.Client(ours, config)
	judge(t, conn, c.ends, c.want, c.says, "forged")
	conn.Close()
	if scriptErr := <-done; c.ends == refused || c.ends == later {
		received(t, peer, c.want, scriptErr)
	}
}

// received fails unless a scripted peer has received an alert.
func received(t *testing.T, peer *script.Peer, want alert.Description, scriptErr error) {
	t.Helper()
	if peer.Alert == nil || peer.Alert.Description != want {
		t.Errorf("the peer heard %v, expected %v; its script ended with %v", peer.Alert, want,
			scriptErr)
	}
}

// judge performs a handshake that must end as the case expects. data is what the peer sends
// whatever happens: it must never be delivered unless the handshake held.
func judge(t *testing.T, conn *vitrine.Conn, ends how, want alert.Description, says, data string) {
	t.Helper()
	err := conn.Handshake()
	b := make([]byte, 100)
	n, readErr := conn.Read(b)
	switch ends {
	case accepted:
		if err != nil || string(b[:n]) != data {
			t.Fatalf("got %v and %q (%v), expected a handshake and %q", err, b[:n], readErr, data)
		}
		return
	case later:
		if err != nil {
			t.Fatalf("got %v, expected the handshake to hold", err)
		}
		for readErr == nil {
			n, readErr = conn.Read(b)
		}
		err = readErr
	default:
		if conn.ConnectionState().HandshakeComplete || err == nil {
			t.Fatal("the handshake held")
		}
	}
	if n > 0 || readErr == nil {
		t.Errorf("%q was delivered after a failure", b[:n])
	}
	if _, err := conn.Write([]byte("secret")); err == nil {
		t.Error("data was sent after a failure")
	}
	got, ours := rig.AlertOf(err)
	switch ends {
	case theirs:
		if got, ok := rig.ReceivedAlert(err); !ok || got != want {
			t.Errorf("got %v, expected the peer's alert %v", err, want)
		}
	case cut:
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("got %v, expected %v", err, io.ErrUnexpectedEOF)
		}
	default:
		if !ours || got != want {
			t.Errorf("got alert %v (%v), expected %v", got, err, want)
		}
		if !strings.Contains(err.Error(), "RFC ") {
			t.Errorf("%q names no section", err)
		}
	}
	if !strings.Contains(err.Error(), says) {
		t.Errorf("got %q, expected it to say %q", err, says)
	}
}

// disorderlyServers send valid messages at the wrong time. RFC 5246 §7.4: "The messages … MUST be
// sent in the order".
func disorderlyServers() []badServer {
	const um = alert.UnexpectedMessage
	first := func(f func(*script.Peer,
		[]script.Item) []script.Item) script.Edits {
		return script.Edits{First: f}
	}
	last := func(f func(*script.Peer,
		[]script.Item) []script.Item) script.Edits {
		return script.Edits{Last: f}
	}
	hellos := func(n int) []script.Item {
		return slices.Repeat([]script.Item{script.Message(iana.HelloRequest)}, n)
	}
	return []badServer{
		{what: "nothing is wrong", ends: accepted},
		{what: "nothing is wrong, RSA", suite: rig.RSAGCM, ends: accepted},
		{what: "nothing is wrong, DHE", suite: rig.DHEGCM, ends: accepted},
		{what: "nothing is wrong, a certificate is asked for", ends: accepted,
			edits: script.Edits{Request: anyCertificate()}},
		{what: "no ServerHello", ref: "§7.4.1.3", want: um,
			says:  "the server's server_hello (RFC ",
			edits: first(script.Drop("server_hello"))},
		{what: "no Certificate", ref: "§7.4.2", want: um,
			says: "got the server's server_key_exchange, expected the server's certificate (RFC " +
				"5246 §7.4.2)", edits: first(script.Drop("certificate"))},
		{what: "no ServerKeyExchange with ECDHE", ref: "§7.4.3", want: um,
			says: "got the server's server_hello_done, expected the server's server_key_exchange " +
				"(RFC 5246 §7.4.3)", edits: first(script.Drop("server_key_exchange"))},
		{what: "a ServerKeyExchange with RSA", ref: "§7.4.3", want: um,
			says: "got the server's server_key_exchange", suite: rig.RSAGCM,
			edits: first(script.Before("server_hello_done",
				script.Message(iana.ServerKeyExchange, 3, 0, 29, 1, 9)))},
		{what: "no ServerHelloDone", ref: "§7.4.5", want: um,
			says: "expected the server's certificate_request (RFC 5246 §7.4.4) or the server's " +
				"server_hello_done (RFC 5246 §7.4.5)",
			edits: first(func(s *script.Peer, f []script.Item) []script.Item {
				return script.Add(script.Finished)(s, script.Drop("server_hello_done")(s, f))
			})},
		{what: "ServerHello twice", ref: "§7.4.1.3", want: um,
			edits: first(script.Repeat("server_hello"))},
		{what: "Certificate twice", ref: "§7.4.2", want: um,
			edits: first(script.Repeat("certificate"))},
		{what: "ServerKeyExchange twice", ref: "§7.4.3", want: um,
			edits: first(script.Repeat("server_key_exchange"))},
		{what: "CertificateRequest twice", ref: "§7.4.4", want: um,
			edits: script.Edits{Request: anyCertificate(),
				First: script.Repeat("certificate_request")}},
		{what: "ServerHelloDone twice", ref: "§7.4.5", want: um,
			says:  "expected the server's change_cipher_spec",
			edits: first(script.Repeat("server_hello_done"))},
		{what: "Certificate after ServerKeyExchange", ref: "§7.4.2", want: um,
			edits: first(script.Swap("certificate", "server_key_exchange"))},
		{what: "CertificateRequest before ServerKeyExchange", ref: "§7.4.4", want: um,
			edits: script.Edits{Request: anyCertificate(),
				First: script.Swap("server_key_exchange", "certificate_request")}},
		{what: "Certificate before ServerHello", ref: "§7.4.1.3", want: um,
			edits: first(script.Swap("server_hello", "certificate"))},
		{what: "a ClientHello", ref: "§7.4.1.2", want: um, says: "got the server's client_hello",
			edits: first(script.Before("server_hello", script.Message(iana.ClientHello)))},
		{what: "a ClientKeyExchange", ref: "§7.4.7", want: um,
			edits: first(script.Before("server_hello_done",
				script.Message(iana.ClientKeyExchange, 0)))},
		{what: "a NewSessionTicket that was not agreed", ref: "RFC 5077 §3.3", want: um,
			edits: last(script.Before("change_cipher_spec",
				script.Message(iana.NewSessionTicket, 0, 0, 0, 0, 0, 0)))},
		{what: "a CertificateStatus that was not agreed", ref: "RFC 6066 §8", want: um,
			edits: script.Edits{Staple: status([]byte{1})}},
		{what: "a HelloVerifyRequest", ref: "RFC 6347 §4.2.1", want: um,
			edits: first(script.Before("server_hello", script.Message(3, 254, 253, 0)))},
		{what: "an unknown message", ref: "§7.4", want: um, says: "0x63",
			edits: first(script.Before("server_hello_done", script.Message(99)))},
		{what: "a message of TLS 1.3", ref: "RFC 8446 §4.3.1", want: um,
			says: "encrypted_extensions",
			edits: first(script.Before("certificate",
				script.Message(iana.EncryptedExtensions, 0, 0)))},

		{what: "a HelloRequest", ref: "§7.4.1.1: ignored", ends: accepted,
			edits: first(script.Before("certificate", script.Message(iana.HelloRequest)))},
		{what: "a HelloRequest before Finished", ref: "§7.4.1.1: ignored", ends: accepted,
			edits: last(script.Before("change_cipher_spec", script.Message(iana.HelloRequest)))},
		{what: "a HelloRequest with a body", ref: "§7.4.1.1", want: alert.DecodeError,
			edits: first(script.Before("certificate", script.Message(iana.HelloRequest, 1)))},
		{what: "HelloRequests without end", ref: "§7.4.1.1", want: um,
			edits: first(script.Before("certificate", hellos(17)...))},

		{what: "ChangeCipherSpec before anything", ref: "§7.1", want: um,
			says:  "got the server's change_cipher_spec, expected the server's ",
			edits: first(script.Before("server_hello", script.ChangeCipherSpec))},
		{what: "ChangeCipherSpec after ServerHello", ref: "§7.1, CVE-2014-0224", want: um,
			says:  "change_cipher_spec",
			edits: first(script.Before("certificate", script.ChangeCipherSpec))},
		{what: "ChangeCipherSpec before ServerHelloDone", ref: "§7.1, CVE-2014-0224", want: um,
			says:  "change_cipher_spec",
			edits: first(script.Before("server_hello_done", script.ChangeCipherSpec))},
		{what: "ChangeCipherSpec twice", ref: "§7.1", want: um,
			says:  "got the server's change_cipher_spec, expected the server's finished",
			edits: last(script.Before("finished", script.ChangeCipherSpec))},
		{what: "ChangeCipherSpec 2", ref: "§7.1", want: um,
			edits: last(script.Replace("change_cipher_spec",
				func([]byte) []byte { return []byte{2} }))},
		{what: "ChangeCipherSpec of two bytes", ref: "§7.1", want: um,
			edits: last(script.Replace("change_cipher_spec",
				func([]byte) []byte { return []byte{1, 1} }))},
		{what: "ChangeCipherSpec without content", ref: "§7.1", want: um,
			edits: last(script.Before("change_cipher_spec", script.Wire(20, 3, 3, 0, 0)))},
		{what: "ChangeCipherSpec after the handshake", ref: "§7.1", want: um, ends: later,
			edits: last(script.Add(script.Record(iana.RecordChangeCipherSpec, 1)))},
		{what: "Finished before ChangeCipherSpec", ref: "§7.4.9", want: um,
			says:  "got the server's finished, expected the server's change_cipher_spec",
			edits: last(script.Drop("change_cipher_spec"))},
		{what: "no Finished", ref: "§7.4.9", want: um, says: "application data",
			edits: last(script.Drop("finished"))},
		{what: "Finished twice", ref: "§7.4.9", want: um, ends: later,
			edits: last(script.Repeat("finished"))},
		{what: "Finished of the client", ref: "§7.4.9", want: alert.DecryptError,
			says:  "verify_data",
			edits: script.Edits{VerifyData: func([]byte) []byte { return make([]byte, 12) }}},
		{what: "Finished with one bit changed", ref: "§7.4.9", want: alert.DecryptError,
			says:  "verify_data",
			edits: script.Edits{VerifyData: func(b []byte) []byte { b[11] ^= 1; return b }}},
		{what: "Finished of 11 bytes", ref: "§7.4.9", want: alert.DecodeError,
			edits: script.Edits{VerifyData: func(b []byte) []byte { return b[:11] }}},
		{what: "Finished of 13 bytes", ref: "§7.4.9", want: alert.DecodeError,
			edits: script.Edits{VerifyData: func(b []byte) []byte { return append(b, 0) }}},
		{what: "Finished of no bytes", ref: "§7.4.9", want: alert.DecodeError,
			edits: script.Edits{VerifyData: func([]byte) []byte { return nil }}},
		{what: "a message begins before the keys change", ref: "§7.1", want: um,
			says: "inside a handshake message",
			edits: last(script.Before("change_cipher_spec",
				script.Record(iana.RecordHandshake, 20, 0, 0)))},
		{what: "a HelloRequest begins before the keys change", ref: "§7.1", want: um,
			says: "inside a handshake message",
			edits: last(script.Before("change_cipher_spec",
				script.Record(iana.RecordHandshake, 0)))},
		{what: "half a message behind ServerHelloDone", ref: "§7.3", want: um,
			says:  "2 bytes of another message after the server's server_hello_done",
			edits: first(script.Behind("server_hello_done", 14, 0))},
		{what: "a HelloRequest behind ServerHelloDone", ref: "§7.3", want: um,
			edits: first(script.Behind("server_hello_done", 0, 0, 0, 0))},
		{what: "a HelloRequest behind Finished", ref: "§7.3", want: um,
			says:  "4 bytes of another message after the server's finished",
			edits: last(script.Behind("finished", 0, 0, 0, 0))},
		{what: "a handshake message after the handshake", ref: "§7.4", want: um, ends: later,
			edits: last(script.Add(script.Message(iana.ServerHelloDone)))},
		{what: "HelloRequests without end after the handshake", ref: "RFC 5246 §7.4.1.1", want: um,
			ends: later, edits: last(script.Add(hellos(17)...))},
	}
}

// serversWithBadRecords break RFC 5246 §6.
func serversWithBadRecords() []badServer {
	first := func(l ...script.Item) script.Edits {
		return script.Edits{First: script.Before("server_hello", l...)}
	}
	last := func(l ...script.Item) script.Edits { return script.Edits{Last: script.Add(l...)} }
	many := func(l script.Item, n int) []script.Item { return slices.Repeat([]script.Item{l}, n) }
	const um = alert.UnexpectedMessage
	return []badServer{
		{what: "application data before anything", ref: "§7.4", want: um, says: "application data",
			edits: first(script.Record(iana.RecordApplicationData, 1))},
		{what: "application data after ServerHello", ref: "§7.4", want: um,
			says: "application data",
			edits: script.Edits{First: script.Before("certificate",
				script.Record(iana.RecordApplicationData, 1))}},
		{what: "application data before ChangeCipherSpec", ref: "§7.4", want: um,
			says:  "application data",
			edits: script.Edits{Last: script.Before("change_cipher_spec", script.ForgedData)}},
		{what: "application data before Finished", ref: "§7.4", want: um, says: "application data",
			edits: script.Edits{Last: script.Before("finished", script.ForgedData)}},
		{what: "empty application data before Finished", ref: "§7.4", want: um,
			says: "application data",
			edits: script.Edits{Last: script.Before("finished",
				script.Record(iana.RecordApplicationData))}},
		{what: "an unknown type", ref: "§6", want: um, says: "0x19",
			edits: first(script.Wire(25, 3, 3, 0, 1, 0))},
		{what: "heartbeat, CVE-2014-0160", ref: "§6", want: um, says: "heartbeat",
			edits: first(script.Wire(24, 3, 3, 0, 3, 1, 64, 0))},
		{what: "HTTP", ref: "§6", want: um, says: "got a record of type 0x48",
			edits: script.Edits{First: script.Only(script.Wire([]byte("HTTP/1.1 400 Bad " +
				"Request\r\n\r\n")...))}},
		{what: "SSLv2", ref: "§6", want: um,
			edits: script.Edits{First: script.Only(script.Wire(0x80, 0x0B, 4, 0, 1, 0, 2, 0, 0, 0,
				0, 0, 0))}},
		{
			what: "SSH",
			ref:  "§6",
			want: um,
			edits: script.Edits{
				First: script.Only(script.Wire([]byte("SSH-2.0-OpenSSH_9.9\r\n")...)),
			},
		},
		{what: "major version 4", ref: "§6.2.1", want: alert.ProtocolVersion,
			edits: first(script.Wire(22, 4, 0, 0, 1, 0))},
		{what: "version of TLS 1.0 after ServerHello", ref: "§6.2.1", want: alert.ProtocolVersion,
			says: "got a record of TLS 1.0, expected TLS 1.2",
			edits: script.Edits{First: script.Before("certificate",
				script.Wire(22, 3, 1, 0, 1, 11))}},
		{what: "version of TLS 1.3 under keys", ref: "§6.2.1", want: alert.ProtocolVersion,
			says:  "got a record of TLS 1.3",
			edits: script.Edits{Last: script.Before("finished", script.Wire(22, 3, 4, 0, 1, 11))}},
		{what: "too long on the wire", ref: "§6.2.3", want: alert.RecordOverflow, says: "18433",
			edits: first(script.Wire(22, 3, 3, 0x48, 0x01))},
		{what: "too long in the clear", ref: "§6.2.1", want: alert.RecordOverflow, says: "16385",
			edits: first(script.Wire(slices.Concat([]byte{22, 3, 3, 0x40, 0x01},
				make([]byte, 16385))...))},
		{what: "a handshake record without content", ref: "§6.2.1", want: um, says: "empty",
			edits: first(script.Wire(22, 3, 3, 0, 0))},
		{what: "an alert without content", ref: "§6.2.1", want: alert.DecodeError,
			says: "alert of 0 bytes", edits: first(script.Wire(21, 3, 3, 0, 0))},
		{what: "half an alert", ref: "§7.2", want: alert.DecodeError, says: "alert of 1 bytes",
			edits: first(script.Record(iana.RecordAlert, 1))},
		{what: "an alert of no level", ref: "§7.2", want: alert.IllegalParameter,
			edits: first(script.Record(iana.RecordAlert, 3, 40))},
		{what: "unrecognized_name as a warning", ref: "RFC 6066 §3: no error", ends: accepted,
			edits: first(script.Record(iana.RecordAlert, 1, 112))},
		{what: "warnings without end", ref: "§7.2", want: um, says: "warnings",
			edits: first(many(script.Record(iana.RecordAlert, 1, 112), 5)...)},
		{what: "warnings without end after the handshake", ref: "§7.2", want: um, ends: later,
			says: "warnings", edits: last(many(script.Record(iana.RecordAlert, 1, 90), 5)...)},
		{what: "a few warnings after the handshake", ref: "§7.2: allowed", ends: accepted,
			edits: last(many(script.Record(iana.RecordAlert, 1, 90), 4)...)},
		{what: "empty records without end after the handshake", ref: "§6.2.1", want: um,
			ends: later, says: "empty",
			edits: last(many(script.Record(iana.RecordApplicationData), 34)...)},
		{what: "a few empty records after the handshake", ref: "§6.2.1: allowed", ends: accepted,
			edits: last(many(script.Record(iana.RecordApplicationData), 32)...)},
		{what: "a fatal alert", ref: "§7.2.2", want: alert.HandshakeFailure, ends: theirs,
			says:  "handshake_failure",
			edits: script.Edits{First: script.Only(script.Record(iana.RecordAlert, 2, 40))}},
		{what: "a fatal alert of no name", ref: "§7.2.2", want: 200, ends: theirs, says: "0xC8",
			edits: script.Edits{First: script.Only(script.Record(iana.RecordAlert, 2, 200))}},
		{what: "close_notify in the handshake", ref: "§7.2.1", ends: cut, says: "close_notify",
			edits: script.Edits{First: script.Only(script.Record(iana.RecordAlert, 1, 0))}},
		{what: "a handshake message of 16 MiB", ref: "§7.4", want: alert.IllegalParameter,
			says:  "16777219 bytes",
			edits: first(script.Record(iana.RecordHandshake, 11, 255, 255, 255))},
		{what: "an unprotected alert under keys", ref: "§6.2.3", want: alert.BadRecordMAC,
			edits: script.Edits{Last: script.Before("finished",
				script.Wire(21, 3, 3, 0, 2, 1, 0))}},
	}
}

// ext adds or replaces an extension of a ServerHello.
func ext(typ iana.ExtensionType, data ...byte) script.Edits {
	return script.Edits{Answer: addExtension(typ, data)}
}
