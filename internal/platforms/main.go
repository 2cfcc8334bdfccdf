// Command platforms checks that everything, tests too, builds and passes go vet on other platforms
// than this machine's: the parser and the type checker read it as it stands there, with the
// standard library and every module that it uses, and go vet's analyzers go over what is here.
// Nothing is compiled or linked: that takes more than ten times as long, and finds little more,
// since no file here is in assembly or uses cgo.
//
//	go run ./internal/platforms windows/amd64 linux/386
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"

	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/analysis/suite/vet"
	"golang.org/x/tools/go/packages"
)

func main() {
	debug.SetMemoryLimit(1 << 30) // one platform's packages are no use to the next
	failed := false
	for _, platform := range os.Args[1:] {
		goos, goarch, _ := strings.Cut(platform, "/")
		n, problems := check(goos, goarch)
		for _, err := range problems {
			fmt.Fprintf(os.Stderr, "%s: %v\n", platform, err)
			failed = true
		}
		if n == 0 {
			fmt.Fprintf(os.Stderr, "%s: no package was checked\n", platform)
			failed = true
		}
		fmt.Printf("   %s: %d packages\n", platform, n)
	}
	if failed || len(os.Args) == 1 {
		os.Exit(1)
	}
}

// listed is what go list prints of a package.
type listed struct {
	ImportPath, Dir, Name   string
	GoFiles, IgnoredGoFiles []string
	Imports                 []string          // as they are found: with ImportMap applied
	ImportMap               map[string]string // from what a file imports, if it differs
	DepOnly, Standard       bool
	Module                  *packages.Module
	Error                   *struct{ Err string }
}

// analyzed reports whether p is a package here, or one with its tests.
func (p *listed) analyzed() bool {
	return !p.DepOnly && !p.Standard && p.Name != "" && !strings.HasSuffix(p.ImportPath, ".test")
}

// maxProblems is how many problems of a platform are told.
const maxProblems = 20

// check checks all packages here for a platform, and returns how many there are, the variants with
// tests counted apart.
func check(goos, goarch string) (n int, problems []error) {
	list := exec.Command("go", "list", "-deps", "-test", "-e",
		"-json=ImportPath,Dir,Name,GoFiles,IgnoredGoFiles,Imports,ImportMap,DepOnly,Standard,"+
			"Module,Error", "./...")
	list.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")
	list.Stderr = os.Stderr
	out, err := list.StdoutPipe()
	if err != nil {
		return 0, []error{err}
	}
	if err := list.Start(); err != nil {
		return 0, []error{err}
	}
	l := &loader{sizes: types.SizesFor("gc", goarch), files: token.NewFileSet(),
		done: map[string]*packages.Package{}}
	l.add(&packages.Package{ID: "unsafe", Types: types.Unsafe})
	for d := json.NewDecoder(out); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			list.Process.Kill()
			list.Wait()
			return n, append(l.problems, err)
		}
		l.load(&p)
		if p.analyzed() {
			n++
		}
	}
	if err := list.Wait(); err != nil {
		l.problems = append(l.problems, err)
	}
	if l.problems == nil { // what is no valid Go cannot be analyzed
		l.vet()
	}
	return n, l.problems
}

// loader type-checks packages in the order of their dependencies, as go list prints them.
type loader struct {
	sizes    types.Sizes
	files    *token.FileSet
	done     map[string]*packages.Package
	here     []*packages.Package // those to analyze
	problems []error
}

func (l *loader) add(p *packages.Package) {
	p.Fset, p.TypesSizes = l.files, l.sizes
	l.done[p.ID] = p
}

func (l *loader) load(p *listed) {
	if p.Error != nil {
		l.fail(fmt.Errorf("%s: %s", p.ImportPath, p.Error.Err))
		return
	}
	if strings.HasSuffix(p.ImportPath, ".test") || p.ImportPath == "unsafe" {
		return // go test writes its file when it builds it
	}
	done := &packages.Package{ID: p.ImportPath, Name: p.Name, PkgPath: p.ImportPath, Dir: p.Dir,
		Module: p.Module, Imports: map[string]*packages.Package{}}
	config := types.Config{
		Sizes: l.sizes, Error: l.fail, FakeImportC: true,
		IgnoreFuncBodies: p.DepOnly, // of other people's packages only what they declare
		Importer:         &importer{l, p.ImportMap, done.Imports},
	}
	if p.Module != nil && p.Module.GoVersion != "" {
		config.GoVersion = "go" + p.Module.GoVersion
	}
	var files []*ast.File
	for _, name := range p.GoFiles {
		if !filepath.IsAbs(name) {
			name = filepath.Join(p.Dir, name)
		}
		f, err := parser.ParseFile(l.files, name, nil, p.mode())
		if err != nil {
			l.fail(err)
			return
		}
		files = append(files, f)
	}
	if p.analyzed() {
		done.Syntax, done.TypesInfo = files, &types.Info{
			Types: map[ast.Expr]types.TypeAndValue{}, Instances: map[*ast.Ident]types.Instance{},
			Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
			Implicits:    map[ast.Node]types.Object{},
			Selections:   map[*ast.SelectorExpr]*types.Selection{},
			Scopes:       map[ast.Node]*types.Scope{},
			FileVersions: map[*ast.File]string{},
		}
		for _, name := range p.IgnoredGoFiles {
			done.IgnoredFiles = append(done.IgnoredFiles, filepath.Join(p.Dir, name))
		}
		l.here = append(l.here, done)
	}
	path, _, _ := strings.Cut(p.ImportPath, " ") // of a package with tests: "a/b [a/b.test]"
	done.PkgPath = path
	done.Types, _ = config.Check(path, l.files, files, done.TypesInfo) // tells l.fail
	l.add(done)
}

// mode is how the files of p are parsed.
func (p *listed) mode() parser.Mode {
	if p.analyzed() {
		return parser.SkipObjectResolution | parser.ParseComments
	}
	return parser.SkipObjectResolution
}

// vet applies go vet's analyzers to the packages here. What follows from the bodies of other
// people's functions, for instance that one does not return, they do not know.
func (l *loader) vet() {
	graph, err := checker.Analyze(vet.Suite, l.here, nil)
	if err != nil {
		l.fail(err)
		return
	}
	told := map[string]bool{} // a file is in a package, and in the same one with tests
	for _, a := range graph.Roots {
		if a.Err != nil {
			l.fail(fmt.Errorf("%s: %w", a, a.Err))
		}
		for _, d := range a.Diagnostics {
			problem := fmt.Sprintf("%s: %s: %s", l.files.Position(d.Pos), a.Analyzer, d.Message)
			if !told[problem] {
				told[problem] = true
				l.fail(errors.New(problem))
			}
		}
	}
}

func (l *loader) fail(err error) {
	if len(l.problems) < maxProblems {
		l.problems = append(l.problems, err)
	}
}

// importer finds what a package imports among what was loaded before it, and notes which of these
// are analyzed.
type importer struct {
	*loader
	names   map[string]string
	imports map[string]*packages.Package
}

func (i *importer) Import(path string) (*types.Package, error) {
	if name, ok := i.names[path]; ok {
		path = name
	}
	if p := i.done[path]; p != nil {
		if p.Syntax != nil {
			i.imports[path] = p
		}
		return p.Types, nil
	}
	return nil, fmt.Errorf("%s was not loaded", path)
}
