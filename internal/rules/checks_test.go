package rules_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A check is a place in the code where a peer is refused: alert.Fail and its like.
type check struct {
	place string // package and function
	alert string // "IllegalParameter", or the expression
	says  string // the format of the reason
	ref   string // the section, or "" if it is not a constant
}

func (c check) key() string { return c.place + "\t" + c.alert + "\t" + c.says }

// checksHere returns the checks in this tree, without those whose alert is internal_error, which is
// no fault of the peer.
func checksHere(t *testing.T) (all []check) {
	t.Helper()
	eachFile(t, ".go", func(file string, text []byte) {
		if strings.HasSuffix(file, "_test.go") || strings.HasPrefix(file, "internal/") ||
			path.Dir(file) == "alert" {
			return
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		shared := map[string]string{}
		for _, d := range f.Decls {
			if g, ok := d.(*ast.GenDecl); ok {
				maps.Copy(shared, constants(g))
			}
		}
		for _, d := range f.Decls {
			name, names := "var", shared
			if fn, ok := d.(*ast.FuncDecl); ok {
				name, names = fn.Name.Name, maps.Clone(shared)
				maps.Copy(names, constants(fn))
			}
			ast.Inspect(d, func(n ast.Node) bool {
				if c, ok := checkAt(n, names); ok && c.alert != "InternalError" {
					c.place = path.Dir(file) + "." + name
					all = append(all, c)
				}
				return true
			})
		}
	})
	return all
}

// constants returns the strings that names declared in a node stand for.
func constants(f ast.Node) map[string]string {
	names := map[string]string{}
	ast.Inspect(f, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			for i, name := range v.Names {
				if i < len(v.Values) {
					if s := literal(v.Values[i], nil); s != "" {
						names[name.Name] = s
					}
				}
			}
		}
		return true
	})
	return names
}

// literal returns the string that an expression stands for, or "".
func literal(e ast.Expr, names map[string]string) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		s, _ := strconv.Unquote(e.Value)
		return s
	case *ast.BinaryExpr:
		return literal(e.X, names) + literal(e.Y, names)
	case *ast.Ident:
		return names[e.Name]
	}
	return ""
}

func checkAt(n ast.Node, names map[string]string) (c check, ok bool) {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return c, false
	}
	fun, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || fun.Sel.Name != "Fail" || len(call.Args) < 3 {
		return c, false
	}
	c.alert = "(computed)"
	if s, ok := call.Args[0].(*ast.SelectorExpr); ok {
		c.alert = s.Sel.Name
	}
	c.ref, c.says = literal(call.Args[1], names), literal(call.Args[2], names)
	return c, true
}

// testdata/rfc/checks.tsv is a reviewed table: each check with the section that it cites up to TLS
// 1.2 and in TLS 1.3, or "-" where that version does not have it. The code cites
// both if they differ; a section that depends on the message is "(computed)" there.
func TestEveryCheckCitesItsSection(t *testing.T) {
	t.Chdir(root)
	text, err := os.ReadFile("testdata/rfc/checks.tsv")
	if err != nil {
		t.Fatal(err)
	}
	sections := knownSections(t)
	rows := map[string][2]string{}
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if line[0] == '#' {
			continue
		}
		if len(f) != 5 {
			t.Fatalf("%d columns, expected 5: %q", len(f), line)
		}
		rows[strings.Join(f[:3], "\t")] = [2]string{f[3], f[4]}
		for _, ref := range f[3:] {
			if ref != "-" && ref != "(computed)" && !cited(sections, ref) {
				t.Errorf("%s: there is no %s", f[0], ref)
			}
		}
	}
	used := map[string]bool{}
	for _, c := range checksHere(t) {
		row, ok := rows[c.key()]
		used[c.key()] = true
		want := row[0] + ", " + row[1]
		for i := range row {
			if row[i] == "-" || row[0] == row[1] {
				want = row[1-i] // the other
			}
		}
		if c.ref == "" {
			c.ref = "(computed)"
		}
		switch {
		case !ok:
			t.Errorf("testdata/rfc/checks.tsv has no row for\n%s\t%s", c.key(), c.ref)
		case c.ref != want:
			t.Errorf("%s cites %s, expected %s", c.key(), c.ref, want)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		if !used[key] {
			t.Errorf("testdata/rfc/checks.tsv has a row too many: %s", key)
		}
	}
	t.Logf("%d checks", len(used))
}

// cited reports whether a reference such as "RFC 5246 §7.4.3" names a section that exists. Of an
// RFC as a whole nothing is checked.
func cited(sections map[string][]string, ref string) bool {
	number, section, whole := strings.Cut(strings.TrimPrefix(ref, "RFC "), " §")
	return !whole || slices.Contains(sections[number], section)
}

// knownSections returns the sections of each RFC, from testdata/rfc/sections.txt.
func knownSections(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("testdata/rfc/sections.txt")
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		if number, list, ok := strings.Cut(strings.TrimSpace(line), ": "); ok {
			sections[number] = strings.Fields(list)
		}
	}
	return sections
}

// misworded returns what is wrong with the text of a check, or "". Errors read as those of the
// standard library do; one with an expectation tells what was received before it.
func misworded(text string) string {
	first, _, _ := strings.Cut(text, " ")
	switch {
	case text == "" || strings.HasPrefix(first, "%"):
		return ""
	case strings.ContainsAny(text[len(text)-1:], ".!:\n"):
		return "ends with punctuation"
	case first[0] >= 'A' && first[0] <= 'Z' && first == first[:1]+strings.ToLower(first[1:]):
		return "begins with a capital letter"
	case strings.Contains(text, ", expected") && (first == "a" || first == "an"):
		return "does not begin with \"got\""
	}
	return ""
}

func TestFloorChecksAreWordedAlike(t *testing.T) {
	t.Chdir(root)
	for _, c := range checksHere(t) {
		if wrong := misworded(c.says); wrong != "" {
			t.Errorf("%s: %q %s", c.place, c.says, wrong)
		}
	}
	for _, text := range []string{"Got a record", "got a record.",
		"an alert of 3 bytes, expected 2"} {
		if misworded(text) == "" {
			t.Errorf("nothing is found wrong with %q", text)
		}
	}
}
