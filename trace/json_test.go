package trace_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/trace"
)

// everyEvent has one event of each kind, every field filled.
func everyEvent() []trace.Entry {
	b := func(s string) []byte { return []byte(s) }
	events := []trace.Event{
		&trace.Message{From: iana.Server, Type: iana.ServerHello, Raw: b("\x02\x00\x00\x00")},
		&trace.Choice{What: "cipher_suite", Offered: "a, b", Chosen: "b",
			Rule: "the server's order"},
		&trace.Agreed{Version: iana.TLS12, Suite: 0xC02F, KeyExchange: iana.KexECDHE,
			Authentication: iana.AuthRSA, Group: "x25519",
			ExtendedMasterSecret: true, EncryptThenMAC: true, ALPN: "h2",
			ServerName: "vitrine.test", Resumed: true},
		&trace.Ephemeral{From: iana.Client, Group: "x25519", Private: b("private"),
			Public: b("public"), Peer: b("peer")},
		&trace.ThrowawayKey{From: iana.Server, Algorithm: "RSA 2048", Private: b("pkcs8"),
			Public: b("spki")},
		&trace.SharedSecret{Name: "pre_master_secret", Output: b("premaster")},
		&trace.Derived{Name: "master_secret", Function: "PRF", Hash: "SHA-256",
			Label: "master secret", Secret: b("premaster"),
			Seed: b("randoms"), Output: b("master")},
		&trace.Given{Name: "client_handshake_traffic_secret", Output: b("traffic")},
		&trace.KeysInstalled{From: iana.Server, MACKey: b("mackey"), Key: b("key"), IV: b("iv")},
		&trace.Record{From: iana.Client, Direction: trace.Opened, SeqNum: 7,
			ContentType: iana.RecordApplicationData,
			Header:      b("\x17\x03\x03\x00\x60"), Plaintext: b("GET /"), Fragment: b("fragment"),
			Protection: "AES_128_GCM",
			Anatomy: trace.Anatomy{IV: b("i"), Nonce: b("n"), Explicit: b("e"), AAD: b("a"),
				Ciphertext: b("c"), MAC: b("m"),
				Padding: b("p"), Tag: b("t")}},
		&trace.Verified{What: "signature", From: iana.Server, Scheme: iana.RSA_PSS_RSAE_SHA256,
			Signed: b("signed"), Signature: b("sig"),
			Detail: `"quoted" <b>\ ` + "\x00\x1b\u0085\u202e\U000e0001é"},
		&trace.Signed{From: iana.Client, Scheme: iana.ED25519, Signed: b("signed"),
			Signature: b("sig")},
		&trace.Alert{From: iana.Client, Level: alert.Fatal, Description: alert.BadRecordMAC,
			Reason: "why"},
		&trace.Done{OK: true, Figure: "RFC 5246, Figure 1", Error: "none"},
		&trace.Notice{Text: "every key is public"},
	}
	var entries []trace.Entry
	for i, e := range events {
		entries = append(entries, trace.Entry{Seq: i + 1, Role: trace.Server, Ref: "RFC 5246 §7.4",
			Time: time.Date(2026, 1, 1, 0, 0, i, 5, time.UTC), Event: e})
	}
	return entries
}

func write(t testing.TB, entries []trace.Entry, options ...trace.Option) string {
	t.Helper()
	var out bytes.Buffer
	w := trace.NewWriter(&out, options...)
	for _, e := range entries {
		w.Put(e)
	}
	if err := w.Err(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestRevealedEventsSurviveWritingAndReading(t *testing.T) {
	want := everyEvent()
	got, err := trace.Read(strings.NewReader(write(t, want, trace.Reveal())))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(fmt.Sprintf("%#v", reveal(want)), fmt.Sprintf("%#v", reveal(got))); d != "" {
		t.Error(d)
	}
	if len(got) != 15 {
		t.Fatalf("%d kinds of event, expected 15", len(got))
	}
	t.Logf("%d kinds of event", len(got))
}

// reveal returns the lines with secrets revealed, for comparison: a Secret hides its bytes from
// every verb.
func reveal(entries []trace.Entry) []string {
	var out bytes.Buffer
	w := trace.NewWriter(&out, trace.Reveal())
	for _, e := range entries {
		w.Put(e)
	}
	return strings.Split(out.String(), "\n")
}

// These names are promised to other tools that read the stream.
func TestFieldNamesAreStable(t *testing.T) {
	contract := map[string]string{
		"message": "from type raw",
		"agreed": "version suite key_exchange group extended_master_secret " +
			"encrypt_then_mac",
		"ephemeral":      "from group private public peer",
		"shared_secret":  "name output",
		"derived":        "name function hash label secret seed output",
		"keys_installed": "from mac_key key iv",
		"record":         "from direction seq_num content_type plaintext fragment",
		"verified":       "what",
		"alert":          "from level description",
		"done":           "ok",
	}
	lines := strings.Split(strings.TrimSpace(write(t, everyEvent(), trace.Reveal())), "\n")
	if lines[0] != `{"event":"schema","version":1}` {
		t.Errorf("first line: %s", lines[0])
	}
	seen := 0
	for i, line := range lines[1:] {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatal(err)
		}
		if fields["seq"] != float64(i+1) || fields["role"] != "server" ||
			fields["ref"] != "RFC 5246 §7.4" {
			t.Errorf("line %d: seq, role or ref: %s", i+2, line)
		}
		names, promised := contract[fields["event"].(string)]
		if promised {
			seen++
		}
		for _, name := range strings.Fields(names) {
			if _, ok := fields[name]; !ok {
				t.Errorf("%v has no %q: %s", fields["event"], name, line)
			}
		}
	}
	if seen != len(contract) {
		t.Errorf("%d of %d promised events seen", seen, len(contract))
	}
}

func TestLineFormatIsStable(t *testing.T) {
	entries := []trace.Entry{
		{Role: trace.Client, Ref: "RFC 5246 §7.4.1.2",
			Event: &trace.Message{Type: iana.ClientHello, Raw: trace.Hex{1, 0, 0, 0xAB}}},
		{Role: trace.Client,
			Event: &trace.KeysInstalled{From: iana.Server, Key: trace.Secret{0xCD}}},
	}
	want := `{"event":"schema","version":1}
{"event":"message","seq":1,"role":"client","ref":"RFC 5246 §7.4.1.2","from":"client",` +
		`"type":"client_hello","raw":"010000ab"}
{"event":"keys_installed","seq":2,"role":"client","from":"server","mac_key":"","key":"cd","iv":""}
`
	if d := cmp.Diff(want, write(t, entries, trace.Reveal())); d != "" {
		t.Error(d)
	}
}

func TestSecretsAreRedactedUnlessRevealed(t *testing.T) {
	out := write(t, everyEvent())
	for _, secret := range []string{"private", "pkcs8", "premaster", "master", "mackey", "key",
		"iv", "GET /"} {
		if strings.Contains(out, `"`+fmt.Sprintf("%x", secret)+`"`) {
			t.Errorf("%q is in the open", secret)
		}
	}
	if !strings.Contains(out, `"plaintext":"redacted: 5 bytes"`) {
		t.Error("a plaintext must show its length and no more")
	}
	entries, err := trace.Read(strings.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	if s := entries[5].Event.(*trace.SharedSecret).Output; len(s) != 0 {
		t.Errorf("a redacted secret came back as %d bytes", len(s))
	}
}

func TestNothingUnprintableIsWritten(t *testing.T) {
	for _, r := range write(t, everyEvent(), trace.Reveal()) {
		if r != '\n' && (r < 0x20 || r >= 0x7F && r < 0xA0 || r == 0x202E || r == '<') {
			t.Errorf("%U in the stream", r)
		}
	}
}

func TestReadErrorsNameLineAndField(t *testing.T) {
	const schema = `{"event":"schema","version":1}` + "\n"
	for _, c := range []struct{ in, want string }{
		{"", `line 1: the stream is empty`},
		{"hello", "line 1: not a JSON object"},
		{`{"event":"message"}`, `line 1: field "event": got "message", expected "schema"`},
		{`{"event":"schema","version":2}`,
			`line 1: field "version": got schema version 2, this Vitrine reads version 1`},
		{schema + `{"event":"alert"`, "line 2: it ends in the middle of an event"},
		{schema + `{"seq":1}`, `line 2: field "event" is missing`},
		{schema + `{"event":"message","seq":"x"}`, `line 2: field "seq"`},
		{schema + `{"event":"message","from":"client","type":"client_hello"}`,
			`line 2: field "raw" is missing`},
		{schema + `{"event":"message","from":"client","type":"client_hello","raw":"0g"}`,
			`line 2: field "raw"`},
		{schema + `{"event":"message","from":"nobody","type":"client_hello","raw":""}`,
			`line 2: field "from"`},
		{schema + `{"event":"message","from":"client","type":"hello","raw":""}`,
			`line 2: field "type": "hello" is not a value of HandshakeType`},
		{schema + `{"event":"message","from":"client","type":"0x1FF","raw":""}`,
			`line 2: field "type"`},
		{schema + "\n", "line 2: not a JSON object"},
	} {
		if _, err := trace.Read(strings.NewReader(c.in)); err == nil ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%q:\n got %v\nwant %s", c.in, err, c.want)
		}
	}
}

// A later version may add events and fields to the schema: an older one reads what it knows and
// keeps unknown events.
func TestUnknownEventsAndFieldsAreTolerated(t *testing.T) {
	const in = `{"event":"schema","version":1}
{"event":"novelty","seq":1,"role":"client","depth":[1,2],"width":"ab"}
{"event":"shared_secret","seq":2,"role":"client","later":true,"name":"pre_master_secret",` +
		`"output":"0303"}
`
	entries, err := trace.Read(strings.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(in, `"later":true,`, "", 1)
	if d := cmp.Diff(want, write(t, entries, trace.Reveal())); d != "" {
		t.Error(d)
	}
}

// An unknown event is written as safely as all others.
func TestUnknownEventsAreEscaped(t *testing.T) {
	const start = `{"event":"novelty","seq":1,"role":"client","text":`
	const in = start + "\r[\"a\u0085\u202e\x7f<\U000e0041\",\t1]}\n"
	const want = start + `["a\u0085\u202e\u007f\u003c\udb40\udc41",1]}` + "\n"
	entries, err := trace.Read(strings.NewReader(`{"event":"schema","version":1}` + "\n" + in))
	if err != nil {
		t.Fatal(err)
	}
	if _, got, _ := strings.Cut(write(t, entries), "\n"); got != want {
		t.Errorf("got %s, expected %s", got, want)
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestAWriterKeepsItsFirstError(t *testing.T) {
	w := trace.NewWriter(brokenPipe{})
	w.Put(everyEvent()[0])
	if w.Err() == nil {
		t.Error("no error")
	}
}

func TestMergeIsCausalAndDeterministic(t *testing.T) {
	rec := func(role trace.Role, from iana.Side, d trace.Direction, n uint64) trace.Entry {
		return trace.Entry{Role: role, Event: &trace.Record{From: from, Direction: d, SeqNum: n,
			Number: n + 1}}
	}
	note := func(role trace.Role, name string) trace.Entry {
		return trace.Entry{Role: role, Event: &trace.SharedSecret{Name: name}}
	}
	client := []trace.Entry{
		rec(trace.Client, iana.Client, trace.Sealed, 0),
		rec(trace.Client, iana.Server, trace.Opened, 0), note(trace.Client, "c"),
		rec(trace.Client, iana.Client, trace.Sealed, 1),
		rec(trace.Client, iana.Server, trace.Opened, 1),
	}
	server := []trace.Entry{
		note(trace.Server, "first"), rec(trace.Server, iana.Client, trace.Opened, 0),
		rec(trace.Server, iana.Server, trace.Sealed, 0),
		rec(trace.Server, iana.Client, trace.Opened, 1),
		rec(trace.Server, iana.Server, trace.Sealed, 1), note(trace.Server, "s"),
	}
	var got []string
	for i, e := range trace.Merge(client, server) {
		if e.Seq != i+1 {
			t.Errorf("entry %d has seq %d", i, e.Seq)
		}
		switch x := e.Event.(type) {
		case *trace.Record:
			got = append(got, fmt.Sprintf("%s %s %s %d", e.Role, x.Direction, x.From, x.SeqNum))
		case *trace.SharedSecret:
			got = append(got, fmt.Sprintf("%s %s", e.Role, x.Name))
		}
	}
	want := []string{"client sealed client 0", "server first", "server opened client 0",
		"server sealed server 0",
		"client opened server 0", "client c", "client sealed client 1", "server opened client 1",
		"server sealed server 1", "server s",
		"client opened server 1"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// A record that does not open leaves no event. The alert that answers it must come after it all the
// same.
func TestMergeLetsAFatalAlertWait(t *testing.T) {
	record := func(from iana.Side, d trace.Direction, number uint64) trace.Entry {
		return trace.Entry{Event: &trace.Record{From: from, Direction: d, Number: number}}
	}
	data := record(iana.Client, trace.Sealed, 1)
	fatal := trace.Entry{Event: &trace.Alert{From: iana.Server, Level: alert.Fatal,
		Description: alert.BadRecordMAC}}
	first, opens := record(iana.Server, trace.Sealed, 1), record(iana.Server, trace.Opened, 1)
	last, ends := record(iana.Server, trace.Sealed, 2), record(iana.Server, trace.Opened, 2)
	got := trace.Merge([]trace.Entry{opens, data, ends}, []trace.Entry{first, fatal, last})
	want := []trace.Event{first.Event, opens.Event, data.Event, fatal.Event, last.Event, ends.Event}
	for i := range want {
		if got[i].Event != want[i] {
			t.Errorf("entry %d is %v, expected %v", i, got[i].Event, want[i])
		}
	}
}

// Records that a side skips, such as early data that it refused (RFC 8446 §4.2.10), or does not
// open leave no event there. Those behind them are still opened after they were sealed.
func TestMergeKnowsRecordsByTheirNumbers(t *testing.T) {
	record := func(d trace.Direction, number uint64) trace.Entry {
		return trace.Entry{Event: &trace.Record{From: iana.Client, Direction: d, Number: number}}
	}
	between := trace.Entry{Event: &trace.Record{From: iana.Server, Direction: trace.Sealed,
		Number: 1}}
	client := []trace.Entry{record(trace.Sealed, 1), record(trace.Sealed, 2),
		{Event: &trace.Record{From: iana.Server, Direction: trace.Opened, Number: 1}},
		record(trace.Sealed, 3)}
	server := []trace.Entry{record(trace.Opened, 1), between, record(trace.Opened, 3)}
	sealed := uint64(0)
	for i, e := range trace.Merge(client, server) {
		switch r := e.Event.(*trace.Record); {
		case r.From == iana.Client && r.Direction == trace.Sealed:
			sealed = r.Number
		case r.From == iana.Client && r.Number > sealed:
			t.Errorf("entry %d: record %d is opened before it is sealed", i, r.Number)
		}
	}
}

// Someone between the two sides may insert records: the merge keeps every entry all the same.
func TestMergeKeepsEveryEntry(t *testing.T) {
	rec := func(from iana.Side, d trace.Direction) trace.Entry {
		return trace.Entry{Event: &trace.Record{From: from, Direction: d}}
	}
	client := []trace.Entry{rec(iana.Server, trace.Opened), rec(iana.Client, trace.Sealed)}
	server := []trace.Entry{rec(iana.Client, trace.Opened), rec(iana.Client, trace.Opened),
		rec(iana.Server, trace.Sealed)}
	for _, c := range [][2][]trace.Entry{{client, server}, {client, nil}, {nil, server},
		{nil, nil}} {
		if got := trace.Merge(c[0], c[1]); len(got) != len(c[0])+len(c[1]) {
			t.Errorf("%d entries of %d", len(got), len(c[0])+len(c[1]))
		}
	}
}

// eventSeeds are files of events in rarer forms, and damaged ones.
func eventSeeds(f *testing.F) (all []string) {
	head := `{"event":"schema","version":1}` + "\n"
	about := func(event string) string {
		return `{"event":"` + event + `","seq":1,"role":"client","ref":"","from":"client"`
	}
	done := `{"event":"done","seq":1,"role":"client","ref":""`
	for _, line := range []string{done + "}", done + `,"unknown":{"a":[1,"<\u2028\ud83d\ude00"]}}`,
		`{"event":"new","seq":2,"x":"y"}`, `{"seq":1}`, `{"event":1}`, done, `[]`, `{}`, `null`, "",
		about("alert") + "}",
		about("message") + `,"type":"0x63","raw":"00"}`,
		about("message") + `,"type":7,"raw":"00"}`,
		about("message") + `,"type":"nope","raw":""}`,
		about("message") + `,"from":"x","type":"finished","raw":"0"}`,
		`{"event":"given","seq":1,"role":"client","ref":"","name":"x","output":"00"}`,
		`{"event":"notice","seq":1,"role":"client","ref":"","text":"\u202e\u0000"}`,
		`{"event":"notice","seq":1,"role":"client","ref":"","what":"x"}`} {
		all = append(all, head+line+"\n")
	}
	all = append(all, "", "x", head[:20], `{"event":"schema","version":2}`, `{"event":"other"}`,
		`{"event":"schema","version":"1"}`, head+head)
	lines := strings.Split(write(f, everyEvent(), trace.Reveal()), "\n")
	for _, line := range lines[1:] {
		for _, spoilt := range testkit.Spoil([]byte(line), 10) {
			all = append(all, lines[0]+"\n"+string(spoilt))
		}
		fields := strings.Split(line, ",")
		for i := range fields { // without each field
			all = append(
				all,
				lines[0]+"\n"+strings.Join(slices.Delete(slices.Clone(fields), i, i+1), ","),
			)
		}
	}
	return all
}

func FuzzRead(f *testing.F) {
	f.Add(write(f, everyEvent(), trace.Reveal()))
	f.Add(write(f, everyEvent()))
	for _, seed := range eventSeeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		entries, err := trace.Read(strings.NewReader(in))
		if err != nil {
			return
		}
		again, err := trace.Read(strings.NewReader(write(t, entries, trace.Reveal())))
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if !slices.Equal(reveal(entries), reveal(again)) {
			t.Error("reading again gave other events")
		}
	})
}
