package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// printsPlainly runs a command and holds what it prints to what is true of every answer: there is
// one, and it has no control characters.
func printsPlainly(t *testing.T, args ...string) {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(context.Background(), args, &out, &errs); code != exitOK && errs.Len() == 0 {
		t.Errorf("%q: exit code %d without a word", args, code)
	}
	for _, r := range out.String() + errs.String() {
		if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 {
			t.Errorf("%q: %U is printed", args, r)
		}
	}
}

// FuzzWords: vitrine explain answers any word: a number, a name, a message of a program.
func FuzzWords(f *testing.F) {
	for _, word := range []string{"0xC02F", "key_block", "handshake_failure", "40", "alert 40",
		"x509: certificate signed by unknown authority", "TLS_RSA_WITH_NULL_MD5", "ECDHE", "1.3",
		"ECDHE-RSA-AES128-GCM-SHA256", "RFC 8446 §4.2.11", "§5", "", " ", "-1", "0x", "ZZZ",
		"99999999999999999999", "\x1b[31m", "\u202ered", "\xff\xfe", "fatal", "x25519",
		strings.Repeat("a", 3000), "SSL_ERROR_NO_CYPHER_OVERLAP", "tls: bad record MAC",
		"error:0A000086:SSL routines::certificate verify failed"} {
		f.Add(word)
		for _, spoilt := range testkit.Spoil([]byte(word[:min(len(word), 60)]), 1) {
			f.Add(string(spoilt))
		}
	}
	f.Fuzz(func(t *testing.T, word string) {
		if _, err := os.Stat(word); err == nil || len(word) > 5000 {
			return // a file with events is read, which is another target's
		}
		printsPlainly(t, "explain", "--", word)
	})
}

// FuzzExercise: vitrine derive reads any file with an exercise, and derives from it or says what is
// wrong with it.
func FuzzExercise(f *testing.F) {
	hex := func(n int) string { return strings.Repeat("0a1b", n/2) }
	random := "client_random: " + hex(32) + "\nserver_random = " + hex(32) + "\n"
	keep := testkit.SampleSeeds(3)
	for _, text := range []string{
		random + "suite: AES256-SHA256\npre_master_secret: 0303" + hex(46),
		random + "suite: AES128-SHA\nversion: 1.0\nmaster_secret: " + hex(48),
		random + "suite: 0xC02F\nmaster_secret: " + hex(48) + "\nsession_hash: " + hex(32),
		"suite: TLS_AES_128_GCM_SHA256\nversion: 1.3\nshared_secret: " + hex(32),
		"suite: TLS_AES_256_GCM_SHA384\npsk: " + hex(48) + "\npsk_kind: res\n",
		"suite: none", "master_secret", "# a remark\n\n", "version: 9", "suite: AES128-SHA",
		"psk: @none", "psk: env:NONE", "client_random: 0", "expect: zz\nsuite: AES128-SHA\n",
		"suite: AES128-SHA\nsuite: AES256-SHA\n", "\x00\xff", "\ufeffsuite: AES128-SHA",
		"suite: AES128-SHA\njavax.net.ssl|DEBUG|01|main|x\n",
	} {
		for how := range byte(4) {
			f.Add([]byte(text), how)
		}
		for _, spoilt := range testkit.Spoil([]byte(text), 9) {
			if keep() {
				f.Add(spoilt, byte(len(spoilt)))
			}
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, how byte) {
		if len(text) > 5000 || bytes.Contains(text, []byte{'@'}) {
			return // @FILE names a file of this machine
		}
		name := filepath.Join(t.TempDir(), "exercise")
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		(&values{fields: map[string]input{}}).set("psk", string(text), io.Discard)
		args := []string{"derive", name}
		switch how % 4 {
		case 1:
			args = append(args, "--table")
		case 2:
			args = append(args, "--json")
		case 3:
			args = append(args, "--expect", fmt.Sprintf("%08x", len(text)))
		}
		printsPlainly(t, args...)
	})
}
