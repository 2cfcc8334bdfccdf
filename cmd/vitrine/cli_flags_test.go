package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/observe"
)

// Whatever secret package observe says is missing has a flag, and decrypt has that flag.
func TestEveryNeedHasAFlag(t *testing.T) {
	flags := newDecrypt().Flags()
	for _, n := range observe.Needs() {
		name, _, _ := strings.Cut(strings.TrimPrefix(needFlags[n], "--"), " ")
		if flags.Lookup(name) == nil {
			t.Errorf("%s: there is no flag %q", n, needFlags[n])
		}
	}
}

// The libraries below the command do not know its flags.
func TestLibrariesNameNoFlags(t *testing.T) {
	flag := regexp.MustCompile(`(^|[^-])--[a-z]`)
	for _, dir := range []string{"observe", "diagnose", "capture", "keylog"} {
		files, err := filepath.Glob(filepath.Join(testkit.Root(), dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", dir, len(files), err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if s, ok := n.(*ast.BasicLit); ok && s.Kind == token.STRING &&
					flag.MatchString(s.Value) {
					t.Errorf("%s/%s: %s", dir, filepath.Base(name), s.Value)
				}
				return true
			})
		}
	}
}

func TestTheNearestValueIsSuggested(t *testing.T) {
	versions := []string{"1.0", "1.1", "1.2", "1.3"}
	for _, c := range []struct {
		got, want string
		known     []string
	}{
		{"1.4", "1.3", versions},
		{"x25518", "x25519", []string{"secp256r1", "x25519", "x448"}},
		{"legcy", "legacy", []string{"modern", "compatible", "legacy"}},
		{"smpt", "smtp", []string{"sieve", "smtp", "snmp"}},
		{"TLS_RSA_WITH_AES_256_CBC_SHA265", "TLS_RSA_WITH_AES_256_CBC_SHA256",
			[]string{"TLS_RSA_WITH_AES_128_CBC_SHA256", "TLS_RSA_WITH_AES_256_CBC_SHA256"}},
		{"modrn", "modern", []string{"modern", "modern-2026-11-23", "legacy"}},
		{"old", "modern", []string{"modern", "compatible", "legacy"}},
	} {
		if got := nearest(c.got, c.known); got != c.want {
			t.Errorf("%s: got %s, expected %s", c.got, got, c.want)
		}
	}
}

func TestAnAddressWithoutItsFlagIsNamedWithIt(t *testing.T) {
	for _, c := range []struct{ args, wayOut string }{
		{"serve 8443", "vitrine serve --listen 127.0.0.1:8443\n"},
		{"serve 10.0.0.1:443 --policy legacy",
			"vitrine serve --listen 10.0.0.1:443 --policy=legacy\n"},
		{"playground [::1]:8000 --lesson 3",
			"vitrine playground --listen '[::1]:8000' --lesson=3\n"},
		{"serve 65536", "vitrine serve --help\n"},
		{"serve localhost:https", "vitrine serve --help\n"},
		{"serve my.pem", "vitrine serve --help\n"},
		{"serve --listen :8443 127.0.0.1:8444", "vitrine serve --help\n"},
		{"policies 8443", "vitrine policies --help\n"},
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), strings.Fields(c.args), &out, &errs)
		if code != exitUsage || !strings.HasSuffix(errs.String(), c.wayOut) {
			t.Errorf("%s: exit code %d\n%s", c.args, code, errs.String())
		}
	}
}
