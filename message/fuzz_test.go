package message_test

import (
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

// Parse never panics, what it accepts is encoded again to the same bytes, and the annotation of any
// input tiles it.
func FuzzMessage(f *testing.F) {
	for _, raw := range seeds(f) {
		for _, kex := range []iana.KeyExchange{iana.KexRSA, iana.KexDHE, iana.KexECDHE} {
			f.Add(uint16(iana.TLS12), uint8(kex), raw)
		}
	}
	f.Add(uint16(iana.SSL30), uint8(iana.KexRSA), framed(iana.ClientKeyExchange, make([]byte, 128)))
	f.Add(uint16(iana.TLS10), uint8(iana.KexRSA),
		framed(iana.CertificateRequest, []byte{1, 1, 0, 0}))
	f.Fuzz(func(t *testing.T, version uint16, kex uint8, raw []byte) {
		_, _ = parse(t, message.Dialect{Version: iana.Version(version), Kex: iana.KeyExchange(kex)},
			raw)
	})
}

// What can be read of an extension's content is written again as it was.
func FuzzContent(f *testing.F) {
	for i, c := range contents {
		var x message.Extensions
		if err := x.Add(c.typ, c.content); err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), x[0].Data)
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
