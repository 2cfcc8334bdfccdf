//go:build unix

package main

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// Only its owner can read a file that is written, whatever had its name before, and nothing is
// written through a link that somebody else made.
func TestFilesOfSecretsAreTheirOwnersAlone(t *testing.T) {
	captures := filepath.Join(testkit.Root(), "testdata", "captures", "snet")
	decrypt := []string{"decrypt", filepath.Join(captures, "tls_AES256-SHA256.pcap"), "--keylog",
		filepath.Join(captures, "keylog_AES256-SHA256.txt")}
	handshake := []string{"handshake", "--seed", "files"} // which makes no RSA key
	plant := map[string]func(name, victim string) error{
		"nothing": func(string, string) error { return nil },
		"a file for all": func(name, _ string) error {
			return os.WriteFile(name, []byte("old"), 0o666)
		},
		"a link": func(name, victim string) error { return os.Symlink(victim, name) },
		"a link to nobody": func(name, victim string) error {
			return os.Symlink(victim+".new", name)
		},
		"a hard link": func(name, victim string) error { return os.Link(victim, name) },
	}
	for _, c := range []struct {
		command []string
		flag    string
		file    string // under what the flag names; empty: that itself
	}{
		{handshake, "--events", ""}, {handshake, "--markdown", ""}, {handshake, "--html", ""},
		{handshake, "--pcap", ""},
		{handshake, "--keylog-out", ""}, {handshake, "--save-keys", "server.key"},
		{decrypt, "--events", ""}, {decrypt, "--html", ""}, {decrypt, "--pcap", ""},
		{decrypt, "--keylog-out", ""},
		{decrypt, "--out", "0-client_to_server.bin"},
	} {
		for what, before := range plant {
			dir := t.TempDir()
			victim, given := filepath.Join(dir, "victim"), filepath.Join(dir, "out")
			if err := os.WriteFile(victim, []byte("victim"), 0o644); err != nil {
				t.Fatal(err)
			}
			name := given
			if c.file != "" {
				name = filepath.Join(given, c.file)
				if err := os.Mkdir(given, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if err := before(name, victim); err != nil {
				t.Fatal(err)
			}
			if code, _, stderr := command(t,
				append(append([]string{}, c.command...), c.flag, given)...); code != exitOK {
				t.Fatalf("%s %s: exit code %d: %s", c.command[0], c.flag, code, stderr)
			}
			checkSecret(t, c.command[0]+" "+c.flag+" in the place of "+what, name, victim)
		}
	}
}

// checkSecret checks a file that was written, and one that should not have been.
func checkSecret(t *testing.T, what, name, victim string) {
	t.Helper()
	info, err := os.Lstat(name)
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	if info.Mode() != 0o600 || info.Size() == 0 {
		t.Errorf("%s: mode %v and %d bytes, expected 0600", what, info.Mode(), info.Size())
	}
	if text, err := os.ReadFile(name); err != nil || strings.HasPrefix(string(text), "old") {
		t.Errorf("%s: the old content is still there: %v", what, err)
	}
	if text, err := os.ReadFile(victim); err != nil || string(text) != "victim" {
		t.Errorf("%s: the other file now has %d bytes, %v", what, len(text), err)
	}
	if _, err := os.Lstat(victim + ".new"); err == nil {
		t.Errorf("%s: a file was made at the other end of a link", what)
	}
}

// serve --keylog-out and SSLKEYLOGFILE append to an existing file if nobody else can read it.
func TestAGrowingFileIsItsOwnersAlone(t *testing.T) {
	dir := t.TempDir()
	victim := filepath.Join(dir, "victim")
	if err := os.WriteFile(victim, []byte("victim"), 0o644); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		plant   func(name string) error
		refused string
		want    string
	}{
		"nothing": {func(string) error { return nil }, "", "new"},
		"a file for all": {func(name string) error {
			return os.WriteFile(name, []byte("old"), 0o666)
		}, "", "oldnew"},
		"a link": {func(name string) error { return os.Symlink(victim, name) },
			"is a symbolic link", ""},
		"a link to nobody": {func(name string) error { return os.Symlink(victim+".new", name) },
			"is a symbolic link", ""},
		"a folder": {func(name string) error { return os.Mkdir(name, 0o700) },
			"is neither a file nor a named pipe", ""},
	} {
		name := filepath.Join(dir, what)
		if err := c.plant(name); err != nil {
			t.Fatal(err)
		}
		f, err := appendFile(name)
		if c.refused != "" {
			if err == nil || !strings.Contains(err.Error(), c.refused) {
				t.Errorf("%s: got %v, expected %q", what, err, c.refused)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		io.WriteString(f, "new")
		f.Close()
		checkGrown(t, what, name, c.want)
	}
	checkGrown(t, "the other file", victim, "victim")
}

func checkGrown(t *testing.T, what, name, want string) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil || string(text) != want {
		t.Errorf("%s: got %q and %v, expected %q", what, text, err, want)
	}
	if info, err := os.Stat(name); want != "victim" && (err != nil || info.Mode() != 0o600) {
		t.Errorf("%s: mode %v, %v", what, info.Mode(), err)
	}
}

// anothers is a file of another user.
type anothers struct{ fs.FileInfo }

func (anothers) Sys() any { return &syscall.Stat_t{Uid: uint32(os.Geteuid()) + 1} }

func TestNoSecretGoesToAnothersFile(t *testing.T) {
	info, err := os.Lstat("cli_files.go")
	if err != nil {
		t.Fatal(err)
	}
	if err := ours(anothers{info}); err == nil ||
		!strings.Contains(err.Error(), "belongs to another user") {
		t.Errorf("got %v", err)
	}
}

// Devices under /dev are written to and not replaced.
func TestDevicesStay(t *testing.T) {
	if code, _, stderr := command(t, "handshake", "--events", os.DevNull); code != exitOK {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	f, err := appendFile(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		t.Errorf("%s is now %v, %v", os.DevNull, info.Mode(), err)
	}
}

// No command creates a file in another way.
func TestAllFilesAreMadeInOnePlace(t *testing.T) {
	for _, place := range uses(t, "os.Create", "os.CreateTemp", "os.OpenFile", "os.WriteFile",
		"ioutil.WriteFile") {
		if !strings.HasPrefix(place, "cli_files.go: ") {
			t.Error(place)
		}
	}
}
