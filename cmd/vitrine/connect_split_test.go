package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/broken"
)

// A server that closes at the record of one byte of TLS 1.0 is told apart from one that has nothing
// to answer: standard input cannot be sent twice, so the flag to try is named.
func TestASilentEndAfterStandardInputNamesTheRecordSplit(t *testing.T) {
	addr := broken.Named(t, "fails with data of one byte in TLS 1.0").Start(t)
	name := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(name, []byte("GET / HTTP/1.0\r\n\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	defer func(was *os.File) { os.Stdin = was }(os.Stdin)
	for _, c := range []struct {
		flags string
		named bool
	}{{"", true}, {"--without record-split", false}} {
		in, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		os.Stdin = in
		code, stdout, stderr := command(t, strings.Fields("connect "+addr+
			" -k -i --policy legacy --max 1.0 "+c.flags)...)
		in.Close()
		said := strings.Join(strings.Fields(stdout+stderr), " ")
		if code != exitOK || c.named != strings.Contains(said,
			"answered nothing to what was sent: it may fail at the record of one byte") {
			t.Errorf("%s: exit code %d, %s", c.flags, code, said)
		}
	}
}
