package rules_test

import (
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// orders lists packages whose comment gives an order in which their files can be read, with the
// references that run back up all the same: "file -> later file" and the reason.
var orders = map[string]map[string]string{
	"alert": {},
	"capture": {
		"ethernet.go -> ip.go":  "a frame holds a datagram, and GRE holds frames",
		"ethernet.go -> ppp.go": "PPPoE, and PPP's bridges hold frames",
		"ip.go -> udp.go":       "tunnels over UDP hold datagrams",
		"ppp.go -> ip.go":       "a frame holds a datagram, and PPTP's GRE holds PPP",
	},
	"diagnose": {},
	"engine":   {},
	"explain": {
		"protocol.go -> commands13.go":      "the row of a version has its records' commands",
		"protocol.go -> commands_record.go": "the row of a version has its records' commands",
	},
	"handshake":   {},
	"iana":        {},
	"kex":         {},
	"keylog":      {},
	"keys":        {},
	"message":     {},
	"negotiation": {},
	"observe":     {},
	"pki":         {},
	"playground": {
		"changes.go -> playground.go": "what changed is told by comparing with a run without acts",
		"end.go -> careless.go":       "an end may be a careless one",
		"wire.go -> verdict.go":       "what has happened so far has a verdict",
	},
	"probe":       {},
	"record":      {},
	"render/html": {},
	"render/term": {},
	"session":     {},
	"suite":       {},
	"trace":       {},
	"vhttp":       {},
	"wire":        {},
}

// references returns which file of a package refers to which others, with the names that it takes
// from there: types, functions, methods, fields, constants and variables.
func references(t *testing.T, fset *token.FileSet, dir string, imp types.Importer) (
	files []*ast.File, refs map[[2]string][]string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		used, err := build.Default.MatchFile(dir, filepath.Base(name)) // not what generates others
		if err != nil {
			t.Fatal(err)
		}
		if !used || strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: imp}
	pkg, err := conf.Check(dir, fset, files, info)
	if err != nil {
		t.Fatal(err)
	}
	refs = map[[2]string][]string{}
	for id, o := range info.Uses {
		if o.Pkg() != pkg || !declaredOutside(o, pkg) {
			continue
		}
		from := filepath.Base(fset.Position(id.Pos()).Filename)
		to := filepath.Base(fset.Position(o.Pos()).Filename)
		if from != to && !slices.Contains(refs[[2]string{from, to}], o.Name()) {
			refs[[2]string{from, to}] = append(refs[[2]string{from, to}], o.Name())
		}
	}
	return files, refs
}

// exported returns how to find the export data of what packages import.
func exported(t *testing.T, dirs []string) func(path string) (io.ReadCloser, error) {
	t.Helper()
	args := []string{"list", "-deps", "-export", "-f", "{{.ImportPath}}\t{{.Export}}"}
	for _, dir := range dirs {
		args = append(args, "./"+dir)
	}
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		t.Fatalf("go list -export: %v", err)
	}
	files := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "\t")
		files[path] = file
	}
	return func(path string) (io.ReadCloser, error) { return os.Open(files[path]) }
}

// declaredOutside reports whether o is declared outside of functions.
func declaredOutside(o types.Object, pkg *types.Package) bool {
	switch o := o.(type) {
	case *types.Var:
		return o.IsField() || o.Parent() == pkg.Scope()
	case *types.Func:
		return true
	}
	return o.Parent() == pkg.Scope()
}

// readingOrder returns the files that a package comment names in its indented lines, in order.
func readingOrder(files []*ast.File) (order []string) {
	name := regexp.MustCompile(`\b[a-z0-9_]+\.go\b`)
	for _, f := range files {
		if f.Doc == nil {
			continue
		}
		for line := range strings.Lines(f.Doc.Text()) {
			if strings.HasPrefix(line, "\t") {
				order = append(order, name.FindAllString(line, -1)...)
			}
		}
	}
	return order
}

// backwards returns the references to files that come later in an order.
func backwards(order []string, refs map[[2]string][]string) map[string][]string {
	back := map[string][]string{}
	for pair, names := range refs {
		if slices.Index(order, pair[0]) < slices.Index(order, pair[1]) {
			back[pair[0]+" -> "+pair[1]] = names
		}
	}
	return back
}

// A file of these packages can be read after those it builds on.
func TestFloorFilesCanBeReadInOrder(t *testing.T) {
	t.Chdir(root)
	dirs := slices.Sorted(maps.Keys(orders))
	fset := token.NewFileSet()
	imp := importer.ForCompiler(fset, "gc", exported(t, dirs)) // one, which remembers what it read
	for _, dir := range dirs {
		allowed := orders[dir]
		files, refs := references(t, fset, dir, imp)
		order := readingOrder(files)
		var there []string
		for _, f := range files {
			if name := filepath.Base(fset.Position(f.Pos()).Filename); name != "doc.go" {
				there = append(there, name)
			}
		}
		if sorted := slices.Sorted(slices.Values(order)); !slices.Equal(sorted, there) {
			t.Errorf("%s/doc.go lists\n%q, the files are\n%q", dir, sorted, there)
		}
		back := backwards(order, refs)
		for _, pair := range slices.Sorted(maps.Keys(back)) {
			if allowed[pair] == "" {
				t.Errorf("%s: %s: %q", dir, pair, back[pair])
			}
		}
		for pair := range allowed {
			if back[pair] == nil {
				t.Errorf("%s: %s does not need its place on the list", dir, pair)
			}
		}
		t.Logf("%s: %d references between files, %d of them back", dir, len(refs), len(back))
		if len(refs) < len(order)/2 {
			t.Errorf("%s: only %d references between files were found", dir, len(refs))
		}
	}
}

// A reference that runs back up is noticed.
func TestFloorAReferenceToALaterFileIsNoticed(t *testing.T) {
	t.Chdir(root)
	refs := map[[2]string][]string{{"b.go", "a.go"}: {"A"}, {"a.go", "c.go"}: {"C"}}
	back := backwards([]string{"a.go", "b.go", "c.go"}, refs)
	if len(back) != 1 || back["a.go -> c.go"] == nil {
		t.Errorf("got %q, expected a.go -> c.go", back)
	}
}
