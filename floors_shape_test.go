package vitrine_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

// What an import does not show: who asks what. Each rule has a list of the files that may break it,
// with the reason; a file that no longer does must leave the list.

// eachSource parses each Go file of this module but tests.
func eachSource(t *testing.T, do func(file string, f *ast.File)) {
	t.Helper()
	eachFile(t, ".go", func(file string, text []byte) {
		if strings.HasSuffix(file, "_test.go") {
			return
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		do(file, f)
	})
}

// compare complains about each file that is not allowed to do what it does, and about each that is
// allowed to and does not.
func compare(t *testing.T, what string, did map[string]int, allowed map[string]string) {
	t.Helper()
	for _, file := range slices.Sorted(maps.Keys(did)) {
		if allowed[file] == "" {
			t.Errorf("%s %s, %d times", file, what, did[file])
		}
	}
	for _, file := range slices.Sorted(maps.Keys(allowed)) {
		if did[file] == 0 {
			t.Errorf("%s does not need its place on the list of what %s", file, what)
		}
	}
}

// exchangers make an agreement of a suite. The columns themselves are not exported.
var exchangers = map[string]string{
	"negotiation/agree.go":    "the agreement",
	"negotiation/choose.go":   "a server's choice, before there is an agreement",
	"explain/derive.go":       "an exercise has no hellos: its agreement is what its author wrote",
	"probe/answer.go":         "a probe reads answers without an agreement",
	"internal/script/peer.go": "a scripted peer speaks without an agreement",
}

// A suite of TLS 1.3 has no key exchange, so whoever took it from the suite would be wrong: it is a
// fact of the agreement. What else the columns tell is a question with a name: see
// suite/exchange.go.
func TestFloorNobodyAboveSuiteReadsItsKeyExchange(t *testing.T) {
	did := map[string]int{}
	eachSource(t, func(file string, f *ast.File) {
		if path.Dir(file) == "suite" {
			return
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) > 0 {
				return true
			}
			if s, ok := call.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "KeyExchange" {
				did[file]++
			}
			return true
		})
	})
	compare(t, "reads a suite's key exchange", did, exchangers)
}
