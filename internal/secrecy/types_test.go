// Package secrecy_test proves that nothing which holds a secret prints it, whatever prints it: fmt
// with any verb, encoding/json, log/slog.
//
// types_test.go finds every exported type of every package from the compiler's export data, and
// follows it as a printer would: through fields, elements and pointers to bytes. A type that
// reaches any must either be guarded, which means that it has the methods Format and MarshalText of
// its own, or stand in a list of what is public, with the reason. So a new type cannot be
// forgotten. print_test.go then fills each guarded type with a pattern, prints it in every way and
// looks for it.
package secrecy_test

import (
	"bytes"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/vitrine-tls/vitrine"

// house holds the exported types of all packages.
type house struct {
	names []string // "session.TicketKey", "vitrine.Config"
	types map[string]*types.Named
}

// load reads what go list says was compiled. Commands and what only tests import have no API.
func load(t *testing.T) *house {
	t.Helper()
	const format = "{{.ImportPath}}\t{{.Export}}\t{{.Name}}"
	list := exec.Command("go", "list", "-export", "-deps", "-f", format, "./...")
	list.Dir = "../.."
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list -export: %v", err)
	}
	exports := map[string]string{}
	var ours []string
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		exports[f[0]] = f[1]
		if (f[0] == module || strings.HasPrefix(f[0], module+"/")) && f[1] != "" && f[2] != "main" {
			ours = append(ours, f[0])
		}
	}
	compiled := importer.ForCompiler(token.NewFileSet(), "gc",
		func(path string) (io.ReadCloser, error) {
			b, err := os.ReadFile(exports[path])
			return io.NopCloser(bytes.NewReader(b)), err
		})
	h := &house{types: map[string]*types.Named{}}
	for _, path := range ours {
		pkg, err := compiled.Import(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range pkg.Scope().Names() {
			o, ok := pkg.Scope().Lookup(name).(*types.TypeName)
			if !ok || !o.Exported() || o.IsAlias() {
				continue
			}
			if n, ok := o.Type().(*types.Named); ok {
				h.names = append(h.names, called(n))
				h.types[called(n)] = n
			}
		}
	}
	return h
}

// called is a type's name as fmt prints it, and so as the lists have it.
func called(n *types.Named) string {
	if n.Obj().Pkg() == nil {
		return n.Obj().Name()
	}
	return n.Obj().Pkg().Name() + "." + n.Obj().Name()
}

// guarded reports whether a type prints itself: a value of it, or, if it has a lock and is used
// through a pointer alone, a pointer.
func guarded(n *types.Named) bool {
	methods := types.NewMethodSet(n)
	if holdsLock(n, nil) {
		methods = types.NewMethodSet(types.NewPointer(n))
	}
	return methods.Lookup(nil, "Format") != nil && methods.Lookup(nil, "MarshalText") != nil
}

// holdsLock reports whether go vet would refuse to copy the type.
func holdsLock(t types.Type, seen []types.Type) bool {
	for _, s := range seen {
		if s == t {
			return false
		}
	}
	seen = append(seen, t)
	if n, ok := t.(*types.Named); ok && n.Obj().Pkg() != nil {
		switch n.Obj().Pkg().Path() {
		case "sync", "sync/atomic":
			return true
		}
	}
	if s, ok := t.Underlying().(*types.Struct); ok {
		for i := range s.NumFields() {
			if holdsLock(s.Field(i).Type(), seen) {
				return true
			}
		}
	}
	return false
}

// A walk follows a type to what could be a secret, as printers do.
type walk struct {
	*house
	seen map[at]bool
}

// at is a type and how it was reached.
type at struct {
	t types.Type

	// sealed: through a field that is not exported. fmt prints it and calls no methods. followed:
	// also through a pointer there. It is an address, but for a verb that does not fit pointers, as
	// %s: then fmt prints what is behind it, up to the next pointer.
	sealed, followed bool

	// spilt: in a struct that fmt may print without calling methods, although it is exported. fmt
	// does so with the last exported value that it met when a verb does not fit: %s a bool that is
	// not exported, or a pointer without a method for %s.
	spilt bool
}

// to is another type, reached in the same way.
func (a at) to(t types.Type) at { a.t = t; return a }

// follow returns the first path to a secret, or "".
func (w *walk) follow(a at, path string) string {
	if w.seen[a] {
		return ""
	}
	w.seen[a] = true
	if n, ok := a.t.(*types.Named); ok {
		if found, done := w.named(n, a, path); done {
			return found
		}
	}
	switch u := a.t.Underlying().(type) {
	case *types.Slice:
		return w.elements(u.Elem(), a, path)
	case *types.Array:
		return w.elements(u.Elem(), a, path)
	case *types.Map:
		if found := w.follow(a.to(u.Key()), path+"[key]"); found != "" {
			return found
		}
		return w.follow(a.to(u.Elem()), path+"[]")
	case *types.Pointer:
		return w.pointer(u.Elem(), a, path)
	case *types.Struct:
		return w.fields(u, a, path)
	case *types.Interface:
		return w.implementers(u, a, path)
	}
	return ""
}

// named decides about types that have a name. done is false if it must be followed.
func (w *walk) named(n *types.Named, a at, path string) (found string, done bool) {
	if n.Obj().Pkg() == nil {
		return "", false
	}
	ours := strings.HasPrefix(n.Obj().Pkg().Path(), module)
	switch {
	case ours && (public[called(n)] != "" || publicPackages[n.Obj().Pkg().Name()] != ""):
		return "", true
	case ours && guarded(n) && !a.sealed && !a.spilt:
		return "", true
	case ours: // also where its methods are not called
		return "", false
	case foreign[called(n)] != "":
		return path, true
	}
	return "", true // what else the standard library and others have is theirs, or no secret
}

func (w *walk) elements(elem types.Type, a at, path string) string {
	if b, ok := elem.Underlying().(*types.Basic); ok && b.Kind() == types.Uint8 {
		return path
	}
	return w.follow(a.to(elem), path+"[]")
}

// pointer follows what is pointed to.
func (w *walk) pointer(elem types.Type, a at, path string) string {
	if a.sealed && a.followed {
		return "" // an address
	}
	a.followed = a.sealed
	if n, ok := elem.(*types.Named); !ok || !guarded(n) {
		a.spilt = true
	}
	return w.follow(a.to(elem), path)
}

func (w *walk) fields(s *types.Struct, a at, path string) string {
	for i := range s.NumFields() {
		a.spilt = a.spilt || !s.Field(i).Exported()
	}
	for i := range s.NumFields() {
		f := s.Field(i)
		if n, ok := a.t.(*types.Named); ok && public[called(n)+"."+f.Name()] != "" {
			continue
		}
		to := a.to(f.Type())
		to.sealed = a.sealed || !f.Exported()
		if found := w.follow(to, path+"."+f.Name()); found != "" {
			return found
		}
	}
	return ""
}

// implementers follows what an interface of ours may hold. An empty interface may hold anything,
// and one of somebody else's nothing of ours.
func (w *walk) implementers(i *types.Interface, a at, path string) string {
	if i.Empty() {
		return path
	}
	n, ok := a.t.(*types.Named)
	if !ok || n.Obj().Pkg() == nil || !strings.HasPrefix(n.Obj().Pkg().Path(), module) {
		return ""
	}
	for _, name := range w.names {
		n := w.types[name]
		held := types.Type(n)
		switch {
		case types.IsInterface(n):
			continue
		case types.Implements(n, i):
		case types.Implements(types.NewPointer(n), i):
			held = types.NewPointer(n)
		default:
			continue
		}
		if found := w.follow(a.to(held), fmt.Sprintf("%s(%s)", path, name)); found != "" {
			return found
		}
	}
	return ""
}

// A type that reaches bytes says how it prints, or why it may.
func TestEveryTypeThatReachesASecretIsGuarded(t *testing.T) {
	h := load(t)
	if len(h.names) < 200 {
		t.Fatalf("found only %d exported types", len(h.names))
	}
	for _, name := range h.names {
		n := h.types[name]
		if guarded(n) || types.IsInterface(n) {
			continue
		}
		w := &walk{house: h, seen: map[at]bool{}}
		if found := w.follow(at{t: n}, name); found != "" {
			t.Errorf("%s reaches %s: give it Format and MarshalText (see trace.Print), or list "+
				"it as public",
				name, found)
		}
	}
	for name := range public {
		parts := strings.Split(name, ".")
		if unexported := !token.IsExported(parts[1]); !unexported &&
			h.types[parts[0]+"."+parts[1]] == nil {
			t.Errorf("%s is listed as public, and there is no such type", name)
		}
	}
}
