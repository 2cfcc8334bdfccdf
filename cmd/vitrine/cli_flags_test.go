package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/observe"
)

// Whatever secret package observe says is missing has a flag, and decrypt has that flag.
func TestEveryNeedHasAFlag(t *testing.T) {
	flags := newDecrypt().Flags()
	for _, n := range observe.Needs() {
		name, _, _ := strings.Cut(strings.TrimPrefix(needFlags[n], "--"), " ")
		if flags.Lookup(name) == nil {
			t.Errorf("%s: there is no flag %q", n, needFlags[n])
		}
	}
}

// The libraries below the command do not know its flags.
func TestLibrariesNameNoFlags(t *testing.T) {
	flag := regexp.MustCompile(`--[a-z]`)
	for _, dir := range []string{"observe", "diagnose", "capture", "keylog"} {
		files, err := filepath.Glob(filepath.Join(testkit.Root(), dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", dir, len(files), err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if s, ok := n.(*ast.BasicLit); ok && s.Kind == token.STRING &&
					flag.MatchString(s.Value) {
					t.Errorf("%s/%s: %s", dir, filepath.Base(name), s.Value)
				}
				return true
			})
		}
	}
}
