package demo_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/demo"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/render/term"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

// If one bit of any line is flipped, one of the two sides detects it and sends a fatal alert, and
// no false data is delivered.
func TestEveryAlteredLineIsDetected(t *testing.T) {
	type alteration struct {
		name    string
		options demo.Options
		line    explain.Line
	}
	var all []alteration
	for _, c := range cases {
		o := c.options()
		o.Tamper = nil
		out, err := demo.Perform(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range explain.Ladder(out.Entries) {
			for _, field := range fields(t, o, line) {
				o.Tamper = []demo.Tamper{{Line: line.Number, Field: field}}
				all = append(all, alteration{c.name, o, line})
			}
		}
	}
	all = testkit.Sample(t, "alterations", 15, all)
	for _, a := range all {
		altered(t, a.name, a.options, a.line)
	}
	t.Logf("%d alterations noticed", len(all))
}

// fields returns the parts of a protected record. For a message in the clear it returns only the
// default.
func fields(t *testing.T, o demo.Options, line explain.Line) []string {
	if !line.Protected {
		return []string{"", "header"}
	}
	o.Tamper = []demo.Tamper{{Line: line.Number, Field: "no such part"}}
	_, err := demo.Perform(t.Context(), o)
	var usage *demo.UsageError
	if !errors.As(err, &usage) {
		t.Fatalf("line %d: %v", line.Number, err)
	}
	parts := []string{""}
	for _, choice := range usage.Choices {
		_, part, _ := strings.Cut(choice, ":")
		parts = append(parts, part)
	}
	return parts
}

func altered(t *testing.T, name string, o demo.Options, line explain.Line) {
	t.Helper()
	out, story := perform(t, o)
	what := fmt.Sprintf("%s, line %d (%s), %q", name, line.Number, line.Name, o.Tamper[0].Field)
	r := story.Result
	switch {
	case strings.HasPrefix(story.Run.Tampered.Acts[0].How, "nothing"):
		t.Errorf("%s: %s", what, story.Run.Tampered.Acts[0].How)
	case r.Stalled:
		t.Errorf("%s: not detected before the deadline", what)
	case len(r.Noticed) == 0:
		t.Errorf("%s: not detected: %v, %v", what, out.ClientError, out.ServerError)
	case r.Complete:
		t.Errorf("%s: the connection went on", what)
	case !strings.HasPrefix(out.Wanted, out.ServerReceived):
		t.Errorf("%s: the server received %q", what, out.ServerReceived)
	}
	if l := explain.Ladder(out.Entries); len(l) < line.Number ||
		l[line.Number-1].From != line.From {
		t.Errorf("%s: the line is not where it was without tampering", what)
	}
}

// The side that detects an alteration and its alert are part of what the command teaches.
func TestAlterationsAndTheirAlerts(t *testing.T) {
	for _, c := range []struct {
		suite  iana.CipherSuite
		tamper demo.Tamper
		by     iana.Side
		alert  string
		why    string
	}{
		{iana.TLS_RSA_WITH_AES_256_CBC_SHA256, demo.Tamper{Line: 1}, iana.Server, "bad_record_mac",
			"other randoms, other keys: the client's Finished does not open"},
		{iana.TLS_RSA_WITH_AES_256_CBC_SHA256, demo.Tamper{Line: 2, Field: "cipher_suite"},
			iana.Client, "illegal_parameter", "it was not offered"},
		{iana.TLS_RSA_WITH_AES_256_CBC_SHA256, demo.Tamper{Line: 3}, iana.Client, "unknown_ca",
			"the certificate's signature does not hold"},
		{iana.TLS_RSA_WITH_AES_256_CBC_SHA256, demo.Tamper{Line: 5}, iana.Server, "bad_record_mac",
			"the server continues with a random secret and sends no alert"},
		{iana.TLS_RSA_WITH_AES_256_CBC_SHA256, demo.Tamper{Line: 6}, iana.Server,
			"unexpected_message", "a ChangeCipherSpec that is not 1"},
		{iana.TLS_RSA_WITH_AES_256_CBC_SHA256, demo.Tamper{Line: 9}, iana.Client, "bad_record_mac",
			""},
		{iana.TLS_RSA_WITH_AES_256_CBC_SHA256, demo.Tamper{Line: 10, Field: "mac"}, iana.Server,
			"bad_record_mac", ""},
		{iana.TLS_RSA_WITH_AES_256_CBC_SHA256, demo.Tamper{Line: 10, Field: "padding"}, iana.Server,
			"bad_record_mac", "the same as for the MAC: no oracle"},
		{iana.TLS_RSA_WITH_AES_256_CBC_SHA256, demo.Tamper{Line: 11}, iana.Client, "bad_record_mac",
			""},
		{iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, demo.Tamper{Line: 1}, iana.Client,
			"decrypt_error", "the server signed another client_random"},
		{iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, demo.Tamper{Line: 4, Field: "public"},
			iana.Client, "decrypt_error", "the server signed another key"},
		{iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, demo.Tamper{Line: 6}, iana.Server,
			"bad_record_mac", "another public key, another secret"},
		{iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, demo.Tamper{Line: 11, Field: "tag"},
			iana.Server, "bad_record_mac", ""},
		{iana.TLS_DHE_RSA_WITH_AES_256_GCM_SHA384, demo.Tamper{Line: 4, Field: "dh_p"}, iana.Client,
			"", "signed, and no prime either"},
	} {
		o := optionsOf(c.suite)
		o.Tamper = []demo.Tamper{c.tamper}
		_, story := perform(t, o)
		if n := story.Result.Noticed; len(n) != 1 || n[0].By != c.by ||
			c.alert != "" && n[0].Alert != c.alert {
			t.Errorf("%v, %v: got %v, expected the %v with %s: %s", c.suite, c.tamper, n, c.by,
				c.alert, c.why)
		}
	}
}

func TestTamperErrorListsChoices(t *testing.T) {
	for _, c := range []struct {
		tamper demo.Tamper
		want   string
	}{
		{demo.Tamper{Line: 0}, "1 to 12"},
		{demo.Tamper{Line: 13}, "1 to 12"},
		{demo.Tamper{Line: 10, Field: "tag"},
			"10:ciphertext, 10:data, 10:header, 10:iv, 10:mac, 10:padding"},
		{demo.Tamper{Line: 2, Field: "nonsense"}, "2:random"},
	} {
		o := options(suite.ByID(iana.TLS_RSA_WITH_AES_256_CBC_SHA256))
		o.Tamper = []demo.Tamper{c.tamper}
		_, err := demo.Perform(t.Context(), o)
		var usage *demo.UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: got %v, expected a usage error with %q", c.tamper, err, c.want)
		}
	}
}

// Any list of acts can be performed, and the output says what they did. The wire is the
// playground's, so that nothing waits for a deadline.
func TestAnyListOfActsIsPerformedAndJudged(t *testing.T) {
	for _, c := range []struct {
		acts, want string
	}{
		{"drop:client3", "CAUGHT: the server"},
		{"duplicate:10", "CAUGHT: the server noticed and ended the connection with bad_record_mac"},
		{"swap:client2", "CAUGHT: the server noticed and ended the connection with unexpected_me"},
		{"swap:client5", "NOTHING WAS CHANGED: the client sends nothing that could overtake its"},
		{"replay:client2:3", "CAUGHT: the server"},
		{"replay:client5", "UNDETECTED: somebody interfered at line 10, and neither side " +
			"noticed: the copy reached the server when that had closed the connection"},
		{"flip:server5", "CAUGHT: the client noticed: record does not authenticate"},
		{"inject:client1:1503030002010a", "UNDETECTED: somebody interfered at line 1,"},
		{"inject:server1:15030300020228", "ENDED by an alert that nobody has sent: handshake_fa"},
		{"cut:server4:20", "CAUGHT: the client noticed: the server ended the connection inside"},
		{"cut:client1:0 drop:server1", "CAUGHT: the client noticed: the server ended"},
		{"set:2:cipher_suite:c02f", "CAUGHT: the client noticed and ended the connection with ill"},
		{"flip:client1:2", "UNDETECTED: somebody interfered at line 1,"},
		{"flip:client1:4:ff", "STOPPED: nobody was told anything false"},
		{"set:client1:0:16", "NOTHING WAS CHANGED: record 1 of the client has these bytes"},
		{"10:mac drop:server4", "CAUGHT: the server"},
	} {
		o := options(suite.ByID(iana.TLS_RSA_WITH_AES_256_CBC_SHA256))
		for text := range strings.FieldsSeq(c.acts) {
			tamper, err := demo.ParseTamper(text)
			if err != nil {
				t.Fatal(err)
			}
			o.Tamper = append(o.Tamper, tamper)
		}
		out, story := perform(t, o)
		text := screen(t, story, term.Style{Unicode: true, Columns: 200})
		if !strings.Contains(strings.Join(strings.Fields(text), " "), c.want) {
			t.Errorf("%s: %v, %v, expected %q in\n%s", c.acts, out.ClientError, out.ServerError,
				c.want, text)
		}
		if strings.Contains(text, "FORWARD SECRET") {
			t.Errorf("%s: a verdict about forward secrecy", c.acts)
		}
		if !strings.HasPrefix(out.Wanted, out.ServerReceived) {
			t.Errorf("%s: the server received %q", c.acts, out.ServerReceived)
		}
		checkScreen(t, c.acts, screen(t, story, term.Style{Unicode: true}), utf8.RuneSelf<<16)
	}
}

// ignored are words of the rules that let both sides ignore what somebody did.
var ignored = []string{"when that had closed the connection", "(RFC 8446 §6.1)",
	"(RFC 5246 §7.2.1)", "means nothing in TLS 1.3", "(RFC 5246 §E.1)", "(RFC 8446 §5.1)",
	"a warning ends nothing"}

// Of what neither side notices, the output says which rule lets them ignore it: every kind of act
// on every record of both versions.
func TestWhatNobodyNoticesIsExplained(t *testing.T) {
	reasons := map[string]int{}
	all := []demo.Options{optionsOf(iana.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256), options13(),
		options13(), options13(), options13(), options13()}
	all[2].Retry, all[3].KeyUpdate, all[4].LateAuth = true, true, true
	all[5].Resume, all[5].EarlyData = true, true
	for i, o := range all {
		acts := []string{"flip:%s", "drop:%s", "duplicate:%s", "flip:%s:2", "set:%s:0:ff",
			"swap:%s", "replay:%s", "inject:%s:140303000101", "inject:%s:1503030002015a", "cut:%s",
			"cut:%s:0"}
		if i > 1 {
			acts = acts[:3]
		}
		for _, side := range []iana.Side{iana.Client, iana.Server} {
			for n := 1; ; n++ {
				if !explained(t, o, acts, fmt.Sprintf("%v%d", side, n), reasons) {
					break
				}
			}
		}
	}
	for _, why := range ignored {
		if reasons[why] == 0 {
			t.Errorf("%q: never said", why)
		}
	}
}

// explained performs acts on a record, and reports whether there is such a record.
func explained(t *testing.T, o demo.Options, acts []string, record string,
	reasons map[string]int) bool {
	t.Helper()
	for _, act := range acts {
		text := fmt.Sprintf(act, record)
		tamper, err := demo.ParseTamper(text)
		if err != nil {
			t.Fatal(err)
		}
		o.Tamper = []demo.Tamper{tamper}
		out, err := demo.Perform(t.Context(), o)
		if usage := (*demo.UsageError)(nil); errors.As(err, &usage) {
			return false
		} else if err != nil {
			t.Fatal(err)
		}
		story := explain.Tell(out.Entries, out.Run)
		last := story.Result.Sentences[len(story.Result.Sentences)-1].Text
		if failed(out.Entries) != (len(story.Result.Noticed) > 0) {
			t.Errorf("%s: a check failed: %t; %s", text, failed(out.Entries), last)
		}
		if rest, undetected := strings.CutPrefix(last, "UNDETECTED: "); undetected {
			_, why, said := strings.Cut(rest, "neither side noticed: ")
			if !said {
				t.Errorf("%s: no reason in %q", text, last)
			}
			for _, w := range ignored {
				if strings.Contains(why, w) {
					reasons[w]++
				}
			}
		}
	}
	return true
}

// failed reports whether a side's peer did not pass a check.
func failed(entries []trace.Entry) bool {
	return slices.ContainsFunc(entries, func(e trace.Entry) bool {
		_, ok := e.Event.(*trace.Failed)
		return ok
	})
}

func TestTamperSyntaxIsParsedOrRefused(t *testing.T) {
	for _, text := range demo.Syntax() {
		if _, err := demo.ParseTamper(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{"", ":", "x", "10:a:b", "flip", "flip:", "flip:x", "flip:client",
		"flip:client0", "flip:client1:-1", "flip:client1:2:0", "flip:client1:2:100",
		"set:client1:2",
		"set:client1:2:", "set:client1:2:x", "drop:1:2", "replay:client1:x", "replay:client1:-1",
		"inject:client1", "inject:client1:0", "cut:1:2:3", "melt:1"} {
		_, err := demo.ParseTamper(text)
		if usage := (*demo.UsageError)(nil); !errors.As(err, &usage) {
			t.Errorf("%s: got %v, expected a usage error", text, err)
		}
	}
}
