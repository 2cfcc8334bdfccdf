package message_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/message"
)

// seeds are the messages of all tables: real, published and broken ones.
func seeds(f *testing.F) (all [][]byte) {
	f.Helper()
	for _, raw := range hellos(f) {
		all = append(all, raw)
	}
	for _, c := range malformedCases(f) {
		if c.subject[:3] != "ext" {
			_, raw := c.raw(f)
			all = append(all, raw)
		}
	}
	for _, file := range []string{"clienthello", "serverhello", "servercert", "serverkeyexchange",
		"serverhellodone", "clientkeyexchange"} {
		all = append(all, testkit.Vectors(f, "illustrated-tls12/"+file)[5:])
	}
	for file, typ := range map[string]iana.HandshakeType{
		"tls_13_server_hello.vec":    iana.ServerHello,
		"tls_cert_status.vec":        iana.CertificateStatus,
		"tls_new_session_ticket.vec": iana.NewSessionTicket,
	} {
		for _, b := range testkit.Blocks(f, "botan/"+file) {
			all = append(all, framed(typ, unhex(f, b.Fields["Buffer"])))
		}
	}
	return all
}

// FuzzMessage: Parse never panics, what it accepts is encoded again to the same bytes, and the
// annotation of any input tiles it. This holds in every dialect.
func FuzzMessage(f *testing.F) {
	all := append(everyMessage(), olderMessages()...)
	for _, c := range all {
		raw, err := c.d.Encode(c.m)
		if err != nil {
			f.Fatal(c.m.Type(), err)
		}
		add := func(raw []byte) {
			f.Add(
				uint16(c.d.Version),
				uint8(c.d.Kex),
				uint8(c.d.Auth),
				uint8(c.d.CertificateType),
				raw,
			)
		}
		add(raw)
		for _, spoilt := range testkit.Spoil(raw, 30) {
			add(spoilt)
		}
		for _, spoilt := range testkit.Spoil(raw[message.HeaderLen:], 30) {
			add(framed(c.m.Type(), spoilt))
		}
	}
	for _, raw := range seeds(f) {
		for _, kex := range []iana.KeyExchange{iana.KexRSA, iana.KexDHE, iana.KexECDHE} {
			f.Add(uint16(iana.TLS12), uint8(kex), uint8(0), uint8(0), raw)
		}
		f.Add(uint16(iana.TLS13), uint8(0), uint8(0), uint8(0), raw)
	}
	for _, hello2 := range []string{"01 0301 0003 0000 0010 000035" + strings.Repeat("07", 16),
		"01 0300 0006 0002 0010 000035 010080 0909" + strings.Repeat("07", 16),
		"01 0301 0004 0000 0010 000035", "01 0301 0003 0021 0010 000035",
		"01 0301 0003 0000 0021 00"} {
		f.Add(uint16(iana.TLS12), uint8(0), uint8(0), uint8(0), unhexed(hello2))
	}
	f.Add(uint16(0), uint8(0), uint8(0), uint8(0), unhexed("0003 010203 0001 09 0304 0001"))
	f.Add(uint16(0), uint8(0), uint8(0), uint8(0), unhexed("800c 01 0301 0003 0000 0000 000035"))
	f.Add(
		uint16(iana.TLS12),
		uint8(iana.KexDH),
		uint8(0),
		uint8(0),
		framed(iana.ClientKeyExchange, nil),
	)
	f.Add(uint16(iana.TLS12), uint8(iana.KexNone), uint8(0), uint8(0),
		framed(iana.ClientKeyExchange, []byte{1}))
	f.Fuzz(func(t *testing.T, version uint16, kex, auth, kind uint8, raw []byte) {
		d := message.Dialect{Version: iana.Version(version), Kex: iana.KeyExchange(kex),
			Auth: iana.Authentication(auth), CertificateType: iana.CertificateType(kind)}
		if x, err := message.ParseImportedIdentity(raw); err == nil {
			if again, err := x.Encode(); err != nil || string(again) != string(raw) {
				t.Errorf("the identity %x was written again as %x, %v", raw, again, err)
			}
		}
		if n, ok := message.Hello2Length(raw); ok && n < message.Hello2HeaderLen {
			t.Errorf("a hello of %d bytes", n)
		}
		if message.IsHello2(raw) { // which is only read
			d.Annotate(raw)
			if m, err := d.Parse(raw); err == nil && m.Type() != iana.ClientHello {
				t.Errorf("got %v", m.Type())
			}
			return
		}
		_, _ = parse(t, d, raw)
	})
}

// olderMessages are those that are read for an observer, or with a suite that is off by default.
func olderMessages() (all []spokenMessage) {
	in := func(v iana.Version, k iana.KeyExchange) message.Dialect {
		return message.Dialect{Version: v, Kex: k}
	}
	spki, key := unhexed("302a300506032b6570032100"+strings.Repeat("07", 32)), []byte{9}
	raw12, raw13 := in(iana.TLS12, iana.KexRSA), in(iana.TLS13, iana.KexNone)
	raw12.CertificateType, raw13.CertificateType = iana.RawPublicKey, iana.RawPublicKey
	anon := in(iana.TLS12, iana.KexECDHE)
	anon.Auth = iana.AuthAnon
	all = []spokenMessage{
		{d: raw12, m: &message.Certificate{Chain: [][]byte{spki}}},
		{d: raw13, m: &message.Certificate{Context: []byte{}, Chain: [][]byte{spki},
			Extensions: []message.Extensions{{}}}},
		{d: anon, m: &message.ServerKeyExchange{CurveType: iana.NamedCurve, Group: iana.X25519,
			ECPublic: key}},
		{d: in(iana.TLS13, iana.KexNone), m: &message.CompressedCertificate{
			Algorithm: iana.Zlib, Uncompressed: make([]byte, 3), Data: key}},
		{d: in(iana.TLS12, iana.KexRSA), m: &message.NextProtocol{Selected: key, Padding: key}},
		{
			d: in(iana.TLS13, iana.KexNone),
			m: &message.Certificate{Context: []byte{}, Chain: [][]byte{key, key},
				Extensions: []message.Extensions{{}, {}}},
		},
	}
	for _, k := range []iana.KeyExchange{iana.KexPSK, iana.KexDHEPSK, iana.KexECDHEPSK,
		iana.KexRSAPSK} {
		all = append(all, spokenMessage{d: in(iana.TLS12, k), m: &message.ClientKeyExchange{
			PSKIdentity: key, DHPublic: key, ECPublic: key, EncryptedPreMaster: key}})
	}
	for _, k := range []iana.KeyExchange{iana.KexPSK, iana.KexDHEPSK, iana.KexECDHEPSK} {
		all = append(all, spokenMessage{d: in(iana.TLS12, k), m: &message.ServerKeyExchange{
			PSKIdentityHint: key, P: key, G: key, DHPublic: key, CurveType: iana.NamedCurve,
			Group: iana.X25519, ECPublic: key}})
	}
	return all
}

// unhexed is for constants of this file.
func unhexed(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// What can be read of an extension's content is written again as it was.
func FuzzContent(f *testing.F) {
	for i, c := range contents {
		var x message.Extensions
		if err := x.Add(c.typ, c.content); err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), x[0].Data)
		for _, spoilt := range testkit.Spoil(x[0].Data, 30) {
			f.Add(uint8(i), spoilt)
		}
	}
	for i, c := range contents { // a name of a type twice, and keys in several parts
		if c.typ == iana.ExtServerName {
			f.Add(uint8(i), unhexed("000c 00 0003 612e62 00 0003 612e62"))
		}
		f.Add(uint8(i), []byte{0, 29})
		f.Add(uint8(i), []byte{0, 0, 64, 0})
		f.Add(uint8(i), make([]byte, 8))
	}
	f.Fuzz(func(t *testing.T, i uint8, data []byte) {
		c := contents[int(i)%len(contents)]
		v := fresh(c.content)
		if _, err := (message.Extensions{{Type: c.typ, Data: data}}).Read(c.typ, v); err != nil {
			return
		}
		var again message.Extensions
		if err := again.Add(c.typ, v); err != nil || string(again[0].Data) != string(data) {
			t.Errorf("%v: %x was written again as %x, %v", c.typ, data, again, err)
		}
	})
}
