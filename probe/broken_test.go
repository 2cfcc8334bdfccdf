package probe_test

import (
	"bufio"
	"context"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/probe"
)

// program starts a server of another make and returns how to reach it. Its output names the port.
func program(
	t *testing.T,
	port *regexp.Regexp,
	name string,
	args ...string,
) func(context.Context) (net.Conn, error) {
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
			return func(ctx context.Context) (net.Conn, error) {
				var d net.Dialer
				return d.DialContext(ctx, "tcp", "127.0.0.1:"+m[1])
			}
		}
	}
	t.Fatalf("%s did not start: %q", name, said)
	return nil
}

// files writes a certificate with its key.
func files(t *testing.T, c tls.Certificate) (cert, key string) {
	t.Helper()
	der, err := throwaway.PKCS8(c)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: c.Certificate[0]},
		key: {Type: "PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func openssl(t *testing.T, args ...string) func(context.Context) (net.Conn, error) {
	cert, key := files(t, rig.Certificate(t, throwaway.RSA))
	return program(
		t,
		regexp.MustCompile(`^ACCEPT .*:(\d+)$`),
		"openssl",
		append(
			[]string{"s_server", "-accept", "127.0.0.1:0", "-cert", cert, "-key", key},
			args...)...)
}

func gnutls(t *testing.T, priority string) func(context.Context) (net.Conn, error) {
	cert, key := files(t, rig.Certificate(t, throwaway.RSA))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	return program(
		t,
		regexp.MustCompile(`listening on IPv4 .*port (\d+)`),
		"gnutls-serv",
		"--port",
		port,
		"--x509certfile",
		cert,
		"--x509keyfile",
		key,
		"--priority",
		priority,
		"--echo",
	)
}

// fault is a server that makes one mistake, and no other: it answers in the clear until
// ServerHelloDone.
type fault struct {
	heartbeat bool                                              // it echoes heartbeats without padding
	early     bool                                              // it takes an early ChangeCipherSpec
	oracle    bool                                              // it tells bad padding
	strict    func(raw []byte, hello *message.ClientHello) bool // it drops such a hello
	compress  bool
}

func (f fault) serve(cert tls.Certificate) func(net.Conn) {
	return func(c net.Conn) {
		raw, err := readRecord(c)
		if err != nil || raw[0] != 22 {
			return
		}
		first := raw
		hello := raw[5:]
		for len(hello) < 4 || message.Length(hello) > len(hello) {
			if raw, err = readRecord(c); err != nil {
				return
			}
			hello = append(hello, raw[5:]...)
		}
		m, err := message.Dialect{Version: iana.TLS12}.Parse(hello)
		if err != nil {
			return
		}
		ch := m.(*message.ClientHello)
		if f.strict != nil && f.strict(first, ch) {
			return
		}
		if ch.Version < iana.TLS12 {
			c.Write([]byte{21, 3, 1, 0, 2, 2, 70})
			return
		}
		if !ch.Offers(iana.TLS_RSA_WITH_AES_128_GCM_SHA256) {
			c.Write([]byte{21, 3, 3, 0, 2, 2, 40})
			return
		}
		f.answer(c, ch, cert)
	}
}

func (f fault) answer(c net.Conn, ch *message.ClientHello, cert tls.Certificate) {
	sh := &message.ServerHello{
		Version:     iana.TLS12,
		CipherSuite: iana.TLS_RSA_WITH_AES_128_GCM_SHA256,
	}
	sh.Extensions.Add(iana.ExtRenegotiationInfo, &message.RenegotiationInfo{})
	sh.Extensions.Add(iana.ExtExtendedMasterSecret, &message.Empty{})
	if f.heartbeat && ch.Extensions.Has(iana.ExtHeartbeat) {
		sh.Extensions.Add(iana.ExtHeartbeat, &message.Heartbeat{Mode: 1})
	}
	if f.compress && slices.Contains(ch.CompressionMethods, 1) {
		sh.CompressionMethod = 1
	}
	d := message.Dialect{Version: iana.TLS12, Kex: iana.KexRSA, Auth: iana.AuthRSA}
	var out []byte
	for _, m := range []message.Message{sh, &message.Certificate{Chain: cert.Certificate},
		&message.ServerHelloDone{}} {
		raw, err := d.Encode(m)
		if err != nil {
			panic(err)
		}
		out = append(out, raw...)
	}
	c.Write(append([]byte{22, 3, 3, byte(len(out) >> 8), byte(len(out))}, out...))
	f.rest(c, cert.PrivateKey.(*rsa.PrivateKey))
}

func (f fault) rest(c net.Conn, key *rsa.PrivateKey) {
	alert := func(d byte) { c.Write([]byte{21, 3, 3, 0, 2, 2, d}) }
	keys := false
	for {
		raw, err := readRecord(c)
		switch {
		case err != nil:
			return
		case raw[0] == 24 && f.heartbeat:
			c.Write(append([]byte{24, 3, 3, raw[3], raw[4], 2}, raw[6:]...))
		case raw[0] == 24:
		case raw[0] == 20 && !keys && !f.early:
			alert(10)
			return
		case raw[0] == 20:
			keys = true
		case raw[0] == 22 && raw[5] == 16 && !keys:
			plain := new(big.Int).Exp(new(big.Int).SetBytes(raw[11:]), key.D, key.N)
			b := plain.FillBytes(make([]byte, key.Size()))
			if f.oracle && (b[0] != 0 || b[1] != 2) {
				alert(51)
				return
			}
			keys = true
		case raw[0] == 22 && keys:
			alert(20)
			return
		default:
			alert(10)
			return
		}
	}
}

func readRecord(c net.Conn) ([]byte, error) {
	header := make([]byte, 5)
	if _, err := io.ReadFull(c, header); err != nil {
		return nil, err
	}
	raw := append(header, make([]byte, int(header[3])<<8|int(header[4]))...)
	_, err := io.ReadFull(c, raw[5:])
	return raw, err
}

// Each server has one thing wrong with it, or two; what else is said of it is left out of the
// comparison only if it is no more than a remark.
func TestBrokenServersAreTold(t *testing.T) {
	rsaCert := rig.Certificate(t, throwaway.RSA)
	scripted := func(f fault) func(*testing.T) func(context.Context) (net.Conn, error) {
		return func(t *testing.T) func(context.Context) (net.Conn, error) {
			return listen(t, f.serve(rsaCert))
		}
	}
	crypto := func(config *tls.Config) func(*testing.T) func(context.Context) (net.Conn, error) {
		return func(t *testing.T) func(context.Context) (net.Conn, error) {
			return listen(t, stdlib(config))
		}
	}
	wrongName, err := rig.Authority().Issue(throwaway.ECDSA, []string{"other.example"})
	if err != nil {
		t.Fatal(err)
	}
	usual := []string{"no_tls1_3", "static_rsa"} // of what the scripted server is
	for _, tt := range []struct {
		name  string
		start func(*testing.T) func(context.Context) (net.Conn, error)
		want  []string // findings above info
	}{
		{"OpenSSL: TLS 1.0 and 1.1 alone", func(t *testing.T) func(context.Context) (net.Conn, error) {
			return openssl(t, "-cipher", "ECDHE-RSA-AES128-SHA:@SECLEVEL=0", "-min_protocol", "TLSv1",
				"-max_protocol", "TLSv1.1")
		}, []string{"no_tls1_2", "no_tls1_3", "tls1_0", "tls1_1"}},
		{"OpenSSL: no encryption, and nobody's certificate", func(t *testing.T) func(context.Context) (net.Conn, error) {
			return openssl(t, "-cipher", "AECDH-NULL-SHA:AES128-SHA:@SECLEVEL=0", "-max_protocol", "TLSv1.2",
				"-min_protocol", "TLSv1.2")
		}, []string{"anonymous", "no_tls1_3", "null", "static_rsa"}},
		{"OpenSSL: a prime of 1024 bits", func(t *testing.T) func(context.Context) (net.Conn, error) {
			return openssl(t, "-cipher", "DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0", "-max_protocol", "TLSv1.2",
				"-dhparam", short(t))
		}, []string{"no_tls1_3", "sha1_signature", "short_prime"}},
		{"GnuTLS: TLS 1.0 to 1.2 with CBC", func(t *testing.T) func(context.Context) (net.Conn, error) {
			return gnutls(t, "NORMAL:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.1:+VERS-TLS1.0:-CIPHER-ALL:"+
				"+AES-128-CBC:-KX-ALL:+ECDHE-RSA")
		}, []string{"downgrade_sentinel", "no_tls1_3", "sha1_signature", "tls1_0", "tls1_1"}},
		{"GnuTLS: RSA key exchange, no extended_master_secret",
			func(t *testing.T) func(context.Context) (net.Conn, error) {
				return gnutls(t, "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA:%NO_SESSION_HASH")
			}, []string{"extended_master_secret", "no_tls1_3", "static_rsa"}},
		{"crypto/tls: 3DES and RC4", crypto(&tls.Config{Certificates: []tls.Certificate{rsaCert},
			CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA,
				tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA}}), []string{"rc4", "sweet32"}},
		{"crypto/tls: a certificate of another name",
			crypto(&tls.Config{Certificates: []tls.Certificate{wrongName}}), []string{"untrusted"}},
		{"crypto/tls: a certificate that ends tomorrow", crypto(&tls.Config{Certificates: []tls.Certificate{
			rig.Certificate(t, throwaway.ECDSA, func(c *x509.Certificate) {
				c.NotBefore, c.NotAfter = time.Now().AddDate(0, 0, -80), time.Now().Add(24*time.Hour)
			})}}), []string{"expires_soon"}},
		{"scripted: nothing but RSA", scripted(fault{}), usual},
		{"scripted: Heartbleed", scripted(fault{heartbeat: true}), append(usual, "heartbleed")},
		{"scripted: early ChangeCipherSpec", scripted(fault{early: true}), append(usual, "ccs_injection")},
		{"scripted: ROBOT", scripted(fault{oracle: true}), append(usual, "robot")},
		{"scripted: compression", scripted(fault{compress: true}), append(usual, "compression")},
		{"scripted: fails with extensions that it does not know", scripted(fault{
			strict: func(_ []byte, m *message.ClientHello) bool {
				return m.Extensions.Has(0x4A4A)
			}}), append(usual, "grease")},
		{"scripted: fails with long hellos", scripted(fault{
			strict: func(raw []byte, _ *message.ClientHello) bool { return len(raw) > 4096 }}),
			append(usual, "long_hello")},
		{"scripted: fails with hellos in several records", scripted(fault{
			strict: func(raw []byte, _ *message.ClientHello) bool { return len(raw) < 40 }}),
			append(usual, "split_hello")},
		{"scripted: fails with an unknown version", scripted(fault{
			strict: func(_ []byte, m *message.ClientHello) bool { return m.Version > iana.TLS12 }}),
			append(usual, "unknown_version")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := ask(t, tt.start(t))
			if !r.Reached {
				t.Fatal(r.Problem)
			}
			var got []string
			for _, f := range r.Findings {
				if f.Severity != probe.Info {
					got = append(got, f.ID)
				}
			}
			slices.Sort(got)
			want := slices.Sorted(slices.Values(tt.want))
			if !slices.Equal(got, want) {
				t.Errorf("findings %q, expected %q", got, want)
				for _, f := range r.Facts {
					if f.Told == probe.NotTold {
						t.Logf("%s: not told: %s", f.ID, f.Detail)
					}
				}
				for _, v := range r.Versions {
					t.Logf("%s: %s, %d suites: %s", v.Name, v.Told, len(v.Suites), v.Detail)
				}
			}
		})
	}
}

// short writes Diffie-Hellman parameters with the 1024-bit prime of RFC 2409 §6.2, as many servers
// had them.
func short(t *testing.T) string {
	t.Helper()
	const prime = `
FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD
EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED
EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF`
	p, _ := new(big.Int).SetString(strings.ReplaceAll(prime, "\n", ""), 16)
	der := p.Bytes()
	integer := append([]byte{2, 0x81, byte(len(der) + 1), 0}, der...)
	body := append(integer, 2, 1, 2)
	seq := append([]byte{0x30, 0x81, byte(len(body))}, body...)
	file := filepath.Join(t.TempDir(), "dh.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "DH PARAMETERS", Bytes: seq})
	if err := os.WriteFile(file, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
