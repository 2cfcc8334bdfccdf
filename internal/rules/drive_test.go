package rules_test

import (
	"go/ast"
	"testing"
)

// One loop drives an engine, for sockets, for QUIC and for the playground (engine/drive.go): it
// advances the handshake, and does what a step waits for. Who carries bytes is its Transport.
func TestOneLoopDrivesAnEngine(t *testing.T) {
	t.Chdir(root)
	used := map[string]int{}
	eachSource(t, func(file string, f *ast.File) {
		ast.Inspect(f, func(n ast.Node) bool {
			if what := drives(n); what != "" {
				used[file+" "+what]++
			}
			return true
		})
	})
	compare(t, "drives an engine, or does what it waits for", used, map[string]string{
		"engine/drive.go Advance":       "the loop",
		"engine/drive.go Do":            "the loop",
		"engine/quic.go Advance":        "a step of the loop",
		"playground/end.go Advance":     "a step of the loop, with the program above it",
		"conn_answer.go SealReplies":    "what the Transport of a socket sends",
		"playground/end.go SealReplies": "what the Transport of the playground sends",
	})
}

// drives returns the name of the method that drives an engine, if n calls one.
func drives(n ast.Node) string {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return ""
	}
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	x, _ := f.X.(*ast.Ident)
	switch {
	case f.Sel.Name == "Advance", f.Sel.Name == "SealReplies",
		f.Sel.Name == "Do" && x != nil && x.Name == "pending":
		return f.Sel.Name
	}
	return ""
}
