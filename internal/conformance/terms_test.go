package conformance_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/trace"
)

// terms is a session that is made, and one change of a side's configuration after which it must not
// be resumed.
type terms struct {
	what, ref string
	base      func(client, server *vitrine.Config) // how both are before
	client    func(*vitrine.Config)                // the change
	server    func(*vitrine.Config)
	says      string // in the trace of the side that decides
	fails     string // the full handshake fails instead; part of that side's error
}

func setSuites(ids ...iana.CipherSuite) func(*vitrine.Config) {
	return func(c *vitrine.Config) {
		c.CipherSuites = nil
		for _, id := range ids {
			c.CipherSuites = append(c.CipherSuites, uint16(id))
		}
	}
}

func both(edit func(*vitrine.Config)) func(c, s *vitrine.Config) {
	return func(c, s *vitrine.Config) { edit(c); edit(s) }
}

// clientTerms are the conditions that a client checks: it does not offer the session.
func clientTerms(t *testing.T) []terms {
	refuse := func(c *vitrine.Config) {
		c.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error {
			return errors.New("not this one")
		}
	}
	skip := func(on bool) func(*vitrine.Config) {
		return func(c *vitrine.Config) { c.InsecureSkipVerify = on }
	}
	shows := func(cert ...tls.Certificate) func(*vitrine.Config) {
		return func(c *vitrine.Config) { c.Certificates = cert }
	}
	alice := rig.Certificate(t, throwaway.ECDSA, throwaway.ForClient)
	bob := rig.Certificate(t, throwaway.Ed25519, throwaway.ForClient)
	asks := func(cert ...tls.Certificate) func(c, s *vitrine.Config) {
		return func(c, s *vitrine.Config) {
			c.Certificates, s.ClientAuth = cert, tls.RequestClientCert
		}
	}
	old := both(func(c *vitrine.Config) {
		setSuites(iana.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA)(c)
		c.Policy = vitrine.Legacy
	})
	return []terms{
		{what: "a day passes", ref: "RFC 5246 §F.1.4", says: "too old",
			client: func(c *vitrine.Config) {
				c.Time = func() time.Time { return time.Now().Add(24*time.Hour + time.Minute) }
			}},
		{what: "it wants no tickets", ref: "RFC 5077 §3.4", says: "nothing is left to find it by",
			client: func(c *vitrine.Config) { c.SessionTicketsDisabled = true }},
		{what: "another version", ref: "RFC 5246 §7.4.1.3", says: "another version", base: old,
			client: func(c *vitrine.Config) { c.MaxVersion = tls.VersionTLS11 }},
		{what: "another suite", ref: "RFC 5246 §7.4.1.3", says: "its cipher suite",
			base:   both(setSuites(rig.ECDSAGCM, ecdsaCBC)),
			client: setSuites(ecdsaCBC)},
		{what: "another group", ref: "RFC 8422 §4", says: "its group",
			client: func(c *vitrine.Config) { c.CurvePreferences = []tls.CurveID{tls.CurveP256} }},
		{what: "another server", ref: "RFC 6066 §3", says: "another server_name",
			base:   func(c, _ *vitrine.Config) { c.InsecureSkipVerify = true },
			client: func(c *vitrine.Config) { c.ServerName = "other.test" }},
		{what: "extended_master_secret off", ref: "RFC 7627 §5.3", says: "extended_master_secret",
			client: func(c *vitrine.Config) { c.ExtendedMasterSecret = vitrine.Off }},
		{what: "extended_master_secret required", ref: "RFC 7627 §5.3",
			says:   "extended_master_secret",
			base:   func(c, _ *vitrine.Config) { c.ExtendedMasterSecret = vitrine.Off },
			client: func(c *vitrine.Config) { c.ExtendedMasterSecret = vitrine.Required }},
		{what: "encrypt_then_mac off", ref: "RFC 7366 §3.1", says: "encrypt_then_mac",
			base:   both(cbcOnly),
			client: func(c *vitrine.Config) { c.EncryptThenMAC = vitrine.Off }},
		{what: "encrypt_then_mac required", ref: "RFC 7366 §3.1", says: "encrypt_then_mac",
			base: func(c, s *vitrine.Config) {
				cbcOnly(c)
				cbcOnly(s)
				c.EncryptThenMAC = vitrine.Off
			},
			client: func(c *vitrine.Config) { c.EncryptThenMAC = vitrine.Required }},
		{what: "another policy", ref: "our API", says: "the policy differs",
			base:   both(setSuites(rig.ECDSAGCM)),
			client: func(c *vitrine.Config) { c.Policy = vitrine.Legacy }},
		{what: "other roots", ref: "RFC 5280 §6", fails: "unknown authority",
			says:   "not accepted any more",
			client: func(c *vitrine.Config) { c.RootCAs = x509.NewCertPool() }},
		{what: "it trusted anybody before", ref: "RFC 5280 §6", says: "the trust differs",
			base: func(c, _ *vitrine.Config) { c.InsecureSkipVerify = true }, client: skip(false)},
		{what: "it trusts anybody now", ref: "RFC 5280 §6", says: "the trust differs",
			client: skip(true)},
		{what: "a staple is required", ref: "RFC 6066 §8", says: "the trust differs",
			fails:  "stapled no certificate status",
			client: func(c *vitrine.Config) { c.StatusRequest = vitrine.Required }},
		{what: "its program refuses the chain", ref: "our API", says: "not accepted any more",
			fails: "not this one", client: refuse},
		{what: "a certificate to show", ref: "RFC 5246 §7.4.6", says: "the client identity differs",
			base: asks(), client: shows(alice)},
		{what: "no certificate to show", ref: "RFC 5246 §7.4.6",
			says: "the client identity differs", base: asks(alice), client: shows()},
		{what: "another certificate to show", ref: "RFC 5246 §7.4.6",
			says: "the client identity differs", base: asks(alice), client: shows(bob)},
		{what: "a program that may show one", ref: "RFC 5246 §7.4.6",
			says: "the client identity differs", base: asks(alice),
			client: func(c *vitrine.Config) {
				c.GetClientCertificate = func(*vitrine.CertificateRequestInfo) (*tls.Certificate,
					error) {
					return &bob, nil
				}
			}},
	}
}

// serverTerms are the conditions that a server checks: it answers with a full handshake.
func serverTerms(t *testing.T) []terms {
	other, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	two := rig.Authority().Pool()
	two.AddCert(other.Cert)
	trusts := func(pool *x509.CertPool) func(*vitrine.Config) {
		return func(c *vitrine.Config) { c.ClientCAs = pool }
	}
	demands := func(a tls.ClientAuthType) func(*vitrine.Config) {
		return func(c *vitrine.Config) { c.ClientAuth = a }
	}
	asked := func(a tls.ClientAuthType) func(c, s *vitrine.Config) {
		return func(c, s *vitrine.Config) {
			c.Certificates = []tls.Certificate{rig.Certificate(t, throwaway.ECDSA,
				throwaway.ForClient)}
			s.ClientAuth, s.ClientCAs = a, rig.Authority().Pool()
		}
	}
	refuse := func(c *vitrine.Config) {
		c.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error {
			return errors.New("not this one")
		}
	}
	const showed, differs = "the client showed", "the trust differs"
	rows := []terms{
		{what: "extended_master_secret off", ref: "RFC 7627 §5.3", says: "extended_master_secret",
			server: func(c *vitrine.Config) { c.ExtendedMasterSecret = vitrine.Off }},
		{what: "extended_master_secret required", ref: "RFC 7627 §5.3",
			says:   "extended_master_secret",
			base:   func(_, s *vitrine.Config) { s.ExtendedMasterSecret = vitrine.Off },
			server: func(c *vitrine.Config) { c.ExtendedMasterSecret = vitrine.Required }},
		{what: "encrypt_then_mac off", ref: "RFC 7366 §3.1", says: "encrypt_then_mac",
			base:   both(cbcOnly),
			server: func(c *vitrine.Config) { c.EncryptThenMAC = vitrine.Off }},
		{what: "another suite", ref: "RFC 5246 §7.4.1.3", says: "its cipher suite",
			base:   both(setSuites(rig.ECDSAGCM, ecdsaCBC)),
			server: setSuites(ecdsaCBC)},
		{what: "another group", ref: "RFC 8422 §4", says: "its group",
			server: func(c *vitrine.Config) { c.CurvePreferences = []tls.CurveID{tls.CurveP256} }},
		{what: "another policy", ref: "our API", says: "the policy differs",
			base:   both(setSuites(rig.ECDSAGCM)),
			server: func(c *vitrine.Config) { c.Policy = vitrine.Compatible }},
		{what: "another authority of the same name", ref: "CVE-2025-23419",
			says: "no longer accepted", fails: "unknown authority",
			base: asked(tls.RequireAndVerifyClientCert), server: trusts(other.Pool())},
		{what: "an authority more", ref: "CVE-2025-23419", says: differs,
			base: asked(tls.RequireAndVerifyClientCert), server: trusts(two)},
		{what: "other authorities, asking whom they like", ref: "CVE-2025-23419", says: differs,
			base:   asked(tls.RequestClientCert),
			server: trusts(two)},
		{what: "a Config for this client that has other authorities", ref: "CVE-2025-68121",
			says: differs,
			base: asked(tls.VerifyClientCertIfGiven), server: func(c *vitrine.Config) {
				special := c.Clone()
				special.ClientCAs = two
				c.GetConfigForClient = func(*vitrine.ClientHelloInfo) (*vitrine.Config, error) {
					return special, nil
				}
			}},
		{what: "its program refuses the chain", ref: "our API", says: "no longer accepted",
			fails: "not this one",
			base:  asked(tls.RequireAnyClientCert), server: refuse},
		{what: "a certificate is not asked for any more", ref: "RFC 5246 §7.4.6", says: showed,
			base:   asked(tls.RequestClientCert),
			server: demands(tls.NoClientCert)},
		{what: "a certificate may be shown now", ref: "RFC 5246 §7.4.6", says: differs,
			base:   asked(tls.NoClientCert),
			server: demands(tls.RequestClientCert)},
		{what: "a certificate must be shown now", ref: "RFC 5246 §7.4.6", says: showed,
			base:   asked(tls.NoClientCert),
			server: demands(tls.RequireAnyClientCert)},
	}
	for _, pair := range [][2]tls.ClientAuthType{{tls.RequestClientCert, tls.RequireAnyClientCert},
		{tls.RequestClientCert, tls.VerifyClientCertIfGiven}, {tls.RequireAnyClientCert,
			tls.RequireAndVerifyClientCert},
		{tls.RequireAndVerifyClientCert, tls.RequireAnyClientCert}} {
		rows = append(rows, terms{what: pair[0].String() + ", then " + pair[1].String(),
			ref: "CVE-2025-23419", says: differs,
			base: asked(pair[0]), server: demands(pair[1])})
	}
	return rows
}

// A session is resumed as long as nothing changes, and not after one change; and the trace says
// which.
func TestSessionsKeepTheirTerms(t *testing.T) {
	rig.EachVersion(t, testSessionsKeepTheirTerms)
}

func testSessionsKeepTheirTerms(t *testing.T, version func(*vitrine.Config)) {
	only13 := rig.ClientConfig(version).MinVersion == vitrine.VersionTLS13
	for _, byID := range []bool{false, true} {
		for _, c := range append(clientTerms(t), serverTerms(t)...) {
			if only13 && !c.in13() {
				continue
			}
			if byID && c.ref == "RFC 5077 §3.4" {
				continue // it is about tickets
			}
			side, how := "client", "by ticket"
			if c.server != nil {
				side = "server"
			}
			if byID {
				how = "by ID"
			}
			t.Run(side+"/"+c.what+"/"+how, func(t *testing.T) {
				t.Parallel()
				c.run(t, version, byID)
			})
		}
	}
}

// in13 reports whether the change means something in TLS 1.3, where a session binds neither a suite
// nor a group, and lives longer. What it does not have, such as encrypt_then_mac, cannot change.
func (c *terms) in13() bool {
	for _, only12 := range []string{"extended_master_secret", "encrypt_then_mac", "its group",
		"its cipher suite", "another version", "too old"} {
		if strings.Contains(c.says, only12) {
			return false
		}
	}
	return true
}

func (c *terms) run(t *testing.T, version func(*vitrine.Config), byID bool) {
	client := rig.ClientConfig(version,
		func(c *vitrine.Config) { c.ClientSessionCache = &rig.OneSession{} })
	server := rig.ServerConfig(t, version, func(c *vitrine.Config) {
		c.TicketKeys = session.FixedKeys{session.NewTicketKey([32]byte{1})}
	})
	if byID {
		server.SessionTicketsDisabled, server.SessionStore = true, session.NewMemory(10)
	}
	if c.base != nil {
		c.base(client, server)
	}
	rig.Resumes(t, client, server)
	if !rig.Resumes(t, client, server) {
		t.Fatal("it is not resumed when nothing changed")
	}
	var told bytes.Buffer
	client, server = client.Clone(), server.Clone()
	if c.client != nil {
		client.Trace = trace.NewWriter(&told)
		c.client(client)
	} else {
		server.Trace = trace.NewWriter(&told)
		c.server(server)
	}
	a, b := rig.Wires(t)
	ours, theirs := vitrine.Client(a, client), vitrine.Server(b, server)
	clientErr, serverErr := rig.Shake(ours, theirs)
	err := clientErr
	if c.server != nil {
		err = serverErr
	}
	switch {
	case c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)):
		t.Errorf("got %v, expected an error that says %q", err, c.fails)
	case c.fails == "" && (clientErr != nil || serverErr != nil):
		t.Errorf("the client got %v, the server %v, expected a full handshake", clientErr,
			serverErr)
	case ours.ConnectionState().DidResume || theirs.ConnectionState().DidResume:
		t.Errorf("it was resumed (%s)", c.ref)
	}
	if !strings.Contains(told.String(), c.says) {
		t.Errorf("the trace does not say %q", c.says)
	}
}

// A chain that only policy Legacy accepts is no way into a client of policy Modern that shares its
// cache.
func TestASHA1ChainIsNotResumedUnderAnotherPolicy(t *testing.T) {
	rig.EachVersion(t, testASHA1ChainIsNotResumedUnderAnotherPolicy)
}

func testASHA1ChainIsNotResumedUnderAnotherPolicy(t *testing.T, version func(*vitrine.Config)) {
	server := rig.ServerConfig(t, version, func(c *vitrine.Config) {
		c.Certificates = []tls.Certificate{weakCertificate(t)}
	})
	legacy := rig.ClientConfig(version, func(c *vitrine.Config) {
		c.Policy, c.ClientSessionCache = vitrine.Legacy, vitrine.NewLRUClientSessionCache(1)
		c.LegacyRoots = []*x509.Certificate{rig.Authority().Cert}
	})
	rig.Resumes(t, legacy, server)
	if !rig.Resumes(t, legacy, server) {
		t.Fatal("it is not resumed under its own policy")
	}
	modern := legacy.Clone()
	modern.Policy = vitrine.Modern
	a, b := rig.Wires(t)
	if err, _ := rig.Shake(vitrine.Client(a, modern), vitrine.Server(b, server)); err == nil {
		t.Error("Modern accepted the chain")
	}
}

// A resumed connection has the state of the full handshake that it does not negotiate itself, as
// with crypto/tls; the group at both ends.
func TestAResumedConnectionHasTheStateOfItsFullHandshake(t *testing.T) {
	rig.EachVersion(t, testAResumedConnectionKnowsItsFullHandshake)
}

func testAResumedConnectionKnowsItsFullHandshake(t *testing.T, version func(*vitrine.Config)) {
	cert := rig.Certificate(t, throwaway.ECDSA)
	staple, err := rig.Authority().Staple(cert.Leaf)
	if err != nil {
		t.Fatal(err)
	}
	cert.OCSPStaple, cert.SignedCertificateTimestamps = staple, [][]byte{{1, 2, 3}, {4}}
	group := vitrine.X25519
	if rig.ClientConfig(version).MaxVersion == vitrine.VersionTLS13 {
		group = vitrine.X25519MLKEM768
	}
	for _, stored := range []bool{false, true} {
		cache := &rig.OneSession{}
		client := rig.ClientConfig(
			version,
			func(c *vitrine.Config) { c.ClientSessionCache = cache },
		)
		server := rig.ServerConfig(t, version, func(c *vitrine.Config) {
			c.Certificates = []tls.Certificate{cert}
		})
		for _, resumed := range []bool{false, true} {
			c, s := rig.Pair(t, client, server)
			rig.Hear(t, c, s)
			state, theirs := c.ConnectionState(), s.ConnectionState()
			switch {
			case state.DidResume != resumed:
				t.Errorf("resumed %v, expected %v", state.DidResume, resumed)
			case !bytes.Equal(state.OCSPResponse, staple) || !bytes.Equal(c.OCSPResponse(), staple):
				t.Errorf("resumed %v: got an OCSP response of %d bytes", resumed,
					len(state.OCSPResponse))
			case len(state.SignedCertificateTimestamps) != 2 ||
				len(state.SignedCertificateTimestamps[0]) != 3:
				t.Errorf("resumed %v: got the SCTs %x", resumed, state.SignedCertificateTimestamps)
			case state.CurveID != group || state.Group != iana.Group(group) ||
				state.GroupName != state.Group.String() ||
				theirs.CurveID != group || theirs.GroupName != state.GroupName:
				t.Errorf("resumed %v: got the groups %v %q and %v %q", resumed, state.CurveID,
					state.GroupName, theirs.CurveID, theirs.GroupName)
			}
			if stored {
				cache.S = throughBytes(t, cache.S)
			}
		}
	}
}

// throughBytes is a session that was written somewhere, and read again.
func throughBytes(t *testing.T, s *vitrine.ClientSessionState) *vitrine.ClientSessionState {
	t.Helper()
	ticket, state, err := s.ResumptionState()
	if err != nil {
		t.Fatal(err)
	}
	b, err := state.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if state, err = vitrine.ParseSessionState(b); err != nil {
		t.Fatal(err)
	}
	if s, err = vitrine.NewResumptionState(ticket, state); err != nil {
		t.Fatal(err)
	}
	return s
}

// weakCertificate is the authority's, signed with SHA-1.
func weakCertificate(t *testing.T) tls.Certificate {
	return rig.Certificate(t, throwaway.ECDSA, func(c *x509.Certificate) {
		c.SignatureAlgorithm = x509.ECDSAWithSHA1
	})
}
