package playground

import (
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// The verdict on what reaches a goal of a lesson names the step and the check.
func TestVerdictsOfLessonsNameStepAndCheck(t *testing.T) {
	for _, c := range []struct{ lesson, goal, want string }{
		{"mac-or-padding", "told",
			"Caught at step 11 by the server: the padding, RFC 5246 §6.2.3.2."},
		{"mac-or-padding", "decrypted",
			"Caught at step 11 by the server: the MAC, RFC 5246 §6.2.3.2."},
		{"bad-key-exchanges", "told block",
			"Caught at step 5 by the server: the key share, RFC 5246 §7.4.7.1."},
		{"bad-key-exchanges", "told version",
			"Caught at step 5 by the server: the key share, RFC 5246 §7.4.7.1."},
		{"early-warning", "works", "Undetected: neither side noticed. The client has read an " +
			"alert that the server never sent, but a warning ends nothing, is not protected " +
			"before there are keys, and is not among the messages that Finished covers (RFC 5246 " +
			"§7.2, §7.4.9)."},
		{"truncation", "fooled", "Undetected: neither side noticed. Record 6 of the client: " +
			"dropped; record 7 of the client: dropped; the server has read \"pay 100\" in " +
			"place of \"pay 1000\"."},
		{"replayed-early-data", "once", "Refused: the ticket was used before, so the second " +
			"connection's early data is not read (RFC 8446 §8.1)."},
		{"replayed-early-data", "twice", "Undetected: the server read the request twice."},
	} {
		if r := solved(t, c.lesson, c.goal); r.Verdict.Sentence != c.want {
			t.Errorf("%s, %s: got %q, expected %q", c.lesson, c.goal, r.Verdict.Sentence, c.want)
		}
	}
}

// The verdict says which records and bytes the acts have not met, if nothing else was done.
func TestTheVerdictNamesRecordsThatAreNotThere(t *testing.T) {
	drop := Act{Kind: Drop, Record: 99}
	for _, c := range []struct {
		acts []Act
		want string
	}{
		{nil, "Nothing was changed, and all went to its end."},
		{[]Act{drop}, "Nothing was changed: there is no record 99 of the client."},
		{[]Act{{Kind: Replay, Record: 99, Fresh: true}},
			"Nothing was changed: there is no record 99 of the client."},
		{[]Act{drop, {Kind: Flip, Side: iana.Server, Record: 98}}, "Nothing was changed: there " +
			"is no record 99 of the client; there is no record 98 of the server."},
		{[]Act{{Kind: Replay, Record: 1, At: 99}},
			"Nothing was changed: there is no record 99 of the client."},
		{[]Act{{Kind: Replay, Record: 3, At: 1}},
			"Nothing was changed: record 3 of the client is not sent before its record 1."},
		{[]Act{{Kind: Flip, Record: 1, Offset: 500}},
			"Nothing was changed: record 1 of the client has 116 bytes, and no byte 500."},
		{[]Act{{Kind: Set, Side: iana.Server, Record: 1, Offset: 1 << 20, Data: trace.Hex{1}}},
			"Nothing was changed: record 1 of the server has 630 bytes, and no byte 1048576."},
		{[]Act{{Kind: Cut, Record: 1}, {Kind: Flip, Record: 1, Offset: 20}}, "Caught by the " +
			"server: the end, which is close_notify, RFC 5246 §7.2.1."},
		{[]Act{drop, {Kind: Flip, Record: 1, Offset: 2}}, "Undetected: neither side noticed. " +
			"Record 1 of the client: version became 0300, it was 0301, but the version in the " +
			"header of a client's first record is ignored (RFC 5246 §E.1)."},
	} {
		if v := run(t, Setup{}, c.acts...).Verdict; v.Sentence != c.want {
			t.Errorf("%+v: got %q, expected %q", c.acts, v.Sentence, c.want)
		}
	}
}

// What a client sent is replayed to another connection, up to some record of it: the verdict is
// about that connection, in which the server alone can say something.
func TestTheVerdictOnAReplayIsAboutItsConnection(t *testing.T) {
	early := Setup{Version: "1.3", Resume: true, EarlyData: true}
	careless := early
	careless.Careless = AnyReplay
	const waits = "Stopped: the server of the second connection waits for a client that is not " +
		"there."
	for _, c := range []struct {
		setup   Setup
		record  int
		outcome Outcome
		want    string
		again   string // the verdict on the other connection
	}{
		{early, 1, Stalled, waits, waits},
		{careless, 1, Stalled, waits, waits},
		{careless, 6, Undetected, "Undetected: the server read the request twice. It refused " +
			"only what came behind it.", "Caught by the server: the tag of the AEAD, RFC 8446 " +
			"§5.2."},
		{Setup{}, 1, Stalled, waits, waits},
		{Setup{}, 4, Caught, "Caught by the server in the second connection: the tag of the " +
			"AEAD, RFC 5246 §6.2.3.3.",
			"Caught by the server: the tag of the AEAD, RFC 5246 §6.2.3.3."},
	} {
		r := run(t, c.setup, Act{Kind: Replay, Record: c.record, Fresh: true})
		if v := r.Verdict; v.Outcome != c.outcome || v.Sentence != c.want || v.Step != 0 {
			t.Errorf("%+v, %d: got %q, expected %q", c.setup, c.record, v.Sentence, c.want)
		}
		if got := r.Again.Verdict.Sentence; got != c.again {
			t.Errorf("%+v, %d, again: got %q, expected %q", c.setup, c.record, got, c.again)
		}
	}
}

// solved performs the run that reaches a goal.
func solved(t *testing.T, lesson, goal string) *Result {
	t.Helper()
	for _, l := range Lessons() {
		for i, g := range l.Goals {
			if l.ID == lesson && g.ID == goal {
				s, acts, err := l.Solve(i)
				if err != nil {
					t.Fatal(err)
				}
				return run(t, s, acts...)
			}
		}
	}
	t.Fatalf("no goal %q of %q", goal, lesson)
	return nil
}

// A ClientKeyExchange is refused at its own step, also behind a client's certificate.
func TestTheTwinRefusesTheClientKeyExchange(t *testing.T) {
	for _, client := range []bool{false, true} {
		s := Setup{Suite: "TLS_RSA_WITH_AES_128_CBC_SHA", Careless: Bleichenbacher,
			ClientCertificate: client}
		act, err := run(t, s).BadKeyExchange(BadPreMasters()[0])
		if err != nil {
			t.Fatal(err)
		}
		r := run(t, s, act)
		of := r.Records[max(1, r.Verdict.Index)-1]
		found := false
		for _, c := range of.Carries {
			found = found || c.Name == "client_key_exchange" && c.Step == r.Verdict.Step
		}
		if !found {
			t.Errorf("client certificate %v: %s %+v", client, r.Verdict.Sentence, of.Carries)
		}
	}
}
