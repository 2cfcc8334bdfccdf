package playpage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/andybalholm/brotli"
)

// wasmPackage is the program that is compiled to WebAssembly.
const wasmPackage = "internal/playpage/wasm"

// Qualities of brotli: for a build that somebody waits for, and for one that is kept.
const (
	quickly = 4
	Small   = 9
)

// Build compiles the playground from the repository at source, compresses it with a quality of
// brotli and writes it to folder. What is there already and current stays. The Go command must be
// at hand. Build tells log what takes long.
func Build(ctx context.Context, log io.Writer, source, folder string, quality int) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	raw := filepath.Join(folder, "_playground.wasm") // "_": embed leaves it out
	if _, err := os.Stat(raw); err != nil {
		fmt.Fprintln(log, "Building the playground for the browser, once: this takes a minute "+
			"or two.")
	}
	if err := goCommand(ctx, source, append(append([]string{"build", "-trimpath",
		"-ldflags=-s -w"}, inlining()...), "-o", raw, "./"+wasmPackage)...); err != nil {
		return err
	}
	wasm, err := os.ReadFile(raw)
	if err != nil {
		return err
	}
	sum := hashOf(string(wasm)) + fmt.Sprintf(" brotli %d\n", quality)
	stamp := filepath.Join(folder, "_stamp")
	if old, err := os.ReadFile(stamp); err == nil && string(old) == sum {
		if _, err := read(os.DirFS(folder)); err == nil {
			return nil
		}
	}
	if err := compress(filepath.Join(folder, wasmFile), wasm, quality); err != nil {
		return err
	}
	if err := copyExec(ctx, source, folder); err != nil {
		return err
	}
	return os.WriteFile(stamp, []byte(sum), 0o644)
}

// inlining returns the flags that leave inlining to the packages that compute. In all packages it
// would make the page larger by a tenth, in none a handshake three times as slow.
func inlining() []string {
	flags := []string{"-gcflags=all=-l"}
	for _, pattern := range []string{"runtime/...", "internal/...", "crypto/...", "math/...",
		"slices", "bytes", "filippo.io/...", "golang.org/x/crypto/...",
		"github.com/cloudflare/..."} {
		flags = append(flags, "-gcflags="+pattern+"=")
	}
	return flags
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// goCommand runs the Go command in a folder, for WebAssembly.
func goCommand(ctx context.Context, folder string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOFLAGS="+goFlags())
	out, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("%w; the Go command is not at hand", ErrNotBuilt)
	}
	if err != nil {
		return fmt.Errorf("building the playground: %w\n%s", err, bytes.TrimSpace(out))
	}
	return nil
}

// goFlags returns the user's GOFLAGS without what is for other platforms.
func goFlags() string { return strings.ReplaceAll(os.Getenv("GOFLAGS"), "-race", "") }

// compress writes wasm to a file, which appears whole or not at all.
func compress(name string, wasm []byte, quality int) error {
	var b bytes.Buffer
	w := brotli.NewWriterOptions(&b, brotli.WriterOptions{Quality: quality, LGWin: 24})
	if _, err := w.Write(wasm); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	if err := os.WriteFile(name+".new", b.Bytes(), 0o644); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

// copyExec copies the script that runs WebAssembly from the Go distribution that compiled it.
func copyExec(ctx context.Context, source, folder string) error {
	cmd := exec.CommandContext(ctx, "go", "env", "GOROOT")
	cmd.Dir = source
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("building the playground: go env GOROOT: %w", err)
	}
	root := strings.TrimSpace(string(out))
	script, err := os.ReadFile(filepath.Join(root, "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return fmt.Errorf("building the playground: %w", err)
	}
	return os.WriteFile(filepath.Join(folder, execFile), script, 0o644)
}
