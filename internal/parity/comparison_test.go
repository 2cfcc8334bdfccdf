package parity_test

import (
	"bytes"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// api is what a package exports: "Dial", "Config", "Config.Rand", "Conn.Read", "VersionTLS12", each
// with its type as the source spells it, without the names of parameters. Types that are another
// package's by an alias, and their members, are spelled "= tls.X".
type api map[string]string

func exported(t *testing.T, dir string) api {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v", dir, err)
	}
	a, fset := api{}, token.NewFileSet()
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			a.declare(d)
		}
	}
	return a
}

func (a api) declare(d ast.Decl) {
	if f, ok := d.(*ast.FuncDecl); ok {
		name := f.Name.Name
		if f.Recv != nil {
			recv := strings.TrimPrefix(spell(f.Recv.List[0].Type), "*")
			name = recv + "." + name
		}
		a.put(name, spell(f.Type))
		return
	}
	g := d.(*ast.GenDecl)
	for _, s := range g.Specs {
		switch s := s.(type) {
		case *ast.ValueSpec:
			for i, n := range s.Names {
				value := "const"
				if i < len(s.Values) {
					value = spell(s.Values[i])
				}
				a.put(n.Name, value)
			}
		case *ast.TypeSpec:
			a.declareType(s)
		}
	}
}

func (a api) declareType(s *ast.TypeSpec) {
	if s.Assign.IsValid() {
		a.put(s.Name.Name, "= "+spell(s.Type))
		return
	}
	a.put(s.Name.Name, "type")
	var members *ast.FieldList
	switch t := s.Type.(type) {
	case *ast.StructType:
		members = t.Fields
	case *ast.InterfaceType:
		members = t.Methods
	default:
		return
	}
	for _, f := range members.List {
		for _, n := range f.Names {
			if n.IsExported() {
				a.put(s.Name.Name+"."+n.Name, spell(f.Type))
			}
		}
	}
}

// put keeps what everybody can reach.
func (a api) put(name, typ string) {
	for part := range strings.SplitSeq(name, ".") {
		if !ast.IsExported(part) {
			return
		}
	}
	a[name] = typ
}

var qualified = regexp.MustCompile(`\btls\.(\w+)`)

// unqualify drops the qualifier where the name stands for crypto/tls's here as well.
func (a api) unqualify(typ string) string {
	return qualified.ReplaceAllStringFunc(typ, func(q string) string {
		if n := strings.TrimPrefix(q, "tls."); a[n] == "= "+q || a[n] == q {
			return n
		}
		return q
	})
}

// spell writes a type without parameters' names.
func spell(e ast.Node) string {
	ast.Inspect(e, func(n ast.Node) bool {
		f, ok := n.(*ast.FuncType)
		if !ok {
			return true
		}
		for _, list := range []*ast.FieldList{f.Params, f.Results} {
			if list == nil {
				continue
			}
			var flat []*ast.Field
			for _, p := range list.List {
				for range max(1, len(p.Names)) {
					flat = append(flat, &ast.Field{Type: p.Type})
				}
			}
			list.List = flat
		}
		return true
	})
	var b bytes.Buffer
	if err := format.Node(&b, token.NewFileSet(), e); err != nil {
		panic(err)
	}
	return b.String()
}

// verdicts reads the tables of docs/from-crypto-tls.md: what the first cell names in code, the
// second cell judges.
func verdicts(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/from-crypto-tls.md")
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	code := regexp.MustCompile("`([^`]+)`")
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		for _, name := range code.FindAllStringSubmatch(cells[1], -1) {
			if said[name[1]] != "" {
				t.Errorf("%s has two verdicts", name[1])
			}
			said[name[1]] = strings.TrimSpace(cells[2])
		}
	}
	return said
}

// docs/from-crypto-tls.md says of every name of crypto/tls what became of it here, and is held to
// it.
func TestTheComparisonWithCryptoTLSIsTrue(t *testing.T) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Skip("go is not here: its source is what is compared")
	}
	theirs, ours,
		said := exported(t, filepath.Join(strings.TrimSpace(string(root)), "src/crypto/tls")),
		exported(t, "../.."), verdicts(t)
	count := map[string]int{}
	for name, typ := range theirs {
		owner, _, member := strings.Cut(name, ".")
		if member && (said[owner] == "absent" || strings.HasPrefix(ours[owner], "= ")) {
			count["with their type"]++
			continue
		}
		mine, exists := ours[name]
		mine = ours.unqualify(mine)
		verdict := said[name]
		count[verdict]++
		switch verdict {
		case "same":
			// a constant may also be another of theirs that has its value
			if alias := "= " + name; !exists ||
				mine != typ && mine != alias && mine != name && theirs[mine] != name {
				t.Errorf("%s: in crypto/tls %q, here %q: not the same", name, typ, mine)
			}
		case "differs":
			if !exists {
				t.Errorf("%s differs, says the document, and does not exist", name)
			}
		case "absent":
			if exists {
				t.Errorf("%s is absent, says the document, and exists", name)
			}
		default:
			t.Errorf("%s has the verdict %q, expected same, differs or absent (crypto/tls: %s; "+
				"here: %s)", name, verdict, typ, mine)
		}
	}
	for name := range said {
		if _, ok := theirs[name]; !ok && said[name] != "new" {
			t.Errorf("the document judges %s, which crypto/tls does not have", name)
		}
		if _, ok := ours[name]; !ok && said[name] == "new" {
			t.Errorf("%s is new, says the document, and does not exist", name)
		}
	}
	for name := range ours {
		owner, _, member := strings.Cut(name, ".")
		if _, known := theirs[name]; !known && said[name] == "" &&
			!(member && said[owner] != "same" && said[owner] != "differs") {
			t.Errorf("%s is new, and the document does not know it", name)
		}
	}
	t.Logf("%d names of crypto/tls: %v", len(theirs), count)
}
