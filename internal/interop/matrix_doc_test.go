package interop_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/interop"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

var update = flag.Bool("update", false, "write docs/interop.md instead of comparing it")

// A table is one stack's part of the matrix.
type table struct {
	with *interop.Stack
	rows []row
}

const preface = `# Interoperability

This page is written by ` + "`go test -run Matrix ./internal/interop -update`" + `;
every other run of that test compares its results with it.
Each table is for one other implementation, as packaged
by Debian 12 (crypto/tls: the Go version of go.mod), over sockets of the loopback interface, in
both roles.

A row is a key exchange with a kind of cipher; of two suites that differ in the length of the
key only, the first is used. The columns: a **full** handshake; a second connection that resumes
it **by ticket** (RFC 5077) or **by ID** (RFC 5246 §7.3); a **client certificate**, demanded and
verified; **ALPN** (RFC 7301); encrypt-then-MAC (RFC 7366) and the extended master secret (RFC
7627), each with and without; data in **fragments** (records of 1, 2, 3, … bytes, in pieces of a
few bytes on the wire); **1 MiB** each way; and close_notify both ways, begun by **us** or by
**them**.

**✓** in both roles; **c** their client only; **s** their server only; empty: the column has no
meaning for this row (EtM is for CBC). Cases without ✓ are explained below each table.

Other combinations have tests of their own: every suite, group, kind of key and extension with
OpenSSL, GnuTLS and crypto/tls, refusals, and OpenSSL's renegotiation for a late certificate, in
internal/interop; curl, with HTTP/1.1 and HTTP/2, and a headless Chromium, against vitrine
serve, in cmd/vitrine/serve_browsers_test.go. Raw public keys (RFC 7250): GnuTLS in both roles,
TLS 1.2 and 1.3, RSA, ECDSA and Ed25519, both sides with one
(` + "`TestRawPublicKeysConnectWithGnuTLS`" + `). BoringSSL's
tests, with the counts and the command that produces them: internal/bogo/README.md. The suites
of TLS 1.3 are rows here; its groups, retries, pre-shared keys, early data and key updates have
a table of their own: interop13.md.
`

// document writes docs/interop.md, or compares it with the results.
func document(t *testing.T, tables []table, all *results) {
	t.Helper()
	var b strings.Builder
	b.WriteString(preface)
	cases := 0
	for _, tab := range tables {
		cases += tab.write(&b, all)
	}
	fmt.Fprintf(&b, "\n%d cases.\n", cases)
	t.Logf("%d cases", cases)
	path := filepath.Join(testkit.Root(), "docs", "interop.md")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	had, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(had) != b.String() {
		t.Errorf("docs/interop.md is not what happened: go test -run Matrix ./internal/interop "+
			"-update, and look at what changed. It would be\n%s", &b)
	}
}

func (tab *table) write(b *strings.Builder, all *results) (cases int) {
	fmt.Fprintf(b, "\n## %s\n\n| |", tab.with.Name)
	for c := range columns {
		fmt.Fprintf(b, " %v |", c)
	}
	b.WriteString("\n|---" + strings.Repeat("|:-:", int(columns)) + "|\n")
	for _, r := range tab.rows {
		fmt.Fprintf(b, "| %v |", r)
		for c := range columns {
			text, n := cell(tab.with, r, c, all)
			fmt.Fprintf(b, " %s |", text)
			cases += n
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	for _, e := range excuses {
		if e.why != "" && (e.with == tab.with || e.with == nil && tab.meets(e)) {
			fmt.Fprintf(b, "- %s: %s.\n", e.where(), e.why)
		}
	}
	return cases
}

// meets reports whether a row of the table needs the excuse.
func (tab *table) meets(e excuse) bool {
	for _, r := range tab.rows {
		if e.rows(r) {
			return true
		}
	}
	return false
}

// where returns the columns and the role of an excuse.
func (e *excuse) where() string {
	var names []string
	for _, c := range e.columns {
		names = append(names, c.String())
	}
	where := strings.Join(names, ", ")
	if len(names) == int(columns) {
		where = "everything"
	}
	if len(e.them) == 1 {
		where += fmt.Sprintf(" (their %v)", e.them[0])
	}
	return where
}

func cell(with *interop.Stack, r row, c column, all *results) (text string, cases int) {
	client, server := all.has(with, iana.Client, r, c), all.has(with, iana.Server, r, c)
	switch {
	case client && server:
		return "✓", 2
	case client:
		return "c", 1
	case server:
		return "s", 1
	case slices.ContainsFunc(excuses[:meaningless],
		func(e excuse) bool { return e.holds(with, iana.Client, r, c) }):
		return "", 0
	}
	return "–", 0
}
