package explain

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// textbook is a derivation with a suite that takes 128 bytes of key_block and no IV.
func textbook(t *testing.T) Given {
	return Given{
		Suite:     suite.ByID(iana.TLS_RSA_WITH_AES_256_CBC_SHA256),
		PreMaster: append([]byte{3, 3}, bytes.Repeat([]byte{0xa5, 0x17}, 23)...),
		Client:    bytes.Repeat([]byte{0x11, 0x22, 0x33, 0x44}, 8),
		Server:    bytes.Repeat([]byte{0x55, 0x66, 0x77, 0x88}, 8),
	}
}

func derived(t *testing.T, g Given) (*Derivation, map[string][]byte) {
	t.Helper()
	d, err := Derive(g)
	if err != nil {
		t.Fatal(err)
	}
	return d, (&search{Derivation: d}).derived()
}

// Known values, computed with other software: RSA, AES-256-CBC, HMAC-SHA256.
func TestDeriveGivesKnownValues(t *testing.T) {
	d, got := derived(t, Given{
		Suite: suite.ByID(iana.TLS_RSA_WITH_AES_256_CBC_SHA256),
		PreMaster: unhex(t,
			"0303ae5e7386878b4c10d56ca1a445076fd47492e7579572382939c87a1442bf "+
				"acf16625ef102bd2d2b4111efe072354"),
		Client: unhex(t, "5642fbbdaec9fac721184afdff1bf385f7bc44dd891082adc4a27d2ba26fccf8"),
		Server: unhex(t, "5cd6f4c6cbc5c96a7500e795f8859a9f9f3334995ec6fe35490023da9364c9bc"),
	})
	for name, want := range map[string]string{
		"master_secret": "f0f953ecdf1c6bafffc0a9dab16582ed62c8c79d8f26e83a723a3a9f7f01898d" +
			"0282c1dce2d36cfaf359929453028968",
		"client_write_MAC_key": "aca12897caccde2fc3f6a87a97dd589ef0218cc2c830d5113836df9f8ea31e99",
		"server_write_key":     "2131dffcf887c56d3d8f672fc9827ff07d3baabf7f2b87fcb600d85ace6fb643",
	} {
		if hex.EncodeToString(got[name]) != want {
			t.Errorf("%s: got %x, expected %s", name, got[name], want)
		}
	}
	if len(d.Chapters) != 2 || len(d.Keys) != 6 {
		t.Errorf("%d chapters and %d parts of the key_block", len(d.Chapters), len(d.Keys))
	}
}

// searchCase is an expected value, and what Search should find.
type searchCase struct {
	name     string
	expected []byte
	is       string
	how      []string // a part of the text of each mistake
}

// derivationMistakes returns values derived with mistakes in the calls of the PRF.
func derivationMistakes(g Given) []searchCase {
	const h = crypto.SHA256
	cs, sc := string(g.Client)+string(g.Server), string(g.Server)+string(g.Client)
	master := expand(h, g.PreMaster, "master secret", []byte(cs), 48)
	block := expand(h, master, "key expansion", []byte(sc), 160)
	return []searchCase{
		{"nothing wrong", master, "master_secret", nil},
		{"a key", block[64:96], "client_write_key", nil},
		{"a part of it", block[30:40], "bytes 30 to 39 of key_block", nil},
		{"order of randoms, master", expand(h, g.PreMaster, "master secret", []byte(sc), 48),
			"master_secret", []string{"seed of the master_secret have changed places"}},
		{"order of randoms, key_block", expand(h, master, "key expansion", []byte(cs), 128),
			"key_block", []string{"seed of the key_block have changed places"}},
		{"no gmt_unix_time",
			expand(h, g.PreMaster, "master secret", slices.Concat(g.Client[4:], g.Server[4:]), 48),
			"master_secret", []string{"gmt_unix_time"}},
		{"hex undecoded",
			expand(h, []byte(hex.EncodeToString(g.PreMaster)), "master secret", []byte(cs), 48),
			"master_secret", []string{"undecoded"}},
		{"other hash", expand(crypto.SHA384, g.PreMaster, "master secret", []byte(cs), 48),
			"master_secret", []string{"SHA-384 in the place of SHA-256"}},
		{"TLS 1.0's PRF", expand(crypto.MD5SHA1, g.PreMaster, "master secret", []byte(cs), 48),
			"master_secret", []string{"MD5+SHA1"}},
		{"tshark's block", block, "key_block",
			[]string{"expanded to 160 bytes, of which the suite takes 128: Wireshark"}},
		{"tshark's IV", block[128:144], "bytes 128 to 143 of a longer key expansion",
			[]string{"Wireshark"}},
		{"without master", expand(h, g.PreMaster, "key expansion", []byte(sc), 128), "key_block",
			[]string{"left out"}},
		{"label of C", expand(h, g.PreMaster, "master secret\x00", []byte(cs), 48), "master_secret",
			[]string{"zero byte"}},
		{"label with underscores", expand(h, g.PreMaster, "master_secret", []byte(cs), 48),
			"master_secret", []string{"underscores"}},
		{"label in capitals", expand(h, g.PreMaster, "Master Secret", []byte(cs), 48),
			"master_secret", []string{"begin with capitals"}},
		{"label in quotes", expand(h, g.PreMaster, `"master secret"`, []byte(cs), 48),
			"master_secret", []string{"quotation marks"}},
		{"extended label", expand(h, g.PreMaster, "extended master secret", []byte(cs), 48),
			"master_secret", []string{"label is that of the extended"}},
		{"one random twice", expand(h, g.PreMaster, "master secret",
			[]byte(cs[:32]+cs[:32]), 48), "master_secret", []string{"first random twice"}},
		{"SHA-1", expand(crypto.SHA1, g.PreMaster, "master secret", []byte(cs), 48),
			"master_secret", []string{"SHA-1 in the place of"}},
		{"a line feed", expand(h, append(bytes.Clone(g.PreMaster), '\n'), "master secret",
			[]byte(cs), 48), "master_secret", []string{"line feed behind it"}},
		{"Base64", expand(h, []byte(base64.StdEncoding.EncodeToString(g.PreMaster)),
			"master secret", []byte(cs), 48), "master_secret", []string{"Base64, undecoded"}},
		{"two mistakes", expand(crypto.SHA384, g.PreMaster, "master secret", []byte(sc), 48),
			"master_secret", []string{"SHA-384", "changed places"}},
	}
}

// inputMistakes returns values derived from, or copied as, wrong bytes.
func inputMistakes(t *testing.T) []searchCase {
	g := textbook(t)
	seed := slices.Concat(g.Client, g.Server)
	master := expand(crypto.SHA256, g.PreMaster, "master secret", seed, 48)
	reversed := slices.Clone(master)
	slices.Reverse(reversed)
	slip := slices.Clone(master)
	slip[7] ^= 0x10
	typed := textbook(t)
	typed.Client[5] ^= 0x40
	_, typedValues := derived(t, typed)
	exchanged := textbook(t)
	exchanged.Client, exchanged.Server = exchanged.Server, exchanged.Client
	_, exchangedValues := derived(t, exchanged)
	older := slices.Clone(g.PreMaster)
	older[1] = 1
	return []searchCase{
		{"randoms exchanged", exchangedValues["key_block"], "key_block", []string{"exchanged"}},
		{"version", expand(crypto.SHA256, older, "master secret", seed, 48), "master_secret",
			[]string{"begins with 0301"}},
		{"reversed", reversed, "master_secret", []string{"reverse order"}},
		{"mistyped itself", slip, "master_secret", []string{"at [7] from 0"}},
		{"a digit of an input", typedValues["server_write_key"], "server_write_key",
			[]string{"digit 11 of client_random (in byte 5 from 0) is 6 in the place of 2"}},
	}
}

// Search finds each value with the mistakes that were made, and nothing with fewer mistakes.
func TestSearchFindsCommonMistakes(t *testing.T) {
	g := textbook(t)
	for _, c := range testkit.Sample(t, "mistakes", 3,
		append(derivationMistakes(g), inputMistakes(t)...)) {
		t.Run(c.name, func(t *testing.T) {
			d, _ := derived(t, g)
			found, tried, err := d.Search(c.expected)
			if err != nil || len(found) == 0 {
				t.Fatalf("not found among %d values, %v", tried.Values, err)
			}
			matches := slices.ContainsFunc(found, func(f Finding) bool {
				return f.Name == c.is && slices.EqualFunc(f.How, c.how, strings.Contains)
			})
			if !matches {
				t.Errorf("got %q, expected %s with %q", found, c.is, c.how)
			}
		})
	}
}

// Search with finite-field exchanges and the extended master secret. See RFC 5246 §8.1.2 and RFC
// 7627 §4.
func TestSearchKnowsFiniteFieldsAndExtendedMasterSecrets(t *testing.T) {
	dhe := textbook(t)
	dhe.Suite = suite.ByID(iana.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256)
	dhe.PreMaster = append([]byte{0, 0, 1}, bytes.Repeat([]byte{0x77}, 253)...)
	d, values := derived(t, dhe)
	if len(d.Given.PreMaster) != 254 || len(d.Remarks) != 1 {
		t.Errorf("the leading zeros of a finite field were not stripped: %d bytes, %q",
			len(d.Given.PreMaster), d.Remarks)
	}
	kept := expand(crypto.SHA256, dhe.PreMaster, "master secret",
		slices.Concat(dhe.Client, dhe.Server), 48)
	if bytes.Equal(kept, values["master_secret"]) {
		t.Fatal("stripping changed nothing")
	}
	expectHow(t, d, kept, "leading zeros of the pre_master_secret are kept: all 256 bytes")

	ecdhe := textbook(t)
	ecdhe.Suite = suite.ByID(iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256)
	ecdhe.PreMaster = append([]byte{0, 1}, bytes.Repeat([]byte{0x42}, 30)...)
	ecdhe.SessionHash = bytes.Repeat([]byte{9}, 32)
	d, _ = derived(t, ecdhe)
	classic := expand(crypto.SHA256, ecdhe.PreMaster, "master secret",
		slices.Concat(ecdhe.Client, ecdhe.Server), 48)
	expectHow(t, d, classic, "classic master_secret")
	stripped := expand(crypto.SHA256, ecdhe.PreMaster[1:], "extended master secret",
		ecdhe.SessionHash, 48)
	expectHow(t, d, stripped, "stripped")
	if found, tried, err := d.Search(bytes.Repeat([]byte{1}, 48)); len(found) > 0 ||
		tried.Values < 1000 || err != nil {
		t.Errorf("found %q for an arbitrary value, %d tried, %v", found, tried.Values, err)
	}
	for _, n := range []int{0, 3, 1025} {
		if _, _, err := d.Search(make([]byte, n)); err == nil {
			t.Errorf("no error for an expected value of %d bytes", n)
		}
	}
	expectHow(t, d, ecdhe.Client, "")
}

func expectHow(t *testing.T, d *Derivation, expected []byte, how string) {
	t.Helper()
	found, _, err := d.Search(expected)
	if how == "" && len(found) == 1 && len(found[0].How) == 0 {
		return
	}
	if err != nil || len(found) != 1 || len(found[0].How) != 1 ||
		!strings.Contains(found[0].How[0], how) {
		t.Errorf("got %q, %v, expected one way: %s", found, err, how)
	}
}

func TestDeriveRejectsInputsThatDoNotFit(t *testing.T) {
	for _, c := range []struct {
		name, field, says string
		change            func(*Given)
	}{
		{"no suite", "suite", "is missing", func(g *Given) { g.Suite = nil }},
		{"nothing to begin with", "pre_master_secret", "is missing",
			func(g *Given) { g.PreMaster = nil }},
		{"two beginnings", "master_secret", "only one",
			func(g *Given) { g.Master = make([]byte, 48) }},
		{"short master", "master_secret", "got 47 bytes, expected 48",
			func(g *Given) { g.PreMaster, g.Master = nil, make([]byte, 47) }},
		{"pre-master for master", "master_secret", "is it the pre_master_secret?",
			func(g *Given) { g.PreMaster, g.Master = nil, make([]byte, 32) }},
		{"random of 28", "client_random", "gmt_unix_time",
			func(g *Given) { g.Client = g.Client[4:] }},
		{"random of 33", "server_random", "got 33 bytes, expected 32",
			func(g *Given) { g.Server = append(g.Server, 0) }},
		{"one random", "client_random and server_random", "takes both",
			func(g *Given) { g.Server = nil }},
		{"master and nothing else", "client_random and server_random", "takes both",
			func(g *Given) { g.PreMaster, g.Master, g.Client = nil, make([]byte, 48), nil }},
		{"RSA with a curve's secret", "pre_master_secret", "is RSA, which makes 48",
			func(g *Given) { g.PreMaster = make([]byte, 32) }},
		{"a curve with RSA's", "pre_master_secret", "32, 48, 56 or 66", func(g *Given) {
			g.Suite, g.PreMaster = suite.ByID(iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
				make([]byte, 31)
		}},
		{"too long", "pre_master_secret", "expected 1 to", func(g *Given) {
			g.Suite, g.PreMaster = suite.ByID(iana.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256),
				make([]byte, 70000)
		}},
		{"session_hash of another hash", "session_hash", "got 48 bytes",
			func(g *Given) { g.SessionHash = make([]byte, 48) }},
		{"version before the suite", "suite", "needs TLS 1.2",
			func(g *Given) { g.Version = iana.TLS11 }},
		{"another protocol", "version", "not of TLS 1.3",
			func(g *Given) { g.Version = iana.TLS13 }},
		{"no ClientHello", "transcript", "begins with finished",
			func(g *Given) { g.Transcript = []byte{20, 0, 0, 0} }},
		{"cut transcript", "transcript", "byte 0: the message that begins here is longer",
			func(g *Given) { g.Transcript = []byte{1, 0, 1, 0, 3, 3} }},
		{"empty transcript", "transcript", "is empty", func(g *Given) { g.Transcript = []byte{} }},
		{"a hello that is none", "transcript", "byte 0:",
			func(g *Given) { g.Transcript = []byte{1, 0, 0, 1, 3} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := textbook(t)
			c.change(&g)
			_, err := Derive(g)
			var f *FieldError
			if !errors.As(err, &f) || f.Field != c.field || !strings.Contains(f.Problem, c.says) {
				t.Errorf("got %v, expected %s: …%s…", err, c.field, c.says)
			}
		})
	}
}

// Every suite derives a master_secret and a key_block in each of its versions, and the events have
// what commands need. The values are those of package keys.
func TestDeriveWorksWithEverySuite(t *testing.T) {
	n := 0
	for _, s := range suite.All() {
		for v := s.MinVersion(); v <= iana.TLS12; v++ {
			g := textbook(t)
			g.Suite, g.Version = s, v
			if !s.KeyTransport() || s.PreShared() {
				g.PreMaster = bytes.Repeat([]byte{7}, 32)
			}
			d, values := derived(t, g)
			if len(values["key_block"]) != s.Shape(v).Len() || len(values["master_secret"]) != 48 {
				t.Errorf("%v, %v: key_block of %d bytes", s, v, len(values["key_block"]))
			}
			commands := map[string]bool{}
			var notebook Notebook
			for _, e := range d.Entries {
				for _, c := range notebook.Commands(e) {
					commands[c.Name] = true
				}
			}
			for _, k := range d.Keys {
				if k.Len > 0 && !commands[k.Name] {
					t.Errorf("%v, %v: no command for %s", s, v, k.Name)
				}
			}
			if !commands["master_secret"] || !commands["key_block"] {
				t.Errorf("%v, %v: commands %v", s, v, commands)
			}
			n++
		}
	}
	t.Logf("%d suites and versions", n)
}

func FuzzTranscript(f *testing.F) {
	d := message.Dialect{Version: iana.TLS12, Kex: iana.KexRSA}
	var whole, disorder []byte
	for _, m := range []message.Message{
		&message.ClientHello{Version: iana.TLS12,
			CipherSuites:       []iana.CipherSuite{iana.TLS_RSA_WITH_AES_128_CBC_SHA},
			CompressionMethods: []iana.CompressionMethod{0}},
		&message.ServerHello{Version: iana.TLS12, CipherSuite: iana.TLS_RSA_WITH_AES_128_CBC_SHA,
			Extensions: message.Extensions{{Type: iana.ExtExtendedMasterSecret}}},
		&message.ServerHelloDone{},
		&message.ClientKeyExchange{EncryptedPreMaster: []byte("encrypted")},
		&message.Finished{VerifyData: make([]byte, 12)},
		&message.NewSessionTicket{Ticket: []byte("ticket")},
		&message.Finished{VerifyData: make([]byte, 12)},
	} {
		b, err := d.Encode(m)
		if err != nil {
			f.Fatal(err)
		}
		whole = append(whole, b...)
		f.Add(whole)
		if m.Type() == iana.ServerHelloDone {
			disorder = append(slices.Clone(whole), 20, 0, 0, 0)
		}
		if m.Type() == iana.ClientKeyExchange {
			f.Add(append(disorder, b...)) // Finished before the key exchange
		}
	}
	f.Add([]byte{20, 0, 0, 0})
	for _, spoilt := range testkit.Spoil(whole, 200) {
		f.Add(spoilt)
	}
	for _, edit := range [][]byte{whole,
		bytes.Replace(whole, []byte{0, 47}, []byte{0xAA, 0xAA}, -1),
		append(slices.Clone(whole[:message.Length(whole)]), whole...)} {
		f.Add(edit)
	}
	certificates := append(slices.Clone(whole[:bytes.Index(whole, []byte{14, 0, 0, 0})]),
		11, 0, 0, 3, 0, 0, 0, 14, 0, 0, 0, 11, 0, 0, 3, 0, 0, 0)
	f.Add(append(certificates, whole[bytes.Index(whole, []byte{16, 0, 0}):]...))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, g := range []Given{{Client: make([]byte, 32)}, {Server: bytes.Repeat([]byte{1}, 32)},
			{Suite: suite.ByID(iana.TLS_RSA_WITH_AES_256_CBC_SHA)}, {Version: iana.TLS10}} {
			g.PreMaster, g.Transcript = make([]byte, 48), b
			if _, err := Derive(g); err != nil && len(err.Error()) > 2000 {
				t.Errorf("%.3000v", err)
			}
		}
		d, err := Derive(Given{PreMaster: make([]byte, 48), Transcript: b})
		if err != nil {
			return
		}
		var messages []byte
		for _, e := range d.Entries {
			if m, ok := e.Event.(*trace.Message); ok {
				messages = append(messages, m.Raw...)
			}
		}
		if len(messages) < len(b) || len(messages) == len(b) && !bytes.Equal(messages, b) {
			t.Errorf("the transcript of %d bytes became %d bytes of messages",
				len(b), len(messages))
		}
		if len(d.Values()) == 0 || fmt.Sprint(d.Chapters) == "" {
			t.Error("nothing to show")
		}
	})
}
