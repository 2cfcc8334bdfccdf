package conformance_test

import (
	"crypto/tls"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// ask makes a server that has read one byte ask for a certificate, and both sides go on. It returns
// the errors of the client's and the server's Reads.
func ask(t *testing.T, client, server *vitrine.Conn, auth tls.ClientAuthType) (errs [2]error) {
	t.Helper()
	if err := server.RequestClientCertificate(auth); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Write([]byte("s")); err != nil {
		t.Fatal(err)
	}
	_, errs[0] = io.ReadFull(client, make([]byte, 1))
	if errs[0] == nil {
		if _, err := client.Write([]byte("c")); err != nil {
			t.Fatal(err)
		}
	}
	_, errs[1] = io.ReadFull(server, make([]byte, 1))
	if errs[1] != nil && errs[0] == nil {
		_, errs[0] = client.Read(make([]byte, 1))
	}
	return errs
}

// A server asks for a certificate in the midst of a connection; keys may have changed before. See
// RFC 8446 §4.6.2.
func TestClientsAuthenticateAfterTheHandshake(t *testing.T) {
	late := func(c *vitrine.Config) { only13(c); c.PostHandshakeAuth = true }
	stranger, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	good := rig.IssueForClient(t, rig.Authority(), throwaway.ECDSA)
	bad := rig.IssueForClient(t, stranger, throwaway.ECDSA)
	refusal := errors.New("not this one")
	for _, c := range []struct {
		what   string
		show   *tls.Certificate
		auth   tls.ClientAuthType
		server func(*vitrine.Config)
		want   alert.Description // of the server; 0 if all is well
		known  bool              // the server has a certificate afterwards
	}{
		{"a certificate", &good, tls.RequireAndVerifyClientCert, nil, 0, true},
		{"none, which is allowed", nil, tls.VerifyClientCertIfGiven, nil, 0, false},
		{"none", nil, tls.RequireAndVerifyClientCert, nil, alert.CertificateRequired, false},
		{"of an unknown authority", &bad, tls.RequireAndVerifyClientCert, nil, alert.UnknownCA,
			false},
		{"of whomever", &bad, tls.RequireAnyClientCert, nil, 0, true},
		{"compressed", &good, tls.RequireAndVerifyClientCert, func(c *vitrine.Config) {
			c.CertificateCompression = []iana.CertificateCompressionAlgorithm{iana.Zlib}
		}, 0, true},
		{"with GREASE", &good, tls.RequireAndVerifyClientCert,
			func(c *vitrine.Config) { c.GREASE = true }, 0, true},
		{"refused by the program", &good, tls.RequireAndVerifyClientCert, func(c *vitrine.Config) {
			c.VerifyConnection = func(s vitrine.ConnectionState) error {
				if len(s.PeerCertificates) > 0 {
					return refusal
				}
				return nil
			}
		}, alert.BadCertificate, false},
	} {
		edits := []func(*vitrine.Config){late, func(c *vitrine.Config) {
			c.ClientCAs = rig.Authority().Pool()
		}}
		if c.server != nil {
			edits = append(edits, c.server)
		}
		client, server := rig.Pair(t, rig.ClientConfig(late, func(config *vitrine.Config) {
			config.CertificateCompression = []iana.CertificateCompressionAlgorithm{iana.Zlib}
			config.GetClientCertificate = func(*vitrine.CertificateRequestInfo) (*tls.Certificate,
				error) {
				return c.show, nil
			}
		}), rig.ServerConfig(t, edits...))
		for range 2 {
			if err := client.KeyUpdate(true); err != nil {
				t.Fatal(err)
			}
			errs := ask(t, client, server, c.auth)
			if got, ok := rig.AlertOf(errs[1]); c.want == 0 && errs != [2]error{} ||
				c.want != 0 && (!ok || got != c.want) {
				t.Errorf("%s: %v, expected %v", c.what, errs, c.want)
			}
			state, ours := server.ConnectionState(), client.ConnectionState()
			if known := len(state.PeerCertificates) > 0; known != c.known ||
				known && (state.PeerSignatureScheme == 0 || len(ours.LocalCertificates) == 0) {
				t.Errorf("%s: a certificate is known: %v", c.what, known)
			}
			select {
			case <-server.ClientAnswer():
				if c.want != 0 {
					t.Errorf("%s: a refused answer counts as one", c.what)
				}
			default:
				if c.want == 0 {
					t.Errorf("%s: the answer is not noticed", c.what)
				}
			}
			if got, _ := rig.ReceivedAlert(errs[0]); got != c.want {
				t.Errorf("%s: the client: %v", c.what, errs[0])
			}
			if c.want != 0 {
				break
			}
		}
	}
}

// Both sides must have allowed it, and HTTP/2 forbids it: RFC 9113 §9.2.3.
func TestRequestsAfterTheHandshakeNeedConsent(t *testing.T) {
	late := func(c *vitrine.Config) { c.PostHandshakeAuth = true }
	h2 := func(c *vitrine.Config) { late(c); c.NextProtos = []string{"h2"} }
	nothing := func(*vitrine.Config) {}
	for _, c := range []struct {
		what           string
		client, server func(*vitrine.Config)
		want           string
	}{
		{"the client does not offer it", nothing, late, "without post_handshake_auth"},
		{"the server does not allow it", late, nothing, "without post_handshake_auth"},
		{"HTTP/2", h2, h2, "HTTP/2 forbids"},
		{"both", late, late, ""},
	} {
		client, server := rig.Pair(t, rig.ClientConfig(only13, c.client),
			rig.ServerConfig(t, only13, c.server))
		if err := server.RequestClientCertificate(tls.NoClientCert); err == nil {
			t.Errorf("%s: a request that asks for nothing was sent", c.what)
		}
		err := server.RequestClientCertificate(tls.RequestClientCert)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, expected %q", c.what, err, c.want)
		}
		if err == nil { // it is not answered yet
			if err := server.RequestClientCertificate(tls.RequestClientCert); err == nil {
				t.Errorf("%s: a second request: no error", c.what)
			}
		}
		if err := client.RequestClientCertificate(tls.RequestClientCert); err == nil {
			t.Errorf("%s: a client requests", c.what)
		}
	}
	client, server := rig.Pair(t, rig.ClientConfig(late, func(c *vitrine.Config) {
		c.MaxVersion = vitrine.VersionTLS12
	}), rig.ServerConfig(t, late))
	if err := server.RequestClientCertificate(tls.RequestClientCert); !errors.Is(err,
		vitrine.ErrNotTLS13) {
		t.Errorf("TLS 1.2: %v", err)
	}
	client.Close()
}

// What a client proves after the handshake is judged by the Config that GetConfigForClient chose
// for it, and is nobody's before it is accepted.
func TestCertificatesAfterTheHandshakeAreJudgedByTheChosenConfig(t *testing.T) {
	good := rig.IssueForClient(t, rig.Authority(), throwaway.ECDSA)
	late := func(c *vitrine.Config) { only13(c); c.PostHandshakeAuth = true }
	for _, refuses := range []bool{false, true} {
		var server *vitrine.Conn
		asked := 0
		client, conn := rig.Pair(t, rig.ClientConfig(late, func(c *vitrine.Config) {
			c.Certificates = []tls.Certificate{good}
		}), rig.ServerConfig(t, late, func(outer *vitrine.Config) {
			inner := outer.Clone()
			inner.ClientCAs = rig.Authority().Pool()
			inner.VerifyConnection = func(s vitrine.ConnectionState) error {
				if len(s.PeerCertificates) == 0 {
					return nil
				}
				asked++
				if early := server.ConnectionState(); len(early.PeerCertificates) > 0 {
					t.Error("the certificate is known before it is accepted")
				}
				if refuses {
					return errors.New("not this one")
				}
				return nil
			}
			outer.GetConfigForClient = func(*vitrine.ClientHelloInfo) (*vitrine.Config, error) {
				return inner, nil
			}
			outer.VerifyConnection = func(vitrine.ConnectionState) error {
				t.Error("the Config that was not chosen is asked")
				return nil
			}
		}))
		server = conn
		errs := ask(t, client, server, tls.RequireAndVerifyClientCert)
		if known := len(server.ConnectionState().PeerCertificates) > 0; asked != 1 ||
			known == refuses || (errs[1] != nil) != refuses {
			t.Errorf("refuses %v: asked %d times, known: %v, %v", refuses, asked, known, errs)
		}
	}
}
