package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/trace"
)

// The events of a recorded connection cite the RFC of its own version, for the hellos too, which
// the figures of all versions share.
func TestDecryptedMessagesCiteTheRFCOfTheirVersion(t *testing.T) {
	for _, c := range []struct {
		args   []string
		cites  string
		hellos []string
	}{
		{nil, "RFC 5246 §", []string{"RFC 5246 §7.4.1.2", "RFC 5246 §7.4.1.3"}},
		{[]string{"--tls", "1.3"}, "RFC 8446 §", []string{"RFC 8446 §4.1.2", "RFC 8446 §4.1.3"}},
		{[]string{"--tls", "1.3", "--hrr"}, "RFC 8446 §",
			[]string{"RFC 8446 §4.1.2", "RFC 8446 §4.1.3", "RFC 8446 §4.1.4"}},
	} {
		dir := t.TempDir()
		capture, saved := filepath.Join(dir, "run.pcapng"), filepath.Join(dir, "events.json")
		run := append([]string{"handshake", "--seed", "refs", "--pcap", capture}, c.args...)
		if code, _, stderr := command(t, run...); code != exitOK {
			t.Fatalf("%q: exit code %d: %s", run, code, stderr)
		}
		if code, _, stderr := command(t, "decrypt", capture, "--events", saved); code != exitOK {
			t.Fatalf("%q: exit code %d: %s", c.args, code, stderr)
		}
		f, err := os.Open(saved)
		if err != nil {
			t.Fatal(err)
		}
		entries, err := trace.Read(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		hellos := map[string]bool{}
		for _, e := range entries {
			m, ok := e.Event.(*trace.Message)
			if !ok {
				continue
			}
			if !strings.HasPrefix(e.Ref, c.cites) {
				t.Errorf("%q: %v cites %s, expected %s…", c.args, m.Type, e.Ref, c.cites)
			}
			if m.Type == iana.ClientHello || m.Type == iana.ServerHello {
				hellos[e.Ref] = true
			}
		}
		if got := slices.Sorted(maps.Keys(hellos)); !slices.Equal(got, c.hellos) {
			t.Errorf("%q: the hellos cite %q, expected %q", c.args, got, c.hellos)
		}
	}
}
