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

// A spoken message is one in its dialect, and its body in hex.
type spokenMessage struct {
	d    message.Dialect
	m    message.Message
	body string
}

// everyMessage returns the messages whose layouts depend on the version and the key exchange,
// written by hand from their RFCs.
func everyMessage() []spokenMessage {
	in := func(v iana.Version,
		k iana.KeyExchange) message.Dialect {
		return message.Dialect{Version: v, Kex: k}
	}
	key, sig := []byte{9}, []byte{8, 8}
	types := []iana.ClientCertificateType{iana.RSASign}
	names := [][]byte{{0x30, 0}}
	tls13, long := in(iana.TLS13, iana.KexNone), bytes.Repeat([]byte{7}, 48)
	verify := long[:12]
	return []spokenMessage{
		{in(iana.TLS12, iana.KexECDHE),
			&message.ServerKeyExchange{CurveType: iana.NamedCurve, Group: iana.X25519,
				ECPublic: key, Scheme: iana.ED25519, Signature: sig},
			"03 001d 01 09 0807 0002 0808"}, // RFC 8422 §5.4
		{in(iana.TLS10, iana.KexECDHE),
			&message.ServerKeyExchange{CurveType: iana.NamedCurve, Group: iana.X25519,
				ECPublic: key, Signature: sig},
			"03 001d 01 09 0002 0808"}, // RFC 4492 §5.4
		{in(iana.TLS12, iana.KexDHE),
			&message.ServerKeyExchange{P: []byte{23}, G: []byte{5}, DHPublic: key,
				Scheme: iana.RSA_PKCS1_SHA256, Signature: sig},
			"0001 17 0001 05 0001 09 0401 0002 0808"}, // RFC 5246 §7.4.3
		// RFC 5246 §7.4.7.1
		{in(iana.TLS12, iana.KexRSA), &message.ClientKeyExchange{EncryptedPreMaster: key},
			"0001 09"},
		// RFC 6101 §5.6.7
		{in(iana.SSL30, iana.KexRSA), &message.ClientKeyExchange{EncryptedPreMaster: key}, "09"},
		// RFC 5246 §7.4.7.2
		{in(iana.TLS12, iana.KexDHE), &message.ClientKeyExchange{DHPublic: key}, "0001 09"},
		// RFC 8422 §5.7
		{in(iana.TLS12, iana.KexECDHE), &message.ClientKeyExchange{ECPublic: key}, "01 09"},
		{in(iana.TLS12, iana.KexRSA),
			&message.CertificateRequest{Types: types, Schemes: []iana.SignatureScheme{iana.ED448},
				Authorities: names},
			"01 01 0002 0808 0004 0002 3000"}, // RFC 5246 §7.4.4
		// RFC 4346 §7.4.4
		{in(iana.TLS11, iana.KexRSA), &message.CertificateRequest{Types: types, Authorities: names},
			"01 01 0004 0002 3000"},
		// RFC 5246 §7.4.8
		{in(iana.TLS12, iana.KexRSA),
			&message.CertificateVerify{Scheme: iana.ED448, Signature: sig}, "0808 0002 0808"},
		// RFC 4346 §7.4.8
		{in(iana.TLS11, iana.KexRSA), &message.CertificateVerify{Signature: sig}, "0002 0808"},
		// RFC 6066 §8
		{in(iana.TLS12, iana.KexRSA),
			&message.CertificateStatus{StatusType: iana.StatusOCSP, Response: key}, "01 000001 09"},
		// RFC 5246 §7.4.6
		{in(iana.TLS12, iana.KexRSA), &message.Certificate{Chain: [][]byte{}}, "000000"},
		// RFC 5246 §7.4.5
		{in(iana.TLS12, iana.KexRSA), &message.ServerHelloDone{}, ""},
		// RFC 5246 §7.4.1.1
		{in(iana.TLS12, iana.KexRSA), &message.HelloRequest{}, ""},
		// RFC 5077 §3.3
		{in(iana.TLS12, iana.KexRSA), &message.NewSessionTicket{LifetimeHint: 7200, Ticket: key},
			"00001c20 0001 09"},
		// RFC 5246 §7.4.9
		{in(iana.TLS12, iana.KexRSA), &message.Finished{VerifyData: verify},
			hex.EncodeToString(verify)},
		// RFC 6101 §5.6.9
		{in(iana.SSL30, iana.KexRSA), &message.Finished{VerifyData: long[:36]},
			hex.EncodeToString(long[:36])},
		// RFC 8446 §4.4.4
		{tls13, &message.Finished{VerifyData: long}, hex.EncodeToString(long)},
		{tls13, &message.Certificate{Context: []byte{7}, Chain: names,
			Extensions: []message.Extensions{{{Type: iana.ExtSCT, Data: []byte{}}}}},
			"01 07 00000b 000002 3000 0004 0012 0000"}, // RFC 8446 §4.4.2
		{tls13, &message.CertificateRequest{Context: []byte{},
			Schemes: []iana.SignatureScheme{iana.ED448}, Authorities: names,
			Extensions: message.Extensions{{Type: iana.ExtSignatureAlgorithms,
				Data: []byte{0, 2, 8, 8}}, {Type: iana.ExtCertificateAuthorities,
				Data: []byte{0, 4, 0, 2, 0x30, 0}}}},
			"00 0012 000d 0004 0002 0808 002f 0006 0004 0002 3000"}, // RFC 8446 §4.3.2
		// RFC 8446 §4.4.3
		{tls13, &message.CertificateVerify{Scheme: iana.ED448, Signature: sig}, "0808 0002 0808"},
		// RFC 8446 §4.3.1
		{tls13, &message.EncryptedExtensions{Extensions: message.Extensions{}}, "0000"},
		// RFC 8446 §4.5
		{tls13, &message.EndOfEarlyData{}, ""},
		// RFC 8446 §4.6.3
		{tls13, &message.KeyUpdate{RequestUpdate: iana.UpdateRequested}, "01"},
		{tls13, &message.NewSessionTicket{LifetimeHint: 7200, AgeAdd: 5, Nonce: key, Ticket: key,
			Extensions: message.Extensions{}},
			"00001c20 00000005 01 09 0001 09 0000"}, // RFC 8446 §4.6.1
	}
}

// The layouts that depend on the version and the key exchange, written by hand from their RFCs.
func TestMessagesFollowVersionAndKeyExchange(t *testing.T) {
	cases := everyMessage()
	for _, c := range cases {
		raw, err := c.d.Encode(c.m)
		if want := strings.ReplaceAll(c.body, " ", ""); err != nil ||
			hex.EncodeToString(raw[message.HeaderLen:]) != want {
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

// What the server signs must be exactly the bytes that it sends.
func TestSignedParametersAreTheOnesSent(t *testing.T) {
	for kex, m := range map[iana.KeyExchange]*message.ServerKeyExchange{
		iana.KexDHE: {P: []byte{23}, G: []byte{5}, DHPublic: []byte{0, 9}},
		iana.KexECDHE: {CurveType: iana.NamedCurve, Group: iana.Secp256r1,
			ECPublic: []byte{4, 5, 6}},
	} {
		d := message.Dialect{Version: iana.TLS12, Kex: kex}
		if err := m.EncodeParams(d); err != nil {
			t.Fatal(err)
		}
		signed := m.Params
		m.Scheme, m.Signature = iana.ED25519, []byte{1}
		raw, err := d.Encode(m)
		if err != nil || !bytes.HasPrefix(raw[message.HeaderLen:], signed) ||
			!bytes.Equal(m.Params, signed) {
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

// RFC 5246 §7.4.1.2: a hello without extensions and one with an empty block are different messages.
func TestNoExtensionsAndAnEmptyBlockDiffer(t *testing.T) {
	hello := message.ClientHello{CipherSuites: []iana.CipherSuite{0x2F},
		CompressionMethods: []iana.CompressionMethod{0}}
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
		if err != nil ||
			(m.(*message.ClientHello).Extensions == nil) != (len(raw) == len(without)) {
			t.Errorf("%x: %+v, %v", raw, m, err)
		}
	}
}

// An extension may occur only once in a block, in every message: RFC 8446 §4.2.
func TestExtensionsOccurOnceInEachBlock(t *testing.T) {
	twice := message.Extensions{{Type: 0xABCD}, {Type: 0xABCD}}
	tls13 := message.Dialect{Version: iana.TLS13}
	for _, m := range []message.Message{
		&message.ClientHello{CipherSuites: []iana.CipherSuite{1},
			CompressionMethods: []iana.CompressionMethod{0}, Extensions: twice},
		&message.ServerHello{Extensions: twice},
		&message.ServerHello{Random: message.RetryRandom(), Extensions: twice},
		&message.EncryptedExtensions{Extensions: twice},
		&message.CertificateRequest{Extensions: twice},
		&message.Certificate{Chain: [][]byte{{1}}, Extensions: []message.Extensions{twice}},
		&message.NewSessionTicket{Ticket: []byte{1}, Extensions: twice},
	} {
		raw, err := tls13.Encode(m)
		if err == nil {
			_, err = tls13.Parse(raw)
		}
		if err == nil || !strings.Contains(err.Error(), "second time") {
			t.Errorf("%v: %v", m.Type(), err)
		}
	}
}
