package testkit

import (
	"os/exec"
	"testing"
)

// Chromium returns the path of a Chromium, or skips the test if none is installed. With -short it
// is the headless shell if there is one.
func Chromium(t testing.TB) string {
	t.Helper()
	path := FindChromium(testing.Short())
	if path == "" {
		t.Skip("chromium is not installed: it is in the Debian package of that name")
	}
	return path
}

// FindChromium returns the path of Chromium, or of its headless shell, whichever is installed, or
// "". The shell is the same engine and the same network stack without the rest of the browser, and
// starts in a third of the time.
func FindChromium(shellFirst bool) string {
	names := []string{"chromium", "chromium-headless-shell"}
	if shellFirst {
		names[0], names[1] = names[1], names[0]
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}
