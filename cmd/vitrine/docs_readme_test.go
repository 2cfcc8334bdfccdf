package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitrine-tls/vitrine/internal/testkit"
)

var (
	escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")
	shown   = regexp.MustCompile("(?s)<!-- screen: vitrine ([^\n]*) -->\n```text\n(.*?)```\n<!-- " +
		"/screen -->")
)

// The README shows what the command prints on a terminal, without its colours.
func TestTheScreensOfTheREADMEAreCurrent(t *testing.T) {
	path := filepath.Join(testkit.Root(), "README.md")
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	got := shown.ReplaceAllStringFunc(string(kept), func(block string) string {
		n++
		args := shown.FindStringSubmatch(block)[1]
		code, stdout, stderr := command(t, append(strings.Fields(args), "--color=always")...)
		if code != exitOK {
			t.Fatalf("vitrine %s: exit code %d: %s", args, code, stderr)
		}
		return "<!-- screen: vitrine " + args + " -->\n```text\n" +
			escapes.ReplaceAllString(stdout, "") + "```\n<!-- /screen -->"
	})
	if n == 0 {
		t.Fatal("no screen in README.md")
	}
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if d := cmp.Diff(string(kept), got); d != "" {
		t.Errorf("README.md does not show what this build prints; go test ./cmd/vitrine -update "+
			"writes it anew:\n%s", d)
	}
}
