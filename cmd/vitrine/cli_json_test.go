package main

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"github.com/vitrine-tls/vitrine/internal/hostile"
)

// Whatever a peer sends, a line of --json has no control characters and no markup, and a program
// reads the value that was sent.
func TestJSONIsPrintable(t *testing.T) {
	for _, text := range []string{hostile.Text, "\u0080\u009b31m", "\x7f",
		"a\u202eb\u2066c\u2069\u200e\u200f\u061c", "\U000e0041\U0001f600", "\u2028\ufeff", "\r\n\t",
		"\xff\xc3"} {
		for _, row := range []any{
			&jsonRow{ServerName: text, ALPN: text, Detail: text},
			visit{Name: text, Client: text, Error: text, Cause: text},
			&report{Trust: text, Remarks: []string{text}},
		} {
			var out bytes.Buffer
			if err := writeJSON(&out, row); err != nil {
				t.Fatal(err)
			}
			line, ends := strings.CutSuffix(out.String(), "\n")
			i := strings.IndexFunc(line, func(r rune) bool {
				return !unicode.IsPrint(r) || strings.ContainsRune("<>&", r)
			})
			if i >= 0 || !ends {
				t.Errorf("%T of %+q: %+q at %d", row, text, line, i)
			}
			plain, err := json.Marshal(row)
			if err != nil {
				t.Fatal(err)
			}
			var got, want any
			if err := json.Unmarshal(out.Bytes(), &got); err != nil {
				t.Errorf("%T of %+q: %v", row, text, err)
			}
			if json.Unmarshal(plain, &want); !reflect.DeepEqual(got, want) {
				t.Errorf("%T of %+q: read back as %v, expected %v", row, text, got, want)
			}
		}
	}
}

// uses returns the places of this package, tests left out, that name one of the functions.
func uses(t *testing.T, names ...string) (places []string) {
	t.Helper()
	set := token.NewFileSet()
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range files {
		if name := entry.Name(); !strings.HasSuffix(name, ".go") ||
			strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, entry.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				for _, name := range names {
					if x, ok := s.X.(*ast.Ident); ok && x.Name+"."+s.Sel.Name == name {
						places = append(places, entry.Name()+": "+name)
					}
				}
			}
			return true
		})
	}
	return places
}

// There is one way to write JSON, so that none of the commands forgets what JSON does not escape.
func TestAllJSONIsWrittenInOnePlace(t *testing.T) {
	places := uses(t, "json.NewEncoder", "json.Marshal", "json.MarshalIndent")
	if len(places) != 1 || places[0] != "cli_json.go: json.Marshal" {
		t.Errorf("%v", places)
	}
}
