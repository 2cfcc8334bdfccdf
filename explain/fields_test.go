package explain_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

// withoutSentences adds the fields of a message that have no sentence to missing. A field of a name
// that had one in the same extension or message needs no second. It returns the number of
// sentences.
func withoutSentences(v iana.Version, d message.Dialect, raw []byte,
	missing map[string]bool) (n int) {
	fields := d.Annotate(raw)
	notes := explain.FieldNotes(v, raw, fields)
	told := map[string]bool{}
	extension := ""
	for i, f := range fields {
		switch {
		case f.Name == "extension":
			extension = fields[i+1].Value
			if notes[i] == "" {
				missing[fmt.Sprintf("%v: %v %s", v, iana.HandshakeType(raw[0]), extension)] = true
			}
		case f.Depth <= 2:
			extension = ""
		}
		key := extension + "/" + f.Name
		if notes[i] != "" {
			n++
			told[key] = true
		}
		if f.Leaf && !told[key] {
			missing[fmt.Sprintf("%v: %v %s %s", v, iana.HandshakeType(raw[0]), extension,
				f.Name)] = true
		}
	}
	return n
}

// Every field of every message of the stories has a sentence, down to the lengths, and so has every
// extension. See issue 12 §5: what it is, why this value here, what it was for.
func TestEveryFieldHasItsSentence(t *testing.T) {
	missing, sentences, messages := map[string]bool{}, 0, 0
	check := func(v iana.Version, entries []trace.Entry) {
		dialects := [2]message.Dialect{{Version: v}, {Version: v}}
		for _, e := range entries {
			if a, ok := e.Event.(*trace.Agreed); ok {
				for side := range dialects {
					dialects[side] = explain.DialectOf(*a, iana.Side(side))
				}
			}
		}
		for _, e := range entries {
			if m, ok := e.Event.(*trace.Message); ok {
				messages++
				sentences += withoutSentences(v, dialects[m.From], m.Raw, missing)
			}
		}
	}
	for _, c := range cases13 {
		check(iana.TLS13, c.events(t))
	}
	for i, o := range commandCases() {
		if testing.Short() && i%3 > 0 {
			continue
		}
		check(iana.TLS12, eventsOf(t, o))
	}
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		t.Errorf("%s has no sentence", name)
	}
	t.Logf("%d messages, %d sentences", messages, sentences)
}

// Every extension that the registry names has a sentence, in the story of each version.
func TestEveryExtensionHasItsSentence(t *testing.T) {
	missing := map[string]bool{}
	for _, v := range []iana.Version{iana.TLS10, iana.TLS11, iana.TLS12, iana.TLS13} {
		for n := range 1 << 16 {
			id := iana.ExtensionType(n)
			if strings.HasPrefix(id.String(), "0x") {
				continue
			}
			hello := &message.ClientHello{Version: iana.TLS12,
				CipherSuites:       []iana.CipherSuite{iana.TLS_AES_128_GCM_SHA256},
				CompressionMethods: []iana.CompressionMethod{0},
				Extensions:         message.Extensions{{Type: id}}}
			d := message.Dialect{Version: v}
			raw, err := d.Encode(hello)
			if err != nil {
				t.Fatal(err)
			}
			withoutSentences(v, d, raw, missing)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		t.Errorf("%s has no sentence", name)
	}
}

// Messages up to TLS 1.2 that come in no story above have their sentences, too.
func TestRareMessagesHaveTheirSentences(t *testing.T) {
	missing := map[string]bool{}
	for _, c := range []struct {
		kex iana.KeyExchange
		m   message.Message
	}{
		{iana.KexRSA, &message.HelloRequest{}},
		{iana.KexRSA, &message.NewSessionTicket{LifetimeHint: 300, Ticket: []byte("ticket")}},
		{iana.KexRSA, &message.CertificateStatus{StatusType: 1, Response: []byte("response")}},
		{iana.KexPSK, &message.ServerKeyExchange{PSKIdentityHint: []byte("hint")}},
		{iana.KexPSK, &message.ClientKeyExchange{PSKIdentity: []byte("name")}},
	} {
		d := message.Dialect{Version: iana.TLS12, Kex: c.kex}
		raw, err := d.Encode(c.m)
		if err != nil {
			t.Fatal(err)
		}
		withoutSentences(iana.TLS12, d, raw, missing)
	}
	for _, name := range slices.Sorted(maps.Keys(missing)) {
		t.Errorf("%s has no sentence", name)
	}
}
