package interop_test

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/interop"
)

// OpenSSL serves certificates that crypto/x509 refuses to read, and keys that crypto/rsa refuses to
// compute with.
func TestCertificatesThatGoRefusesAreReadIfTheyAreNotVerified(t *testing.T) {
	require(t, interop.OpenSSL)
	for _, tt := range []struct {
		name, file string
		suite      iana.CipherSuite
		version    iana.Version
	}{
		{"negative serial number", "neg-serial", ecdheRSA, iana.TLS12},
		{"a name that is no ASCII", "san-nonascii", ecdheRSA, iana.TLS12},
		{"an address of three bytes", "san-ip-badlen", ecdheRSA, iana.TLS12},
		{"explicit EC parameters", "explicit", ecdheECDSA, iana.TLS12},
		{"negative serial number", "neg-serial", 0, iana.TLS13},
		{"a name that is no ASCII", "san-nonascii", 0, iana.TLS13},
		{"an address of three bytes", "san-ip-badlen", 0, iana.TLS13},
		{"explicit EC parameters", "explicit", 0, iana.TLS13},
		{"RSA 768, signing by RSASSA-PSS", "", 0, iana.TLS13},
		{"RSA 512, signing", "rsa512", ecdheRSA, iana.TLS12},
		{"RSA 512, decrypting", "rsa512", iana.TLS_RSA_WITH_AES_128_CBC_SHA, iana.TLS12},
		{"RSA 512, TLS 1.0", "rsa512", iana.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, iana.TLS10},
		{"RSA 512, TLS 1.1, decrypting", "rsa512", iana.TLS_RSA_WITH_AES_128_CBC_SHA, iana.TLS11},
		{"RSA 768, signing by RSASSA-PSS", "", ecdheRSA, iana.TLS12},
	} {
		t.Run(tt.name+"/"+tt.version.String(), func(t *testing.T) {
			t.Parallel()
			file := filepath.Join("..", "..", "pki", "testdata", "refused", tt.file+".pem")
			if tt.file == "" {
				file = filepath.Join(t.TempDir(), "768.pem")
				openssl(t, "req", "-x509", "-newkey", "rsa:768", "-nodes", "-keyout", file+".key",
					"-out", file+".crt", "-subj", "/CN=localhost", "-days", "9")
				join(t, file, file+".crt", file+".key")
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			cert, _ := pem.Decode(text)
			m := &meeting{
				with:    interop.OpenSSL,
				them:    iana.Server,
				suite:   tt.suite,
				version: tt.version,
			}
			m.us = func(c *vitrine.Config) {
				c.InsecureSkipVerify, c.MinVersion, c.Policy = true, uint16(tt.version),
					vitrine.Legacy
				c.MaxVersion = c.MinVersion
			}
			m.they = func(s *interop.Setup) {
				s.Identity = &interop.Identity{Chain: file, Key: file}
				s.Versions = [2]iana.Version{tt.version, tt.version}
			}
			m.want = func(t *testing.T, s *vitrine.ConnectionState) {
				if len(s.PeerCertificateFaults) != 1 ||
					string(s.PeerCertificates[0].Raw) != string(cert.Bytes) {
					t.Errorf("got %d faults, %v", len(s.PeerCertificateFaults),
						s.PeerCertificateFaults)
				}
			}
			m.run(t)
		})
	}
}

// Authorities that OpenSSL made, with keys whose signatures crypto/x509 does not compute, under
// policy Modern.
func TestAuthoritiesThatGoDoesNotKnow(t *testing.T) {
	require(t, interop.OpenSSL)
	for _, algorithm := range []string{"rsa-pss", "ed448"} {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			at := func(name string) string { return filepath.Join(dir, name) }
			openssl(t, "genpkey", "-algorithm", algorithm, "-out", at("ca.key"))
			openssl(t, "req", "-x509", "-key", at("ca.key"), "-out", at("ca.pem"), "-subj",
				"/CN=authority", "-days", "9")
			if _, err := vitrine.LoadX509KeyPair(at("ca.pem"), at("ca.key")); err != nil {
				t.Errorf("its private key: %v", err)
			}
			openssl(t, "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", at("key.pem"),
				"-out", at("csr.pem"), "-subj", "/CN=leaf")
			if err := os.WriteFile(at("ext"), []byte("subjectAltName=DNS:"+name+"\n"),
				0o600); err != nil {
				t.Fatal(err)
			}
			openssl(t, "x509", "-req", "-in", at("csr.pem"), "-CA", at("ca.pem"), "-CAkey",
				at("ca.key"), "-set_serial", "7", "-days", "9",
				"-extfile", at("ext"), "-out", at("leaf.pem"))
			text, err := os.ReadFile(at("ca.pem"))
			if err != nil {
				t.Fatal(err)
			}
			block, _ := pem.Decode(text)
			root, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				t.Fatal(err)
			}
			for _, version := range bothVersions {
				m := &meeting{with: interop.OpenSSL, them: iana.Server, version: version}
				m.us = func(c *vitrine.Config) {
					c.RootCAs, c.LegacyRoots = x509.NewCertPool(), []*x509.Certificate{root}
				}
				m.they = func(s *interop.Setup) {
					s.Identity = &interop.Identity{Chain: at("leaf.pem"), Key: at("key.pem")}
				}
				m.want = func(t *testing.T, s *vitrine.ConnectionState) {
					if len(s.VerifiedChains) != 1 || !s.VerifiedChains[0][1].Equal(root) {
						t.Errorf("%v: got %d paths", version, len(s.VerifiedChains))
					}
				}
				m.run(t)
			}
		})
	}
}

// openssl runs a command of OpenSSL.
func openssl(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
		t.Fatalf("openssl %v: %v\n%s", args, err, out)
	}
}

// join writes files one after another into one.
func join(t *testing.T, to string, from ...string) {
	t.Helper()
	var all []byte
	for _, name := range from {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	if err := os.WriteFile(to, all, 0o600); err != nil {
		t.Fatal(err)
	}
}
