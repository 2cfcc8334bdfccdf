package playground

import "testing"

// The verdict on what reaches a goal of a lesson names the step and the check.
func TestVerdictsOfLessons(t *testing.T) {
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
			"alert that the server never sent."},
		{"truncation", "fooled", "Undetected: neither side noticed. Record 6 of the client: " +
			"dropped; record 7 of the client: dropped; the server has read \"pay 100\" in " +
			"place of \"pay 1000\"."},
	} {
		if r := solved(t, c.lesson, c.goal); r.Verdict.Sentence != c.want {
			t.Errorf("%s, %s: got %q, expected %q", c.lesson, c.goal, r.Verdict.Sentence, c.want)
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
