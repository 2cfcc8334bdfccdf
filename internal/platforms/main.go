// Command platforms checks that everything, tests too, is valid Go on other platforms than this
// machine's: the parser and the type checker read it as it stands there, with the standard library
// and every module that it uses. Nothing is compiled or linked: that takes more than ten times as
// long, and finds little more, since no file here is in assembly or uses cgo. go vet's other checks
// are made for this machine's platform alone.
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
	"strings"
)

func main() {
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
	ImportPath, Dir, Name string
	GoFiles               []string
	Imports               []string          // as they are found: with ImportMap applied
	ImportMap             map[string]string // from what a file imports, if it differs
	DepOnly, Standard     bool
	Error                 *struct{ Err string }
}

// maxProblems is how many problems of a platform are told.
const maxProblems = 20

// check checks all packages here for a platform, and returns how many there are, the variants with
// tests counted apart.
func check(goos, goarch string) (n int, problems []error) {
	list := exec.Command("go", "list", "-deps", "-test", "-e",
		"-json=ImportPath,Dir,Name,GoFiles,Imports,ImportMap,DepOnly,Standard,Error", "./...")
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
		done: map[string]*types.Package{"unsafe": types.Unsafe}}
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
		if !p.DepOnly && !p.Standard && p.Name != "" && !strings.HasSuffix(p.ImportPath, ".test") {
			n++
		}
	}
	if err := list.Wait(); err != nil {
		l.problems = append(l.problems, err)
	}
	return n, l.problems
}

// loader type-checks packages in the order of their dependencies, as go list prints them.
type loader struct {
	sizes    types.Sizes
	files    *token.FileSet
	done     map[string]*types.Package
	problems []error
}

func (l *loader) load(p *listed) {
	if p.Error != nil {
		l.fail(fmt.Errorf("%s: %s", p.ImportPath, p.Error.Err))
		return
	}
	if strings.HasSuffix(p.ImportPath, ".test") || p.ImportPath == "unsafe" {
		return // go test writes its file when it builds it
	}
	config := types.Config{
		Sizes: l.sizes, Error: l.fail, FakeImportC: true,
		IgnoreFuncBodies: p.DepOnly, // of other people's packages only what they declare
		Importer:         &importer{l, p.ImportMap},
	}
	var files []*ast.File
	for _, name := range p.GoFiles {
		if !filepath.IsAbs(name) {
			name = filepath.Join(p.Dir, name)
		}
		f, err := parser.ParseFile(l.files, name, nil, parser.SkipObjectResolution)
		if err != nil {
			l.fail(err)
			return
		}
		files = append(files, f)
	}
	l.done[p.ImportPath], _ = config.Check(p.ImportPath, l.files, files, nil) // tells l.fail
}

func (l *loader) fail(err error) {
	if len(l.problems) < maxProblems {
		l.problems = append(l.problems, err)
	}
}

// importer finds what a package imports among what was loaded before it.
type importer struct {
	*loader
	names map[string]string
}

func (i *importer) Import(path string) (*types.Package, error) {
	if name, ok := i.names[path]; ok {
		path = name
	}
	if p := i.done[path]; p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("%s was not loaded", path)
}
