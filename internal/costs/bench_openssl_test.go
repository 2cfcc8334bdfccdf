package costs_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// opensslNames are OpenSSL's names of the suites of benchmarks.
var opensslNames = map[iana.CipherSuite]string{
	0:            "-",
	rig.ECDSAGCM: "ECDHE-ECDSA-AES128-GCM-SHA256",
	iana.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384:       "ECDHE-ECDSA-AES256-GCM-SHA384",
	iana.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-ECDSA-CHACHA20-POLY1305",
	iana.TLS_AES_128_GCM_SHA256:                        "TLS_AES_128_GCM_SHA256",
	iana.TLS_AES_256_GCM_SHA384:                        "TLS_AES_256_GCM_SHA384",
	iana.TLS_CHACHA20_POLY1305_SHA256:                  "TLS_CHACHA20_POLY1305_SHA256",
}

// buildOpenSSL compiles testdata/openssl.c against the libssl of this machine, once.
var buildOpenSSL = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "vitrine-openssl")
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "openssl")
	out, err := exec.Command("cc", "-O2", "-o", name, "testdata/openssl.c", "-lssl",
		"-lcrypto").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return name, nil
})

// opensslBlock returns what performs n operations of testdata/openssl.c and tells their processor
// time, or nil where there is no compiler or no libssl. last is its last argument.
func opensslBlock(b *testing.B, what string, p parameters, last int) block {
	b.Helper()
	name, err := buildOpenSSL()
	if err != nil {
		b.Logf("without OpenSSL: %v", err)
		return nil
	}
	cert := rig.Certificate(b, p.key)
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		b.Fatal(err)
	}
	var args []string
	for _, f := range []pem.Block{{Type: "CERTIFICATE", Bytes: cert.Certificate[0]},
		{Type: "PRIVATE KEY", Bytes: key},
		{Type: "CERTIFICATE", Bytes: rig.Authority().Cert.Raw}} {
		path := filepath.Join(b.TempDir(), strconv.Itoa(len(args)))
		if err := os.WriteFile(path, pem.EncodeToMemory(&f), 0o600); err != nil {
			b.Fatal(err)
		}
		args = append(args, path)
	}
	args = append([]string{what, fmt.Sprintf("0x%04x", p.version), opensslNames[p.suite],
		"X25519:P-256"},
		append(args, strconv.Itoa(last))...)
	cmd := exec.Command(name, args...)
	cmd.Stderr = os.Stderr
	in, errIn := cmd.StdinPipe()
	out, errOut := cmd.StdoutPipe()
	if err := errors.Join(errIn, errOut, cmd.Start()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { in.Close(); cmd.Wait() })
	return func(n int) (micros float64) {
		fmt.Fprintln(in, n)
		if _, err := fmt.Fscan(out, &micros); err != nil {
			b.Fatalf("openssl: %v", err)
		}
		return micros
	}
}

// block performs n operations, and returns the processor time that they took, in µs.
type block func(n int) float64

// goBlock counts what this process spends.
func goBlock(once func()) block {
	return func(n int) float64 {
		before := cpu()
		for range n {
			once()
		}
		return float64((cpu() - before).Microseconds())
	}
}

// interleave runs the blocks in turn, n operations each, and reports for each stack the median of
// its times and, beside those of the first, the median of the ratios of pairs. A stack that is nil
// is left out.
func interleave(b *testing.B, n int, names []string, stacks []block) {
	times := make([][]float64, len(stacks))
	for b.Loop() {
		for i, run := range stacks {
			if run != nil {
				times[i] = append(times[i], run(n)/float64(n))
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	for i, t := range times {
		if t == nil {
			continue
		}
		b.ReportMetric(median(t), names[i]+"-µs")
		if i == 0 {
			continue
		}
		ratios := make([]float64, len(t))
		for j := range t {
			ratios[j] = times[0][j] / t[j]
		}
		b.ReportMetric(median(ratios), "ratio-to-"+names[i])
	}
}

var three = []string{"vitrine", "crypto/tls", "openssl"}

// BenchmarkOpenSSL is bulk data by writes of several lengths, and handshakes, of three stacks in
// turn. crypto/tls lets nobody choose a suite of TLS 1.3.
func BenchmarkOpenSSL(b *testing.B) {
	for _, c := range []struct {
		name string
		parameters
		tls bool
	}{
		{"13_AES_128_GCM", parameters{tls.VersionTLS13, iana.TLS_AES_128_GCM_SHA256, throwaway.ECDSA,
			tls.X25519}, true},
		{"13_AES_256_GCM", parameters{tls.VersionTLS13, iana.TLS_AES_256_GCM_SHA384, throwaway.ECDSA,
			tls.X25519}, false},
		{"13_CHACHA20_POLY1305", parameters{tls.VersionTLS13, iana.TLS_CHACHA20_POLY1305_SHA256,
			throwaway.ECDSA, tls.X25519}, false},
		{"12_AES_256_GCM", parameters{tls.VersionTLS12,
			iana.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, throwaway.ECDSA, tls.X25519}, true},
		{"12_CHACHA20_POLY1305", parameters{tls.VersionTLS12,
			iana.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, throwaway.ECDSA, tls.X25519}, true},
	} {
		for _, each := range []int{1 << 10, 16 << 10, 1 << 20} {
			b.Run(fmt.Sprintf("bulk/%s/%d", c.name, each), func(b *testing.B) {
				stacks := []block{goBlock(mover(b, vitrineEnds(b, c.parameters, nil), each)), nil,
					opensslBlock(b, "bulk", c.parameters, each)}
				if c.tls {
					stacks[1] = goBlock(mover(b, cryptoTLSEnds(b, c.parameters, nil), each))
				}
				interleave(b, 16, three, stacks)
			})
		}
	}
	for _, h := range handshakes {
		if h.key != throwaway.ECDSA || h.group != tls.X25519 {
			continue
		}
		b.Run("handshake/"+h.name, func(b *testing.B) {
			interleave(b, 50, three, []block{goBlock(handshaker(b, vitrineEnds(b, h.parameters, nil))),
				goBlock(handshaker(b, cryptoTLSEnds(b, h.parameters, nil))),
				opensslBlock(b, "handshake", h.parameters, 0)})
		})
	}
}

const moved = 1 << 20

// mover returns what moves a MiB from client to server by writes of so many bytes.
func mover(b *testing.B, make ends, each int) (once func()) {
	a, z := rig.Wires(b)
	a.SetDeadline(time.Time{})
	z.SetDeadline(time.Time{})
	client, server := make(a, z)
	if err, serverErr := rig.Shake(client, server); err != nil || serverErr != nil {
		b.Fatal(err, serverErr)
	}
	done := newChan[error]()
	go func() {
		for buf := [64 << 10]byte{}; ; {
			for n := 0; n < moved; {
				m, err := server.Read(buf[:])
				if n += m; err != nil {
					if err != io.EOF {
						done <- err
					}
					return
				}
			}
			done <- nil
		}
	}()
	data := [moved]byte{}
	return func() {
		for rest := data[:]; len(rest) > 0; rest = rest[min(each, len(rest)):] {
			if _, err := client.Write(rest[:min(each, len(rest))]); err != nil {
				b.Fatal(err)
			}
		}
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
}
