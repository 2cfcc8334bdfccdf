package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// deal writes the packets of a capture to files, each to the one that which says.
func deal(t *testing.T, name string, files int, which func(n int) int) (names []string) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in, err := capture.Open(f)
	if err != nil {
		t.Fatal(err)
	}
	var writers []*capture.Writer
	for i := range files {
		out, err := os.Create(filepath.Join(t.TempDir(), fmt.Sprintf("ring_%d.pcapng", i)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { out.Close() })
		names = append(names, out.Name())
		writers = append(writers, capture.NewWriter(out, capture.WriterOptions{}))
	}
	for n := 0; ; n++ {
		p, err := in.Next()
		if err == io.EOF {
			break
		}
		if err == nil {
			err = writers[which(n)].Packet(p)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, w := range writers {
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	return names
}

// Files of a ring buffer, in any order on the command line, and of two places, are one capture.
func TestSeveralCapturesAreReadAsOne(t *testing.T) {
	dir := filepath.Join(testkit.Root(), "testdata", "cases", "encapsulations")
	keys := filepath.Join(dir, "keys.log")
	for what, which := range map[string]func(int) int{
		"a ring buffer": func(n int) int { return min(n/8, 2) },
		"several taps":  func(n int) int { return n % 3 },
	} {
		names := deal(t, filepath.Join(dir, "vxlan.pcap"), 3, which)
		for _, order := range [][]int{{0, 1, 2}, {2, 0, 1}} {
			copied := filepath.Join(t.TempDir(), "all.pcapng")
			args := []string{"decrypt", "--keylog", keys, "--pcap", copied}
			for _, i := range order {
				args = append(args, names[i])
			}
			code, stdout, stderr := command(t, args...)
			if code != exitOK || !strings.Contains(stdout, "3716 of 3716") {
				t.Errorf("%s, %v: exit code %d, %s %s", what, order, code, stdout, stderr)
			}
			code, stdout, stderr = command(t, "decrypt", copied)
			if code != exitOK || !strings.Contains(stdout, "3716 of 3716") {
				t.Errorf("%s, the copy: exit code %d, %s %s", what, code, stdout, stderr)
			}
		}
		code, stdout, _ := command(t, "decrypt", "--keylog", keys, names[1], names[2])
		if code != exitUndecrypted {
			t.Errorf("%s without the first file: exit code %d, %s", what, code, stdout)
		}
	}
	for args, says := range map[string]string{
		keys + " " + keys: "it is a key log, not a capture", "- -": "cannot be one of several",
		dir + " " + dir: "is a folder",
	} {
		code, _, stderr := command(t, append([]string{"decrypt"}, strings.Fields(args)...)...)
		if code == exitOK || !strings.Contains(stderr, says) {
			t.Errorf("%s: exit code %d, %s", args, code, stderr)
		}
	}
}
