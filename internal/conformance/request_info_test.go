package conformance_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/suite"
)

// RFC 5246 §7.4.4, and RFC 4346 for the versions whose request names no schemes.
func TestACertificateRequestIsPassedOnComplete(t *testing.T) {
	for _, version := range []uint16{vitrine.VersionTLS10, vitrine.VersionTLS11,
		vitrine.VersionTLS12} {
		for _, auth := range []tls.ClientAuthType{tls.RequestClientCert,
			tls.RequireAndVerifyClientCert} {
			ecdsa, rsa := rig.IssueForClient(
				t,
				rig.Authority(),
				throwaway.ECDSA,
			), rig.IssueForClient(
				t,
				rig.Authority(),
				throwaway.RSA,
			)
			ed25519 := rig.IssueForClient(t, rig.Authority(), throwaway.Ed25519)
			var got vitrine.CertificateRequestInfo
			client := rig.ClientConfig(func(c *vitrine.Config) {
				c.Policy, c.MaxVersion = vitrine.Legacy, version
				c.GetClientCertificate = func(i *vitrine.CertificateRequestInfo) (*tls.Certificate,
					error) {
					got = *i
					return &rsa, nil
				}
			})
			server := rig.ServerConfig(t, func(c *vitrine.Config) {
				c.Policy, c.ClientAuth, c.ClientCAs = vitrine.Legacy, auth, rig.Authority().Pool()
			})
			errs, states := attempt(t, client, server)
			if errs != [2]error{} || len(states[iana.Server].PeerCertificates) == 0 {
				t.Fatalf("%s: %v", vitrine.VersionName(version), errs)
			}
			subject := [][]byte{rig.Authority().Cert.RawSubject}
			if !slices.EqualFunc(got.AcceptableCAs, subject, bytes.Equal) ||
				!bytes.Equal(got.CertificateTypes, []byte{1, 64}) ||
				got.Version != version ||
				len(got.SignatureSchemes) == 0 {
				t.Errorf("%s, %v: the request is %+v", vitrine.VersionName(version), auth, got)
			}
			for what, c := range map[string]struct {
				cert tls.Certificate
				good bool
			}{
				"ECDSA": {ecdsa, true}, "RSA": {rsa, true},
				"Ed25519": {ed25519, version == vitrine.VersionTLS12},
			} {
				if err := got.SupportsCertificate(&c.cert); (err == nil) != c.good {
					t.Errorf("%s, %s: %v", vitrine.VersionName(version), what, err)
				}
			}
		}
	}
}

// An info that a program makes for its own tests is judged as one of crypto/tls's. In TLS 1.3 no
// types are asked for, and an ECDSA scheme names a curve: RFC 8446 §4.2.3 and §4.3.2.
func TestARequestMadeByAProgramIsJudged(t *testing.T) {
	p256, rsa, ed25519 := rig.IssueForClient(t, rig.Authority(), throwaway.ECDSA),
		rig.IssueForClient(t, rig.Authority(), throwaway.RSA),
		rig.IssueForClient(t, rig.Authority(), throwaway.Ed25519)
	for _, c := range []struct {
		cert    *tls.Certificate
		cas     [][]byte
		scheme  vitrine.SignatureScheme
		version uint16
		good    bool
	}{
		{&p256, nil, vitrine.ECDSAWithP256AndSHA256, tls.VersionTLS12, true},
		{&p256, [][]byte{p256.Leaf.RawIssuer}, vitrine.ECDSAWithP256AndSHA256, tls.VersionTLS12,
			true},
		{&p256, [][]byte{{0x30, 0}}, vitrine.ECDSAWithP256AndSHA256, tls.VersionTLS12, false},
		{&p256, nil, vitrine.PSSWithSHA256, tls.VersionTLS12, false},
		{&p256, nil, vitrine.ECDSAWithP384AndSHA384, tls.VersionTLS12, true},
		{&p256, nil, vitrine.ECDSAWithP384AndSHA384, tls.VersionTLS13, false},
		{&p256, nil, vitrine.ECDSAWithP256AndSHA256, tls.VersionTLS13, true},
		{&rsa, nil, vitrine.PKCS1WithSHA256, tls.VersionTLS12, true},
		{&rsa, nil, vitrine.PKCS1WithSHA256, tls.VersionTLS13, false},
		{&rsa, nil, vitrine.PSSWithSHA256, tls.VersionTLS13, true},
		{&ed25519, nil, vitrine.Ed25519, tls.VersionTLS13, true},
	} {
		schemes := []vitrine.SignatureScheme{c.scheme}
		ours := vitrine.CertificateRequestInfo{AcceptableCAs: c.cas, SignatureSchemes: schemes,
			Version: c.version}
		theirs := tls.CertificateRequestInfo{AcceptableCAs: c.cas, SignatureSchemes: schemes,
			Version: c.version}
		a, b := ours.SupportsCertificate(c.cert), theirs.SupportsCertificate(c.cert)
		if (a == nil) != c.good || (b == nil) != c.good {
			t.Errorf("%v, %s, %x: got %v, crypto/tls says %v", c.scheme,
				tls.VersionName(c.version), c.cas, a, b)
		}
	}
}

// Certificates with keyEncipherment alone are common, and their servers choose ECDHE all the same.
func TestKeyUsageIsAMatterOfPolicy(t *testing.T) {
	cert := rig.Certificate(
		t,
		throwaway.RSA,
		func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment },
	)
	plain := func() *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{cert}, MaxVersion: tls.VersionTLS12}
	}
	for _, policy := range vitrine.Policies() {
		a, b := rig.Wires(t)
		ours := vitrine.Client(
			a,
			rig.ClientConfig(rig.Until12, func(c *vitrine.Config) { c.Policy = policy }),
		)
		err, _ := rig.Shake(ours, tls.Server(b, plain()))
		if policy == vitrine.Modern {
			if got, _ := rig.AlertOf(
				err,
			); got != alert.IllegalParameter ||
				!strings.Contains(err.Error(), "digitalSignature") {
				t.Errorf("modern: got %v", err)
			}
		} else if id := ours.ConnectionState().CipherSuite; err != nil ||
			!suite.ByID(iana.CipherSuite(id)).Ephemeral() {
			t.Errorf("%s: %v, %v", policy.Name(), err, iana.CipherSuite(id))
		}
		a, b = rig.Wires(t)
		theirs := tls.Client(
			a,
			&tls.Config{
				RootCAs:    rig.Authority().Pool(),
				ServerName: rig.ServerName,
				MaxVersion: tls.VersionTLS12,
			},
		)
		err, _ = rig.Shake(
			theirs,
			vitrine.Server(
				b,
				&vitrine.Config{Certificates: []tls.Certificate{cert}, Policy: policy},
			),
		)
		if (err == nil) != (policy != vitrine.Modern) {
			t.Errorf("a server under %s: %v", policy.Name(), err)
		}
	}
}

// 30 ms of a server's time for the asking: only a program that names the group spends it.
func TestLargeFiniteFieldsMustBeNamed(t *testing.T) {
	rig.EachVersion(t, testLargeFiniteFieldsMustBeNamed)
}

func testLargeFiniteFieldsMustBeNamed(t *testing.T, version func(*vitrine.Config)) {
	for _, group := range []iana.Group{iana.FFDHE6144, iana.FFDHE8192} {
		for _, p := range vitrine.Policies() {
			if slices.Contains(p.Groups(), group) {
				t.Errorf("%v is on under %s", group, p.Name())
			}
		}
		wants := rig.ClientConfig(version, func(c *vitrine.Config) {
			c.CipherSuites = []uint16{uint16(rig.DHEGCM)}
			c.CurvePreferences = []vitrine.CurveID{vitrine.CurveID(group)}
		})
		for _, server := range []struct {
			what   string
			config *vitrine.Config
			good   bool
		}{
			{"compatible",
				rig.ServerConfig(t, version,
					func(c *vitrine.Config) { c.Policy = vitrine.Compatible }),
				false},
			{"the suite named",
				rig.ServerConfig(t, version, func(c *vitrine.Config) {
					c.CipherSuites = []uint16{uint16(rig.DHEGCM)}
				}), false},
			{"the group named", rig.ServerConfig(t, version, func(c *vitrine.Config) {
				c.Policy, c.CurvePreferences = vitrine.Compatible,
					[]vitrine.CurveID{vitrine.CurveID(group)}
			}), true},
		} {
			errs, states := attempt(t, wants, server.config)
			if (errs == [2]error{}) != server.good ||
				server.good && states[iana.Client].Group != group {
				t.Errorf("%v, %s: %v", group, server.what, errs)
			}
		}
	}
}
