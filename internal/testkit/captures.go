package testkit

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// Captures returns the cases of the index of captures and their folder: shared/captures beside the
// project or, if that is missing, testdata/captures. The former has all cases of the latter, and
// some that their licence keeps out of it.
func Captures[T any](t testing.TB) (dir string, cases []T) {
	t.Helper()
	for _, dir := range []string{filepath.Join(Root(), "..", "shared", "captures"),
		filepath.Join(Root(), "testdata", "captures")} {
		text, err := os.ReadFile(filepath.Join(dir, "index.json"))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		var index struct{ Cases []T }
		if err := json.Unmarshal(text, &index); err != nil {
			t.Fatal(err)
		}
		if len(index.Cases) > 0 {
			return dir, index.Cases
		}
	}
	t.Fatal("there are no captures")
	return "", nil
}
