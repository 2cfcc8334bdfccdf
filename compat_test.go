package vitrine_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/session"
)

// An import of crypto/tls that becomes one of vitrine must find what such programs look for.
func TestAFailedVerificationIsCryptoTLSsError(t *testing.T) {
	rig.EachVersion(t, testAFailedVerificationIsCryptoTLSsError)
}

func testAFailedVerificationIsCryptoTLSsError(t *testing.T, version func(*vitrine.Config)) {
	for _, c := range []struct {
		what   string
		config *vitrine.Config
		is     func(error) bool
	}{
		{"nobody we trust",
			&vitrine.Config{RootCAs: x509.NewCertPool(), ServerName: rig.ServerName},
			func(err error) bool {
				_, ok := errors.AsType[x509.UnknownAuthorityError](err)
				return ok
			}},
		{"another name",
			rig.ClientConfig(version, func(c *vitrine.Config) { c.ServerName = "elsewhere.test" }),
			func(err error) bool { _, ok := errors.AsType[x509.HostnameError](err); return ok }},
		{"too late",
			rig.ClientConfig(version, func(c *vitrine.Config) {
				c.Time = func() time.Time { return time.Now().AddDate(10, 0, 0) }
			}),
			func(err error) bool {
				e, ok := errors.AsType[x509.CertificateInvalidError](err)
				return ok && e.Reason == x509.Expired
			}},
	} {
		a, b := rig.Wires(t)
		err, _ := rig.Shake(
			vitrine.Client(a, c.config),
			vitrine.Server(b, rig.ServerConfig(t, version)),
		)
		var cause *tls.CertificateVerificationError
		if !errors.As(err, &cause) || len(cause.UnverifiedCertificates) == 0 || !c.is(err) {
			t.Errorf("%s: got %v, expected a *tls.CertificateVerificationError", c.what, err)
		}
	}
}

func TestAConnDoesWhatCryptoTLSsDoes(t *testing.T) {
	rig.EachVersion(t, testAConnDoesWhatCryptoTLSsDoes)
}

func testAConnDoesWhatCryptoTLSsDoes(t *testing.T, version func(*vitrine.Config)) {
	c, s := rig.Pair(t, rig.ClientConfig(version), rig.ServerConfig(t, version))
	if err := c.VerifyHostname(rig.ServerName); err != nil {
		t.Error(err)
	}
	if c.VerifyHostname("elsewhere.test") == nil || s.VerifyHostname(rig.ServerName) == nil {
		t.Error("another name, or a server's end, was accepted")
	}
	blind, _ := rig.Pair(t, &vitrine.Config{InsecureSkipVerify: true}, rig.ServerConfig(t, version))
	if blind.VerifyHostname(rig.ServerName) == nil ||
		vitrine.Client(nil, nil).VerifyHostname(rig.ServerName) == nil {
		t.Error("a name was verified without a chain that was")
	}
	cert := rig.Certificate(t, throwaway.ECDSA)
	staple, err := rig.Authority().Staple(cert.Leaf)
	if err != nil {
		t.Fatal(err)
	}
	cert.OCSPStaple = staple
	if c, _ := rig.Pair(
		t,
		rig.ClientConfig(version),
		rig.ServerConfig(
			t,
			version,
			func(c *vitrine.Config) { c.Certificates = []tls.Certificate{cert} },
		),
	); !bytes.Equal(c.OCSPResponse(), staple) {
		t.Errorf("OCSPResponse is %q", c.OCSPResponse())
	}
}

// RFC 5929 §3: the first Finished, the client's in a full handshake and the server's in an
// abbreviated one; both ends have the same.
func TestTLSUniqueIsThatOfCryptoTLS(t *testing.T) {
	cache := tls.NewLRUClientSessionCache(0)
	server := rig.ServerConfig(t)
	for i := range 2 {
		a, b := rig.Wires(t)
		c := tls.Client(a,
			&tls.Config{RootCAs: rig.Authority().Pool(), ServerName: rig.ServerName,
				MaxVersion: tls.VersionTLS12, ClientSessionCache: cache})
		s := vitrine.Server(b, server)
		if err, serverErr := rig.Shake(c, s); err != nil || serverErr != nil {
			t.Fatal(err, serverErr)
		}
		theirs, ours := c.ConnectionState(), s.ConnectionState()
		if ours.DidResume != (i == 1) || ours.TLSUnique == nil ||
			!bytes.Equal(ours.TLSUnique, theirs.TLSUnique) ||
			ours.CurveID != theirs.CurveID && i == 0 {
			t.Errorf("connection %d: tls-unique is %x, crypto/tls says %x", i+1, ours.TLSUnique,
				theirs.TLSUnique)
		}
		want, err := theirs.ExportKeyingMaterial("EXPERIMENTAL vitrine test", nil, 32)
		if got, ourErr := ours.ExportKeyingMaterial("EXPERIMENTAL vitrine test", nil,
			32); err != nil || ourErr != nil || !bytes.Equal(got, want) {
			t.Errorf("exported %x and %x, %v, %v", got, want, err, ourErr)
		}
	}
	c, _ := rig.Pair(t, rig.ClientConfig(rig.Until12,
		func(c *vitrine.Config) { c.ExtendedMasterSecret = vitrine.Off }), rig.ServerConfig(t))
	if s := c.ConnectionState(); s.TLSUnique != nil {
		t.Error("there is a tls-unique without the extended master secret")
	}
	empty := &vitrine.ConnectionState{}
	if _, err := empty.ExportKeyingMaterial("EXPERIMENTAL vitrine test", nil, 32); err == nil {
		t.Error("an empty state exports")
	}
}

func TestTheDialersTimesHoldForTheHandshake(t *testing.T) {
	rig.EachVersion(t, testTheDialersTimesHoldForTheHandshake)
}

func testTheDialersTimesHoldForTheHandshake(t *testing.T, version func(*vitrine.Config)) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // accepts, and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, d := range []*net.Dialer{{Timeout: 50 * time.Millisecond},
		{Deadline: time.Now().Add(50 * time.Millisecond)},
		{Timeout: 50 * time.Millisecond, Deadline: rig.Deadline()}} {
		begun := time.Now()
		_, err := vitrine.DialWithDialer(d, "tcp", l.Addr().String(), rig.ClientConfig(version))
		if timeout, ok := errors.AsType[net.Error](err); !ok || !timeout.Timeout() ||
			time.Since(begun) > rig.Patience/2 {
			t.Errorf("got %v after %v", err, time.Since(begun))
		}
	}
}

func TestTheListsOfSuitesNameTheirRows(t *testing.T) {
	good, bad := vitrine.CipherSuites(), vitrine.InsecureCipherSuites()
	for _, list := range [][]*vitrine.CipherSuite{good, bad} {
		for _, s := range list {
			if vitrine.CipherSuiteName(s.ID) != s.Name || len(s.SupportedVersions) == 0 ||
				s.Insecure != slices.Contains(bad, s) {
				t.Errorf("%+v", s)
			}
			if n := tls.CipherSuiteName(s.ID); !strings.HasPrefix(n, "0x") && n != s.Name {
				t.Errorf("%s is %s in crypto/tls", s.Name, n)
			}
		}
	}
	if vitrine.VersionName(vitrine.VersionTLS12) != "TLS 1.2" || len(good) == 0 || len(bad) == 0 {
		t.Error("nothing is listed")
	}
	t.Logf("%d suites, %d insecure ones", len(good), len(bad))
}

// Suites and groups of TLS 1.3, which many programs list beside the others, must be neither offered
// nor an error where TLS 1.3 is not on.
func TestWhatIsOfTLS13IsSkipped(t *testing.T) {
	offered := make(chan *vitrine.ClientHelloInfo, 1)
	client := rig.ClientConfig(func(c *vitrine.Config) {
		c.CipherSuites = []uint16{vitrine.TLS_AES_128_GCM_SHA256,
			vitrine.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
		c.CurvePreferences = []vitrine.CurveID{vitrine.X25519MLKEM768, vitrine.CurveP256}
		c.MaxVersion = vitrine.VersionTLS12
	})
	rig.Pair(t, client, rig.ServerConfig(t, func(c *vitrine.Config) {
		c.GetConfigForClient = func(i *vitrine.ClientHelloInfo) (*vitrine.Config, error) {
			offered <- i
			return nil, nil
		}
	}))
	i := <-offered
	if slices.Contains(i.CipherSuites, vitrine.TLS_AES_128_GCM_SHA256) ||
		!slices.Equal(i.SupportedCurves, []vitrine.CurveID{vitrine.CurveP256}) {
		t.Errorf("offered %v and %v", i.CipherSuites, i.SupportedCurves)
	}
}

func TestAClientKnowsWhatItSupports(t *testing.T) {
	ecdsa, rsa := rig.Certificate(t, throwaway.ECDSA), rig.Certificate(t, throwaway.RSA)
	for _, c := range []struct {
		what  string
		suite uint16
		name  string
		want  [2]bool // of ecdsa, of rsa
	}{
		{"a suite that ECDSA signs for", vitrine.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
			rig.ServerName, [2]bool{true, false}},
		{"a suite that RSA signs for", vitrine.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			rig.ServerName, [2]bool{false, true}},
		{"a suite that our policy does not have", vitrine.TLS_RSA_WITH_AES_128_GCM_SHA256,
			rig.ServerName, [2]bool{false, false}},
		{"a suite whose groups are not shared", vitrine.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			rig.ServerName, [2]bool{false, false}},
		{"any suite of TLS 1.3", vitrine.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, rig.ServerName,
			[2]bool{true, true}},
		{"TLS 1.3, whose groups are not shared", vitrine.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			rig.ServerName,
			[2]bool{false, false}},
		{"another name", vitrine.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "elsewhere.test",
			[2]bool{false, false}},
	} {
		client := rig.ClientConfig(func(v *vitrine.Config) {
			v.CipherSuites, v.ServerName = []uint16{c.suite}, c.name
			if strings.Contains(c.what, "not shared") {
				v.CurvePreferences = []vitrine.CurveID{vitrine.CurveP521}
			}
			v.MaxVersion = vitrine.VersionTLS12
			if strings.Contains(c.what, "TLS 1.3") {
				v.MinVersion, v.MaxVersion = vitrine.VersionTLS13, vitrine.VersionTLS13
			}
		})
		server := &vitrine.Config{CurvePreferences: []vitrine.CurveID{vitrine.CurveP256,
			vitrine.X25519}, GetCertificate: func(i *vitrine.ClientHelloInfo) (*vitrine.Certificate,
			error) {
			for n, cert := range []*vitrine.Certificate{&ecdsa, &rsa} {
				if err := i.SupportsCertificate(cert); (err == nil) != c.want[n] {
					t.Errorf("%s, certificate %d: %v", c.what, n, err)
				}
			}
			return &rsa, nil
		}}
		server.MinVersion, server.MaxVersion = client.MinVersion, client.MinVersion
		a, b := rig.Wires(t)
		_, _ = rig.Shake(vitrine.Client(a, client), vitrine.Server(b, server))
	}
}

// afar is a cache that keeps bytes, as one in another process would.
type afar struct{ ticket, state []byte }

func (o *afar) Get(string) (*vitrine.ClientSessionState, bool) {
	state, err := vitrine.ParseSessionState(o.state)
	if err != nil {
		return nil, false
	}
	s, err := vitrine.NewResumptionState(o.ticket, state)
	return s, err == nil
}

func (o *afar) Put(_ string, s *vitrine.ClientSessionState) {
	ticket, state, err := s.ResumptionState()
	if err != nil || state == nil {
		return
	}
	state.Extra = [][]byte{[]byte("kept"), {}}
	b, err := state.Bytes()
	if err != nil {
		panic(err)
	}
	o.ticket, o.state = ticket, b
}

func TestASessionSurvivesAsBytes(t *testing.T) {
	for _, c := range []struct {
		what   string
		server *vitrine.Config
	}{
		{"a ticket of TLS 1.3", rig.ServerConfig(t)},
		{"a ticket of TLS 1.2", rig.ServerConfig(t, rig.Until12)},
		{"a session ID", rig.ServerConfig(t, rig.Until12, func(c *vitrine.Config) {
			c.SessionTicketsDisabled, c.SessionStore = true, session.NewMemory(1)
		})},
	} {
		cache := &afar{}
		client := rig.ClientConfig(func(c *vitrine.Config) { c.ClientSessionCache = cache })
		for i := range 2 {
			if rig.Resumes(t, client, c.server) != (i == 1) {
				t.Errorf("%s, connection %d: resumed %v", c.what, i+1, i == 0)
			}
		}
		state, err := vitrine.ParseSessionState(cache.state)
		if err != nil || fmt.Sprintf("%s", state.Extra) != "[kept ]" {
			t.Errorf("%s: Extra is %s, %v", c.what, state.Extra, err)
		}
		again, err := vitrine.NewResumptionState(cache.ticket, state)
		if err != nil {
			t.Fatal(err)
		}
		if _, s, err := again.ResumptionState(); err != nil || len(s.Extra) != 2 {
			t.Errorf("%s: Extra is then %s, %v", c.what, s.Extra, err)
		}
		for n := range cache.state {
			if _, err := vitrine.ParseSessionState(cache.state[:n]); err == nil {
				t.Errorf("%s: %d bytes of %d were taken", c.what, n, len(cache.state))
			}
		}
	}
	if _, err := vitrine.NewResumptionState(nil, nil); err == nil {
		t.Error("nothing was taken for a session")
	}
}
