// Package testkit has what the tests of several packages share: published vectors and seeded
// randomness.
package testkit

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Root returns the folder of the module.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// Vectors returns the contents of testdata/vectors/name.
func Vectors(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(Root(), "testdata", "vectors", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// JSON decodes a vector file into v.
func JSON(t testing.TB, name string, v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(Vectors(t, name)))
	if err := d.Decode(v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// Hex is a byte string that JSON vectors write in hex.
type Hex []byte

// UnmarshalText decodes hex digits of either case.
func (h *Hex) UnmarshalText(b []byte) (err error) {
	*h, err = hex.DecodeString(string(b))
	return err
}

// Unhex decodes hex digits, which may be separated by white space.
func Unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Block is one case of a Botan .vec or an OpenSSL evp test file: "Key = value" lines up to a blank
// line.
type Block struct {
	Section string // the last "[section]" or, in OpenSSL's files, empty
	Line    int
	Fields  map[string]string
}

// Blocks reads a vector file. Cases are separated by blank lines.
func Blocks(t testing.TB, name string) []Block {
	t.Helper()
	var out []Block
	var section string
	cur := Block{Fields: map[string]string{}}
	flush := func() {
		if len(cur.Fields) > 0 {
			out = append(out, cur)
		}
		cur = Block{Section: section, Fields: map[string]string{}}
	}
	for i, line := range strings.Split(string(Vectors(t, name)), "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
			flush()
		case strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]"):
			flush()
			section = strings.Trim(line, "[]")
			cur.Section = section
		default:
			if k, v, ok := strings.Cut(line, "="); ok {
				if len(cur.Fields) == 0 {
					cur.Line = i + 1
				}
				cur.Fields[strings.TrimSpace(k)] = strings.TrimSpace(v)
			}
		}
	}
	flush()
	if len(out) == 0 {
		t.Fatalf("%s: no cases", name)
	}
	return out
}
