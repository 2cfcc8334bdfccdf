package conformance_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/trace"
)

// suiteFor is a suite that a kind of key can serve by a signature.
func suiteFor(kind throwaway.Kind) iana.CipherSuite {
	if kind == throwaway.RSA || kind == throwaway.RSAPSS {
		return iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
	}
	return rig.ECDSAGCM
}

func TestEveryKindOfKeyProvesEitherSide(t *testing.T) {
	rig.EachVersion(t, testEveryKindOfKeyProvesEitherSide)
}

func testEveryKindOfKeyProvesEitherSide(t *testing.T, version func(*vitrine.Config)) {
	n := 0
	for _, server := range throwaway.Kinds() {
		for _, client := range throwaway.Kinds() {
			n++
			own := rig.IssueForClient(t, rig.Authority(), client)
			c := rig.ClientConfig(
				version,
				func(c *vitrine.Config) { c.Certificates = []tls.Certificate{own} },
			)
			s := rig.ServerConfig(t, version, func(c *vitrine.Config) {
				c.Certificates = []tls.Certificate{rig.Certificate(t, server)}
				c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, rig.Authority().Pool()
			})
			a, b := rig.Pair(t, c, s)
			state := a.ConnectionState()
			if got := iana.CipherSuite(state.CipherSuite); state.Version == vitrine.VersionTLS12 &&
				got != suiteFor(server) { // a suite of TLS 1.3 says nothing about the key
				t.Errorf("%s: got %v", server, got)
			}
			if got := b.ConnectionState().PeerCertificates; len(got) != 1 ||
				!bytes.Equal(got[0].Raw, own.Certificate[0]) {
				t.Errorf("%s and %s: the server saw %v", server, client, got)
			}
			if got := a.ConnectionState().VerifiedChains; len(got) == 0 || len(got[0]) != 2 {
				t.Errorf("%s: the client verified %v", server, got)
			}
			a.Close()
			b.Close()
		}
	}
	t.Logf("%d pairs of keys", n)
}

// RFC 5246 §7.4.4 to §7.4.6, RFC 8446 §4.4.2.4, and crypto/tls's five ways to ask.
func TestServersAskForClientCertificatesInFiveWays(t *testing.T) {
	rig.EachVersion(t, testServersAskForClientCertificatesInFiveWays)
}

func testServersAskForClientCertificatesInFiveWays(t *testing.T, version func(*vitrine.Config)) {
	stranger, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	right, wrong := rig.IssueForClient(t, rig.Authority(), throwaway.ECDSA),
		rig.IssueForClient(t, stranger, throwaway.ECDSA)
	// what the client has: nothing, the right certificate, another authority's, and that one sent
	// although it was not asked for.
	const none, ours, theirs = "none", "right", "wrong"
	for _, c := range []struct {
		mode   tls.ClientAuthType
		client string
		seen   bool              // the server sees a certificate
		want   alert.Description // 0: it works
	}{
		{tls.NoClientCert, none, false, 0},
		{tls.NoClientCert, ours, false, 0},
		{tls.RequestClientCert, none, false, 0},
		{tls.RequestClientCert, ours, true, 0},
		{tls.RequestClientCert, theirs, true, 0},
		{tls.RequireAnyClientCert, none, false, alert.HandshakeFailure},
		{tls.RequireAnyClientCert, ours, true, 0},
		{tls.RequireAnyClientCert, theirs, true, 0},
		{tls.VerifyClientCertIfGiven, none, false, 0},
		{tls.VerifyClientCertIfGiven, ours, true, 0},
		{tls.VerifyClientCertIfGiven, theirs, true, alert.UnknownCA},
		{tls.RequireAndVerifyClientCert, none, false, alert.HandshakeFailure},
		{tls.RequireAndVerifyClientCert, ours, true, 0},
		{tls.RequireAndVerifyClientCert, theirs, true, alert.UnknownCA},
	} {
		t.Run(fmt.Sprintf("%v, %s", c.mode, c.client), func(t *testing.T) {
			client := rig.ClientConfig(version)
			switch c.client {
			case ours:
				client.Certificates = []tls.Certificate{right}
			case theirs:
				client.Certificates = []tls.Certificate{wrong}
			}
			server := rig.ServerConfig(
				t,
				version,
				func(v *vitrine.Config) {
					v.ClientAuth, v.ClientCAs = c.mode, rig.Authority().Pool()
				},
			)
			a, b := rig.Wires(t)
			cc, sc := vitrine.Client(a, client), vitrine.Server(b, server)
			err, serverErr := rig.Shake(cc, sc)
			if c.want == 0 {
				if err != nil || serverErr != nil {
					t.Fatal(err, serverErr)
				}
				if seen := len(sc.ConnectionState().PeerCertificates) > 0; seen != c.seen {
					t.Errorf("the server sees a certificate: %v, expected %v", seen, c.seen)
				}
				return
			}
			want := c.want
			if client.MaxVersion == vitrine.VersionTLS13 {
				if want == alert.HandshakeFailure { // RFC 8446 §4.4.2.4 has an alert of its own
					want = alert.CertificateRequired
				}
				if err == nil { // the client's flight is the last one: it reads the alert later
					_, err = cc.Read(make([]byte, 1))
				}
			}
			if got, ok := rig.AlertOf(serverErr); !ok || got != want {
				t.Errorf("the server got %v, expected %v", serverErr, want)
			}
			if got, ok := rig.ReceivedAlert(err); !ok || got != want {
				t.Errorf("the client got %v, expected %v", err, want)
			}
		})
	}
}

// RFC 5246 §7.4.4: the client chooses by types, algorithms and authorities, and says why.
func TestClientSaysWhyItShowsACertificate(t *testing.T) {
	rig.EachVersion(t, testClientSaysWhyItShowsACertificate)
}

func testClientSaysWhyItShowsACertificate(t *testing.T, version func(*vitrine.Config)) {
	stranger, err := throwaway.New(throwaway.Options{PublicRSA: true})
	if err != nil {
		t.Fatal(err)
	}
	// Two authorities of one name cannot be told apart by it: the stranger is an intermediate.
	below, err := stranger.Intermediate()
	if err != nil {
		t.Fatal(err)
	}
	others := x509.NewCertPool()
	others.AddCert(below.Cert)
	known, rsaKey, unknown := rig.IssueForClient(t, rig.Authority(), throwaway.ECDSA),
		rig.IssueForClient(t, rig.Authority(), throwaway.RSA),
		rig.IssueForClient(t, below, throwaway.ECDSA)
	for _, c := range []struct {
		what  string
		certs []tls.Certificate
		cas   *x509.CertPool
		shown int // -1: none
		says  string
	}{
		{"the first that fits", []tls.Certificate{known, rsaKey}, rig.Authority().Pool(), 0,
			"one of the server's certificate_authorities"},
		{"the first, whatever its key", []tls.Certificate{rsaKey, known}, rig.Authority().Pool(), 0,
			"rsa_sign"},
		{"not the one of another authority", []tls.Certificate{known, unknown}, others, 1,
			"Vitrine demo intermediate CA"},
		{"none of another authority", []tls.Certificate{known}, others, -1,
			"none of the server's certificate_authorities (1) issued it"},
		{"none at all", nil, rig.Authority().Pool(), -1, "there is no certificate to choose from"},
	} {
		var events trace.Memory
		client := rig.ClientConfig(
			version,
			func(v *vitrine.Config) { v.Certificates, v.Trace = c.certs, &events },
		)
		server := rig.ServerConfig(
			t,
			version,
			func(v *vitrine.Config) {
				v.ClientAuth, v.ClientCAs = tls.VerifyClientCertIfGiven, c.cas
			},
		)
		_, s := rig.Pair(t, client, server)
		got := s.ConnectionState().PeerCertificates
		switch {
		case c.shown < 0 && len(got) > 0:
			t.Errorf("%s: the server saw %v", c.what, got[0].Subject)
		case c.shown >= 0 &&
			(len(got) == 0 || !bytes.Equal(got[0].Raw, c.certs[c.shown].Certificate[0])):
			t.Errorf("%s: the server saw %d certificates, expected number %d", c.what, len(got),
				c.shown)
		}
		i := slices.IndexFunc(events.Entries, func(e trace.Entry) bool {
			choice, ok := e.Event.(*trace.Choice)
			return ok && choice.What == "client_certificate"
		})
		if i < 0 {
			t.Errorf("%s: no event", c.what)
		} else if rule := events.Entries[i].Event.(*trace.Choice).Rule; !strings.Contains(rule,
			c.says) {
			t.Errorf("%s: got the reason %q, expected %q", c.what, rule, c.says)
		}
	}
}

// RFC 6066 §8, RFC 7633 §4 and RFC 6962 §3.3: what comes along with a certificate arrives.
func TestStaplesAndTimestampsArrive(t *testing.T) {
	rig.EachVersion(t, testStaplesAndTimestampsArrive)
}

func testStaplesAndTimestampsArrive(t *testing.T, version func(*vitrine.Config)) {
	must := rig.Certificate(t, throwaway.ECDSA, throwaway.MustStaple)
	staple, err := rig.Authority().Staple(must.Leaf)
	if err != nil {
		t.Fatal(err)
	}
	scts := [][]byte{[]byte("the first timestamp"), []byte("the second")}
	stapled := must
	stapled.OCSPStaple, stapled.SignedCertificateTimestamps = staple, scts
	another, garbage := rig.Certificate(t, throwaway.ECDSA), must
	another.OCSPStaple, garbage.OCSPStaple = staple, []byte("no response")
	for _, c := range []struct {
		what           string
		cert           tls.Certificate
		client, server vitrine.Demand // for status_request
		want           alert.Description
		arrives        bool
	}{
		{"stapled", stapled, vitrine.Preferred, vitrine.Preferred, 0, true},
		{"stapled and required", stapled, vitrine.Required, vitrine.Preferred, 0, true},
		{"stapled and not asked for", stapled, vitrine.Off, vitrine.Preferred, 0, false},
		{"stapled and kept back", stapled, vitrine.Preferred, vitrine.Off,
			alert.BadCertificateStatusResponse, false},
		{"stapled for another certificate", another, vitrine.Preferred, vitrine.Preferred,
			alert.BadCertificateStatusResponse, false},
		{"stapled with what is no response", garbage, vitrine.Preferred, vitrine.Preferred,
			alert.BadCertificateStatusResponse, false},
		{"must be stapled and is not", must, vitrine.Preferred, vitrine.Preferred,
			alert.BadCertificateStatusResponse, false},
		{"required and not there", rig.Certificate(t, throwaway.ECDSA), vitrine.Required,
			vitrine.Preferred, alert.BadCertificateStatusResponse, false},
	} {
		a, b := rig.Wires(t)
		client := vitrine.Client(a,
			rig.ClientConfig(version, func(v *vitrine.Config) { v.StatusRequest = c.client }))
		server := vitrine.Server(b,
			&vitrine.Config{Certificates: []tls.Certificate{c.cert}, StatusRequest: c.server})
		err, serverErr := rig.Shake(client, server)
		if c.want != 0 {
			if got, ok := rig.AlertOf(err); !ok || got != c.want {
				t.Errorf("%s: got %v, expected %v", c.what, err, c.want)
			}
			continue
		}
		if err != nil || serverErr != nil {
			t.Errorf("%s: %v; %v", c.what, err, serverErr)
			continue
		}
		state := client.ConnectionState()
		if arrived := bytes.Equal(state.OCSPResponse, staple); arrived != c.arrives {
			t.Errorf("%s: the staple arrived: %v", c.what, arrived)
		}
		if !slices.EqualFunc(state.SignedCertificateTimestamps, scts, bytes.Equal) {
			t.Errorf("%s: got timestamps %q", c.what, state.SignedCertificateTimestamps)
		}
	}
}

// Certificates are chosen by the name asked for, and by what the client can check. RFC 6066 §3, RFC
// 5246 §7.4.2.
func TestServerChoosesItsCertificate(t *testing.T) {
	issue := func(kind throwaway.Kind, name string) tls.Certificate {
		c, err := rig.Authority().Issue(kind, []string{name})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	certs := []tls.Certificate{issue(throwaway.ECDSA, "a.test"), issue(throwaway.RSA, "a.test"),
		issue(throwaway.ECDSA, "b.test"), issue(throwaway.ECDSA, "*.c.test"),
		issue(throwaway.Ed25519, "d.test")}
	for _, c := range []struct {
		name  string
		suite iana.CipherSuite
		want  int
	}{
		{"a.test", rig.ECDSAGCM, 0},
		{"a.test", iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, 1},
		{"a.test", rig.RSAGCM, 1},
		{"b.test", rig.ECDSAGCM, 2},
		{"B.test", rig.ECDSAGCM, 2},
		{"x.c.test", rig.ECDSAGCM, 3},
		{"d.test", rig.ECDSAGCM, 4},
	} {
		all := []uint16{uint16(rig.ECDSAGCM), uint16(iana.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
			uint16(rig.RSAGCM)}
		client, _ := rig.Pair(
			t,
			rig.ClientConfig(
				rig.Until12,
				func(v *vitrine.Config) {
					v.ServerName, v.CipherSuites = c.name, []uint16{uint16(c.suite)}
				},
			),
			&vitrine.Config{Certificates: certs, CipherSuites: all},
		)
		if got := client.ConnectionState().PeerCertificates[0]; !bytes.Equal(got.Raw,
			certs[c.want].Certificate[0]) {
			t.Errorf("%s with %v: got the certificate of %v, expected number %d", c.name, c.suite,
				got.DNSNames, c.want)
		}
	}
}
