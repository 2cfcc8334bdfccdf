package broken

import (
	stdcrypto "crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/pki"
)

// Failing returns the servers that a client with the defaults of today cannot speak to, or does not
// trust.
func Failing() []Server { return slices.Concat(servers, refusing) }

var servers = []Server{
	// versions
	{"OpenSSL: TLS 1.0 and 1.1 alone", openssl("-cipher", "ECDHE-RSA-AES128-SHA:@SECLEVEL=0",
		"-min_protocol", "TLSv1", "-max_protocol", "TLSv1.1")},
	{"GnuTLS: TLS 1.0 alone", gnutls("NORMAL:-VERS-ALL:+VERS-TLS1.0")},
	{"scripted: SSL 3.0 alone", func(t testing.TB) string { return testkit.ServeTCP(t, ssl30) }},
	// suites
	{"crypto/tls: 3DES alone", crypto(throwaway.RSA, func(c *tls.Config) {
		c.MaxVersion = tls.VersionTLS12
		c.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA}
	})},
	{"OpenSSL: no encryption", openssl("-cipher", "ECDHE-RSA-NULL-SHA:@SECLEVEL=0",
		"-max_protocol", "TLSv1.2")},
	{"OpenSSL: nobody's certificate", openssl("-cipher", "ADH-AES128-GCM-SHA256:@SECLEVEL=0",
		"-max_protocol", "TLSv1.2")},
	{"GnuTLS: RSA key exchange alone", gnutls("NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA")},
	{"GnuTLS: CBC alone", gnutls("NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC:" +
		"-KX-ALL:+ECDHE-RSA")},
	{"crypto/tls: RC4 alone", crypto(throwaway.RSA, func(c *tls.Config) {
		c.MaxVersion = tls.VersionTLS12
		c.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA}
	})},
	{"OpenSSL: TLS 1.3 with CCM_8 alone", openssl("-ciphersuites", "TLS_AES_128_CCM_8_SHA256",
		"-min_protocol", "TLSv1.3", "-cipher", "DEFAULT:@SECLEVEL=0")},
	// groups and primes
	{"OpenSSL: ffdhe6144 alone", openssl("-groups", "ffdhe6144", "-min_protocol", "TLSv1.3")},
	{"OpenSSL: a curve that few know", openssl("-groups", "brainpoolP256r1", "-max_protocol",
		"TLSv1.2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256")},
	{"OpenSSL: a prime of 1024 bits", prime(Prime1024)},
	// OpenSSL has none so short
	{"scripted: a prime of 768 bits", scripted(Fault{Prime: Prime768})},
	{"scripted: a prime of 512 bits", scripted(Fault{Prime: Prime512})},
	// pre-shared keys
	{"OpenSSL: pre-shared keys alone", openssl("-nocert", "-psk", "0102030405060708", "-cipher",
		"PSK", "-max_protocol", "TLSv1.2")},
	// certificates
	{"crypto/tls: a certificate of another name", func(t testing.TB) string {
		other, err := rig.Authority().Issue(throwaway.ECDSA, []string{"other.example"})
		return shows(t, other, err)
	}},
	{"crypto/tls: a certificate that has expired", certified(func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().AddDate(0, -3, 0), time.Now().AddDate(0, 0, -9)
	})},
	{"crypto/tls: a certificate of tomorrow", certified(func(c *x509.Certificate) {
		c.NotBefore = time.Now().AddDate(0, 0, 3)
	})},
	{"crypto/tls: a certificate for clients", certified(throwaway.ForClient)},
	{"crypto/tls: a certificate signed with SHA-1", certified(func(c *x509.Certificate) {
		c.SignatureAlgorithm = x509.ECDSAWithSHA1
	})},
	{"crypto/tls: a certificate that may only encrypt", func(t testing.TB) string {
		cert, err := rig.Authority().Issue(throwaway.RSA, []string{rig.ServerName},
			func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment })
		return shows(t, cert, err)
	}},
	{"crypto/tls: a certificate of an unknown authority", func(t testing.TB) string {
		ca, err := throwaway.New(throwaway.Options{})
		if err != nil {
			t.Fatal(err)
		}
		cert, err := ca.Issue(throwaway.ECDSA, []string{rig.ServerName})
		return shows(t, cert, err)
	}},
	{"crypto/tls: the intermediate is missing", func(t testing.TB) string {
		ca, err := rig.Authority().Intermediate()
		if err != nil {
			t.Fatal(err)
		}
		cert, err := ca.Issue(throwaway.ECDSA, []string{rig.ServerName},
			func(c *x509.Certificate) {
				c.IssuingCertificateURL = []string{"http://ca.example/intermediate.der"}
			})
		cert.Certificate = cert.Certificate[:1]
		return shows(t, cert, err)
	}},
	{"crypto/tls: a self-signed certificate", func(t testing.TB) string {
		return shows(t, selfSigned(t), nil)
	}},
	{"OpenSSL: an RSA key of 512 bits", short(512)},
	{"OpenSSL: an RSA key of 1024 bits", short(1024)},
	{"crypto/tls: a client certificate is wanted", crypto(throwaway.ECDSA, func(c *tls.Config) {
		c.MaxVersion, c.ClientAuth = tls.VersionTLS12, tls.RequireAndVerifyClientCert
		c.ClientCAs = rig.Authority().Pool()
	})},
	// hellos
	{"fails with signed_certificate_timestamp",
		picky(func(raw []byte, m *message.ClientHello) bool {
			return m.Extensions.Has(iana.ExtSCT)
		})},
	{"fails with extended_master_secret", picky(func(raw []byte, m *message.ClientHello) bool {
		return m.Extensions.Has(iana.ExtExtendedMasterSecret)
	})},
	{"fails with server_name", picky(func(raw []byte, m *message.ClientHello) bool {
		return m.Extensions.Has(iana.ExtServerName)
	})},
	{"fails with ALPN", picky(func(raw []byte, m *message.ClientHello) bool {
		return m.Extensions.Has(iana.ExtALPN)
	})},
	{"fails with hellos of over 1,000 bytes", picky(func(raw []byte, _ *message.ClientHello) bool {
		return len(raw) > 1000
	})},
	{"fails with hybrid key shares", picky(func(_ []byte, m *message.ClientHello) bool {
		var s message.KeyShares
		_, err := m.Extensions.Read(iana.ExtKeyShare, &s)
		return err == nil && len(s.Shares) > 0 && s.Shares[0].Group.Hybrid()
	})},
	{"fails with a hello in several records", picky(never)},
	{"fails with a hello in one long record", joining(func(record []byte) bool {
		return len(record) > 512
	})},
	{"fails with data of one byte in TLS 1.0", func(t testing.TB) string {
		config := rig.ServerConfig(t, func(c *vitrine.Config) {
			c.Policy, c.MaxVersion = vitrine.Legacy, vitrine.VersionTLS10
		})
		return testkit.ServeTCP(t, func(c net.Conn) {
			conn := vitrine.Server(c, config)
			defer conn.Close()
			if n, err := conn.Read(make([]byte, 4096)); err == nil && n > 1 {
				io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			}
		})
	}},
	{"fails with supported_versions", picky(func(_ []byte, m *message.ClientHello) bool {
		return m.Extensions.Has(iana.ExtSupportedVersions)
	})},
	{"does not know the name", func(t testing.TB) string {
		return vitrineServer(t, func(c *vitrine.Config) {
			c.UnknownNamesRefused = true
			other, err := rig.Authority().Issue(throwaway.ECDSA, []string{"other.example"})
			if err != nil {
				t.Fatal(err)
			}
			c.Certificates = []tls.Certificate{other}
		})
	}},
	// two faults
	{"crypto/tls: 3DES alone, and a certificate that has expired", crypto(throwaway.RSA,
		func(c *tls.Config) {
			c.MaxVersion = tls.VersionTLS12
			c.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA}
			ends := time.Now().AddDate(0, 0, -9)
			cert, err := rig.Authority().Issue(throwaway.RSA, []string{rig.ServerName},
				func(c *x509.Certificate) {
					c.NotBefore, c.NotAfter = ends.AddDate(0, -3, 0), ends
				})
			if err != nil {
				panic(err)
			}
			c.Certificates = []tls.Certificate{cert}
		})},
	// answers that are wrong
	{"chooses TLS 1.3 with a share of 2 bytes", func(t testing.TB) string {
		return testkit.ServeTCP(t, shortShare)
	}},
	{"breaks off its answer", answers("\x16\x03\x03\x00\x02\x02\x00")},
	{"answers a byte that is no TLS", answers("N")},
	// closers and other protocols
	{"closes when a second has passed", func(t testing.TB) string {
		return testkit.ServeTCP(t, func(c net.Conn) { time.Sleep(time.Second) })
	}},
	{"closes at once", func(t testing.TB) string { return testkit.ServeTCP(t, func(net.Conn) {}) }},
	{"closes after the hello", answers("")},
	{"resets after the hello", func(t testing.TB) string {
		return testkit.ServeTCP(t, func(c net.Conn) {
			c.Read(make([]byte, 1))
			c.(*net.TCPConn).SetLinger(0)
		})
	}},
	{"says nothing", func(t testing.TB) string {
		return testkit.ServeTCP(t, func(c net.Conn) { io.Copy(io.Discard, c) })
	}},
	{"speaks HTTP", answers("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")},
	{"speaks SSH", answers("SSH-2.0-OpenSSH_9.2\r\n")},
}

// prime is a server with one finite-field suite and a prime of its own.
func prime(p string) func(testing.TB) string {
	return func(t testing.TB) string {
		return OpenSSL(t, "-cipher", "DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0", "-max_protocol",
			"TLSv1.2", "-dhparam", Parameters(t, p))
	}
}

// answers is a server that reads once, sends text and closes.
func answers(text string) func(testing.TB) string {
	return func(t testing.TB) string {
		return testkit.ServeTCP(t, func(c net.Conn) {
			c.Read(make([]byte, 4096))
			io.WriteString(c, text)
		})
	}
}

// ssl30 refuses every hello, except one of SSL 3.0.
func ssl30(c net.Conn) {
	raw, err := rig.ReadRecord(c)
	if err != nil || len(raw) < 11 {
		return
	}
	if raw[9] != 3 || raw[10] != 0 {
		c.Write([]byte{21, 3, 0, 0, 2, 2, 70})
		return
	}
	hello := append([]byte{22, 3, 0, 0, 42, 2, 0, 0, 38, 3, 0}, make([]byte, 33)...)
	c.Write(append(hello, 0, 0x2F, 0))
}

// shortShare answers in TLS 1.3 with a share of x25519 that has 2 bytes.
func shortShare(c net.Conn) {
	raw, err := rig.ReadRecord(c)
	if err != nil {
		return
	}
	m, err := message.Dialect{Version: iana.TLS12}.Parse(raw[5:])
	hello, ok := m.(*message.ClientHello)
	if err != nil || !ok {
		return
	}
	answer := &message.ServerHello{Version: iana.TLS12, SessionID: hello.SessionID,
		CipherSuite: iana.TLS_AES_128_GCM_SHA256}
	answer.Extensions = append(answer.Extensions,
		message.Extension{Type: iana.ExtSupportedVersions, Data: []byte{3, 4}},
		message.Extension{Type: iana.ExtKeyShare, Data: []byte{0, 29, 0, 2, 1, 2}})
	out, err := message.Dialect{Version: iana.TLS13}.Encode(answer)
	if err != nil {
		return
	}
	c.Write(append([]byte{22, 3, 3, 0, byte(len(out))}, out...))
	io.Copy(io.Discard, c)
}

// shows is a server of crypto/tls with a certificate.
func shows(t testing.TB, cert tls.Certificate, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return crypto(throwaway.ECDSA, func(c *tls.Config) {
		c.Certificates = []tls.Certificate{cert}
	})(t)
}

func selfSigned(t testing.TB) tls.Certificate {
	cert := rig.Certificate(t, throwaway.RSA)
	template := &x509.Certificate{SerialNumber: cert.Leaf.SerialNumber, Subject: cert.Leaf.Subject,
		NotBefore: cert.Leaf.NotBefore, NotAfter: cert.Leaf.NotAfter,
		DNSNames: []string{rig.ServerName}}
	key := cert.PrivateKey.(stdcrypto.Signer)
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// short is a server with an RSA key of that many bits.
func short(bits int) func(testing.TB) string {
	return func(t testing.TB) string {
		// crypto/rsa makes no such keys any more
		file := filepath.Join(t.TempDir(), "key.der")
		out, err := exec.Command("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt",
			fmt.Sprintf("rsa_keygen_bits:%d", bits), "-outform", "DER", "-out",
			file).CombinedOutput()
		if err != nil {
			t.Skipf("openssl: %v: %s", err, out)
		}
		der, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		key, err := pki.ParsePrivateKey(der)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := rig.Authority().Certify(key.(stdcrypto.Signer), []string{rig.ServerName})
		if err != nil {
			t.Fatal(err)
		}
		certFile, keyFile := Files(t, cert)
		return OpenSSL(t, "-cert", certFile, "-key", keyFile, "-cipher", "DEFAULT:@SECLEVEL=0")
	}
}

// picky is a server that closes the connection when it does not like the hello.
func picky(dislikes func(raw []byte, hello *message.ClientHello) bool) func(testing.TB) string {
	return func(t testing.TB) string {
		config := rig.ServerConfig(t)
		return testkit.ServeTCP(t, func(c net.Conn) {
			raw, err := rig.ReadRecord(c)
			if err != nil {
				return
			}
			m, err := message.Dialect{Version: iana.TLS12}.Parse(raw[5:])
			if err != nil {
				return
			}
			if hello, ok := m.(*message.ClientHello); !ok || dislikes(raw, hello) {
				return
			}
			serve(vitrine.Server(&replay{c, raw}, config))
		})
	}
}

func never([]byte, *message.ClientHello) bool { return false }

// joining is a server that closes the connection when it does not like a record of the hello.
func joining(dislikes func(record []byte) bool) func(testing.TB) string {
	return func(t testing.TB) string {
		config := rig.ServerConfig(t)
		return testkit.ServeTCP(t, func(c net.Conn) {
			var all, hello []byte
			for len(hello) < 4 || message.Length(hello) > len(hello) {
				record, err := rig.ReadRecord(c)
				if err != nil || dislikes(record) {
					return
				}
				all, hello = append(all, record...), append(hello, record[5:]...)
			}
			serve(vitrine.Server(&replay{c, all}, config))
		})
	}
}

func vitrineServer(t testing.TB, edit func(*vitrine.Config)) string {
	config := rig.ServerConfig(t, edit)
	return testkit.ServeTCP(t, func(c net.Conn) { serve(vitrine.Server(c, config)) })
}

func serve(c *vitrine.Conn) {
	defer c.Close()
	if c.Handshake() == nil {
		io.Copy(io.Discard, c)
	}
}

// replay is a connection of which the first bytes were read.
type replay struct {
	net.Conn
	first []byte
}

// Read gives what was read before, and then what comes.
func (r *replay) Read(p []byte) (int, error) {
	if len(r.first) == 0 {
		return r.Conn.Read(p)
	}
	n := copy(p, r.first)
	r.first = r.first[n:]
	return n, nil
}
