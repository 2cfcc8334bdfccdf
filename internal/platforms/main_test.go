package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A problem that only one platform has is found there, in a test as well, and nowhere else: what is
// no valid Go, and what go vet finds.
func TestAProblemOfOnePlatformIsFoundThere(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.com/m\n\ngo 1.24\n",
		"m.go":   "package m\n\nimport \"os\"\n\nvar Name = os.DevNull\n",
		"m_windows_test.go": "package m\n\nimport (\n\t\"syscall\"\n\t\"testing\"\n)\n\n" +
			"func TestUsage(t *testing.T) { syscall.Getrusage(0, nil) }\n",
		"x/x_test.go": "package x_test\n\nimport \"example.com/m\"\n\nconst big int = 1 << 40\n\n" +
			"var _ = m.Name\n",
		"x/x.go": "package x\n",
		"m_darwin.go": "package m\n\nimport \"fmt\"\n\n" +
			"func Logf(format string, args ...any) { fmt.Printf(format, args...) }\n",
		"x/x_darwin_test.go": "package x_test\n\nimport \"example.com/m\"\n\n" +
			"func log() { m.Logf(\"%d\", \"word\") }\n",
	} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	for _, c := range []struct {
		goos, goarch string
		packages     int
		problem      string // or none
	}{
		{"windows", "amd64", 4, "undefined: syscall.Getrusage"},
		{"linux", "386", 3, "(overflows)"},
		{"darwin", "arm64", 3, "wrong type string"},
		{"js", "wasm", 3, ""},
	} {
		n, problems := check(c.goos, c.goarch)
		if n != c.packages {
			t.Errorf("%s/%s: %d packages, want %d", c.goos, c.goarch, n, c.packages)
		}
		switch {
		case c.problem == "" && problems != nil:
			t.Errorf("%s/%s: %v", c.goos, c.goarch, problems)
		case c.problem != "" &&
			(len(problems) != 1 || !strings.Contains(problems[0].Error(), c.problem)):
			t.Errorf("%s/%s: got %v, want %q", c.goos, c.goarch, problems, c.problem)
		}
	}
}
