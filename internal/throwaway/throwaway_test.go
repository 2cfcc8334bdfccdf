package throwaway

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/vitrine-tls/vitrine/internal/testkit"
)

// everything is all that a CA can make, as bytes.
func everything(t *testing.T, o Options) (certs map[string][]byte, keys map[string][]byte) {
	t.Helper()
	certs, keys = map[string][]byte{}, map[string][]byte{}
	root, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	sub, err := root.Intermediate()
	if err != nil {
		t.Fatal(err)
	}
	certs["root"], certs["intermediate"] = root.Cert.Raw, sub.Cert.Raw
	for _, k := range Kinds() {
		c, err := sub.Issue(k, []string{"localhost", "127.0.0.1"})
		if err != nil {
			t.Fatalf("%s: %v", k, err)
		}
		certs[string(k)] = c.Certificate[0]
		if keys[string(k)], err = PKCS8(c); err != nil {
			t.Fatalf("%s: %v", k, err)
		}
		if certs["staple for "+string(k)], err = sub.Staple(c.Leaf); err != nil {
			t.Fatalf("%s: %v", k, err)
		}
	}
	return certs, keys
}

func TestASeedDeterminesEveryByte(t *testing.T) {
	c1, k1 := everything(t, Options{Seed: testkit.Rand("a")})
	c2, k2 := everything(t, Options{Seed: testkit.Rand("a")})
	other, _ := everything(t, Options{Seed: testkit.Rand("b")})
	for name, der := range c1 {
		if !bytes.Equal(der, c2[name]) {
			t.Errorf("%s differs between two runs with one seed", name)
		}
		if bytes.Equal(der, other[name]) {
			t.Errorf("%s is the same with another seed", name)
		}
	}
	for name, der := range k1 {
		if !bytes.Equal(der, k2[name]) {
			t.Errorf("the %s key differs between two runs with one seed", name)
		}
	}
	t.Logf("%d artefacts and %d keys repeat", len(c1), len(k1))
}

func TestASeededRootSaysThatItsKeysArePublic(t *testing.T) {
	for want, o := range map[string]Options{SeededName: {Seed: testkit.Rand("a")}, Name: {}} {
		ca, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		if got := ca.Cert.Subject.CommonName; got != want || ca.Cert.Issuer.CommonName != want {
			t.Errorf("got a root named %q, expected %q", got, want)
		}
	}
}

func TestFreshKeysAndSerialNumbersAreFresh(t *testing.T) {
	a, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(a.Cert.RawSubjectPublicKeyInfo, b.Cert.RawSubjectPublicKeyInfo) ||
		a.Cert.SerialNumber.Cmp(b.Cert.SerialNumber) == 0 {
		t.Error("two roots share a key or a serial number")
	}
}

func TestIssuedCertificatesVerifyUnderTheRoot(t *testing.T) {
	root, err := New(Options{Seed: testkit.Rand("verify")})
	if err != nil {
		t.Fatal(err)
	}
	sub, err := root.Intermediate()
	if err != nil {
		t.Fatal(err)
	}
	for _, ca := range []*CA{root, sub} {
		for _, k := range Kinds() {
			c, err := ca.Issue(k, []string{"localhost", "::1"})
			if err != nil {
				t.Fatal(err)
			}
			between := x509.NewCertPool()
			for _, der := range c.Certificate[1:] {
				cert, err := x509.ParseCertificate(der)
				if err != nil {
					t.Fatal(err)
				}
				between.AddCert(cert)
			}
			for _, name := range []string{"localhost", "::1"} {
				if _, err := c.Leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: ca.Pool(),
					Intermediates: between, CurrentTime: ca.Now}); err != nil {
					t.Errorf("%s under %v: %v", k, ca.Cert.Subject, err)
				}
			}
			if client, err := ca.Issue(k, nil, ForClient); err != nil ||
				client.Leaf.ExtKeyUsage[0] != x509.ExtKeyUsageClientAuth {
				t.Errorf("%s for a client: %v", k, err)
			}
		}
	}
}

func TestCryptoTLSTakesTheCertificates(t *testing.T) {
	for _, o := range []Options{{}, {Seed: testkit.Rand("crypto/tls"), Now: time.Now()}} {
		ca, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range []Kind{RSA, ECDSA, ECDSAP384, ECDSAP521, Ed25519} {
			cert, err := ca.Issue(k, []string{"localhost"})
			if err != nil {
				t.Fatal(err)
			}
			c, s := net.Pipe()
			done := make(chan error, 1)
			go func() {
				done <- tls.Server(s,
					&tls.Config{Certificates: []tls.Certificate{cert},
						MaxVersion: tls.VersionTLS12}).Handshake()
			}()
			if err := tls.Client(c,
				&tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"}).Handshake(); err != nil {
				t.Errorf("%s: %v", k, err)
			}
			if err := <-done; err != nil {
				t.Errorf("%s: %v", k, err)
			}
		}
	}
}

func TestStaplesParse(t *testing.T) {
	ca, err := New(Options{Seed: testkit.Rand("staple")})
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := ca.Issue(ECDSA, []string{"localhost"}, MustStaple)
	if err != nil {
		t.Fatal(err)
	}
	responder, err := ca.Issue(RSA, nil,
		func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}
		})
	if err != nil {
		t.Fatal(err)
	}
	own, err := ca.Staple(leaf.Leaf)
	if err != nil {
		t.Fatal(err)
	}
	delegated, err := ca.StapleBy(responder, leaf.Leaf)
	if err != nil {
		t.Fatal(err)
	}
	for _, der := range [][]byte{own, delegated} {
		if r, err := ocsp.ParseResponseForCert(der, leaf.Leaf, ca.Cert); err != nil ||
			r.Status != ocsp.Good || !r.ProducedAt.Equal(ca.Now) {
			t.Errorf("%v: %v", r, err)
		}
	}
}

func TestPKCS8ReadsBack(t *testing.T) {
	_, keys := everything(t, Options{Seed: testkit.Rand("pkcs8")})
	for name, der := range keys {
		switch Kind(name) {
		// RFC 8410 §7: version, algorithm, and the seed in an OCTET STRING in an OCTET STRING
		case Ed448:
			if want := testkit.Unhex(t,
				"3047 020100 3005 06032b6571 043b 0439"); !bytes.HasPrefix(der, want) ||
				len(der) != len(want)+57 {
				t.Errorf("%s: got %x", name, der)
			}
			continue
		case RSAPSS: // crypto/x509 knows no such key, but what it wraps is an ordinary one
			i := bytes.Index(der, testkit.Unhex(t, "300b 06092a864886f70d01010a 0482"))
			if i < 0 {
				t.Errorf("%s: got %x", name, der)
			} else if _, err := x509.ParsePKCS1PrivateKey(der[i+17:]); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if k, err := x509.ParsePKCS8PrivateKey(der); err != nil {
			t.Errorf("%s: %v", name, err)
		} else if _, ok := k.(crypto.Signer); !ok {
			t.Errorf("%s: got a %T", name, k)
		}
	}
}

func TestAnUnknownKindIsNamed(t *testing.T) {
	ca, err := New(Options{Seed: testkit.Rand("kind")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ca.Issue("dsa", nil); err == nil {
		t.Error("issued a certificate for a kind of key that does not exist")
	}
}

// Keys that everybody knows are for tests: no program takes them.
func TestOnlyTestsTakePublicRSA(t *testing.T) {
	err := filepath.WalkDir("../..", func(name string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") ||
			filepath.Dir(name) == filepath.Join("../..", "internal", "throwaway") {
			return err
		}
		text, err := os.ReadFile(name)
		if bytes.Contains(text, []byte("TakePublicRSA")) {
			t.Errorf("%s takes the public keys", name)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
