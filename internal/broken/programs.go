// Package broken has servers with one fault each, of several implementations, for the tests of
// package probe and of the command connect, which report such faults.
package broken

import (
	"bufio"
	"crypto/tls"
	"encoding/asn1"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// Files writes a certificate with its chain, and its key.
func Files(t testing.TB, c tls.Certificate) (cert, key string) {
	t.Helper()
	der, err := throwaway.PKCS8(c)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	var chain []byte
	for _, der := range c.Certificate {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	for file, text := range map[string][]byte{cert: chain,
		key: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})} {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

var (
	opensslAccepts = regexp.MustCompile(`^ACCEPT .*:(\d+)$`)
	gnutlsListens  = regexp.MustCompile(`listening on IPv4 .*port (\d+)`)
)

// OpenSSL starts s_server with an RSA certificate of rig.Authority and returns its address.
// Arguments given may name another certificate.
func OpenSSL(t testing.TB, args ...string) string {
	t.Helper()
	cert, key := Files(t, rig.Certificate(t, throwaway.RSA))
	return Program(t, opensslAccepts, "openssl", append([]string{"s_server", "-accept",
		"127.0.0.1:0", "-cert", cert, "-key", key}, args...)...)
}

// GnuTLS starts gnutls-serv with an RSA certificate of rig.Authority and returns its address.
func GnuTLS(t testing.TB, priority string, args ...string) string {
	t.Helper()
	cert, key := Files(t, rig.Certificate(t, throwaway.RSA))
	return Program(t, gnutlsListens, "gnutls-serv", append([]string{"--port", freePort(t),
		"--x509certfile", cert, "--x509keyfile", key, "--priority", priority, "--echo",
		"--disable-client-cert"},
		args...)...)
}

// freePort returns a port on which nobody listened a moment ago.
func freePort(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// Program starts a server of another make until the test ends and returns its address. Its output
// names the port. The test is skipped if the program is not installed.
func Program(t testing.TB, port *regexp.Regexp, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is not installed", name)
	}
	cmd := exec.Command(name, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	in, err := cmd.StdinPipe() // s_server ends with its input
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Process.Kill(); cmd.Wait() })
	lines := bufio.NewScanner(out)
	var said []string
	for lines.Scan() {
		said = append(said, lines.Text())
		if m := port.FindStringSubmatch(lines.Text()); m != nil {
			go io.Copy(io.Discard, out)
			return "127.0.0.1:" + m[1]
		}
	}
	t.Fatalf("%s did not start: %q, %v", name, said, lines.Err())
	return ""
}

// Primes that servers had, in hexadecimal: the safe one of 1024 bits of RFC 2409 §6.2, the one of
// 768 bits of §6.1, and one of 512 bits that was in Apache, which the Logjam paper names.
const (
	Prime1024 = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22" +
		"514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42" +
		"E9A637ED6B0BFF5CB6F406B7EDEE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF"
	Prime768 = "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22" +
		"514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9" +
		"A63A3620FFFFFFFFFFFFFFFF"
	Prime512 = "9FDB8B8A004544F0045F1737D0BA2E0B274CDF1A9F588218FB435316A16E374171FD19D8D8F3" +
		"7C39BF863FD60E3E300680A3030C6E4C3757D08F70E6AA871033"
)

// Parameters writes Diffie-Hellman parameters with a prime and the generator 2 to a file.
func Parameters(t testing.TB, prime string) string {
	t.Helper()
	p, ok := new(big.Int).SetString(prime, 16)
	if !ok {
		t.Fatalf("not a number: %s", prime)
	}
	der, err := asn1.Marshal(struct{ P, G *big.Int }{p, big.NewInt(2)})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "dh.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "DH PARAMETERS", Bytes: der})
	if err := os.WriteFile(file, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
