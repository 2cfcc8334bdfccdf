package diagnose_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/diagnose"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/pki"
)

func issue(t *testing.T, ca *throwaway.CA, names []string,
	edits ...func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	c, err := ca.Issue(throwaway.ECDSA, names, edits...)
	if err != nil {
		t.Fatal(err)
	}
	return c.Leaf
}

// namesake returns a certificate that has its authority's name.
func namesake(t *testing.T, ca *throwaway.CA) *x509.Certificate {
	return issue(t, ca, []string{"localhost"},
		func(c *x509.Certificate) { c.Subject = ca.Cert.Subject })
}

// Distrust has a text for each kind of error of crypto/x509.
func TestEachErrorOfX509HasAText(t *testing.T) {
	other, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for _, c := range []struct {
		leaf *x509.Certificate
		want string
	}{
		{issue(t, authority, []string{"other.example"}),
			"the certificate is for other.example, not for localhost"},
		{issue(t, authority, nil), "it has no name at all that counts"},
		{issue(t, authority, []string{"localhost"},
			func(c *x509.Certificate) { c.NotAfter = now.Add(-72 * time.Hour) }), "3 days ago"},
		{issue(t, authority, []string{"localhost"},
			func(c *x509.Certificate) { c.NotAfter = now.Add(-90 * time.Minute) }), "1 hour ago"},
		{issue(t, authority, []string{"localhost"},
			func(c *x509.Certificate) { c.NotAfter = now.Add(-90 * time.Minute) }),
			"which says " + now.UTC().Format("2006-01-02 15:04 MST")},
		{issue(t, authority, []string{"localhost"},
			func(c *x509.Certificate) { c.NotBefore = now.Add(72 * time.Hour) }),
			"is not valid before"},
		{issue(t, authority, []string{"localhost"}, throwaway.ForClient), "not meant for a server"},
		{issue(t, other, []string{"localhost"}),
			"nobody trusted has signed the certificate; its issuer is"},
		{other.Cert, "self-signed"},
		{namesake(t, other), "another key signed the certificate than its own"},
	} {
		_, err := c.leaf.Verify(x509.VerifyOptions{Roots: authority.Pool(), DNSName: "localhost"})
		if c.leaf == other.Cert {
			_, err = c.leaf.Verify(x509.VerifyOptions{Roots: authority.Pool()})
		}
		if err == nil {
			t.Fatalf("%q: it is trusted", c.want)
		}
		got := diagnose.Distrust(err, []*x509.Certificate{c.leaf}, now)
		if !strings.Contains(got, c.want) {
			t.Errorf("got %q, expected %q in it", got, c.want)
		}
	}
	fault := &pki.Fault{Index: 1, Of: 2, Err: errors.New("x509: negative serial number")}
	if got := diagnose.Distrust(fault, nil, now); !strings.Contains(got,
		"certificate 2 of 2 is refused as it is: negative serial number") {
		t.Error(got)
	}
	weak := issue(t, other, []string{"localhost"},
		func(c *x509.Certificate) { c.SignatureAlgorithm = x509.ECDSAWithSHA1 })
	chain := &pki.Chain{Certs: []*x509.Certificate{weak}}
	_, err = chain.Verify(iana.Server, pki.Trust{Roots: authority.Pool(), Name: "localhost"})
	failure, ok := diagnose.Of(&vitrine.HandshakeError{Side: iana.Client, Err: err})
	if !ok || failure.Trust == nil {
		t.Fatal(err)
	}
	got := diagnose.Distrust(failure.Trust.Err, []*x509.Certificate{weak}, now)
	if !strings.Contains(got, "signed with ecdsa-with-SHA1, which only policy legacy accepts") {
		t.Error(got)
	}
	unknown := &pki.Chain{Certs: []*x509.Certificate{issue(t, other, []string{"localhost"})}}
	_, err = unknown.Verify(iana.Server, pki.Trust{Roots: authority.Pool(), Name: "localhost"})
	text := (&vitrine.HandshakeError{Side: iana.Client, Err: err}).Error()
	if !strings.Contains(text, "unknown authority") ||
		!strings.Contains(text, "no root that is trusted here") {
		t.Errorf("the error of the handshake says %q", text)
	}
	if diagnose.Disowns(weak, other.Cert) ||
		!diagnose.Disowns(issue(t, other, []string{"localhost"}), authority.Cert) {
		t.Error("a signature with SHA-1 is taken for another authority's, or the reverse")
	}
	changes := failure.Changes(&vitrine.Config{})
	if len(changes) != 1 || changes[0].Go != "Policy: vitrine.Legacy" {
		t.Errorf("got the changes %v, expected policy legacy alone", changes)
	}
	if changes := failure.Changes(&vitrine.Config{Policy: vitrine.Legacy}); len(changes) != 0 {
		t.Errorf("under policy legacy: got the changes %v", changes)
	}
	if got := diagnose.Distrust(x509.SystemRootsError{}, nil, now); !strings.Contains(got,
		"ca-certificates") {
		t.Error(got)
	}
}

// An intermediate that expired is named, and not the server's certificate, which did not.
func TestAnExpiredIntermediateIsNamed(t *testing.T) {
	now := time.Now()
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	ca.Now = now.AddDate(-2, 0, 0)
	sub, err := ca.Intermediate()
	if err != nil {
		t.Fatal(err)
	}
	sub.Now = now
	cert, err := sub.Issue(throwaway.ECDSA, []string{"localhost"})
	if err != nil {
		t.Fatal(err)
	}
	addr := server(t, &vitrine.Config{Certificates: []tls.Certificate{cert}})
	_, err = vitrine.Dial("tcp", addr, &vitrine.Config{ServerName: "localhost", RootCAs: ca.Pool()})
	failure, ok := diagnose.Of(err)
	if !ok || failure.Trust == nil {
		t.Fatal(err)
	}
	got := strings.Join(failure.Explain().Inferred, " ")
	for _, want := range []string{
		"the issuer's certificate (Vitrine demo intermediate CA) expired on ",
		" days ago: whoever runs the server must renew it, unless this machine's clock is wrong"} {
		if !strings.Contains(got, want) {
			t.Errorf("got %q, expected %q in it", got, want)
		}
	}
}

// A client without server_name still verifies the name.
func TestWithoutSNIStillVerifies(t *testing.T) {
	asked := make(chan string, 8)
	addr := server(t,
		&vitrine.Config{VerifyConnection: func(s vitrine.ConnectionState) error {
			asked <- s.ServerName
			return nil
		}})
	for _, c := range []struct {
		edit func(*vitrine.Config)
		ok   bool
	}{
		{func(c *vitrine.Config) {}, true},
		{func(c *vitrine.Config) { c.ServerName = "other.example" }, false},
		{func(c *vitrine.Config) { c.RootCAs = x509.NewCertPool() }, false},
		{func(c *vitrine.Config) { c.ServerName, c.InsecureSkipVerify = "other.example", true },
			true},
	} {
		config := with(c.edit)
		diagnose.WithoutSNI(config)
		raw, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		conn := vitrine.Client(raw, config)
		err = conn.Handshake()
		conn.Close()
		if (err == nil) != c.ok {
			t.Errorf("got %v, expected success: %v", err, c.ok)
		}
		if _, untrusted := errors.AsType[*tls.CertificateVerificationError](err); err != nil &&
			!untrusted {
			t.Errorf("got %v, expected a CertificateVerificationError", err)
		}
		if c.ok {
			if name := <-asked; name != "" {
				t.Errorf("the server was asked for %q", name)
			}
		}
	}
}
