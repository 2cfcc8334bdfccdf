// Package hellos makes hellos, configurations and credentials for the tests of packages negotiation
// and handshake. It is imported by tests alone.
package hellos

import (
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/suite"
)

// Name is the name of servers.
const Name = "vitrine.test"

// Authority repeats to the byte: so does every handshake with its Ed25519 and ECDSA keys and with
// seeded randomness.
var Authority = sync.OnceValue(func() *throwaway.CA {
	ca, err := throwaway.New(throwaway.Options{Seed: testkit.Rand("handshake tests")})
	if err != nil {
		panic(err)
	}
	return ca
})

var (
	issuing sync.Mutex
	issued  = map[string]*pki.Credential{}
)

// Credential is a server's, or a client's, whose names are given.
func Credential(t testing.TB, kind throwaway.Kind, names ...string) *pki.Credential {
	t.Helper()
	issuing.Lock()
	defer issuing.Unlock()
	key := string(kind)
	for _, n := range names {
		key += " " + n
	}
	if c := issued[key]; c != nil {
		return c
	}
	c, err := Authority().Issue(kind, names)
	if err != nil {
		t.Fatal(err)
	}
	cred, err := pki.FromTLS(&c)
	if err != nil {
		t.Fatal(err)
	}
	issued[key] = cred
	return cred
}

// EveryGroup are groups that both sides take.
var EveryGroup = []iana.Group{iana.X25519, iana.Secp256r1, iana.Secp384r1, iana.FFDHE2048,
	iana.FFDHE3072}

// EveryScheme are signature schemes that both sides take.
var EveryScheme = []iana.SignatureScheme{iana.ECDSA_SECP256R1_SHA256, iana.ED25519,
	iana.RSA_PSS_RSAE_SHA256, iana.RSA_PKCS1_SHA256, iana.ECDSA_SECP384R1_SHA384}

// Config allows these suites, or all, to either side.
func Config(seed string, suites ...iana.CipherSuite) *negotiation.Config {
	if suites == nil {
		suites = suite.Preference()
	}
	return &negotiation.Config{
		Rand: testkit.Rand(seed), Now: throwaway.Epoch,
		Parameters: &negotiation.Parameters{MinVersion: iana.TLS12, MaxVersion: iana.TLS12,
			Suites: suites,
			Groups: EveryGroup, Schemes: EveryScheme,
			MinDHBits: 2048, SecureRenegotiation: negotiation.Required},
		Trust: negotiation.Trust{ServerName: Name, Roots: Authority().Pool()},
	}
}

// Hello is a ClientHello with these suites and extensions.
func Hello(t testing.TB, suites []iana.CipherSuite, extensions ...any) *message.ClientHello {
	t.Helper()
	m := &message.ClientHello{Version: iana.TLS12, CipherSuites: suites,
		CompressionMethods: []iana.CompressionMethod{0}}
	add := func(typ iana.ExtensionType, c message.Content) {
		if err := m.Extensions.Add(typ, c); err != nil {
			t.Fatal(err)
		}
	}
	for _, x := range extensions {
		switch x := x.(type) {
		case string:
			add(iana.ExtServerName,
				&message.ServerNames{Names: []message.ServerName{{Name: []byte(x)}}})
		case []iana.Group:
			add(iana.ExtSupportedGroups, &message.SupportedGroups{Groups: x})
		case []iana.SignatureScheme:
			add(iana.ExtSignatureAlgorithms, &message.SignatureSchemes{Schemes: x})
		default:
			t.Fatalf("no extension for %T", x)
		}
	}
	return m
}
