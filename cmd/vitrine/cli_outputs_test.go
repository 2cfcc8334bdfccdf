package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// writes matches the usage of a flag that names what is written.
var writes = regexp.MustCompile(
	`\b(?:write|append|keep)\b[^;.]* (?:to|in) (?:this|files in this) ` +
		`(file|folder)`,
)

// For each flag that names what a command writes, a place where nothing can be written is refused
// before any work: no line is printed, and no server is asked.
func TestWhatCannotBeWrittenIsRefusedBeforeTheWork(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	places := []string{filepath.Join(file, "x")}
	if _, err := os.Stat("/proc/self"); err == nil {
		places = append(places, "/proc/x") // where root cannot write either
	}
	args := map[string][]string{"connect": {"localhost:1"}, "decrypt": {file}, "explain": {file},
		"probe": {"localhost:1"}}
	flags := 0
	each(newRoot(), func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			m, kind := writes.FindStringSubmatch(f.Usage), outputOf(cmd, f.Name)
			if (m != nil) != (kind != noOutput) ||
				m != nil && (m[1] == "folder") != (kind == intoFolder) {
				t.Errorf("%s --%s: %q, and it is listed as %d", cmd.Name(), f.Name, f.Usage, kind)
			}
			if kind == noOutput {
				return
			}
			flags++
			missing := filepath.Join(t.TempDir(), "none", "x")
			for _, place := range append(places, missing) {
				if place == missing && kind == intoFolder {
					continue // is made
				}
				code, stdout, stderr := command(
					t,
					append(append(strings.Fields(cmd.CommandPath())[1:],
						args[cmd.Name()]...), "--"+f.Name, place)...)
				if code != exitUsage || stdout != "" || !strings.Contains(stderr, "--"+f.Name) ||
					!strings.Contains(stderr, "the folder ") || !strings.Contains(stderr, "try:") {
					t.Errorf("%s --%s %s: exit code %d, %q %s", cmd.Name(), f.Name, place, code,
						stdout, stderr)
				}
			}
		})
	})
	if flags < 20 {
		t.Errorf("%d flags that write", flags)
	}
}

// each calls f with a command and all below it.
func each(cmd *cobra.Command, f func(*cobra.Command)) {
	f(cmd)
	for _, c := range cmd.Commands() {
		each(c, f)
	}
}
