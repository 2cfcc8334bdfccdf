package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every fuzz target of the source is in the list and in docs/fuzzing.md, and the other way round.
func TestEveryTargetIsListed(t *testing.T) {
	page, err := os.ReadFile("../../docs/fuzzing.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, target := range targets {
		listed[target.key()] = true
		if !strings.Contains(string(page), "| `"+target.pkg+"` | `"+target.name+"` |") {
			t.Errorf("%s is not in docs/fuzzing.md: go run ./internal/fuzzing", target.key())
		}
	}
	declared := regexp.MustCompile(`(?m)^func (Fuzz\w+)\(f \*testing\.F\)`)
	err = filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range declared.FindAllStringSubmatch(string(b), -1) {
			folder, err := filepath.Rel("../..", filepath.Dir(path))
			if err != nil {
				return err
			}
			key := filepath.ToSlash(folder) + " " + m[1]
			if !listed[key] {
				t.Errorf("%s is not in targets.go", key)
			}
			delete(listed, key)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for key := range listed {
		t.Errorf("%s is in targets.go alone", key)
	}
}
