package handshake

import (
	"context"
	"errors"
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

const name = "vitrine.test"

// authority repeats to the byte: so does every handshake with its Ed25519 and ECDSA keys and with
// seeded randomness.
var authority = sync.OnceValue(func() *throwaway.CA {
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

// credential is a server's, or a client's, whose names are given.
func credential(t testing.TB, kind throwaway.Kind, names ...string) *pki.Credential {
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
	c, err := authority().Issue(kind, names)
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

var everyGroup = []iana.Group{iana.X25519, iana.Secp256r1, iana.Secp384r1, iana.FFDHE2048,
	iana.FFDHE3072}

var everyScheme = []iana.SignatureScheme{iana.ECDSA_SECP256R1_SHA256, iana.ED25519,
	iana.RSA_PSS_RSAE_SHA256, iana.RSA_PKCS1_SHA256, iana.ECDSA_SECP384R1_SHA384}

// config allows these suites, or all, to either side.
func config(seed string, suites ...iana.CipherSuite) *negotiation.Config {
	if suites == nil {
		suites = suite.Preference()
	}
	return &negotiation.Config{
		Rand: testkit.Rand(seed), Now: throwaway.Epoch,
		Parameters: negotiation.Parameters{MinVersion: iana.TLS12, MaxVersion: iana.TLS12, Suites: suites,
			Groups: everyGroup, Schemes: everyScheme,
			MinDHBits: 2048, SecureRenegotiation: negotiation.Required},
		Trust: negotiation.Trust{ServerName: name, Roots: authority().Pool()},
	}
}

// spoke is a line that a machine said.
type spoke struct {
	kind Kind
	raw  []byte
}

// desk is a Carrier that keeps what it is given, and protects nothing.
type desk struct {
	said       []spoke
	negotiated *negotiation.Agreed
	keys       [2]*TrafficKeys
}

func (d *desk) Send(k Kind, raw []byte)             { d.said = append(d.said, spoke{k, raw}) }
func (d *desk) SetNegotiated(a *negotiation.Agreed) { d.negotiated = a }
func (d *desk) Protect(from iana.Side, k *TrafficKeys) error {
	d.keys[from] = k
	return nil
}

// patient does what a Pending asks for.
func patient(do func() error, again func() error) error {
	err := do()
	for {
		p, ok := errors.AsType[*Pending](err)
		if !ok {
			return err
		}
		if err = p.Do(context.Background()); err == nil {
			err = again()
		}
	}
}

// perform runs two machines against each other and gives what each said, up to the first error.
func perform(client, server *negotiation.Config) (c, s *Machine, said [2][]spoke, errs [2]error) {
	return performBy(client, server, func(p player) player { return p })
}

// performBy is perform by players that are not quite ours.
func performBy(client, server *negotiation.Config, by func(player) player) (c, s *Machine, said [2][]spoke,
	errs [2]error) {
	desks := [2]*desk{{}, {}}
	machines := [2]*Machine{NewClient(client, desks[0]), NewServer(server, desks[1])}
	for _, m := range machines {
		m.player = by(m.player)
	}
	var heard [2]int
	errs[0] = patient(machines[0].Speak, machines[0].Speak)
	for turns := 0; turns < 4 && errs == [2]error{}; turns++ {
		me := iana.Side(1 - turns%2)
		m, from := machines[me], me.Peer()
		for errs[me] == nil && heard[from] < len(desks[from].said) {
			line := desks[from].said[heard[from]]
			heard[from]++
			errs[me] = patient(func() error { return m.Take(from, line.kind, line.raw) }, m.Speak)
			if errs[me] == nil {
				errs[me] = patient(m.Speak, m.Speak)
			}
		}
	}
	return machines[0], machines[1], [2][]spoke{desks[0].said, desks[1].said}, errs
}

// hello is a ClientHello with these suites and extensions.
func hello(t testing.TB, suites []iana.CipherSuite, extensions ...any) *message.ClientHello {
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
