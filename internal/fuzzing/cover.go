package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A block is a line of a cover profile.
type block struct {
	file, function          string
	place                   string // of the block in the file, as the profile has it
	line, statements, count int
}

// merged reads a cover profile: a block may stand there more than once.
func merged(profile string) (all []block) {
	at := map[string]int{}
	for line := range strings.Lines(profile) {
		where, rest, ok := strings.Cut(strings.TrimSpace(line), " ")
		file, place, found := strings.Cut(where, ":")
		if !ok || !found || file == "mode" {
			continue
		}
		b := block{file: file, place: place}
		first, _, _ := strings.Cut(place, ".")
		statements, count, _ := strings.Cut(rest, " ")
		b.line, _ = strconv.Atoi(first)
		b.statements, _ = strconv.Atoi(statements)
		b.count, _ = strconv.Atoi(count)
		if i, ok := at[where]; ok {
			all[i].count += b.count
			continue
		}
		at[where] = len(all)
		all = append(all, b)
	}
	return all
}

// A span is a function's lines.
type span struct {
	name        string
	first, last int
}

// spans are the functions of a package, by file.
type spans map[string][]span

// at returns the name of the function at a line.
func (s spans) at(file string, line int) string {
	for _, f := range s[filepath.Base(file)] {
		if f.first <= line && line <= f.last {
			return f.name
		}
	}
	return ""
}

// declarations returns the functions of a package.
func declarations(folder string) (spans, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	all, files := spans{}, token.NewFileSet()
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(files, filepath.Join(folder, e.Name()), nil, 0)
		if err != nil {
			return nil, err
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				all[e.Name()] = append(all[e.Name()], span{fn.Name.Name,
					files.Position(fn.Pos()).Line, files.Position(fn.End()).Line})
			}
		}
	}
	return all, nil
}
