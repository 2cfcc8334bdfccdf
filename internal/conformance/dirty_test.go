package conformance_test

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"log"
	"net/http"
	"strings"
	"testing"
	"unicode"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/vhttp"
)

// dirty begins a line of its own in a log, and turns a terminal red.
const dirty = "evil\r\n2026/11/26 all is well\x1b[31m"

// dirtyCertificates have that text wherever a certificate has text that errors quote.
func dirtyCertificates(t *testing.T) map[string]tls.Certificate {
	t.Helper()
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]tls.Certificate{}
	for what, edit := range map[string]func(*x509.Certificate){
		"the subject": func(c *x509.Certificate) {
			c.Subject = pkix.Name{CommonName: dirty, Organization: []string{dirty}}
		},
		"a DNS name": func(c *x509.Certificate) {
			c.DNSNames = []string{dirty}
		},
		"a weakly signed subject": func(c *x509.Certificate) {
			c.Subject.CommonName, c.SignatureAlgorithm = dirty, x509.ECDSAWithSHA1
		},
		"an expired subject": func(c *x509.Certificate) {
			c.Subject.CommonName, c.NotAfter = dirty, c.NotBefore.AddDate(0, 0, 1)
		},
	} {
		c, err := ca.Issue(throwaway.ECDSA, []string{"localhost"}, throwaway.ForClient, edit)
		if err != nil {
			t.Fatal(err)
		}
		all[what] = c
	}
	return all
}

// unprintable returns the first character that has no place in a line of a log, if there is one.
func unprintable(s string) (r rune, is bool) {
	i := strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
	if i < 0 {
		return 0, false
	}
	return []rune(s[i:])[0], true
}

// What a certificate says reaches errors, and through ErrorLog a log: CWE-117. From either side.
func TestCertificatesWriteNoLinesIntoALog(t *testing.T) {
	for what, cert := range dirtyCertificates(t) {
		for _, auth := range []tls.ClientAuthType{
			tls.RequireAndVerifyClientCert, tls.VerifyClientCertIfGiven,
		} {
			near, far := rig.Wires(t)
			config := rig.ServerConfig(t)
			config.ClientAuth, config.ClientCAs = auth, x509.NewCertPool()
			client := tls.Client(
				near,
				&tls.Config{
					InsecureSkipVerify: true,
					MaxVersion:         tls.VersionTLS12,
					Certificates:       []tls.Certificate{cert},
				},
			)
			go func() { client.Handshake(); near.Close() }()
			err := vitrine.Server(far, config).Handshake()
			if err == nil {
				t.Fatalf("%s: it is trusted", what)
			}
			if r, is := unprintable(err.Error()); is {
				t.Errorf("%s, of a client: %q has %q in it", what, err, r)
			}
			far.Close()
		}
		for _, name := range []string{"localhost", "other.test"} {
			pool := x509.NewCertPool()
			_, err := fromCryptoTLS(t, &vitrine.Config{ServerName: name, RootCAs: pool}, cert)
			if err == nil {
				t.Fatalf("%s: it is trusted", what)
			}
			if r, is := unprintable(err.Error()); is {
				t.Errorf("%s, of a server: %q has %q in it", what, err, r)
			}
		}
	}
}

// ErrorLog of a web server gets a line for each connection that fails, and no more.
func TestAnErrorLogHasALineForAFailure(t *testing.T) {
	for what, cert := range dirtyCertificates(t) {
		config := rig.ServerConfig(t)
		config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		l, err := vhttp.Listen("tcp", "127.0.0.1:0", config)
		if err != nil {
			t.Fatal(err)
		}
		lines := make(lineWriter, 9)
		server := &http.Server{ErrorLog: log.New(lines, "", 0)}
		ended := make(chan error, 1)
		go func() { ended <- vhttp.Serve(l, server) }()
		client, err := tls.Dial(
			"tcp",
			l.Addr().String(),
			&tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12,
				Certificates: []tls.Certificate{cert}},
		)
		if err == nil {
			client.Close()
		}
		line := <-lines
		server.Close()
		<-ended
		if r, is := unprintable(strings.TrimSuffix(line, "\n")); is {
			t.Errorf("%s: %q has %q in it", what, line, r)
		}
	}
}

// lineWriter gives what was written to whoever waits for it.
type lineWriter chan string

func (w lineWriter) Write(b []byte) (int, error) {
	w <- string(b)
	return len(b), nil
}
