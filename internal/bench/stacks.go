package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	_ "embed"

	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

//go:embed testdata/openssl.c
var harness []byte

// buildOpenSSL compiles the harness against the libssl of this machine, and returns the program and
// the library's version.
func buildOpenSSL(dir string) (name, version string, err error) {
	source, name := filepath.Join(dir, "openssl.c"), filepath.Join(dir, "openssl")
	if err := os.WriteFile(source, harness, 0o600); err != nil {
		return "", "", err
	}
	out, err := exec.Command("cc", "-O2", "-o", name, source, "-lssl", "-lcrypto").CombinedOutput()
	if err != nil {
		return "", "", fmt.Errorf("%w: %s", err, out)
	}
	out, err = exec.Command(name, "version").Output()
	return name, strings.TrimSpace(string(out)), err
}

// certify writes the certificates of all jobs and their keys into dir.
func certify(dir string) error {
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		return err
	}
	root := filepath.Join(dir, rootFile+".pem")
	if err := writePEM(root, "CERTIFICATE", ca.Cert.Raw); err != nil {
		return err
	}
	for _, kind := range []throwaway.Kind{rsa, ecdsa, throwaway.Ed25519, clientFile} {
		key, edits := kind, []func(*x509.Certificate){}
		if kind == clientFile {
			key, edits = ecdsa, append(edits, throwaway.ForClient)
		}
		c, err := ca.Issue(key, []string{serverName}, edits...)
		if err != nil {
			return err
		}
		der, err := throwaway.PKCS8(c)
		name := filepath.Join(dir, string(kind))
		if err := errors.Join(err, writePEM(name+".pem", "CERTIFICATE", c.Certificate[0]),
			writePEM(name+".key", "PRIVATE KEY", der)); err != nil {
			return err
		}
	}
	return nil
}

func writePEM(name, kind string, der []byte) error {
	return os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

// opensslGroups has OpenSSL's names of job.groups. Of finite fields it takes one that is as strong
// as the certificate.
var opensslGroups = map[tls.CurveID]string{0: "-", ffdhe2048: "-", x25519: "X25519:P-256",
	tls.CurveP256: "P-256"}

// command returns the process that does j.
func (b *bench) command(j job) (*exec.Cmd, error) {
	j.Dir = b.dir
	if j.Stack == openSSL {
		client := "0"
		if j.ClientKey {
			client = "1"
		}
		suite := j.Suite.OpenSSL()
		if suite == "" {
			suite = "-"
		}
		group, ok := opensslGroups[j.Group]
		if !ok {
			return nil, fmt.Errorf("no name of OpenSSL's for %v", j.Group)
		}
		return exec.Command(b.openssl, j.What, fmt.Sprintf("0x%04x", j.Version), suite, group,
			j.Dir, string(j.Key), client, strconv.Itoa(j.Size)), nil
	}
	text, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	c := exec.Command(b.self)
	c.Env = append(os.Environ(), "GOMAXPROCS=1", workerEnv+"="+string(text))
	return c, nil
}

// A worker is a process that performs a job as often as it is told on standard input.
type worker struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out io.Reader
}

func begin(c *exec.Cmd) (*worker, error) {
	w := &worker{cmd: c}
	c.Stderr = os.Stderr
	in, errIn := c.StdinPipe()
	out, errOut := c.StdoutPipe()
	w.in, w.out = in, out
	return w, errors.Join(errIn, errOut, c.Start())
}

// do performs n operations and returns what one of them cost.
func (w *worker) do(n int) (s sample, err error) {
	fmt.Fprintln(w.in, n)
	if _, err := fmt.Fscan(w.out, &s.micros, &s.bytes, &s.allocs); err != nil {
		return s, fmt.Errorf("a worker ended: %w", err)
	}
	return sample{s.micros / float64(n), s.bytes / float64(n), s.allocs / float64(n)}, nil
}

// end lets the worker end.
func (w *worker) end() error {
	w.in.Close()
	return w.cmd.Wait()
}
