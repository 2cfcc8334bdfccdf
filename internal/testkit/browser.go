package testkit

import (
	"os/exec"
	"testing"
)

// Chromium returns the name of a Chromium, or skips the test if none is installed. With -short it
// is the headless shell if there is one: the same engine and the same network stack, which starts
// in a third of the time.
func Chromium(t testing.TB) string {
	t.Helper()
	names := []string{"chromium", "chromium-headless-shell"}
	if testing.Short() {
		names[0], names[1] = names[1], names[0]
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("chromium is not installed: it is in the Debian package of that name")
	return ""
}
