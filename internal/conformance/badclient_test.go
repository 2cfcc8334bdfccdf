package conformance_test

import (
	"crypto/tls"
	"errors"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/script"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
)

// badClient is a client that departs from the RFC in one point, with the expected reaction of a
// server.
type badClient struct {
	what   string
	ref    string // the section that says so
	want   alert.Description
	says   string // part of the server's error
	ends   how
	edits  script.Edits
	config func(*vitrine.Config) // of the server
	suite  iana.CipherSuite      // 0: ECDHE_ECDSA with AES_128_GCM
	cert   *tls.Certificate      // the client's own
}

func TestServerRefusesBadClients(t *testing.T) {
	cases := slices.Concat(disorderlyClients(t), clientsWithBadRecords(), clientsWithBadHellos(),
		clientsWithBadKeys(), clientsWithBadProofs(t))
	for _, c := range cases {
		for what, offer := range offers {
			t.Run(c.what+what, func(t *testing.T) {
				t.Parallel()
				c.run(t, offer)
			})
		}
	}
	t.Logf("%d bad clients", len(cases))
}

// offers are Configs of TLS 1.2 with and without TLS 1.3: the answers to a peer that speaks TLS 1.2
// are the same.
var offers = map[string]func(*vitrine.Config){"": rig.Until12,
	", where TLS 1.3 is on": func(*vitrine.Config) {}}

func (c *badClient) run(t *testing.T, offer func(*vitrine.Config)) {
	id := c.suite
	if id == 0 {
		id = rig.ECDSAGCM
	}
	config := rig.ServerConfig(t, offer)
	if !slices.Contains(vitrine.Modern.CipherSuites(), id) {
		config.CipherSuites = []uint16{uint16(id)}
	}
	if c.config != nil {
		c.config(config)
	}
	var cert tls.Certificate
	if c.cert != nil {
		cert = *c.cert
	}
	wire, ours := rig.Wires(t)
	peer := rig.Script(t, iana.Client, wire, cert, c.edits)
	done := peer.Play(func() error {
		err := peer.Connect(id)
		if c.ends == cut {
			wire.Close()
		}
		return err
	})
	conn := vitrine.Server(ours, config)
	judge(t, conn, c.ends, c.want, c.says, "genuine")
	conn.Close()
	scriptErr := <-done
	if c.ends == refused || c.ends == later {
		received(t, peer, c.want, scriptErr)
	}
	if c.ends == untold && peer.Alert != nil {
		t.Errorf("the client heard %v, which it takes for an answer of HTTP", peer.Alert)
	}
	if c.ends == accepted && !errors.Is(scriptErr, nil) {
		t.Errorf("the script ended with %v", scriptErr)
	}
}

// disorderlyClients send valid messages at the wrong time. RFC 5246 §7.4: "The messages … MUST be
// sent in the order".
func disorderlyClients(t *testing.T) []badClient {
	const um = alert.UnexpectedMessage
	first := func(f func(*script.Peer,
		[]script.Item) []script.Item) script.Edits {
		return script.Edits{First: f}
	}
	last := func(f func(*script.Peer,
		[]script.Item) []script.Item) script.Edits {
		return script.Edits{Last: f}
	}
	own := rig.IssueForClient(t, rig.Authority(), throwaway.ECDSA)
	asks := func(c *vitrine.Config) { c.ClientAuth = tls.RequestClientCert }
	return []badClient{
		{what: "nothing is wrong", ends: accepted},
		{what: "nothing is wrong, RSA", suite: rig.RSAGCM, ends: accepted},
		{what: "nothing is wrong, DHE", suite: rig.DHEGCM, ends: accepted},
		{what: "nothing is wrong, with a certificate", ends: accepted, config: asks, cert: &own},
		{what: "nothing is wrong, without the certificate that was asked for", ends: accepted,
			config: asks, edits: script.Edits{Anonymous: true}},
		{what: "ClientHello twice", ref: "§7.4.1.2", want: um,
			says:  "got the client's client_hello, expected the client's client_key_exchange",
			edits: first(script.Repeat("client_hello"))},
		{what: "a HelloRequest", ref: "§7.4.1.1", want: um, says: "got the client's hello_request",
			edits: first(script.Before("client_hello", script.Message(iana.HelloRequest)))},
		{what: "a ServerHello", ref: "§7.4.1.3", want: um,
			edits: first(script.Before("client_hello", script.Message(iana.ServerHello)))},
		{what: "ClientKeyExchange before ClientHello", ref: "§7.4.7", want: um,
			says:  "expected the client's client_hello (RFC 5246 §7.4.1.2)",
			edits: first(script.Before("client_hello", script.Message(iana.ClientKeyExchange, 0)))},
		{what: "Finished before ClientHello", ref: "§7.4.9", want: um,
			edits: first(script.Before("client_hello",
				script.Message(iana.Finished, make([]byte, 12)...)))},
		{what: "no ClientKeyExchange", ref: "§7.4.7", want: um,
			says: "got the client's change_cipher_spec, expected the client's " +
				"client_key_exchange (RFC 5246 §7.4.7)",
			edits: last(script.Drop("client_key_exchange"))},
		{what: "ClientKeyExchange twice", ref: "§7.4.7", want: um,
			edits: last(script.Repeat("client_key_exchange"))},
		{what: "a Certificate that nobody asked for", ref: "§7.4.6", want: um,
			edits: last(script.Before("client_key_exchange",
				script.Message(iana.Certificate, 0, 0, 0)))},
		{what: "no Certificate although asked", ref: "§7.4.6", want: um,
			says: "got the client's client_key_exchange, expected the client's certificate (RFC " +
				"5246 §7.4.6)", config: asks, cert: &own, edits: last(script.Drop("certificate"))},
		{what: "a CertificateVerify without a Certificate", ref: "§7.4.8", want: um,
			edits: last(script.Before("change_cipher_spec",
				script.Message(iana.CertificateVerify, 4, 3, 0, 0)))},
		{what: "a CertificateVerify of an empty Certificate", ref: "§7.4.8", want: um, config: asks,
			edits: script.Edits{Anonymous: true,
				Last: script.Before("change_cipher_spec",
					script.Message(iana.CertificateVerify, 4, 3, 0, 0))}},
		{what: "no CertificateVerify", ref: "§7.4.8", want: um,
			says: "got the client's change_cipher_spec, expected the client's certificate_verify " +
				"(RFC 5246 §7.4.8)", config: asks, cert: &own,
			edits: last(script.Drop("certificate_verify"))},
		{what: "CertificateVerify before ClientKeyExchange", ref: "§7.4.8", want: um, config: asks,
			cert: &own, edits: last(script.Swap("client_key_exchange", "certificate_verify"))},
		{what: "CertificateVerify twice", ref: "§7.4.8", want: um, config: asks, cert: &own,
			edits: last(script.Repeat("certificate_verify"))},
		{what: "an unknown message", ref: "§7.4", want: um, says: "0x63",
			edits: last(script.Before("client_key_exchange", script.Message(99)))},
		{what: "ChangeCipherSpec before anything", ref: "§7.1", want: um,
			says:  "got the client's change_cipher_spec, expected the client's client_hello",
			edits: first(script.Before("client_hello", script.ChangeCipherSpec))},
		{what: "ChangeCipherSpec before ClientKeyExchange", ref: "§7.1, CVE-2014-0224", want: um,
			says: "change_cipher_spec",
			edits: last(func(_ *script.Peer, f []script.Item) []script.Item {
				return slices.Insert(f, 0,
					script.Item{Name: "early", Type: iana.RecordChangeCipherSpec, Raw: []byte{1}})
			})},
		{what: "ChangeCipherSpec before CertificateVerify", ref: "§7.1", want: um, config: asks,
			cert: &own, edits: last(script.Before("certificate_verify",
				script.Item{Name: "early", Type: iana.RecordChangeCipherSpec, Raw: []byte{1}}))},
		{what: "ChangeCipherSpec twice", ref: "§7.1", want: um,
			says: "expected the client's finished",
			edits: last(script.Before("finished",
				script.Item{Name: "again", Type: iana.RecordChangeCipherSpec, Raw: []byte{1}}))},
		{what: "ChangeCipherSpec 0", ref: "§7.1", want: um,
			edits: last(script.Replace("change_cipher_spec",
				func([]byte) []byte { return []byte{0} }))},
		{what: "ChangeCipherSpec of two bytes", ref: "§7.1", want: um,
			edits: last(script.Replace("change_cipher_spec",
				func([]byte) []byte { return []byte{1, 1} }))},
		{what: "Finished before ChangeCipherSpec", ref: "§7.4.9", want: um,
			says:  "got the client's finished, expected the client's change_cipher_spec",
			edits: last(script.Drop("change_cipher_spec"))},
		{what: "application data instead of Finished", ref: "§7.4.9", want: um,
			says: "application data",
			edits: last(func(s *script.Peer, f []script.Item) []script.Item {
				return append(script.Drop("finished")(s, f), script.ForgedData)
			})},
		{what: "Finished with one bit changed", ref: "§7.4.9", want: alert.DecryptError,
			says:  "verify_data",
			edits: script.Edits{VerifyData: func(b []byte) []byte { b[0] ^= 0x80; return b }}},
		{what: "Finished of 11 bytes", ref: "§7.4.9", want: alert.DecodeError,
			edits: script.Edits{VerifyData: func(b []byte) []byte { return b[:11] }}},
		{what: "Finished of 13 bytes", ref: "§7.4.9", want: alert.DecodeError,
			edits: script.Edits{VerifyData: func(b []byte) []byte { return append(b, 0) }}},
		{what: "a message begins before the keys change", ref: "§7.1", want: um,
			says: "inside a handshake message",
			edits: last(script.Before("change_cipher_spec",
				script.Record(iana.RecordHandshake, 20)))},
		{what: "Finished begins before ChangeCipherSpec", ref: "§7.1", want: um,
			says: "inside a handshake message",
			edits: last(script.Before("change_cipher_spec",
				script.Record(iana.RecordHandshake, 20, 0, 0, 12, 1, 2, 3)))},
		{what: "half a ClientKeyExchange behind ClientHello", ref: "§7.3", want: um,
			says:  "3 bytes of another message after the client's client_hello",
			edits: first(script.Behind("client_hello", 16, 0, 0))},
		{what: "a ClientKeyExchange behind ClientHello", ref: "§7.3", want: um,
			says: "after the client's client_hello",
			edits: first(script.Behind("client_hello",
				script.Encode(iana.ClientKeyExchange, make([]byte, 33))...))},
		{what: "a byte behind Finished", ref: "§7.3", want: um,
			says:  "1 bytes of another message after the client's finished",
			edits: last(script.Behind("finished", 1))},
		{
			what: "ClientHellos without end after the handshake",
			ref:  "RFC 5246 §7.2.2",
			want: um,
			ends: later,
			edits: script.Edits{
				Last: script.Add(
					slices.Repeat([]script.Item{script.Message(iana.ClientHello)}, 17)...),
			},
		},
		{what: "ClientKeyExchange after the handshake", ref: "§7.4", want: um, ends: later,
			edits: last(script.Add(script.Message(iana.ClientKeyExchange, 0)))},
		{what: "Finished twice", ref: "§7.4.9", want: um, ends: later,
			edits: last(script.Repeat("finished"))},
	}
}

// clientsWithBadRecords break RFC 5246 §6.
func clientsWithBadRecords() []badClient {
	const um = alert.UnexpectedMessage
	first := func(l ...script.Item) script.Edits {
		return script.Edits{First: script.Before("client_hello", l...)}
	}
	instead := func(b string) script.Edits {
		return script.Edits{First: script.Only(script.Wire([]byte(b)...))}
	}
	return []badClient{
		{what: "application data before anything", ref: "§7.4", want: um, says: "application data",
			edits: first(script.Record(iana.RecordApplicationData, 1))},
		{what: "empty application data before anything", ref: "§7.4", want: um,
			says: "application data", edits: first(script.Record(iana.RecordApplicationData))},
		{what: "application data before ClientKeyExchange", ref: "§7.4", want: um,
			says:  "application data",
			edits: script.Edits{Last: script.Before("client_key_exchange", script.ForgedData)}},
		{what: "application data before ChangeCipherSpec", ref: "§7.4", want: um,
			says:  "application data",
			edits: script.Edits{Last: script.Before("change_cipher_spec", script.ForgedData)}},
		{what: "application data before Finished", ref: "§7.4", want: um, says: "application data",
			edits: script.Edits{Last: script.Before("finished", script.ForgedData)}},
		{what: "HTTP", ref: "§6", want: um, ends: untold, says: "got a record of type 0x47",
			edits: instead("GET / HTTP/1.1\r\nHost: vitrine.test\r\n\r\n")},
		{what: "SSLv2", ref: "§E.2", want: um,
			edits: instead("\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10" +
				"\x07\x00\xc0\x05\x00\x80\x03\x00\x80\x01\x00\x80")},
		{what: "SMTP", ref: "§6", want: um, edits: instead("EHLO vitrine.test\r\n")},
		{what: "an unknown type", ref: "§6", want: um, edits: first(script.Wire(99, 3, 3, 0, 0))},
		{what: "major version 2", ref: "§6.2.1", want: alert.ProtocolVersion,
			edits: first(script.Wire(22, 2, 0, 0, 1, 0))},
		{what: "version of SSL 3.0 before it is settled", ref: "§E.1: allowed", ends: accepted,
			edits: script.Edits{First: func(s *script.Peer, f []script.Item) []script.Item {
				b, _ := s.Out.Seal(nil, iana.RecordHandshake, iana.SSL30, f[0].Raw)
				s.Transcript = append(s.Transcript, f[0].Raw...)
				return []script.Item{script.Wire(b...)}
			}}},
		{what: "version of TLS 1.0 after ServerHello", ref: "§6.2.1", want: alert.ProtocolVersion,
			says: "got a record of TLS 1.0, expected TLS 1.2",
			edits: script.Edits{Last: script.Before("client_key_exchange",
				script.Wire(22, 3, 1, 0, 1, 16))}},
		{what: "too long on the wire", ref: "§6.2.3", want: alert.RecordOverflow,
			edits: first(script.Wire(22, 3, 1, 0xFF, 0xFF))},
		{what: "too long in the clear", ref: "§6.2.1", want: alert.RecordOverflow,
			edits: first(script.Wire(slices.Concat([]byte{22, 3, 1, 0x40, 1},
				make([]byte, 16385))...))},
		{what: "a ClientHello of 16 MiB", ref: "§7.4.1.2", want: alert.DecodeError,
			says:  "16777219 bytes",
			edits: first(script.Record(iana.RecordHandshake, 1, 255, 255, 255))},
		{what: "a ClientHello longer than one can be", ref: "§7.4.1.2", want: alert.DecodeError,
			says:  "131401 bytes, the longest possible one has 131400",
			edits: first(script.Record(iana.RecordHandshake, 1, 2, 1, 0x45))},
		{what: "an empty handshake record", ref: "§6.2.1", want: um,
			edits: first(script.Wire(22, 3, 1, 0, 0))},
		{what: "a fatal alert", ref: "§7.2.2", want: alert.UserCanceled, ends: theirs,
			edits: script.Edits{First: script.Only(script.Record(iana.RecordAlert, 2, 90))}},
		{what: "bad_certificate after our flight", ref: "§7.2.2", want: alert.BadCertificate,
			ends:  theirs,
			edits: script.Edits{Last: script.Only(script.Record(iana.RecordAlert, 2, 42))}},
		{what: "close_notify before ClientHello", ref: "§7.2.1", ends: cut, says: "close_notify",
			edits: script.Edits{First: script.Only(script.Record(iana.RecordAlert, 1, 0))}},
		{what: "warnings without end", ref: "§7.2", want: um, says: "warnings",
			edits: first(slices.Repeat([]script.Item{script.Record(iana.RecordAlert, 1, 90)},
				5)...)},
		{what: "a few warnings", ref: "§7.2: allowed", ends: accepted,
			edits: first(slices.Repeat([]script.Item{script.Record(iana.RecordAlert, 1, 90)},
				4)...)},
		{what: "a no_certificate of SSL 3.0", ref: "§7.2.2: reserved", ends: accepted,
			edits: first(script.Record(iana.RecordAlert, 1, 41))},
	}
}

// clientsWithBadKeys send shares that no key must be derived from.
func clientsWithBadKeys() []badClient {
	const ip, hf = alert.IllegalParameter, alert.HandshakeFailure
	ec := func(b ...byte) script.Edits {
		return script.Edits{Key: func(m *message.ClientKeyExchange) { m.ECPublic = b }}
	}
	p256 := func(b []byte) script.Edits {
		return script.Edits{
			Hello: func(m *message.ClientHello) {
				m.Extensions = without(m.Extensions, iana.ExtSupportedGroups)
			},
			Key: func(m *message.ClientKeyExchange) { m.ECPublic = b },
		}
	}
	dh := func(f func(p []byte) []byte) script.Edits {
		return script.Edits{Last: func(s *script.Peer, l []script.Item) []script.Item {
			public := f(slices.Clone(s.ServerKeyExchange.P))
			l[script.Find(l, "client_key_exchange")] = s.Encode(
				&message.ClientKeyExchange{DHPublic: public})
			return l
		}}
	}
	off := slices.Concat([]byte{4}, make([]byte, 63), []byte{1})
	return []badClient{
		{what: "an X25519 share of zeros", ref: "RFC 8422 §5.11", want: ip, says: "x25519",
			edits: ec(make([]byte, 32)...)},
		{what: "an X25519 share of 31 bytes", ref: "RFC 8422 §5.11", want: ip,
			edits: ec(make([]byte, 31)...)},
		{what: "a share of no bytes", ref: "RFC 8422 §5.7", want: alert.DecodeError,
			edits: script.Edits{Last: script.Replace("client_key_exchange",
				script.Body(func([]byte) []byte { return []byte{0} }))}},
		{what: "bytes behind the share", ref: "RFC 8422 §5.7", want: alert.DecodeError,
			edits: script.Edits{Last: script.Replace("client_key_exchange",
				script.Body(func(b []byte) []byte { return append(b, 0) }))}},
		{what: "no ClientKeyExchange body", ref: "RFC 8422 §5.7", want: alert.DecodeError,
			edits: script.Edits{Last: script.Replace("client_key_exchange",
				script.Body(func([]byte) []byte { return nil }))}},
		{what: "a point off the curve", ref: "RFC 8422 §5.11", want: ip, says: "secp256r1",
			edits: p256(off)},
		{what: "the point at infinity", ref: "RFC 8422 §5.11", want: ip, edits: p256([]byte{0})},
		{what: "a compressed point", ref: "RFC 8422 §5.1.2", want: ip,
			edits: p256(append([]byte{2}, make([]byte, 32)...))},
		{what: "Y is 0", ref: "RFC 7919 §5.1", want: hf, suite: rig.DHEGCM,
			edits: dh(func([]byte) []byte { return []byte{0} })},
		{what: "Y is 1", ref: "RFC 7919 §5.1", want: hf, suite: rig.DHEGCM,
			edits: dh(func([]byte) []byte { return []byte{1} })},
		{what: "Y is p-1", ref: "RFC 7919 §5.1", want: hf, suite: rig.DHEGCM,
			edits: dh(func(p []byte) []byte { p[len(p)-1]--; return p })},
		{what: "Y is p", ref: "RFC 7919 §5.1", want: hf, suite: rig.DHEGCM,
			edits: dh(func(p []byte) []byte { return p })},
		{what: "Y is 65,535 bytes long", ref: "RFC 7919 §5.1", want: hf, suite: rig.DHEGCM,
			edits: script.Edits{Last: func(s *script.Peer, l []script.Item) []script.Item {
				m := s.Encode(&message.ClientKeyExchange{DHPublic: make([]byte, 16000)})
				l[script.Find(l, "client_key_exchange")] = m
				return l
			}}},
	}
}

// clientsWithBadProofs are not who they claim to be. RFC 5246 §7.4.6 and §7.4.8.
func clientsWithBadProofs(t *testing.T) []badClient {
	stranger, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	known := rig.IssueForClient(t, rig.Authority(), throwaway.ECDSA)
	unknown := rig.IssueForClient(t, stranger, throwaway.ECDSA)
	server := rig.Certificate(t, throwaway.ECDSA)
	auth := func(a tls.ClientAuthType) func(*vitrine.Config) {
		return func(c *vitrine.Config) { c.ClientAuth, c.ClientCAs = a, rig.Authority().Pool() }
	}
	verify := func(f func(*message.CertificateVerify)) script.Edits {
		return script.Edits{Verify: f}
	}
	return []badClient{
		{what: "no certificate where any is required", ref: "§7.4.6", want: alert.HandshakeFailure,
			says: "no certificate, which we require", config: auth(tls.RequireAnyClientCert),
			edits: script.Edits{Anonymous: true}},
		{what: "no certificate where a good one is required", ref: "§7.4.6",
			want: alert.HandshakeFailure, config: auth(tls.RequireAndVerifyClientCert),
			edits: script.Edits{Anonymous: true}},
		{what: "an unknown authority", ref: "§7.2.2", want: alert.UnknownCA,
			config: auth(tls.RequireAndVerifyClientCert), cert: &unknown},
		{what: "an unknown authority, if given", ref: "§7.2.2", want: alert.UnknownCA,
			config: auth(tls.VerifyClientCertIfGiven), cert: &unknown},
		{what: "an unknown authority where any will do", ref: "our API", ends: accepted,
			config: auth(tls.RequireAnyClientCert), cert: &unknown},
		{what: "a server's certificate", ref: "RFC 5280 §4.2.1.12",
			want: alert.UnsupportedCertificate, config: auth(tls.RequireAndVerifyClientCert),
			cert: &server},
		{
			what:   "a bad signature",
			ref:    "§7.4.8",
			want:   alert.DecryptError,
			config: auth(tls.RequireAndVerifyClientCert),
			cert:   &known,
			edits: verify(
				func(m *message.CertificateVerify) { m.Signature[len(m.Signature)-1] ^= 1 },
			),
		},
		{
			what:   "a bad signature where any certificate will do",
			ref:    "§7.4.8",
			want:   alert.DecryptError,
			config: auth(tls.RequestClientCert),
			cert:   &known,
			edits: verify(
				func(m *message.CertificateVerify) { m.Signature[len(m.Signature)-1] ^= 1 },
			),
		},
		{what: "no signature", ref: "§7.4.8", want: alert.DecryptError,
			config: auth(tls.RequestClientCert), cert: &known,
			edits: verify(func(m *message.CertificateVerify) { m.Signature = nil })},
		{what: "a scheme that was not offered", ref: "§7.4.8", want: alert.IllegalParameter,
			says: "ecdsa_sha1", config: auth(tls.RequestClientCert), cert: &known,
			edits: verify(func(m *message.CertificateVerify) { m.Scheme = iana.ECDSA_SHA1 })},
		{what: "scheme 0", ref: "§7.4.8", want: alert.IllegalParameter,
			config: auth(tls.RequestClientCert), cert: &known,
			edits: verify(func(m *message.CertificateVerify) { m.Scheme = 0 })},
		{what: "a scheme of another key", ref: "§7.4.8", want: alert.IllegalParameter,
			config: auth(tls.RequestClientCert), cert: &known,
			edits: verify(func(m *message.CertificateVerify) { m.Scheme = iana.RSA_PKCS1_SHA256 })},
		{what: "a certificate of garbage", ref: "§7.4.6", want: alert.BadCertificate,
			config: auth(tls.RequestClientCert), cert: &known,
			edits: script.Edits{Last: script.Replace("certificate",
				script.Body(func([]byte) []byte { return []byte{0, 0, 4, 0, 0, 1, 7} }))}},
	}
}
