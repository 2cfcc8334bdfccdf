package rules_test

import (
	"go/ast"
	"path"
	"slices"
	"strings"
	"testing"
)

// The careless twins of a server, which answer padding oracles, are the playground's own. The
// library can neither send the alert that tells wrong padding from a wrong MAC, nor open a
// ClientKeyExchange in a way that fails: RFC 5246 §7.2.2 and §7.4.7.1.
func TestTheLibraryHasNoCarelessTwin(t *testing.T) {
	t.Chdir(root)
	used := map[string]int{}
	eachSource(t, func(file string, f *ast.File) {
		dir := path.Dir(file)
		if floors[dir] > library {
			return
		}
		ast.Inspect(f, func(n ast.Node) bool {
			for _, what := range careless(n) {
				used[file+" "+what]++
			}
			return true
		})
	})
	compare(t, "has what a careless twin needs", used, map[string]string{
		"alert/alert.go DecryptionFailed": "the alert and its name",
	})
}

// careless returns what of a node a careless twin would need.
func careless(n ast.Node) (list []string) {
	name := ""
	switch n := n.(type) {
	case *ast.SelectorExpr:
		name = n.Sel.Name
	case *ast.Ident:
		name = n.Name
	}
	if slices.Contains([]string{"DecryptionFailed", "DecryptPKCS1v15"}, name) ||
		strings.Contains(strings.ToLower(name), "oracle") {
		list = append(list, name)
	}
	return list
}
