package rules_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// root is the folder of the repository. Each test changes to it by t.Chdir, so that what it reads
// counts as its input, and a result is not taken from the cache when a file has changed.
const root = "../.."

// floors says how high each package stands. Imports only point down, so packages of one height do
// not import one another: kex, keys, record and pki above all, between which only bytes flow. A new
// package gets its height here.
var floors = map[string]int{
	"iana": 0, "wire": 0, "internal/bug": 0, "internal/framing": 0,
	"internal/dump": 0, "internal/socket": 0,
	"internal/compress": 5, "compression": 15,
	"alert": 10, "trace": 11, "message": 11, "keylog": 11,
	"kex": 20, "keys": 20, "record": 20, "pki": 20,
	"suite":       25,
	"handshake":   30,
	"negotiation": 29,
	"session":     28,
	"engine":      40, "internal/cause": 45,
	".":       library,
	"vhttp":   55,
	"capture": 60, "observe": 65,
	"internal/throwaway": 70, "explain": 70, "render/term": 75, "render/html": 75,
	"render/markdown": 75, "render/reports": 76, "playground": 76,
	"internal/demo": 78, "diagnose": 70, "probe": 72, "internal/starttls": 70,
	"internal/reach": 71, "internal/live": 70, "internal/gate": 0, "render/liveview": 76,
	"internal/playpage/lessons": 77, "internal/playpage/api": 78, "internal/playpage/wasm": 79,
	"internal/playpage": 79, "internal/playpage/build": 80,
	"internal/front":   75,
	"cmd/vitrine":      80,
	"internal/testkit": testOnly, "internal/interop": testOnly, "internal/recompute": testOnly,
	"internal/tally": testOnly, "internal/hostile": testOnly, "internal/bench": testOnly,
	"internal/hellos": testOnly, "internal/rules": testOnly, "internal/rig": testOnly,
	"internal/script": testOnly, "internal/broken": testOnly, "internal/conformance": testOnly,
	"internal/costs": testOnly, "internal/parity": testOnly,
	"internal/flood": testOnly, "internal/faults": testOnly, "internal/timing": testOnly,
	"internal/bogo": testOnly, "internal/bogo/shim": testOnly, "internal/fuzzing": testOnly,
	"internal/platforms": testOnly, "internal/tlsfuzzer": testOnly,
}

const (
	library  = 50  // what others import: up to here few modules may come along
	testOnly = 100 // imported by tests and by one another
)

// outside says which modules' packages may be imported, and up to which height. The standard
// library is free to all.
var outside = []struct {
	prefix   string
	from, to int
}{
	{"golang.org/x/crypto/", 0, testOnly},
	// constant-time modular exponentiation, which math/big does not have
	{"filippo.io/bigmod", 0, testOnly},
	{"github.com/cloudflare/circl/", 0, testOnly}, // X448 and Ed448, which exist nowhere else
	// compression: the algorithms of RFC 8879 that the standard library has not
	{"github.com/andybalholm/brotli", 15, 15},
	{"github.com/klauspost/compress/zstd", 15, 15},
	// internal/playpage: the playground's WebAssembly, compressed
	{"github.com/andybalholm/brotli", 79, 79},
	// vhttp: the HTTP/2 that takes connections of others than crypto/tls
	{"golang.org/x/net/http2", 55, 55},
	// suite: has this machine AES instructions? x/crypto brings it along anyway
	{"golang.org/x/sys/cpu", 25, 25},
	{"charm.land/lipgloss/v2", 75, 75},                  // render/term, see below
	{"github.com/spf13/", 80, 80},                       // cmd
	{"golang.org/x/term", 80, 80},                       // cmd: is this a terminal, how wide is it
	{"golang.org/x/sys/unix", 80, 80},                   // cmd: packets from an interface
	{"software.sslmate.com/src/go-pkcs12", 80, 80},      // cmd: private keys in PKCS #12
	{"github.com/youmark/pkcs8", 80, 80},                // cmd: encrypted private keys
	{"golang.org/x/tools/", testOnly, testOnly},         // golden files; go vet's analyzers
	{"github.com/rogpeppe/go-internal/", 100, testOnly}, // testscript
	{"github.com/google/go-cmp/", testOnly, testOnly},
	{"github.com/santhosh-tekuri/jsonschema/", 100, testOnly},
}

// misplaced lists what breaks the floors: imports by package, both by path from the module's root.
func misplaced(imports map[string][]string) (broken []string) {
	complain := func(format string,
		args ...any) {
		broken = append(broken, fmt.Sprintf(format, args...))
	}
	for _, pkg := range slices.Sorted(maps.Keys(imports)) {
		height, known := floors[pkg]
		if !known {
			complain("%s stands on no floor: give it one in floors_test.go", pkg)
			continue
		}
		for _, to := range imports[pkg] {
			below, ours := floors[to]
			switch {
			case ours && height == testOnly && below == testOnly:
			case ours && below >= height:
				complain("%s (%d) imports %s (%d): imports only point down", pkg, height, to, below)
			case to == "charm.land/lipgloss/v2" && pkg != "render/term":
				complain("%s imports %s, which is for render/term", pkg, to)
			case !ours && strings.Contains(strings.Split(to, "/")[0], ".") && !allowed(to, height):
				complain("%s (%d) imports %s, which nobody on its floor may", pkg, height, to)
			}
		}
	}
	return broken
}

func allowed(to string, height int) bool {
	for _, o := range outside {
		if strings.HasPrefix(to+"/", strings.TrimSuffix(o.prefix, "/")+"/") && o.from <= height &&
			height <= o.to {
			return true
		}
	}
	return false
}

const module = "github.com/vitrine-tls/vitrine"

// importsHere parses what each package of this tree imports, its tests aside, whatever platform a
// file is for.
func importsHere(t *testing.T) map[string][]string {
	t.Helper()
	imports := map[string][]string{}
	eachFile(t, ".go", func(file string, text []byte) {
		if strings.HasSuffix(file, "_test.go") {
			return
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		pkg := path.Dir(file)
		imports[pkg] = append(imports[pkg], []string{}...)
		for _, i := range f.Imports {
			to, _ := strconv.Unquote(i.Path.Value)
			if to == module {
				to = "."
			}
			imports[pkg] = append(imports[pkg], strings.TrimPrefix(to, module+"/"))
		}
	})
	return imports
}

// eachFile reads the files of this module with a suffix. Hidden folders, test data and nested
// modules are not its own.
func eachFile(t *testing.T, suffix string, do func(file string, text []byte)) {
	t.Helper()
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != ".":
			_, nested := os.Stat(filepath.Join(file, "go.mod"))
			if d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") || nested == nil {
				return fs.SkipDir
			}
		case strings.HasSuffix(file, suffix):
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			do(filepath.ToSlash(file), text)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestImportsOnlyPointDown(t *testing.T) {
	t.Chdir(root)
	imports := importsHere(t)
	for _, broken := range misplaced(imports) {
		t.Error(broken)
	}
	t.Logf("%d packages", len(imports))
	if len(imports) < 10 {
		t.Error("most packages were not found")
	}
}

func TestEachKindOfWrongImportIsNoticed(t *testing.T) {
	t.Chdir(root)
	for _, c := range [][2]string{
		{"wire", "alert"}, {"kex", "keys"}, {"keys", "record"}, {"record", "pki"},
		{"message", "trace"}, {"session", "handshake"},
		{"engine", "."}, {".", "explain"}, {".", "internal/throwaway"}, {"kex", "internal/testkit"},
		{"cmd/vitrine", "internal/testkit"},
		{"kex", "github.com/spf13/cobra"}, {".", "golang.org/x/net/http2"},
		{"explain", "charm.land/lipgloss/v2"},
		{"render/html", "charm.land/lipgloss/v2"}, {"cmd/vitrine", "charm.land/lipgloss/v2"},
		{"record", "golang.org/x/sys/cpu"},
		{"record", "golang.org/x/cryptography"}, {"new", "fmt"},
	} {
		if broken := misplaced(map[string][]string{c[0]: {c[1]}}); len(broken) != 1 {
			t.Errorf("%s imports %s: %q", c[0], c[1], broken)
		}
	}
	for _, c := range [][2]string{
		{"trace", "alert"}, {"suite", "kex"}, {"kex", "filippo.io/bigmod"}, {"wire", "crypto/tls"},
		{"render/term", "charm.land/lipgloss/v2"},
		{"internal/interop", "internal/testkit"}, {"cmd/vitrine", "."},
	} {
		if broken := misplaced(map[string][]string{c[0]: {c[1]}}); len(broken) != 0 {
			t.Errorf("%s imports %s: %q", c[0], c[1], broken)
		}
	}
}

// What a program that imports Vitrine gets along with it, to the package, is written down in
// testdata/deps.txt.
func TestTheLibraryBringsNothingElseAlong(t *testing.T) {
	t.Chdir(root)
	out, err := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}} {{.Standard}}",
		".").Output()
	if err != nil {
		t.Fatalf("go list -deps: %v", err)
	}
	text, err := os.ReadFile("testdata/deps.txt")
	if err != nil {
		t.Fatal(err)
	}
	var want, got, never []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if p, isNever := strings.CutPrefix(line, "never "); isNever {
			never = append(never, p)
		} else if line != "" && line[0] != '#' {
			want = append(want, line)
		}
	}
	for line := range strings.Lines(string(out)) {
		pkg, standard, _ := strings.Cut(strings.TrimSpace(line), " ")
		if slices.Contains(never, pkg) {
			t.Errorf("the library brings %s along", pkg)
		}
		if standard == "false" && !strings.HasPrefix(pkg, module) {
			got = append(got, pkg)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the library brings along\n%s\ntestdata/deps.txt says\n%s",
			strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	t.Logf("%d packages of other modules, %d that must not come", len(got), len(never))
}
