package explain

import (
	"bytes"
	"crypto"
	kdf "crypto/hkdf"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"hash"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/suite"
)

// This file computes wrong values by hand, with none of the code that it tests.

// Each wrong form of the PRF is named when its result is expected, and no form is without a row.
// See RFC 5246 §5.
func TestWrongFormsOfThePRFAreNamed(t *testing.T) {
	g := textbook(t)
	d, values := derived(t, g)
	seed := slices.Concat([]byte("master secret"), g.Client, g.Server)
	mac := func(data ...[]byte) []byte { return hmacByHand(g.PreMaster, bytes.Join(data, nil)) }
	swapped := func(data ...[]byte) []byte { return hmacByHand(bytes.Join(data, nil), g.PreMaster) }
	hashed := func(data ...[]byte) []byte { return sum256(g.PreMaster, bytes.Join(data, nil)) }
	a1 := mac(seed)
	a2 := mac(a1)
	first48 := func(blocks ...[]byte) []byte { return bytes.Join(blocks, nil)[:48] }
	expanded := func(key []byte, info ...[]byte) []byte {
		out, err := kdf.Expand(sha256.New, key, string(bytes.Join(info, nil)), 48)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	prk, _ := kdf.Extract(sha256.New, g.PreMaster, nil)
	rows := []struct {
		how   string
		value []byte
	}{
		{"begins with A(0)", first48(mac(seed, seed), mac(a1, seed))},
		{"begins with A(2)", first48(mac(a2, seed), mac(mac(a2), seed))},
		{"each block of the PRF is made with A(1)", first48(mac(a1, seed), mac(a1, seed))},
		{"are A(1), A(2) and so on", first48(a1, a2)},
		{"lack the seed", first48(mac(a1), mac(a2))},
		{"of the seed and A(i)", first48(mac(seed, a1), mac(seed, a2))},
		{"A(i+1) is HMAC of A(i) and the seed", first48(mac(a1, seed), mac(mac(a1, seed), seed))},
		{"key and data of HMAC", first48(swapped(swapped(seed), seed),
			swapped(swapped(swapped(seed)), seed))},
		{"in the place of HMAC", first48(hashed(hashed(seed), seed),
			hashed(hashed(hashed(seed)), seed))},
		{"HKDF-Expand is used", expanded(g.PreMaster, seed)},
		{"HKDF, with HKDF-Extract, is used", expanded(prk, seed)},
		{"HKDF-Expand-Label is used", expanded(g.PreMaster, []byte{0, 48, 19},
			[]byte("tls13 master secret"), []byte{64}, g.Client, g.Server)},
	}
	for _, row := range rows {
		expectForm(t, d, row.value, "master_secret", row.how)
	}
	for _, f := range forms(crypto.SHA256) {
		if !slices.ContainsFunc(rows, func(row struct {
			how   string
			value []byte
		}) bool {
			return strings.Contains(f.how, row.how)
		}) {
			t.Errorf("no row has the form %q", f.how)
		}
	}
	// The form is that of each step: a key of a PRF with A(0) is found, too.
	block := func(secret, seed []byte) []byte {
		a0 := slices.Concat([]byte("key expansion"), seed)
		a := hmacByHand(secret, a0)
		return slices.Concat(hmacByHand(secret, slices.Concat(a0, a0)),
			hmacByHand(secret, slices.Concat(a, a0)))
	}
	keys := block(rows[0].value, slices.Concat(g.Server, g.Client))
	expectForm(t, d, keys[32:64], "server_write_MAC_key", "begins with A(0)")
	if bytes.Equal(rows[0].value, values["master_secret"]) {
		t.Error("the mistake changes nothing")
	}
}

// The two hashes of TLS 1.0 get their halves. See RFC 2246 §5.
func TestWrongHalvesOfASecretAreNamed(t *testing.T) {
	g := textbook(t)
	g.Suite, g.Version = suite.ByID(iana.TLS_RSA_WITH_AES_128_CBC_SHA), iana.TLS10
	d, _ := derived(t, g)
	seed := slices.Concat([]byte("master secret"), g.Client, g.Server)
	by := func(h func() hash.Hash, secret []byte) (out []byte) {
		mac := func(data []byte) []byte {
			m := hmac.New(h, secret)
			m.Write(data)
			return m.Sum(nil)
		}
		for a := mac(seed); len(out) < 48; a = mac(a) {
			out = append(out, mac(slices.Concat(a, seed))...)
		}
		return out[:48]
	}
	xor := func(a, b []byte) []byte {
		out := make([]byte, 48)
		subtle.XORBytes(out, a, b)
		return out
	}
	front, end := g.PreMaster[:24], g.PreMaster[24:]
	expectForm(t, d, xor(by(md5.New, g.PreMaster), by(sha1.New, g.PreMaster)), "master_secret",
		"both get the whole secret")
	expectForm(t, d, xor(by(md5.New, end), by(sha1.New, front)), "master_secret",
		"MD5 gets the second half")
	expectForm(t, d, by(md5.New, front), "master_secret", "that of MD5 alone")
	expectForm(t, d, by(sha1.New, end), "master_secret", "that of SHA-1 alone")
	// A secret of odd length has a byte in the middle.
	g.Suite = suite.ByID(iana.TLS_DHE_RSA_WITH_AES_128_CBC_SHA)
	g.PreMaster = bytes.Repeat([]byte{1, 2, 3, 4, 5}, 13)
	d, values := derived(t, g)
	front, end = g.PreMaster[:33], g.PreMaster[32:]
	if right := xor(by(md5.New, front), by(sha1.New, end)); !bytes.Equal(right,
		values["master_secret"]) {
		t.Errorf("got %x, expected %x", values["master_secret"], right)
	}
	expectForm(t, d, xor(by(md5.New, front[:32]), by(sha1.New, end[1:])), "master_secret",
		"in neither half")
	expectForm(t, d, xor(by(md5.New, front), by(sha1.New, end[1:])), "master_secret",
		"in the first half alone")
	expectForm(t, d, xor(by(md5.New, front[:32]), by(sha1.New, end)), "master_secret",
		"in the second half alone")
}

// A pre_master_secret with zeros around it is named. See RFC 5246 §8.1.2.
func TestPaddedPreMasterSecretsAreNamed(t *testing.T) {
	curve, field := textbook(t), textbook(t)
	curve.Suite = suite.ByID(iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256)
	curve.PreMaster = bytes.Repeat([]byte{0x97}, 32)
	field.Suite = suite.ByID(iana.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256)
	field.PreMaster = bytes.Repeat([]byte{0x97}, 250)
	for _, row := range []struct {
		given         Given
		front, behind int
		how           string
	}{
		{curve, 1, 0, "a zero byte in front, as the sign of an INTEGER"},
		{curve, 16, 0, "padded with zeros in front, to 48 bytes"},
		{curve, 96, 0, "padded with zeros in front, to 128 bytes"},
		{curve, 0, 96, "padded with zeros at its end, to 128 bytes"},
		{field, 1, 0, "a zero byte in front, as the sign of an INTEGER"},
		{field, 6, 0, "are kept: all 256 bytes of the prime's length"},
		{textbook(t), 80, 0, "padded with zeros in front, to 128 bytes"},
	} {
		d, _ := derived(t, row.given)
		pre := slices.Concat(make([]byte, row.front), row.given.PreMaster, make([]byte, row.behind))
		value := expand(d.hash(), pre, "master secret",
			slices.Concat(row.given.Client, row.given.Server), 48)
		expectForm(t, d, value, "master_secret", row.how)
	}
}

// A Finished with randoms in its seed is named. See RFC 5246 §7.4.9.
func TestRandomsInFinishedAreNamed(t *testing.T) {
	var messages []byte
	dialect := message.Dialect{Version: iana.TLS12, Kex: iana.KexRSA}
	for _, m := range []message.Message{
		&message.ClientHello{Version: iana.TLS12, Random: [32]byte{1, 2, 3, 4, 5},
			CipherSuites:       []iana.CipherSuite{iana.TLS_RSA_WITH_AES_128_CBC_SHA},
			CompressionMethods: []iana.CompressionMethod{0}},
		&message.ServerHello{Version: iana.TLS12, Random: [32]byte{6, 7, 8, 9, 10},
			CipherSuite: iana.TLS_RSA_WITH_AES_128_CBC_SHA},
		&message.ServerHelloDone{},
		&message.ClientKeyExchange{EncryptedPreMaster: []byte("encrypted")},
	} {
		b, err := dialect.Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, b...)
	}
	master := bytes.Repeat([]byte{5}, 48)
	d, err := Derive(Given{Master: master, Transcript: messages})
	if err != nil {
		t.Fatal(err)
	}
	c, s, sum := d.Given.Client, d.Given.Server, sum256(messages)
	for _, row := range []struct {
		how  string
		seed []byte
	}{
		{"the seed of Finished is client_random + server_random: ", slices.Concat(c, s)},
		{"the seed of Finished is server_random + client_random: ", slices.Concat(s, c)},
		{"is client_random + server_random and the hash", slices.Concat(c, s, sum)},
		{"is the hash of the messages and client_random", slices.Concat(sum, c, s)},
	} {
		value := expand(crypto.SHA256, master, "client finished", row.seed, 12)
		expectForm(t, d, value, "client_verify_data", row.how)
	}
}

// expectForm expects one way to a value, with one mistake.
func expectForm(t *testing.T, d *Derivation, value []byte, name, how string) {
	t.Helper()
	found, tried, err := d.Search(value)
	if err != nil || len(found) != 1 || found[0].Name != name || len(found[0].How) != 1 ||
		!strings.Contains(found[0].How[0], how) {
		t.Errorf("got %q of %d values, %v, expected %s with %q", found, tried.Values, err, name,
			how)
	}
}
