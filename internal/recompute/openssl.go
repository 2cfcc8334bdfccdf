package recompute

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// OpenSSL runs the openssl command, version 3.0 or later. It remembers the answers, so that a Check
// of almost the same events takes almost no time. It is safe for concurrent use.
type OpenSSL struct {
	path, dir string

	mu    sync.Mutex
	known map[string]answer
	files map[string]string // by content
	runs  int
}

type answer struct {
	out []byte
	err error
}

// Find finds the command. Input files are written to dir.
func Find(dir string) (*OpenSSL, error) {
	path, err := exec.LookPath("openssl")
	if err != nil {
		return nil, errors.New("openssl is not installed (Debian: openssl)")
	}
	version, err := exec.Command(path, "version").Output()
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(version, []byte("OpenSSL ")) ||
		bytes.HasPrefix(version, []byte("OpenSSL 1")) {
		return nil, fmt.Errorf("got %q, expected OpenSSL 3.0 or later, which has openssl kdf",
			version)
	}
	return &OpenSSL{path: path, dir: dir, known: map[string]answer{}, files: map[string]string{}},
		nil
}

// Runs returns the number of processes that were started.
func (o *OpenSSL) Runs() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.runs
}

// run returns the output of the command.
func (o *OpenSSL) run(stdin []byte, args ...string) ([]byte, error) {
	return o.command(o.path, stdin, args...)
}

// command returns the output of a command, which may be another one than openssl.
func (o *OpenSSL) command(path string, stdin []byte, args ...string) ([]byte, error) {
	question := path + "\x00" + strings.Join(args, "\x00") + "\x00\x00" + string(stdin)
	o.mu.Lock()
	a, ok := o.known[question]
	o.mu.Unlock()
	if ok {
		return a.out, a.err
	}
	cmd := exec.Command(path, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	var problem bytes.Buffer
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s %s: %w: %s", filepath.Base(path), args[0], err, problem.Bytes())
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.runs++
	o.known[question] = answer{out, err}
	return out, err
}

// file returns the name of a file with this content, for input that openssl does not read from
// standard input.
func (o *OpenSSL) file(content []byte) (string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if name, ok := o.files[string(content)]; ok {
		return name, nil
	}
	name := filepath.Join(o.dir, fmt.Sprint(len(o.files)))
	o.files[string(content)] = name
	return name, os.WriteFile(name, content, 0o600)
}

// The primitives. Each is one command. An error is recorded in the view, and the result is nil.

func (v *view) openssl(stdin []byte, args ...string) []byte {
	out, err := v.tool.run(stdin, args...)
	if err != nil {
		v.fail("%w", err)
	}
	return out
}

func (v *view) file(content []byte) string {
	name, err := v.tool.file(content)
	if err != nil {
		v.fail("%w", err)
	}
	return name
}

// prf computes the PRF of TLS 1.2. See RFC 5246 §5.
func (v *view) prf(secret []byte, label string, seed []byte, n int) []byte {
	return v.openssl(nil, "kdf", "-binary", "-keylen", fmt.Sprint(n), "-kdfopt",
		"digest:"+v.suite.hash,
		"-kdfopt", "hexsecret:"+hex.EncodeToString(secret), "-kdfopt",
		"hexseed:"+hex.EncodeToString(append([]byte(label), seed...)), "TLS1-PRF")
}

// read returns the content of a file that openssl wrote.
func (v *view) read(name string) []byte {
	b, err := os.ReadFile(name)
	if err != nil {
		v.fail("%w", err)
	}
	return b
}

func (v *view) hash(content []byte) []byte { return v.digest(v.suite.hash, content) }

func (v *view) digest(hash string, content []byte) []byte {
	return v.openssl(content, "dgst", "-binary", "-"+hash)
}

func (v *view) hmac(key, content []byte) []byte { return v.mac(v.suite.mac, key, content) }

func (v *view) mac(hash string, key, content []byte) []byte {
	return v.openssl(content, "mac", "-binary", "-digest", hash, "-macopt",
		"hexkey:"+hex.EncodeToString(key), "HMAC")
}

func (v *view) poly1305(key, content []byte) []byte {
	return v.openssl(content, "mac", "-binary", "-macopt", "hexkey:"+hex.EncodeToString(key),
		"Poly1305")
}

// encrypt runs a cipher, or its inverse with "-d", without padding. iv is nil for ECB.
func (v *view) encrypt(cipher string, key, iv, content []byte, options ...string) []byte {
	args := append([]string{"enc", "-" + cipher, "-nopad", "-K", hex.EncodeToString(key)},
		options...)
	if iv != nil {
		args = append(args, "-iv", hex.EncodeToString(iv))
	}
	return v.openssl(content, args...)
}
