package playpage

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/andybalholm/brotli"
)

// The files that Build writes.
const (
	wasmFile = "playground.wasm.br"
	execFile = "wasm_exec.txt" // Go's lib/wasm/wasm_exec.js
)

//go:embed built
var built embed.FS

// Assets is the playground as WebAssembly.
type Assets struct {
	Brotli []byte // compressed
	Exec   []byte // the script of the Go distribution that runs it
}

// ErrNotBuilt is the error of Find in a build that has no WebAssembly and no source to make it of.
var ErrNotBuilt = errors.New("this build of vitrine has no playground in it: it is made by " +
	"./install.sh, and by go run ./cmd/vitrine playground in a clone of the repository")

// Embedded returns the assets that were built into this program, or nil if there are none.
func Embedded() *Assets {
	folder, err := fs.Sub(built, "built")
	if err != nil {
		panic(err) // embedded
	}
	a, err := read(folder)
	if err != nil {
		return nil
	}
	return a
}

func read(folder fs.FS) (*Assets, error) {
	wasm, err := fs.ReadFile(folder, wasmFile)
	if err != nil {
		return nil, err
	}
	exec, err := fs.ReadFile(folder, execFile)
	return &Assets{wasm, exec}, err
}

// Find returns the assets that were built into this program, or else those of FromSource.
func Find(ctx context.Context, log io.Writer) (*Assets, error) {
	if a := Embedded(); a != nil {
		return a, nil
	}
	return FromSource(ctx, log)
}

// FromSource builds the assets from the source that this program was built from, and keeps them in
// the user's cache. It tells log what takes long. Its error is ErrNotBuilt if the source is not
// there.
func FromSource(ctx context.Context, log io.Writer) (*Assets, error) {
	source := sourceFolder()
	if source == "" {
		return nil, ErrNotBuilt
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("%w; %w", ErrNotBuilt, err)
	}
	folder := filepath.Join(cache, "vitrine", "playground-"+hashOf(source))
	if err := Build(ctx, log, source, folder, quickly); err != nil {
		return nil, err
	}
	return read(os.DirFS(folder))
}

// sourceFolder returns the root of the repository that this program was built from, or "" if it is
// not there, or not known.
func sourceFolder() string {
	_, file, _, ok := runtime.Caller(0)
	if !ok || !filepath.IsAbs(file) {
		return ""
	}
	root := filepath.Join(filepath.Dir(file), "..", "..")
	if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(wasmPackage))); err != nil {
		return ""
	}
	return root
}

// Wasm returns the WebAssembly, not compressed.
func (a *Assets) Wasm() ([]byte, error) {
	return io.ReadAll(brotli.NewReader(bytes.NewReader(a.Brotli)))
}
