package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitrine-tls/vitrine/internal/testkit"
)

var (
	commands = regexp.MustCompile("(?s)\n```sh\n(.*?)```\n")
	printed  = regexp.MustCompile("(?s)^\n```text\n(.*?)```\n")
)

// The commands of docs/tutorial.md are run in one shell, as a reader would, and print what the page
// says.
func TestTheTutorialIsTrue(t *testing.T) {
	for _, tool := range []string{"sh", "openssl", "xxd"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the tutorial was not run: %s is not there: install the Debian package of "+
				"that name", tool)
		}
	}
	path := filepath.Join(testkit.Root(), "docs", "tutorial.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	doc := string(text)
	const mark = "\x01next\n"
	script := "set -e\n"
	blocks := commands.FindAllStringSubmatchIndex(doc, -1)
	for _, b := range blocks {
		script += doc[b[2]:b[3]] + "printf '\\001next\\n'\n"
	}
	sh := exec.Command("sh", "-c", script)
	sh.Dir = t.TempDir()
	out, err := sh.Output()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, err.(*exec.ExitError).Stderr, out)
	}
	outputs := strings.Split(string(out), mark)
	compared := 0
	for i := len(blocks) - 1; i >= 0; i-- { // from the end, so that places stay what they are
		end := blocks[i][1]
		got := strings.ReplaceAll(outputs[i], "\r\n", "\n")
		if got != "" && !strings.HasSuffix(got, "\n") {
			got += "\n"
		}
		shown := printed.FindStringSubmatchIndex(doc[end:])
		if shown == nil {
			if got != "" {
				t.Errorf("block %d prints %q, and the page does not show it", i+1, got)
			}
			continue
		}
		compared++
		doc = doc[:end+shown[2]] + got + doc[end+shown[3]:]
	}
	if compared < 10 {
		t.Errorf("%d outputs compared, expected 10 or more", compared)
	}
	if *update {
		if err := os.WriteFile(path, []byte(doc), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if d := cmp.Diff(string(text), doc); d != "" {
		t.Errorf("docs/tutorial.md does not show what its commands print; go test ./cmd/vitrine "+
			"-update writes it anew:\n%s", d)
	}
	t.Logf("%d blocks of commands, %d outputs compared", len(blocks), compared)
}
