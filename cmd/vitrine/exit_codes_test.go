package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
)

// exitConstants returns the exit codes that exit_codes.go declares, by name.
func exitConstants(t *testing.T) map[string]int {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "exit_codes.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]int{}
	for _, decl := range file.Decls {
		block, ok := decl.(*ast.GenDecl)
		if !ok || block.Tok != token.CONST {
			continue
		}
		for _, spec := range block.Specs {
			s := spec.(*ast.ValueSpec)
			code, err := strconv.Atoi(s.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			codes[s.Names[0].Name] = code
		}
	}
	return codes
}

func TestEveryExitCodeIsDocumented(t *testing.T) {
	rows := map[int]bool{}
	_, all, _ := command(t, "help", "exit-codes")
	_, connect, _ := command(t, "connect", "--help")
	connect = strings.Join(strings.Fields(connect), " ")
	for _, row := range exitCodes {
		rows[row.code] = true
		if !strings.Contains(all, " "+strconv.Itoa(row.code)+"  ") {
			t.Errorf("vitrine help exit-codes has no %d:\n%s", row.code, all)
		}
		want := row.command == "" || row.command == "connect"
		if got := strings.Contains(connect, strconv.Itoa(row.code)+" "+row.meaning); got != want {
			t.Errorf("vitrine connect --help tells %d: %v, expected %v", row.code, got, want)
		}
	}
	for name, code := range exitConstants(t) {
		if !rows[code] {
			t.Errorf("%s = %d has no row in exitCodes", name, code)
		}
	}
}
