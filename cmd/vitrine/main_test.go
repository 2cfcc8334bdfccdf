package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

var update = flag.Bool("update", false, "write generated documents anew")

func TestMain(m *testing.M) {
	throwaway.TakePublicRSA() // in the stories' commands too: they are this program
	testscript.Main(rig.Watched{M: m}, map[string]func(){"vitrine": main})
}

// Each script is a story of a user who wants something, and begins with why.
func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script"})
}

// command runs vitrine in this process.
func command(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(context.Background(), args, &out, &errs)
	return code, out.String(), errs.String()
}

// docs/handshake.md is what the command writes.
func TestTheDocumentIsCurrent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "handshake.md")
	if code, _, stderr := command(t, "handshake", "--seed=docs", "--markdown",
		path); code != exitOK {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	kept := filepath.Join(testkit.Root(), "docs", "handshake.md")
	if *update {
		if err := os.WriteFile(kept, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("docs/handshake.md is not what this build writes; go test ./cmd/vitrine -update "+
			"writes it anew:\n%s", d)
	}
}

// Other programs rely on these events and fields of --json for each key exchange.
func TestJSONKeepsItsPromises(t *testing.T) {
	promised := map[string]string{
		"message":       "from type raw",
		"agreed":        "version suite key_exchange group extended_master_secret encrypt_then_mac",
		"shared_secret": "name output", "derived": "name function hash label secret seed output",
		"keys_installed": "from mac_key key iv",
		"record":         "from direction seq_num content_type plaintext fragment",
		"verified":       "what", "alert": "from", "done": "ok", "throwaway_key": "private",
	}
	for _, args := range [][]string{{"--kx=rsa"}, {"--kx=dhe"}, {"--kx=ecdhe"},
		{"--kx=ecdhe", "--mtls", "--auth=ecdsa"}, {"--seed=x"}} {
		code, stdout, stderr := command(t, append([]string{"handshake", "--json"}, args...)...)
		if code != exitOK || stderr != "" {
			t.Fatalf("%v: exit code %d, %s", args, code, stderr)
		}
		lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
		if lines[0] != `{"event":"schema","version":1}` {
			t.Errorf("%v: the first line is %s", args, lines[0])
		}
		seen := map[string]int{}
		for i, line := range lines[1:] {
			var e map[string]any
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatalf("%v, line %d: %v", args, i+2, err)
			}
			if role := e["role"]; e["seq"] != float64(i+1) || role != "client" && role != "server" {
				t.Errorf("%v, line %d: seq or role: %s", args, i+2, line)
			}
			name := e["event"].(string)
			for _, field := range strings.Fields(promised[name]) {
				if _, ok := e[field]; !ok {
					t.Errorf("%v: %s has no %q", args, name, field)
				}
			}
			for _, kind := range []string{"", "name", "what"} {
				if s, ok := e[kind].(string); ok {
					seen[e["role"].(string)+" "+name+" "+s]++
				}
			}
			seen[name]++
		}
		for name := range promised {
			if seen[name] == 0 {
				t.Errorf("%v: no %q", args, name)
			}
		}
		for _, role := range []string{"client", "server"} {
			for _, what := range []string{"shared_secret pre_master_secret",
				"derived master_secret", "derived key_block", "derived client_verify_data",
				"derived server_verify_data", "verified finished"} {
				if seen[role+" "+what] != 1 {
					t.Errorf("%v: %s: %d times %s, expected once", args, role, seen[role+" "+what],
						what)
				}
			}
		}
		if args[0] == "--kx=dhe" || args[0] == "--kx=ecdhe" {
			if seen["ephemeral"] != 2 || seen["client verified signature"] != 1 {
				t.Errorf("%v: %d ephemeral keys, %d verified signatures", args, seen["ephemeral"],
					seen["client verified signature"])
			}
		}
	}
}

func TestVersionNamesTheCommit(t *testing.T) {
	info := &debug.BuildInfo{Main: debug.Module{Version: "v0.1.0"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"},
		{Key: "vcs.modified", Value: "true"}}}
	if got := version(info, true); !strings.HasPrefix(got,
		"vitrine v0.1.0, commit 0123456789ab with changes, go1.") {
		t.Error(got)
	}
	if got := version(nil, false); !strings.Contains(got, "without build information") {
		t.Error(got)
	}
}

func TestAnInterruptHasItsOwnExitCode(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, errs bytes.Buffer
	if code := run(ctx, []string{"handshake"}, &out, &errs); code != exitInterrupted {
		t.Errorf("exit code %d, expected %d: %s", code, exitInterrupted, errs.String())
	}
}

// A command is found by the names of its files, and each file by the command that it is for.
func TestFilesAreNamedAfterTheirCommand(t *testing.T) {
	has := map[string]bool{"main": false, "cli": false, "live": false} // what commands share
	for _, c := range newRoot().Commands() {
		has[strings.ReplaceAll(c.Name(), "-", "_")] = false
	}
	delete(has, "help") // which is in cli_nearest.go
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		name := strings.TrimSuffix(file, ".go")
		if _, whole := has[name]; !whole {
			name, _, _ = strings.Cut(name, "_")
			name = strings.TrimSuffix(name, "13")
		}
		if _, known := has[name]; !known {
			t.Errorf("%s is named after no command", file)
		}
		has[name] = true
	}
	for name, found := range has {
		if !found {
			t.Errorf("no file is named after %s", name)
		}
	}
}
