package explain

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	kdf "crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/suite"
)

// This file computes wrong values by hand, with none of the code that it tests.

// byHand is HKDF-Expand of SHA-256 with info written out behind its length: numbers are bytes.
func byHand(secret []byte, n int, info ...any) []byte {
	return rawByHand(secret, n, append([]any{n >> 8, n}, info...)...)
}

// rawByHand is HKDF-Expand of SHA-256 with all of info written out.
func rawByHand(secret []byte, n int, info ...any) []byte {
	var b []byte
	for _, part := range info {
		switch x := part.(type) {
		case int:
			b = append(b, byte(x))
		case string:
			b = append(b, x...)
		case []byte:
			b = append(b, x...)
		}
	}
	out, err := kdf.Expand(sha256.New, secret, string(b), n)
	if err != nil {
		panic(err)
	}
	return out
}

func extractByHand(salt, ikm []byte) []byte {
	out, err := kdf.Extract(sha256.New, ikm, salt)
	if err != nil {
		panic(err)
	}
	return out
}

func hmacByHand(key, data []byte) []byte {
	m := hmac.New(sha256.New, key)
	m.Write(data)
	return m.Sum(nil)
}

func sum256(parts ...[]byte) []byte {
	s := sha256.Sum256(bytes.Join(parts, nil))
	return s[:]
}

// sealByHand is a record of AES-128-GCM.
func sealByHand(key, nonce, inner, data []byte) []byte {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return aead.Seal(nil, nonce, inner, data)
}

// hand is what a mistake is made with: the values of a trace of RFC 8448.
type hand struct {
	*Derivation13
	m [][]byte // the messages
}

func (h hand) v(name string) []byte { return h.value(name) }

// th is the hash of the messages from one to another.
func (h hand) th(from, to int) []byte { return sum256(h.m[from:to]...) }

var nothing = sum256()

// A mistakeRow has what is found, in which trace, and a value that results from the mistake.
type mistakeRow struct {
	how, section string
	wrong        func(hand) []byte
}

// mistakeRows and moreRows have a row for every usual mistake.
var mistakeRows = []mistakeRow{
	{`"tls13 " is missing`, "3", func(h hand) []byte {
		return byHand(h.v("handshake_secret"), 32, 12, "c hs traffic", 32, h.th(0, 2))
	}},
	{`labels begin with "TLS 1.3, "`, "3", func(h hand) []byte {
		return byHand(h.v("handshake_secret"), 32, 21, "TLS 1.3, c hs traffic", 32, h.th(0, 2))
	}},
	{`labels begin with "dtls13"`, "3", func(h hand) []byte {
		return byHand(h.v("handshake_secret"), 32, 18, "dtls13c hs traffic", 32, h.th(0, 2))
	}},
	{`labels begin with "tls13" without the space`, "3", func(h hand) []byte {
		return byHand(h.v("handshake_secret"), 32, 17, "tls13c hs traffic", 32, h.th(0, 2))
	}},
	{`labels begin with "TLS13 "`, "3", func(h hand) []byte {
		return byHand(h.v("handshake_secret"), 32, 18, "TLS13 c hs traffic", 32, h.th(0, 2))
	}},
	{"the messages themselves stand in the place of the transcript hash", "3",
		func(h hand) []byte {
			return hmacByHand(h.v("server_finished_key"), bytes.Join(h.m[:5], nil))
		}},
	{"byte with the label's length is missing", "3", func(h hand) []byte {
		return byHand(h.v("handshake_secret"), 32, "tls13 c hs traffic", 32, h.th(0, 2))
	}},
	{"byte with the context's length is missing", "3", func(h hand) []byte {
		return byHand(h.v("server_handshake_traffic_secret"), 16, 9, "tls13 key")
	}},
	{"an empty context is hashed", "3", func(h hand) []byte {
		return byHand(h.v("server_handshake_traffic_secret"), 12, 8, "tls13 iv", 32, nothing)
	}},
	{`context of "derived" and of the binder_key is empty`, "3", func(h hand) []byte {
		derived := byHand(h.v("early_secret"), 32, 13, "tls13 derived", 0)
		return extractByHand(derived, h.Given.Shared)
	}},
	{"the derived secret is skipped", "3", func(h hand) []byte {
		return extractByHand(h.v("early_secret"), h.Given.Shared)
	}},
	{"salt and IKM of HKDF-Extract have changed places", "3", func(h hand) []byte {
		return extractByHand(h.Given.Shared, h.v("derived_secret/early_secret"))
	}},
	{"nothing is extracted where there is no secret", "3", func(h hand) []byte {
		return extractByHand(h.v("derived_secret/handshake_secret"), nil)
	}},
	{"the finished_key is left out", "3", func(h hand) []byte {
		return hmacByHand(h.v("server_handshake_traffic_secret"), h.th(0, 5))
	}},
	{"transcript hash is hashed again", "3", func(h hand) []byte {
		return byHand(h.v("handshake_secret"), 32, 18, "tls13 s hs traffic", 32,
			sum256(h.th(0, 2)))
	}},
	{"the transcript hash is taken as text, undecoded", "3", func(h hand) []byte {
		text := []byte(hex.EncodeToString(h.th(0, 2)))
		return byHand(h.v("handshake_secret"), 32, 18, "tls13 s hs traffic", len(text), text)
	}},
	{"the transcript hash is taken as text in upper case", "3", func(h hand) []byte {
		text := []byte(strings.ToUpper(hex.EncodeToString(h.th(0, 2))))
		return byHand(h.v("handshake_secret"), 32, 18, "tls13 s hs traffic", len(text), text)
	}},
	{"the transcript has the headers of the messages' records, too", "3", func(h hand) []byte {
		var all []byte
		for _, m := range h.m[:2] {
			all = append(append(all, 22, 3, 3, byte(len(m)>>8), byte(len(m))), m...)
		}
		return byHand(h.v("handshake_secret"), 32, 18, "tls13 s hs traffic", 32, sum256(all))
	}},
	{"the transcript has ChangeCipherSpec, its byte 01", "3", func(h hand) []byte {
		all := slices.Concat(h.m[0], h.m[1], []byte{1})
		return byHand(h.v("handshake_secret"), 32, 18, "tls13 s hs traffic", 32, sum256(all))
	}},
	{"message 1 of the transcript, client_hello, is in it twice", "3", func(h hand) []byte {
		all := slices.Concat(h.m[0], h.m[0], h.m[1])
		return byHand(h.v("handshake_secret"), 32, 18, "tls13 s hs traffic", 32, sum256(all))
	}},
	{"the transcript for the handshake's secrets (ClientHello…ServerHello) ends with message 1, " +
		"client_hello", "3", func(h hand) []byte {
		return byHand(h.v("handshake_secret"), 32, 18, "tls13 c hs traffic", 32, h.th(0, 1))
	}},
	{"the transcript for the application's secrets (ClientHello…server's Finished) ends with " +
		"message 2, server_hello", "3", func(h hand) []byte {
		return byHand(h.v("main_secret"), 32, 18, "tls13 c ap traffic", 32, h.th(0, 2))
	}},
	{"the transcript for the server's Finished (ClientHello…before the server's Finished) ends " +
		"with message 4, certificate", "3", func(h hand) []byte {
		return hmacByHand(h.v("server_finished_key"), h.th(0, 4))
	}},
	{"the transcript for the resumption_secret (ClientHello…client's Finished) ends with message " +
		"6, finished", "3", func(h hand) []byte {
		return byHand(h.v("main_secret"), 32, 16, "tls13 res master", 32, h.th(0, 6))
	}},
	{"the hash is SHA-384", "3", func(h hand) []byte {
		out, _ := kdf.Extract(sha512.New384, make([]byte, 48), make([]byte, 48))
		return out
	}},
	{"message_hash is forgotten", "5", func(h hand) []byte {
		return byHand(h.v("handshake_secret"), 32, 18, "tls13 c hs traffic", 32, h.th(0, 4))
	}},
	{"the transcript begins with the second ClientHello", "5", func(h hand) []byte {
		return byHand(h.v("handshake_secret"), 32, 18, "tls13 c hs traffic", 32, h.th(2, 4))
	}},
	{"message_hash lacks its header", "5", func(h hand) []byte {
		return byHand(h.v("handshake_secret"), 32, 18, "tls13 c hs traffic", 32,
			sum256(append([][]byte{sum256(h.m[0])}, h.m[1:4]...)...))
	}},
	{"the transcript has the headers of the messages' records, too", "5", func(h hand) []byte {
		all := slices.Concat([]byte{254, 0, 0, 32}, sum256(h.m[0]))
		for _, m := range h.m[1:4] {
			all = append(append(all, 22, 3, 3, byte(len(m)>>8), byte(len(m))), m...)
		}
		return byHand(h.v("handshake_secret"), 32, 18, "tls13 c hs traffic", 32, sum256(all))
	}},
	{"the transcript has the record of ChangeCipherSpec", "5", func(h hand) []byte {
		all := slices.Concat([]byte{254, 0, 0, 32}, sum256(h.m[0]), h.m[1],
			[]byte{20, 3, 3, 0, 1, 1}, h.m[2], h.m[3])
		return byHand(h.v("handshake_secret"), 32, 18, "tls13 c hs traffic", 32, sum256(all))
	}},
	{"message 2 of the transcript, hello_retry_request, is missing", "5", func(h hand) []byte {
		all := slices.Concat([]byte{254, 0, 0, 32}, sum256(h.m[0]), h.m[2], h.m[3])
		return byHand(h.v("handshake_secret"), 32, 18, "tls13 c hs traffic", 32, sum256(all))
	}},
	{"message 1 of the transcript, message_hash, is in it twice", "5", func(h hand) []byte {
		hash := slices.Concat([]byte{254, 0, 0, 32}, sum256(h.m[0]))
		all := slices.Concat(hash, hash, h.m[1], h.m[2], h.m[3])
		return byHand(h.v("handshake_secret"), 32, 18, "tls13 c hs traffic", 32, sum256(all))
	}},
	{"the binder covers the length of the binders list", "4", func(h hand) []byte {
		return hmacByHand(h.v("binder_finished_key"), sum256(h.m[0][:len(h.m[0])-33]))
	}},
	{"the binder covers the whole ClientHello", "4", func(h hand) []byte {
		return hmacByHand(h.v("binder_finished_key"), sum256(h.m[0]))
	}},
	{"the binder covers the ClientHello with zeros", "4", func(h hand) []byte {
		return hmacByHand(h.v("binder_finished_key"),
			sum256(h.m[0][:len(h.m[0])-35], make([]byte, 35)))
	}},
	{"the truncated ClientHello's header has the truncated length", "4", func(h hand) []byte {
		cut := bytes.Clone(h.m[0][:len(h.m[0])-35])
		binary.BigEndian.PutUint16(cut[2:], uint16(len(cut)-4))
		return hmacByHand(h.v("binder_finished_key"), sum256(cut))
	}},
	{`the binder's label is "ext binder"`, "4", func(h hand) []byte {
		return byHand(h.v("early_secret"), 32, 16, "tls13 ext binder", 32, nothing)
	}},
	{`the binder's label is "imp binder"`, "4", func(h hand) []byte {
		return byHand(h.v("early_secret"), 32, 16, "tls13 imp binder", 32, nothing)
	}},
	{`the binder's label is "res binder"`, "4 external", func(h hand) []byte {
		return byHand(h.v("early_secret"), 32, 16, "tls13 res binder", 32, nothing)
	}},
	{"the nonce is the IV alone", "record", func(h hand) []byte {
		return sealByHand(h.v("client_application_write_key"), h.v("client_application_write_iv"),
			[]byte("hello\x17"), []byte{23, 3, 3, 0, 22})
	}},
	{"XORed into the first bytes", "record", func(h hand) []byte {
		nonce := bytes.Clone(h.v("client_application_write_iv"))
		nonce[6], nonce[7] = nonce[6]^1, nonce[7]^2
		return nonce
	}},
	{"replaces the last 8 bytes", "record", func(h hand) []byte {
		return append(bytes.Clone(h.v("server_application_write_iv")[:4]), 0, 0, 0, 0, 0, 0, 1, 2)
	}},
	{"the inner content type is forgotten", "record", func(h hand) []byte {
		return sealByHand(h.v("client_application_write_key"), h.v("client_application_nonce"),
			[]byte("hello"), []byte{23, 3, 3, 0, 21})
	}},
	{"there is no additional data", "record", func(h hand) []byte {
		return sealByHand(h.v("client_application_write_key"), h.v("client_application_nonce"),
			[]byte("hello\x17"), nil)
	}},
	{"length without the tag", "record", func(h hand) []byte {
		return sealByHand(h.v("client_application_write_key"), h.v("client_application_nonce"),
			[]byte("hello\x17"), []byte{23, 3, 3, 0, 6})
	}},
	{"the additional data is that of TLS 1.2", "record", func(h hand) []byte {
		return sealByHand(h.v("client_application_write_key"), h.v("client_application_nonce"),
			[]byte("hello\x17"), []byte{0, 0, 0, 0, 0, 0, 1, 2, 23, 3, 3, 0, 6})
	}},
	{"the shared secret has a zero byte in front", "3", func(h hand) []byte {
		return extractByHand(h.v("derived_secret/early_secret"),
			slices.Concat([]byte{0}, h.Given.Shared))
	}},
	{"padded with zeros in front, to 48 bytes", "3", func(h hand) []byte {
		return extractByHand(h.v("derived_secret/early_secret"),
			slices.Concat(make([]byte, 16), h.Given.Shared))
	}},
	{"padded with zeros in front, to 66 bytes", "3", func(h hand) []byte {
		return extractByHand(h.v("derived_secret/early_secret"),
			slices.Concat(make([]byte, 34), h.Given.Shared))
	}},
	{"key and data of HMAC have changed places", "3", func(h hand) []byte {
		return hmacByHand(h.th(0, 5), h.v("server_finished_key"))
	}},
	{"the PRF of TLS 1.2 is used in the place of", "3", func(h hand) []byte {
		seed := slices.Concat([]byte("c hs traffic"), h.th(0, 2))
		secret := h.v("handshake_secret")
		return hmacByHand(secret, slices.Concat(hmacByHand(secret, seed), seed))
	}},
	{"HKDF-Expand counts from 0", "3", func(h hand) []byte {
		info := slices.Concat([]byte{0, 32, 18}, []byte("tls13 c hs traffic"), []byte{32},
			h.th(0, 2), []byte{0})
		return hmacByHand(h.v("handshake_secret"), info)
	}},
	{"leading zeros of the shared secret are stripped", "zero", func(h hand) []byte {
		return extractByHand(h.v("derived_secret/early_secret"), h.Given.Shared[1:])
	}},
}

// hands derives the traces that the rows use.
func hands(t *testing.T) map[string]hand {
	all, _ := traces8448(t)
	first, err := Derive13(all["3"].given(nil))
	if err != nil {
		t.Fatal(err)
	}
	psk := first.value("resumption_psk")
	list := map[string]Given13{"3": all["3"].given(nil), "5": all["5"].given(nil),
		"4": all["4"].given(psk), "4 external": all["4"].given(psk), "record": all["3"].given(nil)}
	g := list["4 external"]
	g.PSKKind = "ext"
	list["4 external"] = g
	g = list["record"]
	g.Plaintext, g.Content, g.Sequence = []byte("hello"), iana.RecordApplicationData, 258
	list["record"] = g
	g.Plaintext, g.Content = []byte{1, 0}, iana.RecordAlert
	list["alert"] = g
	g = all["3"].given(nil)
	g.Nonce = []byte{0, 0}
	list["ticket"] = g
	list["5 SHA-384"] = withSHA384(all["5"].given(nil))
	list["zero"] = Given13{Suite: suite.ByID13(iana.TLS_AES_128_GCM_SHA256),
		Shared: append([]byte{0}, bytes.Repeat([]byte{9}, 31)...)}
	hands := map[string]hand{}
	for name, g := range list {
		d, err := Derive13(g)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		h := hand{Derivation13: d}
		for rest := g.Transcript; len(rest) > 0; rest = rest[message.Length(rest):] {
			h.m = append(h.m, rest[:message.Length(rest)])
		}
		hands[name] = h
	}
	return hands
}

// Each usual mistake is named when its result is expected, and no mistake is without a row.
func TestTheUsualMistakesOfTLS13AreNamed(t *testing.T) {
	all, ways := hands(t), map[string]map[string][]Finding{}
	rows := slices.Concat(mistakeRows, moreRows)
	tried := testkit.Sample(t, "mistakes", 6, rows)
	for i, row := range tried {
		h := all[row.section]
		if ways[row.section] == nil {
			ways[row.section] = h.ways(slices.DeleteFunc(slices.Clone(tried),
				func(r mistakeRow) bool { return r.section != row.section })...)
		}
		wrong := row.wrong(h)
		found := ways[row.section][string(wrong)]
		if i%20 == 0 && (i == 0 || !testing.Short()) { // by Search itself: it takes long
			var err error
			if found, _, err = h.Search(wrong); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.ContainsFunc(found, func(f Finding) bool {
			return len(f.How) == 1 && strings.Contains(f.How[0], row.how)
		}) {
			t.Errorf("%s: found %v", row.how, found)
		}
	}
	for _, x := range mistakes13 {
		if !slices.ContainsFunc(rows, x.of) {
			t.Errorf("no row makes this mistake: %s", x.how)
		}
	}
	t.Logf("%d rows", len(tried))
}

// What is derived is found without a mistake, two mistakes are both named, a typing error is found,
// and for another value the search says what it tried.
func TestSearchFindsMistakesOfTLS13(t *testing.T) {
	h := hands(t)["3"]
	found, _, err := h.Search(h.v("server_application_write_iv"))
	if err != nil || len(found) != 1 || found[0].Name != "server_application_write_iv" ||
		found[0].How != nil {
		t.Errorf("a right value: %+v, %v", found, err)
	}
	handshake := extractByHand(h.v("early_secret"), h.Given.Shared)
	both := byHand(handshake, 32, 12, "c hs traffic", 32, h.th(0, 2))
	if found, _, _ = h.Search(both); len(found) == 0 || len(found[0].How) != 2 {
		t.Errorf("two mistakes: %+v", found)
	}
	typed := bytes.Clone(h.v("exporter_secret"))
	typed[3] ^= 0x20
	if found, _, _ = h.Search(typed); len(found) == 0 ||
		!strings.Contains(found[0].How[0], "mistyped") {
		t.Errorf("a typing error: %+v", found)
	}
	found, tried, _ := h.Search([]byte("another value"))
	if len(found) != 0 || tried.Values < 10000 || tried.Mistakes < 50 || tried.Pairs < 200 {
		t.Errorf("another value: %v, %+v", found, tried)
	}
	if _, _, err = h.Search([]byte{1, 2, 3}); err == nil {
		t.Error("three bytes are searched for")
	}
	missing := strings.Join(h.Missing(), "\n")
	if !strings.Contains(missing, "a psk") || !strings.Contains(missing, "a plaintext") ||
		strings.Contains(missing, "transcript") {
		t.Errorf("missing are %s", missing)
	}
}
