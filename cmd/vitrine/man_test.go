package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// There is a manual page for every command, with each of its flags, and groff has no complaint.
func TestEveryCommandHasAManualPage(t *testing.T) {
	dir := t.TempDir()
	if code, _, stderr := command(t, "man", dir); code != exitOK {
		t.Fatal(stderr)
	}
	pages, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	root := newRoot()
	if want := len(commandsOf(root)) + 1; len(pages) != want || want < 12 {
		t.Errorf("%d pages, expected %d", len(pages), want)
	}
	for _, c := range append(commandsOf(root), root) {
		file := filepath.Join(dir, manName(c)+".1")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Error(err)
			continue
		}
		page := string(text)
		for _, want := range []string{".TH ", ".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION",
			".SH OPTIONS", roff(c.Short)} {
			if !strings.Contains(page, want) {
				t.Errorf("%s lacks %s", file, want)
			}
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && !strings.Contains(page, `\fB`+roff("--"+f.Name)+`\fR`) {
				t.Errorf("%s lacks --%s", file, f.Name)
			}
		})
		if groff, err := exec.LookPath("groff"); err == nil {
			out, err := exec.CommandContext(t.Context(), groff, "-man", "-Tutf8", "-ww", "-z",
				file).CombinedOutput()
			if err != nil || len(out) > 0 {
				t.Errorf("%s: %v\n%s", file, err, out)
			}
		}
	}
}

// The page of the whole says how a command is given, and its lines are not joined.
func TestTheManualPageHasItsLines(t *testing.T) {
	page := manPage(newRoot())
	for _, want := range []string{".B vitrine COMMAND [flags]\n",
		".nf\n  vitrine handshake        is where to begin\n" +
			"  vitrine help exit\\-codes  tells what each exit code means\n.fi\n"} {
		if !strings.Contains(page, want) {
			t.Errorf("expected %q in\n%s", want, page)
		}
	}
}

// The script says how it is used, and takes no option for a folder.
func TestTheScriptSaysHowItIsUsed(t *testing.T) {
	for _, c := range []struct {
		arg  string
		code int
	}{{"--help", 0}, {"-h", 0}, {"--nosuch", 2}} {
		cmd := exec.CommandContext(t.Context(), "../../install.sh", c.arg)
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != c.code ||
			!strings.Contains(string(out), "usage: ./install.sh [FOLDER]") {
			t.Errorf(
				"%s: exit code %d, expected %d: %s",
				c.arg,
				cmd.ProcessState.ExitCode(),
				c.code,
				out,
			)
		}
	}
}

// The script that installs the command puts it, its pages and its completion where it was told.
func TestTheScriptInstalls(t *testing.T) {
	if testing.Short() {
		t.Skip("with -short: builds the command")
	}
	prefix := t.TempDir()
	out, err := exec.CommandContext(t.Context(), "../../install.sh", prefix).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"bin/vitrine", "share/man/man1/vitrine.1",
		"share/man/man1/vitrine-handshake.1", "share/bash-completion/completions/vitrine",
		"share/zsh/site-functions/_vitrine", "share/fish/vendor_completions.d/vitrine.fish"} {
		if info, err := os.Stat(filepath.Join(prefix, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	version, err := shell(t, quoted(prefix)+"/bin/vitrine --version")
	if err != nil || !strings.HasPrefix(version, "vitrine ") {
		t.Errorf("%v: %s", err, version)
	}
}
