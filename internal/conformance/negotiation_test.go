package conformance_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

// attempt shakes hands and gives both ends' errors and states.
func attempt(
	t *testing.T,
	client, server *vitrine.Config,
) (errs [2]error, states [2]vitrine.ConnectionState) {
	t.Helper()
	a, b := rig.Wires(t)
	c, s := vitrine.Client(a, client), vitrine.Server(b, server)
	errs[iana.Client], errs[iana.Server] = rig.Shake(c, s)
	if errs == [2]error{} {
		rig.Hear(t, c, s)
	}
	states[iana.Client], states[iana.Server] = c.ConnectionState(), s.ConnectionState()
	c.Close()
	s.Close()
	return errs, states
}

// RFC 6066 §3: a server may refuse a name that it does not know, or go on.
func TestUnknownNamesAreRefusedWhereThatIsAskedFor(t *testing.T) {
	rig.EachVersion(t, testUnknownNamesAreRefusedWhereThatIsAskedFor)
}

func testUnknownNamesAreRefusedWhereThatIsAskedFor(t *testing.T, version func(*vitrine.Config)) {
	for _, c := range []struct {
		name    string
		refused bool // by a server that is told to
	}{{rig.ServerName, false}, {"elsewhere.test", true}, {"", false}, {"127.0.0.1", false}} {
		for _, told := range []bool{false, true} {
			client := &vitrine.Config{ServerName: c.name, InsecureSkipVerify: true}
			errs, _ := attempt(
				t,
				client,
				rig.ServerConfig(
					t,
					version,
					func(s *vitrine.Config) { s.UnknownNamesRefused = told },
				),
			)
			if got, _ := rig.ReceivedAlert(
				errs[iana.Client],
			); told &&
				c.refused != (got == alert.UnrecognizedName) {
				t.Errorf("%q: got %v", c.name, errs[iana.Client])
			} else if (!told || !c.refused) &&
				errs != [2]error{} {
				t.Errorf("%q, told %v: %v", c.name, told, errs)
			}
		}
	}
}

// The certificate that the client asked for goes before the suite that we prefer, as with
// crypto/tls.
func TestTheCertificateOfTheNameGoesBeforeABetterSuite(t *testing.T) {
	ecdsa, err := rig.Authority().Issue(throwaway.ECDSA, []string{"a.test"})
	if err != nil {
		t.Fatal(err)
	}
	rsa, err := rig.Authority().Issue(throwaway.RSA, []string{"b.test"})
	if err != nil {
		t.Fatal(err)
	}
	certs := []tls.Certificate{ecdsa, rsa}
	for name, want := range map[string]*x509.Certificate{"a.test": ecdsa.Leaf, "b.test": rsa.Leaf} {
		client := rig.ClientConfig(func(c *vitrine.Config) { c.ServerName = name })
		errs, states := attempt(t, client, &vitrine.Config{Certificates: certs})
		if errs != [2]error{} || !states[iana.Client].PeerCertificates[0].Equal(want) {
			t.Errorf("%s: %v", name, errs)
		}
		a, b := rig.Wires(t)
		theirs := tls.Client(
			a,
			&tls.Config{
				RootCAs:    rig.Authority().Pool(),
				ServerName: name,
				MaxVersion: tls.VersionTLS12,
			},
		)
		if err, serverErr := rig.Shake(
			theirs,
			tls.Server(b, &tls.Config{Certificates: certs}),
		); err != nil ||
			serverErr != nil ||
			!theirs.ConnectionState().PeerCertificates[0].Equal(want) {
			t.Errorf("%s: crypto/tls: %v, %v", name, err, serverErr)
		}
	}
}

// RFC 6066 §3: "the server SHALL include an extension of type "server_name" in the (extended)
// server hello" if it used the name, "MUST NOT" if it resumes. In TLS 1.3 it goes into
// EncryptedExtensions.
func TestServerNameIsAcknowledged(t *testing.T) { rig.EachVersion(t, testServerNameIsAcknowledged) }

func testServerNameIsAcknowledged(t *testing.T, version func(*vitrine.Config)) {
	cache := vitrine.NewLRUClientSessionCache(0)
	server := rig.ServerConfig(t, version)
	for _, c := range []struct {
		what, name string
		cache      vitrine.ClientSessionCache
		want       bool
	}{
		{"a name of the certificate", rig.ServerName, cache, true},
		{"the same, resumed", rig.ServerName, cache, false},
		{"another name", "elsewhere.test", nil, true}, {"an address", "127.0.0.1", nil, false},
	} {
		log := &trace.Memory{}
		client := rig.ClientConfig(version, func(v *vitrine.Config) {
			v.ServerName, v.ClientSessionCache, v.Trace = c.name, c.cache, log
			v.InsecureSkipVerify = c.name != rig.ServerName
		})
		errs, _ := attempt(t, client, server)
		acknowledged := false
		for _, e := range log.Entries {
			m, ok := e.Event.(*trace.Message)
			if !ok || m.Type != iana.ServerHello && m.Type != iana.EncryptedExtensions {
				continue
			}
			parsed, err := message.Dialect{Version: iana.Version(client.MaxVersion)}.Parse(m.Raw)
			if err != nil {
				t.Fatal(err)
			}
			switch m := parsed.(type) {
			case *message.ServerHello:
				acknowledged = m.Extensions.Has(iana.ExtServerName)
			case *message.EncryptedExtensions:
				acknowledged = acknowledged || m.Extensions.Has(iana.ExtServerName)
			}
		}
		if errs != [2]error{} || acknowledged != c.want {
			t.Errorf("%s: %v, acknowledged %v", c.what, errs, acknowledged)
		}
	}
}

// refusingCallbacks set a callback that fails.
var refusingCallbacks = []struct {
	what  string
	asked iana.Side // whose callback it is
	set   func(*vitrine.Config, error)
	plain alert.Description // for an error that names none
}{
	{"VerifyPeerCertificate", iana.Client, func(c *vitrine.Config, err error) {
		c.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { return err }
	}, alert.BadCertificate},
	{"VerifyPeerCertificate", iana.Server, func(c *vitrine.Config, err error) {
		c.ClientAuth = tls.RequireAnyClientCert
		c.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { return err }
	}, alert.BadCertificate},
	{"VerifyConnection", iana.Server, func(c *vitrine.Config, err error) {
		c.VerifyConnection = func(vitrine.ConnectionState) error { return err }
	}, alert.BadCertificate},
	{"GetConfigForClient", iana.Server, func(c *vitrine.Config, err error) {
		c.GetConfigForClient = func(*vitrine.ClientHelloInfo) (*vitrine.Config,
			error) {
			return nil, err
		}
	}, alert.InternalError},
	{"GetCertificate", iana.Server, func(c *vitrine.Config, err error) {
		c.GetCertificate = func(*vitrine.ClientHelloInfo) (*tls.Certificate,
			error) {
			return nil, err
		}
	}, alert.InternalError},
	{"GetClientCertificate", iana.Client, func(c *vitrine.Config, err error) {
		c.GetClientCertificate = func(*vitrine.CertificateRequestInfo) (*tls.Certificate,
			error) {
			return nil, err
		}
	}, alert.InternalError},
}

// A program that refuses a peer may say why on the wire.
func TestACallbackMayNameItsAlert(t *testing.T) { rig.EachVersion(t, testACallbackMayNameItsAlert) }

func testACallbackMayNameItsAlert(t *testing.T, version func(*vitrine.Config)) {
	named := alert.Fail(alert.AccessDenied, "", "not today")
	wrapped := errors.Join(errors.New("the door is shut"), named)
	plain := errors.New("no")
	clientCert := rig.IssueForClient(t, rig.Authority(), throwaway.ECDSA)
	for _, c := range refusingCallbacks {
		for _, refusal := range []error{named, wrapped, plain} {
			configs := [2]*vitrine.Config{}
			configs[iana.Client], configs[iana.Server] = rig.ClientConfig(
				version,
			), rig.ServerConfig(
				t,
				version,
			)
			configs[iana.Client].Certificates = []tls.Certificate{clientCert}
			configs[iana.Server].ClientAuth = tls.RequestClientCert
			c.set(configs[c.asked], refusal)
			a, b := rig.Wires(t)
			ends := [2]*vitrine.Conn{}
			ends[iana.Client], ends[iana.Server] = vitrine.Client(
				a,
				configs[iana.Client],
			), vitrine.Server(
				b,
				configs[iana.Server],
			)
			errs := [2]error{}
			errs[iana.Client], errs[iana.Server] = rig.Shake(ends[iana.Client], ends[iana.Server])
			heard := errs[c.asked.Peer()]
			if heard == nil { // a client's flight is over before the server's verdict
				_, heard = ends[c.asked.Peer()].Read(make([]byte, 1))
			}
			want := c.plain
			if refusal != plain {
				want = alert.AccessDenied
			}
			if got, ok := rig.ReceivedAlert(
				heard,
			); !ok || got != want ||
				!errors.Is(errs[c.asked], refusal) {
				t.Errorf(
					"%v's %s, %v: the peer got %v, expected %v; our error is %v",
					c.asked,
					c.what,
					refusal,
					heard,
					want,
					errs[c.asked],
				)
			}
		}
	}
}

func TestSignatureSchemesAreThoseOfTheConfig(t *testing.T) {
	const sha1 = vitrine.PKCS1WithSHA1
	for _, c := range []struct {
		what           string
		client, server []vitrine.SignatureScheme
		want           vitrine.SignatureScheme // 0: no handshake
	}{
		{"neither", nil, nil, vitrine.PSSWithSHA256},
		{"the server signs with one", nil, []vitrine.SignatureScheme{vitrine.PKCS1WithSHA384},
			vitrine.PKCS1WithSHA384},
		{"the client accepts one", []vitrine.SignatureScheme{vitrine.PSSWithSHA512}, nil,
			vitrine.PSSWithSHA512},
		{"nothing in common", []vitrine.SignatureScheme{vitrine.PSSWithSHA512},
			[]vitrine.SignatureScheme{vitrine.PSSWithSHA384}, 0},
		{"SHA-1 turned on", []vitrine.SignatureScheme{sha1}, []vitrine.SignatureScheme{sha1}, sha1},
		{"SHA-1 turned on at one end", []vitrine.SignatureScheme{sha1}, nil, 0},
	} {
		client := rig.ClientConfig(
			rig.Until12,
			func(v *vitrine.Config) { v.SignatureSchemes = c.client },
		)
		server := &vitrine.Config{
			Certificates:     []tls.Certificate{rig.Certificate(t, throwaway.RSA)},
			SignatureSchemes: c.server,
		}
		errs, states := attempt(t, client, server)
		if got := states[iana.Client].PeerSignatureScheme; got != c.want ||
			(errs == [2]error{}) != (c.want != 0) {
			t.Errorf("%s: got %v, %v, expected %v", c.what, got, errs, c.want)
		}
	}
	for _, bad := range [][]vitrine.SignatureScheme{{}, {0}, {0x0101}, {0x9999}} {
		config := rig.ClientConfig(
			rig.Until12,
			func(v *vitrine.Config) { v.SignatureSchemes = bad },
		)
		a, _ := rig.Wires(t)
		if err := vitrine.Client(a, config).
			Handshake(); err == nil ||
			!strings.Contains(err.Error(), "SignatureSchemes") {
			t.Errorf("%v: got %v", bad, err)
		}
	}
}

func TestTheStateTellsWhatBothSidesShowed(t *testing.T) {
	rig.EachVersion(t, testTheStateTellsWhatBothSidesShowed)
}

func testTheStateTellsWhatBothSidesShowed(t *testing.T, version func(*vitrine.Config)) {
	shown := rig.IssueForClient(t, rig.Authority(), throwaway.ECDSA)
	cache := vitrine.NewLRUClientSessionCache(0)
	client := rig.ClientConfig(version, func(c *vitrine.Config) {
		c.Certificates, c.ClientSessionCache = []tls.Certificate{shown}, cache
	})
	server := rig.ServerConfig(t, version, func(c *vitrine.Config) {
		c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, rig.Authority().Pool()
	})
	for i := range 2 {
		errs, states := attempt(t, client, server)
		c, s := states[iana.Client], states[iana.Server]
		if errs != [2]error{} || c.DidResume != (i == 1) || c.Renegotiations+s.Renegotiations != 0 {
			t.Fatal(errs, c.DidResume)
		}
		if c.DidResume {
			if c.PeerSignatureScheme != 0 || s.PeerSignatureScheme != 0 ||
				c.LocalCertificates != nil ||
				s.LocalCertificates != nil {
				t.Error("something was shown in a resumed handshake")
			}
			continue
		}
		if c.PeerSignatureScheme != vitrine.ECDSAWithP256AndSHA256 ||
			s.PeerSignatureScheme != vitrine.ECDSAWithP256AndSHA256 {
			t.Errorf("signed with %v and %v", c.PeerSignatureScheme, s.PeerSignatureScheme)
		}
		same := func(a,
			b []*x509.Certificate) bool {
			return slices.EqualFunc(a, b, (*x509.Certificate).Equal)
		}
		if !same(c.LocalCertificates, s.PeerCertificates) ||
			!same(s.LocalCertificates, c.PeerCertificates) ||
			len(c.LocalCertificates) == 0 {
			t.Error("what one side showed is not what the other saw")
		}
	}
	plain, _ := rig.Pair(
		t,
		rig.ClientConfig(rig.Until12, func(c *vitrine.Config) {
			c.CipherSuites = []uint16{vitrine.TLS_RSA_WITH_AES_128_GCM_SHA256}
		}),
		rig.ServerConfig(t, func(c *vitrine.Config) { c.Policy = vitrine.Compatible }),
	)
	if got := plain.ConnectionState().PeerSignatureScheme; got != 0 {
		t.Errorf("RSA key exchange was signed with %v", got)
	}
}

// Two servers may share ticket keys, and only one of them require a certificate by its callback.
func TestASessionWithoutACertificateIsJudgedAgain(t *testing.T) {
	rig.EachVersion(t, testASessionWithoutACertificateIsJudgedAgain)
}

func testASessionWithoutACertificateIsJudgedAgain(t *testing.T, version func(*vitrine.Config)) {
	errNone := errors.New("a certificate is required")
	keys := [][32]byte{{7}}
	lenient := rig.ServerConfig(
		t,
		version,
		func(c *vitrine.Config) { c.ClientAuth = tls.RequestClientCert },
	)
	strict := rig.ServerConfig(t, version, func(c *vitrine.Config) {
		c.ClientAuth = tls.RequestClientCert
		c.VerifyPeerCertificate = func(raw [][]byte, _ [][]*x509.Certificate) error {
			if len(raw) == 0 {
				return errNone
			}
			return nil
		}
	})
	lenient.SetSessionTicketKeys(keys)
	strict.SetSessionTicketKeys(keys)
	cache := vitrine.NewLRUClientSessionCache(0)
	client := rig.ClientConfig(version, func(c *vitrine.Config) { c.ClientSessionCache = cache })
	for i, server := range []*vitrine.Config{lenient, lenient, strict} {
		errs, states := attempt(t, client, server)
		if i < 2 && (errs != [2]error{} || states[iana.Server].DidResume != (i == 1)) {
			t.Errorf("connection %d: %v", i+1, errs)
		}
		if id := states[iana.Server].PSKIdentity; id != nil {
			t.Errorf("connection %d: a pre-shared key's identity %q without one", i+1, id)
		}
		if i == 2 && !errors.Is(errs[iana.Server], errNone) {
			t.Errorf("the strict server: %v, resumed %v", errs, states[iana.Server].DidResume)
		}
	}
}
