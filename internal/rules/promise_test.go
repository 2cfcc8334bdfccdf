package rules_test

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whoever reads a package's documentation learns whether its names will stay. What is below
// internal or is a command needs no sentence, and the root is the API.
func TestEachPackageSaysWhatItPromises(t *testing.T) {
	t.Chdir(root)
	promises := []string{
		"It is part of Vitrine's API.",
		"It has no compatibility promise, except for what Vitrine's API refers to.",
	}
	said := map[string]int{}
	for folder := range importsHere(t) {
		if folder == "." || strings.HasPrefix(folder, "internal/") ||
			strings.HasPrefix(folder, "cmd/") {
			continue
		}
		doc := packageDoc(t, folder)
		if doc == "" {
			t.Errorf("%s has no package comment", folder)
			continue
		}
		found := 0
		for _, p := range promises {
			if strings.HasSuffix(strings.TrimSpace(doc), p) {
				said[p]++
				found++
			}
		}
		if found != 1 {
			t.Errorf("%s: its package comment does not end with one of %q", folder, promises)
		}
	}
	if said[promises[0]] < 5 || said[promises[1]] < 5 {
		t.Errorf("most packages were not found: %v", said)
	}
}

// packageDoc returns the package comments of a folder, one after the other.
func packageDoc(t *testing.T, folder string) string {
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var doc strings.Builder
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(folder, e.Name()), nil,
			parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if file.Name.Name != "main" { // a generator
			doc.WriteString(file.Doc.Text())
		}
	}
	return doc.String()
}
