package main

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/live"
)

// runs runs a command and returns its output.
func runs(t *testing.T, code int, args ...string) (out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	if got := run(t.Context(), args, &o, &e); got != code {
		t.Fatalf("%v: exit code %d, expected %d\n%s", args, got, code, e.String())
	}
	return o.String(), e.String()
}

// What serve keeps in a folder is listed and explained, also by the next server, and has no secrets
// unless --reveal was given.
func TestTheHistoryIsExplained(t *testing.T) {
	const text = "what nobody else may read\n"
	for _, reveal := range []bool{false, true} {
		dir := filepath.Join(t.TempDir(), "history")
		args := []string{"--echo", "--history", dir}
		if reveal {
			args = append(args, "--reveal")
		}
		s, ca := serving(t, args...)
		secrets := secretsOf(talk(t, s, ca, text, nil))
		s.stop()
		list, _ := runs(t, 0, "explain", dir)
		if !strings.Contains(list, "localhost  TLS 1.3 TLS_") ||
			!strings.Contains(list, "close_notify") || !strings.Contains(list, "1 connection;") {
			t.Errorf("the list is\n%s", list)
		}
		lines, _ := runs(t, 0, "explain", dir, "--json")
		var row live.Row
		if err := json.Unmarshal([]byte(lines), &row); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, live.FileOf(row))
		story, _ := runs(t, 0, "explain", file)
		if !strings.Contains(story, "ClientHello") || !strings.Contains(story, "forward secret") &&
			!strings.Contains(strings.ToUpper(story), "FORWARD SECRET") {
			t.Errorf("the story is\n%s", story)
		}
		_, errs := runs(t, exitUsage, "explain", dir, "--html", filepath.Join(dir, "x.html"))
		if !strings.Contains(errs, "is a folder with 1 connection") {
			t.Error(errs)
		}
		checkFile(t, file, append(secrets, ""), reveal)
		hidden := append(slices.Clone(secrets), hex.EncodeToString([]byte(text)))
		if reveal {
			hidden = nil
		}
		index, err := os.ReadFile(filepath.Join(dir, "index.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		keepsSecrets(t, "the index", string(index), hidden)
		keepsSecrets(t, "the list of explain", list+lines, hidden)
		keepsSecrets(t, "the story", story, hidden)
		next, _ := serving(t, append(args, "--ui")...)
		v := view(t, next.errs.String)
		rows := v.rows(over(1))
		page, _ := v.get(200, "/c/"+rows[0].ID)
		if rows[0].ID != row.ID || !strings.Contains(page, `class="ladder"`) {
			t.Errorf("the next server shows %+v", rows)
		}
		keepsSecrets(t, "the page", page, hidden)
		for _, path := range []string{"/rows", "/c/" + row.ID + ".json", "/c/" + row.ID + ".pcapng",
			"/compare/" + row.ID + "/" + row.ID} {
			answer, _ := v.get(200, path)
			keepsSecrets(t, path, answer, hidden)
		}
		keepsSecrets(t, "/events", v.streamed("", row.ID), hidden)
		next.stop()
	}
}

// keepsSecrets fails if an answer has a secret, in whatever form.
func keepsSecrets(t *testing.T, what, answer string, secrets []string) {
	t.Helper()
	for _, secret := range secrets {
		for _, form := range formsOf(secret) {
			if strings.Contains(answer, form) {
				t.Errorf("%s shows the secret %.16s…", what, secret)
			}
		}
	}
}

// checkFile looks for secrets in a file of the history.
func checkFile(t *testing.T, name string, secrets []string, reveal bool) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	events, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, secret := range secrets {
		if secret != "" && bytes.Contains(events, []byte(secret)) {
			found++
		}
	}
	if reveal != (found > 5) || !reveal && found > 0 || len(secrets) < 10 {
		t.Errorf("reveal %v: %d of %d secrets are in the file", reveal, found, len(secrets))
	}
}

func TestTheFlagsOfTheViewAreChecked(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{{"--history-max", "0"}, {"--history-age", "-1s"},
		{"--history-size", "0"}} {
		_, errs := runs(t, exitUsage, append([]string{"serve", "--listen", "127.0.0.1:0",
			"--history", dir}, args...)...)
		if !strings.Contains(errs, args[0]+" takes a value above 0") {
			t.Errorf("%v: %s", args, errs)
		}
	}
	if _, errs := runs(t, exitUsage, "serve", "--listen", "127.0.0.1:0", "--ui-name",
		"x"); !strings.Contains(errs, "--ui-name is for --ui") ||
		!strings.Contains(errs, "try:     vitrine serve --ui --ui-name x ") {
		t.Error(errs)
	}
	name := filepath.Join(dir, "file")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, errs := runs(t, exitUsage, "serve", "--listen", "127.0.0.1:0", "--history",
		name); !strings.Contains(errs, "--history") {
		t.Error(errs)
	}
}

// What is wrong with the flags is reported before an address is found to be taken.
func TestMistakesAreReportedBeforeThePort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	addr, missing := l.Addr().String(), filepath.Join(t.TempDir(), "missing")
	file := writeTemp(t, "no folder")
	capture := filepath.Join("..", "..", "testdata", "cases", "tcp", "snap96.pcap")
	for _, c := range []struct{ args, says string }{
		{"--dir " + missing, "no such file"},
		{"--dir . --echo", "--dir and --echo contradict each other"},
		{"--echo --show-keys", "--show-keys and --echo contradict each other"},
		{"--dir . --alpn imap", "--alpn imap and HTTP contradict each other"},
		{"--forward 127.0.0.1:1 --forward-tls --forward-ca " + missing, "no such file"},
		{"--history " + file, "--history"},
		{"--history x --history-age -1h", "--history-age takes a value above 0"},
		{"--ui-name x", "--ui-name is for --ui"},
		{"--post-handshake-auth", "--client-auth"},
		{"--cert " + missing, "no such file"},
	} {
		_, errs := runs(t, exitUsage, append([]string{"serve", "--listen", addr},
			strings.Fields(c.args)...)...)
		if !strings.Contains(errs, c.says) {
			t.Errorf("serve %s: %s, expected %q", c.args, errs, c.says)
		}
	}
	decrypt := []string{"decrypt", "-f", capture, "--ui", addr}
	if _, errs := runs(t, exitUsage, append(decrypt, "--keylog", missing)...); !strings.Contains(
		errs, "no such file") {
		t.Errorf("decrypt: %s", errs)
	}
	for _, args := range [][]string{{"serve", "--listen", addr}, {"serve", "--listen", addr,
		"--history", t.TempDir()}, {"serve", "--listen", "127.0.0.1:0", "--ui", addr}, decrypt} {
		if _, errs := runs(t, exitFailed, args...); !strings.Contains(errs, "in use") {
			t.Errorf("%v: %s", args, errs)
		}
	}
}
