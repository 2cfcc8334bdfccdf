package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"time"

	"github.com/youmark/pkcs8"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// clientAuths are what peers want of their clients.
var clientAuths = map[string]tls.ClientAuthType{
	"wants-certificate":     tls.RequireAndVerifyClientCert,
	"wants-any-certificate": tls.RequireAnyClientCert,
	"asks-for-certificate":  tls.VerifyClientCertIfGiven,
}

// identities writes the files that the stories need: ca.pem, server.pem/.key for localhost,
// expired.pem/.key, other.pem/.key for other.example, client.pem/.key, and stranger.pem/.key, which
// is a client's of another authority, and cut.pem/.key, which lacks its intermediate.
func identities(dir string) error {
	ca, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		return err
	}
	write := func(name, kind string, der ...[]byte) error {
		var b []byte
		for _, d := range der {
			b = append(b, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: d})...)
		}
		return os.WriteFile(filepath.Join(dir, name), b, 0o600)
	}
	if err := write("ca.pem", "CERTIFICATE", ca.Cert.Raw); err != nil {
		return err
	}
	expired := func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().AddDate(-1, 0, 0), time.Now().AddDate(0, 0, -30)
	}
	stranger, err := throwaway.New(throwaway.Options{})
	if err != nil {
		return err
	}
	client := []func(*x509.Certificate){throwaway.ForClient}
	intermediate, err := ca.Intermediate()
	if err != nil {
		return err
	}
	for name, of := range map[string]struct {
		by    *throwaway.CA
		names []string
		edits []func(*x509.Certificate)
	}{
		"server":   {ca, []string{"localhost"}, nil},
		"expired":  {ca, []string{"localhost"}, []func(*x509.Certificate){expired}},
		"other":    {ca, []string{"other.example"}, nil},
		"client":   {ca, []string{"somebody"}, client},
		"stranger": {stranger, []string{"somebody"}, client},
		"cut":      {intermediate, []string{"somebody"}, client}, // without the intermediate
	} {
		c, err := of.by.Issue(throwaway.ECDSA, of.names, of.edits...)
		if err != nil {
			return err
		}
		key, err := throwaway.PKCS8(c)
		if err != nil {
			return err
		}
		if name == "cut" {
			c.Certificate = c.Certificate[:1]
		}
		if err := write(name+".pem", "CERTIFICATE", c.Certificate...); err != nil {
			return err
		}
		if err := write(name+".key", "PRIVATE KEY", key); err != nil {
			return err
		}
		if name == "client" {
			if err := otherForms(dir, c, key); err != nil {
				return err
			}
		}
	}
	return nil
}

// otherForms writes a client's certificate and key in DER, encrypted and as PKCS #12, for the
// password "secret".
func otherForms(dir string, c tls.Certificate, key []byte) error {
	encrypted, err := pkcs8.MarshalPrivateKey(c.PrivateKey, []byte("secret"), nil)
	if err != nil {
		return err
	}
	store, err := pkcs12.Modern.Encode(c.PrivateKey, c.Leaf, nil, "secret")
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{"client.p12": store, "client.der": key,
		"client.crt": c.Certificate[0],
		"client-encrypted.key": pem.EncodeToMemory(
			&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: encrypted})} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}
