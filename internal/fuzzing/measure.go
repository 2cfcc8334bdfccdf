package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// binaries builds test programs that count statements, and keeps the last: each takes some 10 MB.
type binaries struct{ dir, last string }

func newBinaries() (*binaries, error) {
	dir, err := os.MkdirTemp("", "fuzzing")
	return &binaries{dir: dir}, err
}

func (b *binaries) remove() { os.RemoveAll(b.dir) }

// build returns the test program of a package that counts the statements of another.
func (b *binaries) build(pkg, cover string) (string, error) {
	name := filepath.Join(b.dir, "test")
	if key := pkg + " " + cover; key != b.last {
		b.last = ""
		cmd := exec.Command("go", "test", "-c", "-o", name, "-coverpkg", cover, "./"+pkg)
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%s: %v\n%s", pkg, err, out)
		}
		b.last = key
	}
	return name, nil
}

// coverage is what a corpus reaches of the functions that its target attacks.
type coverage struct {
	hit, all int
	missed   []string // the lines where a block begins that it does not reach
}

func (c coverage) percent() float64 {
	if c.all == 0 {
		return 0
	}
	return 100 * float64(c.hit) / float64(c.all)
}

// measure counts the statements that the corpus reaches: the seeds and what lies in testdata/fuzz.
func (t target) measure(b *binaries) (c coverage, err error) {
	blocks, err := t.run(b, "^"+t.name+"$")
	if err != nil {
		return c, err
	}
	for _, block := range blocks {
		c.all += block.statements
		if block.count > 0 {
			c.hit += block.statements
			continue
		}
		c.missed = append(c.missed, fmt.Sprintf("%s:%d %s (%d): %s", filepath.Base(block.file),
			block.line, block.function, block.statements, sourceLine(t.folder(), block)))
	}
	if c.all == 0 {
		return c, fmt.Errorf("%s: %q names no function", t.key(), t.attacks)
	}
	return c, nil
}

// folder is the package whose functions the target attacks.
func (t target) folder() string { return cmp.Or(t.cover, "./"+t.pkg) }

// run runs the part of the corpus that the pattern of a test's name selects, and returns the blocks
// of the functions that the target attacks.
func (t target) run(b *binaries, pattern string) (wanted []block, err error) {
	program, err := b.build(t.pkg, t.folder())
	if err != nil {
		return nil, err
	}
	profile := filepath.Join(b.dir, "cover")
	cmd := exec.Command(program, "-test.run", pattern, "-test.coverprofile", profile)
	cmd.Dir = t.pkg
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%s: %v\n%s", t.key(), err, out)
	}
	counted, err := os.ReadFile(profile)
	if err != nil {
		return nil, err
	}
	functions, err := declarations(t.folder())
	if err != nil {
		return nil, err
	}
	for _, block := range merged(string(counted)) {
		block.function = functions.at(block.file, block.line)
		if t.counts(filepath.Base(block.file), block.function) {
			wanted = append(wanted, block)
		}
	}
	return wanted, nil
}

// sourceLine returns the text where a block begins.
func sourceLine(folder string, b block) string {
	text, err := os.ReadFile(filepath.Join(folder, filepath.Base(b.file)))
	if err != nil {
		return err.Error()
	}
	lines := bytes.Split(text, []byte("\n"))
	if b.line > len(lines) {
		return ""
	}
	return strings.TrimSpace(string(lines[b.line-1]))
}
