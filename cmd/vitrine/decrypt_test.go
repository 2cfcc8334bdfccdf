package main

import (
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// Each script is a story of somebody with a capture. $CAPTURES is where they are.
func TestStoriesOfCaptures(t *testing.T) {
	captures, err := filepath.Abs(filepath.Join(testkit.Root(), "testdata", "captures"))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/decrypt",
		Setup: func(e *testscript.Env) error {
			e.Setenv("CAPTURES", captures)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exitcode": exitCode},
	})
}
