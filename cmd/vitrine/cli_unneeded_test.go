package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A password that no key needed is named as such; one that a key needed is not, and a pipe, which
// cannot be read again, may have needed it.
func TestAPasswordThatNobodyNeededIsNamed(t *testing.T) {
	dir := t.TempDir()
	plain, locked := filepath.Join(dir, "plain"), filepath.Join(dir, "locked")
	for _, name := range []string{plain, locked} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	open := func(name string) error {
		if name == locked {
			return errors.New("it is encrypted")
		}
		return nil
	}
	for _, c := range []struct {
		password string
		files    []string
		named    bool
	}{
		{"x", []string{plain}, true}, {"x", nil, true}, {"", []string{plain}, false},
		{"x", []string{locked}, false}, {"x", []string{plain, locked}, false},
		{"x", []string{os.DevNull}, false},
	} {
		var out bytes.Buffer
		if unneeded(&out, c.password, c.files, open); (out.Len() > 0) != c.named {
			t.Errorf("%q for %q: said %q", c.password, c.files, out.String())
		}
	}
}
