package rules_test

import (
	"go/parser"
	"go/token"
	"regexp"
	"strings"
	"testing"
)

// How the code reads: comments have the words of the RFCs and of Go's standard library, and lines
// end by column 100.

// dialect has words that once meant several things each in this project's comments, with what to
// write instead.
var dialect = map[string]string{
	"said":    "a message is sent or received, a value is given or reported",
	"heard":   "a message is received",
	"hears":   "a message is received",
	"settle":  "parameters are negotiated, extensions applied, a choice is made",
	"settled": "parameters are negotiated, extensions applied, a choice is made",
	"settles": "parameters are negotiated, extensions applied, a choice is made",
	"recall":  "a session is resumed, its peer restored",
	"recalls": "a session is resumed, its peer restored",
}

// dialectIn returns the words of dialect in a comment.
func dialectIn(comment string) (words []string) {
	for _, w := range regexp.MustCompile(`[A-Za-z]+`).FindAllString(comment, -1) {
		if dialect[strings.ToLower(w)] != "" {
			words = append(words, strings.ToLower(w))
		}
	}
	return words
}

func TestFloorCommentsAreInPlainWords(t *testing.T) {
	t.Chdir(root)
	for file, comment := range comments(t) {
		for _, w := range dialectIn(comment) {
			t.Errorf("%s: %q in a comment: write that %s", file, w, dialect[w])
		}
	}
	if got := dialectIn("// Settled, as was said."); len(got) != 2 {
		t.Errorf("found %q in a comment with two words of dialect", got)
	}
}

// comments yields each comment of each file, tests included.
func comments(t *testing.T) func(func(file, comment string) bool) {
	return func(yield func(file, comment string) bool) {
		eachFile(t, ".go", func(file string, text []byte) {
			f, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range f.Comments {
				for _, c := range g.List {
					yield(file, c.Text)
				}
			}
		})
	}
}

const maxColumns = 100

// columns returns the width of a line, with tabs of four columns.
func columns(line string) int {
	n := 0
	for _, r := range line {
		if n++; r == '\t' {
			n += 3 - (n-1)%4
		}
	}
	return n
}

func TestFloorLinesEndByColumn100(t *testing.T) {
	t.Chdir(root)
	eachFile(t, ".go", func(file string, text []byte) {
		if head, _, _ := strings.Cut(string(text), "\npackage "); strings.Contains(head, "DO NOT EDIT") {
			return
		}
		for i, line := range strings.Split(string(text), "\n") {
			if n := columns(line); n > maxColumns {
				t.Errorf("%s:%d: %d columns, expected at most %d", file, i+1, n, maxColumns)
			}
		}
	})
	if columns("\ta\tb") != 9 {
		t.Errorf("columns counts %d, expected 9", columns("\ta\tb"))
	}
}
