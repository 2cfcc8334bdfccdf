package rules_test

import (
	"go/ast"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// namesDeclared returns every name that the module's sources declare: "Half", "Half.Open",
// "record.Half", "record.Half.Open", and the names of files and folders.
func namesDeclared(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	eachSource(t, func(file string, f *ast.File) {
		for dir := file; dir != "."; dir = path.Dir(dir) {
			names[dir], names[path.Base(dir)] = true, true
		}
		add := func(parts ...string) {
			name := strings.Join(parts, ".")
			names[name], names[f.Name.Name+"."+name] = true, true
			names[parts[len(parts)-1]] = true
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					add(d.Name.Name)
				} else {
					add(receiver(d), d.Name.Name)
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					addSpec(s, add)
				}
			}
		}
	})
	return names
}

// addSpec adds the names of a declaration, and those of the fields and methods of a type.
func addSpec(s ast.Spec, add func(...string)) {
	switch s := s.(type) {
	case *ast.ValueSpec:
		for _, n := range s.Names {
			add(n.Name)
		}
	case *ast.TypeSpec:
		add(s.Name.Name)
		var fields *ast.FieldList
		switch t := s.Type.(type) {
		case *ast.StructType:
			fields = t.Fields
		case *ast.InterfaceType:
			fields = t.Methods
		default:
			return
		}
		for _, field := range fields.List {
			for _, n := range field.Names {
				add(s.Name.Name, n.Name)
			}
		}
	}
}

// receiver returns the name of a method's type.
func receiver(d *ast.FuncDecl) (name string) {
	ast.Inspect(d.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && name == "" {
			name = id.Name
		}
		return name == ""
	})
	return name
}

var (
	quoted     = regexp.MustCompile("`([^`\n]+)`")
	identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$`)
	filePath   = regexp.MustCompile(`^\.?[A-Za-z0-9_./-]*(/|\.(go|md|sh|tsv|txt|mod))$|` +
		`^[a-z0-9_]+(/[a-z0-9_.]+)+$`)
)

// unknownNames returns what a document sets in back quotes as a name of the code or a path and is
// neither. Commands, and words of the protocol, are not looked at.
func unknownNames(text string, names map[string]bool, exists func(string) bool) (list []string) {
	for _, m := range quoted.FindAllStringSubmatch(text, -1) {
		for part := range strings.SplitSeq(m[1], "→") {
			part, _, _ = strings.Cut(strings.TrimSpace(part), "(")
			switch {
			case filePath.MatchString(part):
				if !names[strings.TrimSuffix(part, "/")] && !exists(part) {
					list = append(list, part)
				}
			case identifier.MatchString(part) && !names[part] && !exists(part):
				list = append(list, part)
			}
		}
	}
	return list
}

// What docs/ARCHITECTURE.md names in the code is there, and the lines of a figure that it shows are
// those of the figure.
func TestDocOfArchitectureNamesWhatIsThere(t *testing.T) {
	t.Chdir(root)
	text, err := os.ReadFile("docs/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	exists := func(p string) bool {
		_, err := os.Stat(p)
		found, _ := filepath.Glob("*/" + p)
		return err == nil || len(found) > 0
	}
	for _, name := range unknownNames(string(text), namesDeclared(t), exists) {
		t.Errorf("docs/ARCHITECTURE.md names %s, which is not there", name)
	}
	_, block, _ := strings.Cut(string(text), "```go\n")
	block, _, _ = strings.Cut(block, "```")
	figures, err := os.ReadFile("handshake/figures12.go")
	if err != nil {
		t.Fatal(err)
	}
	spaces := regexp.MustCompile(`\s+`)
	all, lines := spaces.ReplaceAllString(string(figures), " "), 0
	for line := range strings.Lines(block) {
		if line = strings.TrimSpace(spaces.ReplaceAllString(line, " ")); line != "" {
			if lines++; !strings.Contains(all, line) {
				t.Errorf("docs/ARCHITECTURE.md shows a line that no figure has: %s", line)
			}
		}
	}
	if lines < 2 {
		t.Errorf("docs/ARCHITECTURE.md shows %d lines of a figure", lines)
	}
}

// A name or a path that is not there is noticed in each form.
func TestDocNamesThatAreNotThereAreNoticed(t *testing.T) {
	t.Chdir(root)
	names := namesDeclared(t)
	exists := func(string) bool { return false }
	for _, wrong := range []string{"`record/hlf.go`", "`record.Hlf`", "`Half.Opn`", "`PRF.Mastr`",
		"`PRF.Master → Master.KeyBlck`", "`spine13.go`", "`nowhere/`"} {
		if len(unknownNames("see "+wrong, names, exists)) != 1 {
			t.Errorf("%s was not noticed", wrong)
		}
	}
	for _, right := range []string{"`record/half.go`", "`record.Half`", "`Half.Open`",
		"`PRF.Master → Master.KeyBlock`", "`half.go`", "`go list -deps .`", "`keys/`",
		"`Block.Of(side)`"} {
		if got := unknownNames("see "+right, names, exists); got != nil {
			t.Errorf("%s: %q", right, got)
		}
	}
}
