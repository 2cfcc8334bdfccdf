// Package testkit has what the tests of many packages share: published vectors, seeded randomness
// and golden files.
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

// Root is the folder of the module.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// Vectors reads testdata/vectors/name.
func Vectors(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(Root(), "testdata", "vectors", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// JSON reads a vector file into v.
func JSON(t testing.TB, name string, v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(Vectors(t, name)))
	if err := d.Decode(v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// Hex is bytes that a JSON vector spells in hex.
type Hex []byte

// UnmarshalText reads hex of either case.
func (h *Hex) UnmarshalText(b []byte) (err error) {
	*h, err = hex.DecodeString(string(b))
	return err
}

// Unhex reads hex, white space allowed.
func Unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Block is one case of a Botan .vec or an OpenSSL evp test file: "Key = value" lines until a blank
// one.
type Block struct {
	Section string // the last "[section]" or, in OpenSSL's files, empty
	Line    int
	Fields  map[string]string
}

// Blocks reads a Botan .vec file. In them a case ends with its last key; blank lines separate
// cases.
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
