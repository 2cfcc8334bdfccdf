package message_test

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// The layouts that depend on the version and the key exchange, each by hand from its RFC.
func TestMessagesFollowVersionAndKeyExchange(t *testing.T) {
	in := func(v iana.Version, k iana.KeyExchange) message.Dialect { return message.Dialect{Version: v, Kex: k} }
	key, sig := []byte{9}, []byte{8, 8}
	types := []iana.ClientCertificateType{iana.RSASign}
	names := [][]byte{{0x30, 0}}
	cases := []struct {
		d    message.Dialect
		m    message.Message
		body string
	}{
		{in(iana.TLS12, iana.KexECDHE), &message.ServerKeyExchange{CurveType: iana.NamedCurve, Group: iana.X25519, ECPublic: key, Scheme: iana.ED25519, Signature: sig},
			"03 001d 01 09 0807 0002 0808"}, // RFC 8422 §5.4
		{in(iana.TLS10, iana.KexECDHE), &message.ServerKeyExchange{CurveType: iana.NamedCurve, Group: iana.X25519, ECPublic: key, Signature: sig},
			"03 001d 01 09 0002 0808"}, // RFC 4492 §5.4
		{in(iana.TLS12, iana.KexDHE), &message.ServerKeyExchange{P: []byte{23}, G: []byte{5}, DHPublic: key, Scheme: iana.RSA_PKCS1_SHA256, Signature: sig},
			"0001 17 0001 05 0001 09 0401 0002 0808"}, // RFC 5246 §7.4.3
		{in(iana.TLS12, iana.KexRSA), &message.ClientKeyExchange{EncryptedPreMaster: key}, "0001 09"}, // RFC 5246 §7.4.7.1
		{in(iana.SSL30, iana.KexRSA), &message.ClientKeyExchange{EncryptedPreMaster: key}, "09"},      // RFC 6101 §5.6.7
		{in(iana.TLS12, iana.KexDHE), &message.ClientKeyExchange{DHPublic: key}, "0001 09"},           // RFC 5246 §7.4.7.2
		{in(iana.TLS12, iana.KexECDHE), &message.ClientKeyExchange{ECPublic: key}, "01 09"},           // RFC 8422 §5.7
		{in(iana.TLS12, iana.KexRSA), &message.CertificateRequest{Types: types, Schemes: []iana.SignatureScheme{iana.ED448}, Authorities: names},
			"01 01 0002 0808 0004 0002 3000"}, // RFC 5246 §7.4.4
		{in(iana.TLS11, iana.KexRSA), &message.CertificateRequest{Types: types, Authorities: names}, "01 01 0004 0002 3000"},  // RFC 4346 §7.4.4
		{in(iana.TLS12, iana.KexRSA), &message.CertificateVerify{Scheme: iana.ED448, Signature: sig}, "0808 0002 0808"},       // RFC 5246 §7.4.8
		{in(iana.TLS11, iana.KexRSA), &message.CertificateVerify{Signature: sig}, "0002 0808"},                                // RFC 4346 §7.4.8
		{in(iana.TLS12, iana.KexRSA), &message.CertificateStatus{StatusType: iana.StatusOCSP, Response: key}, "01 000001 09"}, // RFC 6066 §8
		{in(iana.TLS12, iana.KexRSA), &message.Certificate{Chain: [][]byte{}}, "000000"},                                      // RFC 5246 §7.4.6
		{in(iana.TLS12, iana.KexRSA), &message.ServerHelloDone{}, ""},                                                         // RFC 5246 §7.4.5
		{in(iana.TLS12, iana.KexRSA), &message.HelloRequest{}, ""},                                                            // RFC 5246 §7.4.1.1
		{in(iana.TLS12, iana.KexRSA), &message.NewSessionTicket{LifetimeHint: 7200, Ticket: key}, "00001c20 0001 09"},         // RFC 5077 §3.3
	}
	for _, c := range cases {
		raw, err := c.d.Encode(c.m)
		if want := strings.ReplaceAll(c.body, " ", ""); err != nil || hex.EncodeToString(raw[message.HeaderLen:]) != want {
			t.Errorf("%v in %v: got %x, %v; expected %s", c.m.Type(), c.d, raw, err, want)
			continue
		}
		if message.Length(raw) != len(raw) {
			t.Errorf("%v: a length of %d for %d bytes", c.m.Type(), message.Length(raw), len(raw))
		}
		if got, err := parse(t, c.d, raw); err != nil || !reflect.DeepEqual(got, c.m) {
			t.Errorf("%v in %v: read as %+v, %v; expected %+v", c.m.Type(), c.d, got, err, c.m)
		}
	}
	ran(t, len(cases), "messages")
}

// What the server signs must be the very bytes that it sends.
func TestSignedParametersAreTheOnesSent(t *testing.T) {
	for kex, m := range map[iana.KeyExchange]*message.ServerKeyExchange{
		iana.KexDHE:   {P: []byte{23}, G: []byte{5}, DHPublic: []byte{0, 9}},
		iana.KexECDHE: {CurveType: iana.NamedCurve, Group: iana.Secp256r1, ECPublic: []byte{4, 5, 6}},
	} {
		d := message.Dialect{Version: iana.TLS12, Kex: kex}
		if err := m.EncodeParams(d); err != nil {
			t.Fatal(err)
		}
		signed := m.Params
		m.Scheme, m.Signature = iana.ED25519, []byte{1}
		raw, err := d.Encode(m)
		if err != nil || !bytes.HasPrefix(raw[message.HeaderLen:], signed) || !bytes.Equal(m.Params, signed) {
			t.Errorf("%v: signed %x, sent %x, %v", kex, signed, raw, err)
		}
		read, err := parse(t, d, raw)
		if err != nil || !bytes.Equal(read.(*message.ServerKeyExchange).Params, signed) {
			t.Errorf("%v: signed %x, read %+v, %v", kex, signed, read, err)
		}
	}
	rsa := message.Dialect{Version: iana.TLS12, Kex: iana.KexRSA}
	if err := new(message.ServerKeyExchange).EncodeParams(rsa); err == nil {
		t.Error("a key exchange by RSA has parameters to sign")
	}
}

// RFC 5246 §7.4.1.2: a hello without extensions and one with none in its block are two messages.
func TestNoExtensionsAndAnEmptyBlockDiffer(t *testing.T) {
	hello := message.ClientHello{CipherSuites: []iana.CipherSuite{0x2F}, CompressionMethods: []iana.CompressionMethod{0}}
	if !hello.Offers(0x2F) || hello.Offers(0x35) {
		t.Error("Offers does not know what is offered")
	}
	without, err := dialect.Encode(&hello)
	if err != nil {
		t.Fatal(err)
	}
	hello.Extensions = message.Extensions{}
	with, err := dialect.Encode(&hello)
	if err != nil || len(with) != len(without)+2 {
		t.Fatalf("%x, %x, %v", without, with, err)
	}
	for _, raw := range [][]byte{without, with} {
		m, err := parse(t, dialect, raw)
		if err != nil || (m.(*message.ClientHello).Extensions == nil) != (len(raw) == len(without)) {
			t.Errorf("%x: %+v, %v", raw, m, err)
		}
	}
}
