package explain

import (
	"bytes"
	kdf "crypto/hkdf"
	"crypto/sha512"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
)

// withSHA384 returns a derivation whose hellos choose a suite with SHA-384.
func withSHA384(g Given13) Given13 {
	g.Transcript = bytes.Clone(g.Transcript)
	for rest := g.Transcript; len(rest) > 0; rest = rest[message.Length(rest):] {
		if iana.HandshakeType(rest[0]) == iana.ServerHello {
			at := message.HeaderLen + 2 + 32 // behind the version and the random
			at += 1 + int(rest[at])          // and the session_id
			rest[at], rest[at+1] = 0x13, 0x02
		}
	}
	g.Suite = nil
	return g
}

// expand384 is Derive-Secret with SHA-384.
func expand384(secret []byte, label string, context []byte) []byte {
	info := slices.Concat([]byte{0, 48, byte(len(label))}, []byte(label), []byte{48}, context)
	out, err := kdf.Expand(sha512.New384, secret, string(info), 48)
	if err != nil {
		panic(err)
	}
	return out
}

// hs is the client_handshake_traffic_secret over other bytes.
func (h hand) hs(transcript ...[]byte) []byte {
	return byHand(h.v("handshake_secret"), 32, 18, "tls13 c hs traffic", 32, sum256(transcript...))
}

// at258 is the sequence number of the records, as a nonce has it.
var at258 = []byte{10: 1, 11: 2}

// sealed is a record of the client with another nonce, content or additional data.
func (h hand) sealed(nonce, inner, data []byte) []byte {
	return sealByHand(h.v("client_application_write_key"), nonce, inner, data)
}

// numbered is the client's nonce with a number of 12 bytes.
func (h hand) numbered(by []byte) []byte {
	nonce := bytes.Clone(h.v("client_application_write_iv"))
	for i, b := range by {
		nonce[i] ^= b
	}
	return nonce
}

// header is that of the record of "hello".
var header = []byte{23, 3, 3, 0, 22}

var moreRows = []mistakeRow{
	{"the length in HkdfLabel is in bits", "3", func(h hand) []byte {
		return rawByHand(h.v("main_secret"), 32, 1, 0, 16, "tls13 exp master", 32, h.th(0, 6))
	}},
	{"the bytes of the length in HkdfLabel are in reverse order", "3", func(h hand) []byte {
		return rawByHand(h.v("main_secret"), 32, 32, 0, 16, "tls13 exp master", 32, h.th(0, 6))
	}},
	{"the length in HkdfLabel is one byte", "3", func(h hand) []byte {
		return rawByHand(h.v("main_secret"), 32, 32, 16, "tls13 exp master", 32, h.th(0, 6))
	}},
	{"the length is missing in HkdfLabel", "3", func(h hand) []byte {
		return rawByHand(h.v("main_secret"), 32, 16, "tls13 exp master", 32, h.th(0, 6))
	}},
	{"HkdfLabel is left out: the info is the label", "3", func(h hand) []byte {
		return rawByHand(h.v("main_secret"), 32, "exp master", h.th(0, 6))
	}},
	{`HkdfLabel is left out: the info is "tls13 "`, "3", func(h hand) []byte {
		return rawByHand(h.v("main_secret"), 32, "tls13 exp master", h.th(0, 6))
	}},
	{`the context of "derived" and of the binder_key is zeros`, "3", func(h hand) []byte {
		salt := byHand(h.v("early_secret"), 32, 13, "tls13 derived", 32, make([]byte, 32))
		return extractByHand(salt, h.Given.Shared)
	}},
	{"the shared secret is hashed", "3", func(h hand) []byte {
		return extractByHand(h.v("derived_secret/early_secret"), sum256(h.Given.Shared))
	}},
	{"messages 1 and 2 of the transcript, client_hello and server_hello, have changed", "3",
		func(h hand) []byte { return h.hs(h.m[1], h.m[0]) }},
	{"HKDF-Expand-Label is called for 32 bytes", "3", func(h hand) []byte {
		return byHand(h.v("client_handshake_traffic_secret"), 32, 9, "tls13 key", 0)[:16]
	}},
	{"HKDF-Expand-Label is called for 16 bytes", "3", func(h hand) []byte {
		return byHand(h.v("client_handshake_traffic_secret"), 16, 8, "tls13 iv", 0)
	}},
	{"the context of a secret is empty", "3", func(h hand) []byte {
		return byHand(h.v("main_secret"), 32, 18, "tls13 s ap traffic", 0)
	}},
	{"the ticket_nonce is hashed", "ticket", func(h hand) []byte {
		return byHand(h.v("resumption_secret"), 32, 16, "tls13 resumption", 32,
			sum256([]byte{0, 0}))
	}},
	{"HKDF-Expand lacks its counter", "3", func(h hand) []byte {
		return hmacByHand(h.v("client_handshake_traffic_secret"),
			[]byte("\x00\x20\x0etls13 finished\x00"))
	}},
	{"HKDF-Extract stands in front", "3", func(h hand) []byte {
		return byHand(extractByHand(nil, h.v("main_secret")), 32, 16, "tls13 exp master", 32,
			h.th(0, 6))
	}},
	{"each label has underscores", "3", func(h hand) []byte {
		return byHand(h.v("main_secret"), 32, 16, "tls13 exp_master", 32, h.th(0, 6))
	}},
	{"each label ends with a zero byte", "3", func(h hand) []byte {
		return byHand(h.v("client_handshake_traffic_secret"), 16, 10, "tls13 key\x00", 0)
	}},
	{"the bytes of the shared_secret are in reverse order", "3", func(h hand) []byte {
		z := bytes.Clone(h.Given.Shared)
		slices.Reverse(z)
		return extractByHand(h.v("derived_secret/early_secret"), z)
	}},
	{"the server's key_share is taken for the shared_secret", "3", func(h hand) []byte {
		return extractByHand(h.v("derived_secret/early_secret"), h.messages.shares[iana.Server])
	}},
	{"the transcript hash is made with SHA-384, and the rest with SHA-256", "3",
		func(h hand) []byte {
			sum := sha512.Sum384(bytes.Join(h.m[:2], nil))
			return byHand(h.v("handshake_secret"), 32, 18, "tls13 c hs traffic", 48, sum[:])
		}},
	{"message 2 of the transcript, server_hello, has the header of its record", "3",
		func(h hand) []byte {
			n := len(h.m[1])
			return h.hs(h.m[0], []byte{22, 3, 3, byte(n >> 8), byte(n)}, h.m[1])
		}},
	{"message 1 of the transcript, client_hello, has the header of its record, with 0301", "3",
		func(h hand) []byte {
			n := len(h.m[0])
			return h.hs([]byte{22, 3, 1, byte(n >> 8), byte(n)}, h.m[0], h.m[1])
		}},
	{"its byte 01 behind message 4, server_hello: it is", "5", func(h hand) []byte {
		return h.hs([]byte{254, 0, 0, 32}, sum256(h.m[0]), h.m[1], h.m[2], h.m[3], []byte{1})
	}},
	{"behind message 2, hello_retry_request and message 4, server_hello: it is", "5",
		func(h hand) []byte {
			ccs := []byte{20, 3, 3, 0, 1, 1}
			return h.hs([]byte{254, 0, 0, 32}, sum256(h.m[0]), h.m[1], ccs, h.m[2], h.m[3], ccs)
		}},
	{"records, too: the transcript is messages with their headers of 4 bytes alone; and so has " +
		"message_hash", "5", func(h hand) []byte {
		record := func(version byte, m []byte) []byte {
			return append([]byte{22, 3, version, byte(len(m) >> 8), byte(len(m))}, m...)
		}
		return h.hs([]byte{254, 0, 0, 32}, sum256(record(1, h.m[0])), record(3, h.m[1]),
			record(3, h.m[2]), record(3, h.m[3]))
	}},
	{"message_hash covers the header of the first ClientHello's record", "5",
		func(h hand) []byte {
			n := len(h.m[0])
			sum := sum256([]byte{22, 3, 1, byte(n >> 8), byte(n)}, h.m[0])
			return h.hs([]byte{254, 0, 0, 32}, sum, h.m[1], h.m[2], h.m[3])
		}},
	{"message_hash is made with SHA-384", "5", func(h hand) []byte {
		sum := sha512.Sum384(h.m[0])
		return h.hs([]byte{254, 0, 0, 48}, sum[:], h.m[1], h.m[2], h.m[3])
	}},
	{"message_hash is made with SHA-256", "5 SHA-384", func(h hand) []byte {
		sum := sha512.Sum384(slices.Concat([]byte{254, 0, 0, 32}, sum256(h.m[0]), h.m[1], h.m[2],
			h.m[3]))
		return expand384(h.v("handshake_secret"), "tls13 s hs traffic", sum[:])
	}},
	{"ends with message 2, hello_retry_request: it ends with message 4, server_hello", "5",
		func(h hand) []byte { return h.hs([]byte{254, 0, 0, 32}, sum256(h.m[0]), h.m[1]) }},
	{"the nonce is the sequence number alone", "record", func(h hand) []byte {
		return h.sealed(at258, []byte("hello\x17"), header)
	}},
	{"the bytes of the sequence number are in reverse order", "record", func(h hand) []byte {
		return h.sealed(h.numbered([]byte{4: 2, 5: 1}), []byte("hello\x17"), header)
	}},
	{"the sequence number is one more than was given", "record", func(h hand) []byte {
		return h.sealed(h.numbered([]byte{10: 1, 11: 3}), []byte("hello\x17"), header)
	}},
	{"the sequence number is one less than was given", "record", func(h hand) []byte {
		return h.sealed(h.numbered([]byte{10: 1, 11: 1}), []byte("hello\x17"), header)
	}},
	{"the inner content type is in front of the content", "record", func(h hand) []byte {
		return h.sealed(h.numbered(at258), []byte("\x17hello"), header)
	}},
	{"the record's header in the additional data has the inner content type", "alert",
		func(h hand) []byte {
			return h.sealed(h.numbered(at258), []byte{1, 0, 21}, []byte{21, 3, 3, 0, 19})
		}},
	{"the additional data has the version 0301", "record", func(h hand) []byte {
		return h.sealed(h.numbered(at258), []byte("hello\x17"),
			[]byte{23, 3, 1, 0, 22})
	}},
	{"the additional data has the version 0304", "record", func(h hand) []byte {
		return h.sealed(h.numbered(at258), []byte("hello\x17"),
			[]byte{23, 3, 4, 0, 22})
	}},
	{"the IKM for the main_secret is shared_secret: it is 0", "3", func(h hand) []byte {
		return extractByHand(h.v("derived_secret/handshake_secret"), h.Given.Shared)
	}},
	{"the salt for the handshake_secret is 0: it is derived_secret/early_secret", "3",
		func(h hand) []byte { return extractByHand(nil, h.Given.Shared) }},
	{"the key for the client_verify_data is server_finished_key", "3", func(h hand) []byte {
		return hmacByHand(h.v("server_finished_key"), h.th(0, 6))
	}},
	{"the secret for the client_application_traffic_secret_0 is handshake_secret", "3",
		func(h hand) []byte {
			secret := byHand(h.v("handshake_secret"), 32, 18, "tls13 c ap traffic", 32, h.th(0, 6))
			return byHand(secret, 16, 9, "tls13 key", 0) // found behind it, too
		}},
}

// An arrow13 is Derive-Secret or HKDF-Expand-Label: what it makes, from what, and how.
type arrow13 struct {
	name, secret, label string
	context             []byte
	n                   int
}

// arrows are those of RFC 8446 §7.1 to §7.3 and §4.4.4 in a handshake without PSK.
func (h hand) arrows() []arrow13 {
	list := []arrow13{
		{"derived_secret/early_secret", "early_secret", "derived", nothing, 32},
		{"derived_secret/handshake_secret", "handshake_secret", "derived", nothing, 32},
		{"exporter_secret", "main_secret", "exp master", h.th(0, 6), 32},
		{"resumption_secret", "main_secret", "res master", h.th(0, 7), 32},
		{"resumption_psk", "resumption_secret", "resumption", h.Given.Nonce, 32},
	}
	for _, side := range []string{"client", "server"} {
		hs, ap := side+"_handshake_traffic_secret", side+"_application_traffic_secret_"
		list = append(list,
			arrow13{hs, "handshake_secret", side[:1] + " hs traffic", h.th(0, 2), 32},
			arrow13{ap + "0", "main_secret", side[:1] + " ap traffic", h.th(0, 6), 32},
			arrow13{ap + "1", ap + "0", "traffic upd", nil, 32},
			arrow13{side + "_finished_key", hs, "finished", nil, 32})
		for _, k := range []struct{ stem, secret string }{{"_handshake_", hs},
			{"_application_", ap + "0"}, {"_application_1_", ap + "1"}} {
			list = append(list, arrow13{side + k.stem + "write_key", k.secret, "key", nil, 16},
				arrow13{side + k.stem + "write_iv", k.secret, "iv", nil, 12})
		}
	}
	return list
}

// ways returns every value that one usual mistake leads to, with the ways to it; with rows, only a
// mistake that one of them has. A search compares the same values, and is too slow for each row.
func (h hand) ways(rows ...mistakeRow) map[string][]Finding {
	index := map[string][]Finding{}
	for _, x := range h.usual() {
		if len(rows) > 0 && !slices.ContainsFunc(rows, x.of) {
			continue
		}
		r := &run13{d: h.Derivation13, m: x.method(), put: func(v Value13) {
			for _, b := range [][]byte{v.Bytes, v.Bytes[:min(16, len(v.Bytes))],
				v.Bytes[min(5, len(v.Bytes)):]} { // a key of a longer one, a record's content
				index[string(b)] = append(index[string(b)], Finding{v.Name, []string{x.how}})
			}
		}}
		r.all()
		r.alone = true
		r.all()
	}
	return index
}

// of reports whether x is the mistake of a row.
func (x mistake13) of(row mistakeRow) bool { return strings.Contains(x.how, row.how) }

// Each arrow with the secret of any other, and with the label of any other, is named as that, and
// as nothing else.
func TestEveryArrowWithTheInputsOfAnother(t *testing.T) {
	h := hands(t)["ticket"]
	index, right := h.ways(), map[string]bool{}
	for _, v := range h.Values {
		right[string(v.Bytes)] = true
	}
	n, rows := 0, h.arrows()
	check := func(a arrow13, secret, label, says string) {
		full := "tls13 " + label
		wrong := byHand(h.v(secret), a.n, len(full), full, len(a.context), a.context)
		if !bytes.Equal(byHand(h.v(a.secret), a.n, 6+len(a.label), "tls13 "+a.label,
			len(a.context), a.context), h.v(a.name)) {
			t.Fatalf("%s is computed wrongly here", a.name)
		}
		if right[string(wrong)] {
			return // another side's: that is what it is
		}
		n++
		found := index[string(wrong)]
		if !slices.ContainsFunc(found, func(f Finding) bool {
			return f.Name == a.name && strings.Contains(f.How[0], says)
		}) {
			t.Errorf("%s of %s by %q: expected %q, found %q", a.name, secret, label, says, found)
		}
	}
	for _, a := range rows {
		for _, b := range rows {
			if b.secret != a.secret && a.name != b.secret {
				check(a, b.secret, a.label, fmt.Sprintf("the secret for the %s is %s: it is %s (",
					a.name, b.secret, a.secret))
			}
			if b.label != a.label {
				check(a, a.secret, b.label, fmt.Sprintf("the label for the %s is %q: it is %q (",
					a.name, b.label, a.label))
			}
		}
	}
	t.Logf("%d wrong values of %d arrows, among %d", n, len(rows), len(index))
}
