package main

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// keeper chooses from what fuzzing found the inputs that reach a statement that the corpus did not.
type keeper struct {
	target
	*binaries
	folder  string          // of the corpus that is committed
	reached map[string]bool // by the place of a block
	kept    int
}

// keep puts into testdata/fuzz those inputs that go test -fuzz left in its cache which reach
// statements of the attacked functions that nothing in the corpus reaches.
func (t target) keep(b *binaries) (int, error) {
	out, err := exec.Command("go", "env", "GOCACHE").Output()
	if err != nil {
		return 0, err
	}
	list, err := exec.Command("go", "list", "./"+t.pkg).Output()
	if err != nil {
		return 0, err
	}
	cache := filepath.Join(strings.TrimSpace(string(out)), "fuzz",
		strings.TrimSpace(string(list)), t.name)
	found, err := os.ReadDir(cache)
	if err != nil {
		return 0, nil // nothing was found
	}
	k := &keeper{target: t, binaries: b, reached: map[string]bool{},
		folder: filepath.Join(t.pkg, "testdata", "fuzz", t.name)}
	if _, err := k.gains("^" + t.name + "$"); err != nil {
		return 0, err
	}
	if err := os.MkdirAll(k.folder, 0o755); err != nil {
		return 0, err
	}
	defer os.Remove(k.folder) // if it is empty
	names, err := k.bring(cache, found)
	if err != nil {
		return 0, err
	}
	err = k.choose(names)
	return k.kept, err
}

// bring copies what was found beside the corpus, short inputs first, and returns the names.
func (k *keeper) bring(cache string, found []fs.DirEntry) (names []string, err error) {
	inputs := map[string][]byte{}
	for _, entry := range found {
		b, err := os.ReadFile(filepath.Join(cache, entry.Name()))
		if err != nil {
			return nil, err
		}
		if _, err := os.Stat(filepath.Join(k.folder, entry.Name())); err == nil || len(b) > 4096 {
			continue
		}
		inputs[entry.Name()] = b
		names = append(names, entry.Name())
	}
	slices.SortFunc(names, func(a, b string) int { return len(inputs[a]) - len(inputs[b]) })
	for name, b := range inputs {
		if err := os.WriteFile(filepath.Join(k.folder, name), b, 0o644); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// choose removes those of the inputs without which as much is reached.
func (k *keeper) choose(names []string) error {
	if len(names) == 0 {
		return nil
	}
	before := len(k.reached)
	was := make(map[string]bool, before)
	for place := range k.reached {
		was[place] = true
	}
	more, err := k.gains("^" + k.name + "$/^(" + strings.Join(names, "|") + ")$")
	switch {
	case err != nil:
		return err
	case !more:
		for _, name := range names {
			if err := os.Remove(filepath.Join(k.folder, name)); err != nil {
				return err
			}
		}
		return nil
	case len(names) == 1:
		k.kept++
		fmt.Println("  kept", names[0])
		return nil
	}
	k.reached = was
	half := len(names) / 2
	if err := k.choose(names[:half]); err != nil {
		return err
	}
	return k.choose(names[half:])
}

// gains runs a part of the corpus, and reports whether it reaches anything for the first time.
func (k *keeper) gains(pattern string) (more bool, err error) {
	blocks, err := k.run(k.binaries, pattern)
	for _, b := range blocks {
		place := b.file + ":" + b.place
		if b.count > 0 && !k.reached[place] {
			k.reached[place], more = true, true
		}
	}
	return more, err
}
