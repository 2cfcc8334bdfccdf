package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Untrue sentences that must not come back: in which output, and what is written instead.
// See issue 12 §1.
func TestFalseStatementsAreGone(t *testing.T) {
	dir := t.TempDir()
	events, page := filepath.Join(dir, "run.json"), filepath.Join(dir, "page.html")
	for _, c := range []struct {
		args      []string
		file      string // what is read in the place of the screen
		not, want string // regular expressions
	}{
		// A certificate of a seeded run holds by the clock of the run.
		{args: []string{"handshake", "--seed", "x"}, want: `the clock stands still`},
		// A session_hash covers the messages up to ClientKeyExchange.
		{args: []string{"handshake", "--kx", "ecdhe", "--mtls", "--html", page}, file: page,
			not:  `(from the hash|SHA-[0-9]+) of all messages so far|never sent in the clear`,
			want: `up to ClientKeyExchange`},
		{args: []string{"handshake", "--kx", "ecdhe", "--html", page}, file: page,
			not: `sequence numbers are never sent`, want: `the sequence number, so that it never`},
		// RSA keys of 1024 bits pass under policy modern, as with crypto/tls.
		{args: []string{"policies"}, not: `nothing deprecated`, want: `only RSA keys of 1024 bits`},
		// No length is given for a secret that is not there.
		{args: []string{"handshake", "--kx", "ecdhe", "--events", events}, want: `RESULT`},
		{args: []string{"explain", events, "--redact"}, not: `(?m)^ *0 bytes|9 of 9|shown in full`,
			want: `\(not revealed\)`},
		// The story of TLS 1.3 is that of TLS 1.3.
		{args: []string{"handshake", "--tls", "1.3", "--detail", "keys"}, not: `P_SHA`,
			want: `HMAC\(finished_key`},
		{args: []string{"handshake", "--detail", "keys"}, want: `inside: P_SHA256`},
		{args: []string{"handshake", "--tls", "1.3", "--mtls"},
			not: `classic derivation|P_SHA|MAC_key|of 0 bytes`, want: `TLS 1\.3`},
	} {
		code, text, stderr := command(t, c.args...)
		if code != exitOK {
			t.Fatalf("%v: exit code %d\n%s", c.args, code, stderr)
		}
		if c.file != "" {
			b, err := os.ReadFile(c.file)
			if err != nil {
				t.Fatal(err)
			}
			text = string(b)
		}
		text = strings.Join(strings.Fields(text), " ")
		if c.not != "" {
			if found := regexp.MustCompile(c.not).FindString(text); found != "" {
				t.Errorf("%v says %q", c.args, found)
			}
		}
		if !regexp.MustCompile(c.want).MatchString(text) {
			t.Errorf("%v does not say %q", c.args, c.want)
		}
	}
}

// Who shows somebody else's connection under the glass does not tell it as a demonstration, and
// says nothing of a handshake that failed but that it failed.
func TestTheGlassOfServeKnowsWhoseRunItIs(t *testing.T) {
	s, ca := serving(t, "--glass", "all")
	code, _, stderr := command(t, "connect", s.addr, "--ca", ca, "-i=false", "--max", "1.2")
	if code != exitOK {
		t.Fatal(stderr)
	}
	command(t, "connect", s.addr, "-i=false", "--no-retry", "--max", "1.0", "--policy", "legacy")
	for range 1000 {
		if log := s.out.String(); strings.Count(log, "1 HELLOS") == 2 &&
			strings.Contains(log, "FAILED:") {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	done, failed, ok := strings.Cut(s.out.String(), "failed: ")
	if !ok {
		t.Fatalf("the log is\n%s", s.out.String())
	}
	for _, text := range []string{done, failed} {
		if found := regexp.MustCompile(`before it: CA|TRY +--|CAUGHT|Keys made for this run|` +
			`Textbook|(?m)^ *0 bytes`).FindString(text); found != "" {
			t.Errorf("the glass says %q:\n%s", found, text)
		}
	}
	if strings.Contains(failed, "nonces") {
		t.Errorf("the glass speaks of nonces where one side sent none:\n%s", failed)
	}
	if strings.Contains(failed, "FORWARD SECRET") || strings.Contains(failed, "secrets") ||
		!strings.Contains(failed, "FAILED: the server ended the connection with protocol_version") {
		t.Errorf("of a handshake that failed the glass says\n%s", failed)
	}
	if !strings.Contains(failed, "the client offers what policy legacy has") {
		t.Errorf("the hint is\n%s", failed)
	}
}

// With -k and a pin that holds something is proved, and nothing more than that.
func TestAPinThatHoldsProvesTheKey(t *testing.T) {
	s, _ := serving(t)
	pin := printedPin.FindStringSubmatch(s.errs.String())
	if pin == nil {
		t.Fatal(s.errs.String())
	}
	code, stdout, stderr := command(t, "connect", s.addr, "-i=false", "-k", "--pin",
		"sha256/"+pin[1])
	text := strings.Join(strings.Fields(stdout+stderr), " ")
	if code != exitOK || strings.Contains(text, "nothing is proved") ||
		!strings.Contains(text, "the pin holds: the server has the private key of it") {
		t.Errorf("exit code %d: %s", code, text)
	}
}
