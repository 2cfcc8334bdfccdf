package rules_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	testNamed  = regexp.MustCompile("`((?:Test|Fuzz)[A-Z][A-Za-z0-9_]*)`")
	constNamed = regexp.MustCompile("`([a-z/]+)\\.([A-Za-z0-9]+) = ([^`]+)`")
)

// demanded is what each table is to tell of.
var demanded = map[string][]string{
	"## Known attacks": {"Bleichenbacher", "ROBOT", "Marvin", "Lucky 13", "POODLE", "BEAST",
		"CRIME", "FREAK", "Logjam", "SLOTH", "Triple Handshake", "renegotiation", "Raccoon",
		"downgrade",
		"ALPACA", "SWEET32", "Selfie", "replay of early data"},
	"## Bounded cost": {"length of a hello", "time of a handshake", "certificates in a chain",
		"RSA keys", "exponents", "signatures that looking for a path", "warnings", "empty records",
		"KeyUpdates", "tickets that a client takes", "sessions in a client's cache", "early data",
		"a client that says nothing", "answered", "processor time of one hello", "renegotiate",
		"observer: memory", "observer: bytes that are decrypted in vain",
		"deriving a key file's key"},
}

// What docs/security.md says is held by a test that exists, and each bound that it names has the
// value that the code gives it.
func TestDocOfSecurityIsHeldByTests(t *testing.T) {
	t.Chdir(root)
	text, err := os.ReadFile("docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	tests, consts := declared(t)
	for _, m := range testNamed.FindAllStringSubmatch(string(text), -1) {
		if !tests[m[1]] {
			t.Errorf("docs/security.md names %s, which no file declares", m[1])
		}
	}
	bounds := constNamed.FindAllStringSubmatch(string(text), -1)
	if len(bounds) < 20 {
		t.Errorf("only %d bounds were found in docs/security.md", len(bounds))
	}
	for _, m := range bounds {
		if got, want := consts[m[1]+"."+m[2]], spaceless(m[3]); got != want {
			t.Errorf("docs/security.md: %s.%s is %s, the code says %q", m[1], m[2], want, got)
		}
	}
	for _, heading := range []string{"## Known attacks", "## Bounded cost"} {
		_, table, found := strings.Cut(string(text), heading)
		table, _, _ = strings.Cut(table, "\n## ")
		rows := 0
		for line := range strings.Lines(table) {
			if rows++; strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| attack") &&
				!strings.HasPrefix(line, "| what") && !testNamed.MatchString(line) {
				t.Errorf("%s: no test holds %s", heading, line)
			}
		}
		if !found || rows < 20 {
			t.Errorf("%s has %d lines", heading, rows)
		}
		for _, name := range demanded[heading] {
			if !strings.Contains(table, name) {
				t.Errorf("%s says nothing of %s", heading, name)
			}
		}
	}
}

// declared returns the names of all test functions, and the expressions of all constants by folder
// and name.
func declared(t *testing.T) (tests map[string]bool, consts map[string]string) {
	t.Helper()
	tests, consts = map[string]bool{}, map[string]string{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, src, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		folder := filepath.ToSlash(filepath.Dir(path))
		if folder == "." {
			folder = "vitrine"
		}
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				tests[d.Name.Name] = strings.HasSuffix(path, "_test.go") || tests[d.Name.Name]
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					v, ok := spec.(*ast.ValueSpec)
					if !ok || len(v.Values) != len(v.Names) {
						continue
					}
					for i, name := range v.Names {
						start, end := v.Values[i].Pos(), v.Values[i].End()
						value := src[start-file.FileStart : end-file.FileStart]
						consts[folder+"."+name.Name] = spaceless(string(value))
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tests, consts
}

func spaceless(s string) string { return strings.ReplaceAll(s, " ", "") }
