package pki

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// refused reads a certificate of testdata/refused.
func refused(t testing.TB, name string) (der []byte, key any) {
	t.Helper()
	text, err := os.ReadFile("testdata/refused/" + name + ".pem")
	if err != nil {
		t.Fatal(err)
	}
	cert, rest := pem.Decode(text)
	block, _ := pem.Decode(rest)
	key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil && name != "explicit" { // whose key is spelt out, too
		t.Fatal(err)
	}
	return cert.Bytes, key
}

// badURI is a certificate whose subjectAltName has an invalid URI.
func badURI(t testing.TB) []byte {
	ca := newCA(t, "bad URI")
	der := issue(t, ca, throwaway.ECDSA, "a.test", func(c *x509.Certificate) {
		c.URIs = []*url.URL{{Scheme: "http", Host: "a.test", Path: "/XXXX"}}
	}).Chain.Leaf().Raw
	return bytes.Replace(der, []byte("http://a.test/XXXX"), []byte("http://[a.test/%%X"), 1)
}

// RFC 5280 §4.1 and §4.2: what crypto/x509 refuses to read.
func TestARefusedCertificateIsReadAsFarAsItGoes(t *testing.T) {
	alone := func(name string) [][]byte { der, _ := refused(t, name); return [][]byte{der} }
	good := issue(t, newCA(t, "good"), throwaway.ECDSA, "good.test").Chain.Leaf().Raw
	const both = "localhost 127.0.0.1"
	for _, tt := range []struct {
		name  string
		raw   [][]byte
		at    int    // which is refused
		word  string // the reason
		names string
	}{
		{"negative serial number, §4.1.2.2", alone("neg-serial"), 0, "negative serial", both},
		{"a name that is no ASCII, §4.2.1.6", alone("san-nonascii"), 0, "dNSName", "localhost"},
		{"an address of 3 bytes, §4.2.1.6", alone("san-ip-badlen"), 0, "IP address of length 3",
			"localhost"},
		{"a URI that is none, §4.2.1.6", [][]byte{badURI(t)}, 0, "URI", "a.test"},
		{"explicit EC parameters, RFC 5480 §2.1.1", alone("explicit"), 0, "ECDSA parameters",
			both},
		{"an RSA key of 512 bits", alone("rsa512"), 0, "512 bits", both},
		{"later in the chain", append([][]byte{good}, alone("neg-serial")...), 1,
			"negative serial", "good.test"},
		{"later in the chain, nothing at all", [][]byte{good, good, []byte("?")}, 2, "malformed",
			"good.test"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseChain(tt.raw)
			wantAlert(t, err, alert.BadCertificate, tt.word)
			f, ok := errors.AsType[*Fault](err)
			cause, too := errors.AsType[*tls.CertificateVerificationError](err)
			if !ok || !too || f.Index != tt.at || f.Of != len(tt.raw) ||
				len(cause.UnverifiedCertificates) != len(tt.raw) {
				t.Fatalf(
					"got %v, expected it to name certificate %d of %d, and to bring the chain",
					err,
					tt.at+1,
					len(tt.raw),
				)
			}
			chain, err := ReadChain(tt.raw)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := chain.PublicKey(); err != nil {
				t.Errorf("its key: %v", err)
			}
			if faults := chain.Faults(); len(faults) != 1 ||
				!strings.Contains(faults[0].Error(), tt.word) {
				t.Errorf("got %v", faults)
			}
			for i, c := range chain.Certs {
				if !bytes.Equal(c.Raw, tt.raw[i]) {
					t.Errorf("certificate %d is not as it was sent", i+1)
				}
			}
			var names []string
			names = append(names, chain.Leaf().DNSNames...)
			for _, ip := range chain.Leaf().IPAddresses {
				names = append(names, ip.String())
			}
			if got := strings.Join(names, " "); got != tt.names {
				t.Errorf("got the names %q, expected %q", got, tt.names)
			}
			roots := x509.NewCertPool()
			for _, c := range chain.Certs {
				roots.AddCert(c)
			}
			_, err = chain.Verify(
				iana.Server,
				Trust{Roots: roots, Name: "localhost", Now: now, Listed: chain.Certs, Weak: true},
			)
			wantAlert(t, err, alert.BadCertificate, tt.word)
		})
	}
}

// A program that accepts any certificate and then verifies PeerCertificates itself must not be
// misled by what was left unread.
func TestARefusedCertificateNeverVerifies(t *testing.T) {
	for _, name := range []string{"neg-serial", "san-nonascii", "san-ip-badlen", "explicit"} {
		der, _ := refused(t, name)
		c, err := ReadCertificate(der)
		if err == nil {
			t.Fatalf("%s: it is read", name)
		}
		if c.Subject.CommonName != "localhost" || c.Issuer.CommonName != "Bug CA" ||
			c.NotAfter.Before(c.NotBefore) ||
			c.SerialNumber == nil ||
			c.SignatureAlgorithm != x509.SHA256WithRSA {
			t.Errorf("%s: got %v, %v, %v to %v", name, c.Subject, c.Issuer, c.NotBefore, c.NotAfter)
		}
		roots := x509.NewCertPool()
		roots.AddCert(c)
		_, err = c.Verify(
			x509.VerifyOptions{
				Roots:         roots,
				Intermediates: roots,
				CurrentTime:   c.NotBefore,
				KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
			},
		)
		if _, ok := errors.AsType[x509.UnhandledCriticalExtension](err); !ok {
			t.Errorf("%s: as its own root: got %v", name, err)
		}
	}
}

func TestTheKeyOfARefusedCertificateIsItsOwn(t *testing.T) {
	for _, name := range []string{"neg-serial", "san-nonascii", "san-ip-badlen", "rsa512"} {
		der, key := refused(t, name)
		chain, _ := ReadChain([][]byte{der})
		pub, err := chain.PublicKey()
		if err != nil || !sameKey(pub, key.(crypto.Signer).Public()) {
			t.Errorf("%s: got %v, %v", name, pub, err)
		}
	}
}

// CVE-2020-0601: a generator of one's own makes any public key one's own. Each parameter counts.
func TestExplicitParametersMustMatchACurveCompletely(t *testing.T) {
	der, _ := refused(t, "explicit")
	c, _ := ReadCertificate(der)
	_, params, _, ok := splitSPKI(c.RawSubjectPublicKeyInfo)
	if !ok || explicitCurve(params) == nil {
		t.Fatal("the curve is not recognised")
	}
	p := explicitCurve(params).Params()
	for what, n := range map[string]*big.Int{
		"prime": p.P, "a": new(big.Int).Sub(p.P, big.NewInt(3)), "b": p.B, "order": p.N,
		"generator": p.Gx, "generator's y": p.Gy,
	} {
		changed := bytes.Clone(params)
		at := bytes.LastIndex(changed, n.Bytes())
		if at < 0 {
			t.Fatalf("%s is not there", what)
		}
		changed[at+len(n.Bytes())-1] ^= 2
		if curve := explicitCurve(changed); curve != nil {
			t.Errorf("another %s: got %v", what, curve.Params().Name)
		}
	}
	if explicitCurve(append(bytes.Clone(params), 5, 0)) != nil || explicitCurve(nil) != nil {
		t.Error("what is no ECParameters is a curve")
	}
}

// FuzzReadCertificate: what crypto/x509 refuses is read as far as it goes, and never verifies.
func FuzzReadCertificate(f *testing.F) {
	for _, name := range refusedNames {
		der, _ := refused(f, name)
		f.Add(der)
		for _, spoilt := range testkit.Spoil(der, 200) {
			f.Add(spoilt)
		}
	}
	for _, der := range rareCertificates(f) {
		f.Add(der)
		if i := bytes.Index(der, []byte{0x02, 0x01}); i > 0 { // a negative serial number
			b := bytes.Clone(der)
			b[i+2] |= 0x80
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		c, err := ReadCertificate(der)
		if !bytes.Equal(c.Raw, der) {
			t.Fatal("it is not as it was sent")
		}
		if err == nil {
			return
		}
		if _, err := c.Verify(
			x509.VerifyOptions{Roots: x509.NewCertPool()},
		); err == nil ||
			len(c.UnhandledCriticalExtensions) == 0 {
			t.Fatal("it may verify")
		}
		if c.PublicKey != nil && kindOf(c.PublicKey) == keyUnknown {
			t.Fatalf("got a key of type %T", c.PublicKey)
		}
	})
}
