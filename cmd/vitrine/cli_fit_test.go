package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/vitrine-tls/vitrine/internal/broken"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// unbreakable matches lines that are not broken: those to be pasted, and words and hex, which are
// searched for whole.
var unbreakable = regexp.MustCompile(`^(try|works with|in Go): |^ *(openssl|echo|ssl_\S*|` +
	`SSL\S*|ssl-\S*) |^ *(prints )?[^ ]+$|^ *\S+( \S+)? +\S{40,}$|^\S+ .*\| |vitrine decrypt - `)

// wider returns the lines of a text that are wider than the terminal.
func wider(text string, columns int) (lines []string) {
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if utf8.RuneCountInString(line) > columns && !unbreakable.MatchString(line) {
			lines = append(lines, line)
		}
	}
	return lines
}

// What every command prints fits terminals of 60, 80, 100 and 200 columns.
func TestEveryOutputFitsTheTerminal(t *testing.T) {
	cases := filepath.Join("..", "..", "testdata", "cases")
	server := broken.Named(t, "OpenSSL: no encryption, and nobody's certificate").Start(t)
	refusing := broken.Named(t, "OpenSSL: a prime of 1024 bits").Start(t)
	exercise := filepath.Join(t.TempDir(), "exercise.txt")
	if err := os.WriteFile(exercise, []byte("suite: AES128-SHA\nmaster_secret: "+
		strings.Repeat("5e", 48)+"\nclient_random: "+strings.Repeat("0a", 32)+
		"\nserver_random: "+strings.Repeat("0b", 32)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	lines := []string{"", "nosuch", "connect --nosuch", "help exit-codes", "suites", "groups",
		"policies", "handshake --seed x", "handshake --seed x --tls 1.3",
		"handshake --seed x --kx dhe --mtls --detail bytes",
		"handshake --seed x --tls 1.3 --detail bytes", "handshake --seed x --compare",
		"handshake --seed x --tamper 10", "explain key_block", "explain 0xC02F",
		"explain handshake_failure", "derive " + exercise,
		"connect " + refusing + " -i=false", "connect " + server + " -i=false -k --max 1.2",
		"connect 127.0.0.1:1 -i=false", "probe " + server + " -4",
		"decrypt " + filepath.Join(cases, "tcp", "snap96.pcap") + " --keylog " +
			filepath.Join(cases, "tcp", "keys.log"),
		"decrypt " + filepath.Join(cases, "encapsulations", "ppp.pcap"),
		"decrypt " + filepath.Join(cases, "cut-handshakes", "http-answer.pcap")}
	for _, c := range newRoot().Commands() {
		if !c.Hidden {
			lines = append(lines, c.Name()+" --help")
		}
	}
	for _, columns := range []int{60, 80, 100, 200} {
		t.Setenv("COLUMNS", fmt.Sprint(columns))
		for _, line := range testkit.Sample(t, "commands", 3, lines) {
			if columns == 200 && strings.HasPrefix(line, "probe") { // takes seconds
				continue
			}
			_, stdout, stderr := command(t, strings.Fields(line)...)
			for _, wide := range wider(stdout+stderr, columns) {
				t.Errorf("vitrine %s, %d columns: a line of %d: %s", line, columns,
					utf8.RuneCountInString(wide), wide)
			}
		}
	}
}

// Lines are broken at spaces, beside or below the name that they begin with; those to be pasted are
// not.
func TestLinesAreFolded(t *testing.T) {
	for _, c := range []struct {
		line  string
		width int
		want  string
	}{
		{"short", 20, "short"},
		{"  name  one two three four", 16, "  name  one two\n        three\n        four"},
		{"      --a-long-flag string   what it is for", 23,
			"      --a-long-flag string\n          what it is\n            for"},
		{"one two three four five", 11, "one two\nthree four\nfive"},
		{"  vitrine handshake --tls 1.3   of today", 30,
			"  vitrine handshake --tls 1.3\n      of today"},
		{"  vitrine a --bb 1 --cc 2 --dd 3", 22,
			"  vitrine a --bb 1 \\\n      --cc 2 --dd 3"},
		{"try:     vitrine connect a.very.long.example", 20,
			"try:     vitrine connect a.very.long.example"},
		{"2026-01-01T00:00:00Z failed: one two", 32,
			"2026-01-01T00:00:00Z failed:\n    one two"},
		{"  curl -k https://localhost:8443/", 20, "  curl -k https://localhost:8443/"},
	} {
		if got := folded(c.line, c.width); got != c.want {
			t.Errorf("%q at %d: got\n%s\nexpected\n%s", c.line, c.width, got, c.want)
		}
	}
	if got := reflowed("one\ntwo\n\nthree\n  four\n  five\nsix"); got !=
		"one two\n\nthree\n  four\n  five\nsix" {
		t.Errorf("got %q", got)
	}
}

// Rows of connections that are still open fit a pipe: their columns cannot be as wide as what they
// may have to hold.
func TestRowsOfAGrowingCaptureFitAPipe(t *testing.T) {
	var out strings.Builder
	table := &connectionTable{w: &out, live: true}
	j := &jsonRow{}
	j.Version, j.Suite = "TLS 1.2", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"
	j.Client, j.Server, j.ServerName = "192.0.2.1:40000", "192.0.2.2:443", "a.server.example"
	for range 2 {
		if err := table.row(j); err != nil {
			t.Fatal(err)
		}
	}
	if wide := wider(out.String(), usualWidth); wide != nil ||
		strings.Count(out.String(), "a.server.example") != 2 {
		t.Errorf("got %q, too wide %q", out.String(), wide)
	}
}
