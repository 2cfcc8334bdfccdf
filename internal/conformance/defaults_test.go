package conformance_test

import (
	"crypto/tls"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

// Configs that say nothing negotiate TLS 1.3 with a hybrid group and no retry, with either stack at
// the other end; and those of the policies before TLS 1.3, TLS 1.2 as ever.
func TestTheDefaultIsTLS13WithAHybrid(t *testing.T) {
	theirs := &tls.Config{ServerName: rig.ServerName, RootCAs: rig.Authority().Pool(),
		Certificates: []tls.Certificate{rig.Certificate(t, throwaway.ECDSA)}}
	for _, p := range append(vitrine.Policies(), vitrine.EarlierPolicies()...) {
		named := func(c *vitrine.Config) { c.Policy = p }
		if p == vitrine.Modern {
			named = func(*vitrine.Config) {}
		}
		version, group := uint16(tls.VersionTLS13), tls.X25519MLKEM768
		if slices.Contains(vitrine.EarlierPolicies(), p) {
			version, group = tls.VersionTLS12, tls.X25519
		}
		for _, roles := range []string{"our client", "our server", "both ours"} {
			a, b := rig.Wires(t)
			var client, server rig.Shaker = tls.Client(a, theirs), tls.Server(b, theirs)
			if roles != "our server" {
				client = vitrine.Client(a, rig.ClientConfig(named))
			}
			if roles != "our client" {
				server = vitrine.Server(b, rig.ServerConfig(t, named))
			}
			if err, other := rig.Shake(client, server); err != nil || other != nil {
				t.Fatalf("%s %s, %s: %v; %v", p.Name(), p.Date(), roles, err, other)
			}
			for _, end := range []rig.Shaker{client, server} {
				conn, ok := end.(*vitrine.Conn)
				if !ok {
					continue
				}
				if s := conn.ConnectionState(); s.Version != version || s.CurveID != group ||
					s.HelloRetryRequest {
					t.Errorf("%s %s, %s: %s with %v, retry %v", p.Name(), p.Date(), roles,
						vitrine.VersionName(s.Version), s.CurveID, s.HelloRetryRequest)
				}
			}
		}
	}
}

// A version without a suite is off. CipherSuites says nothing about TLS 1.3, as with crypto/tls.
func TestAVersionWithoutASuiteIsOff(t *testing.T) {
	const ecdhe, old = vitrine.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "TLS 1.2"
	ccm := uint16(iana.TLS_AES_128_CCM_SHA256)
	for _, c := range []struct {
		what           string
		until12, for13 []uint16
		version        string // "": an error of the Config that says for13 or until12's field
		suite          uint16
		fails          string
	}{
		{"nothing is named", nil, nil, "TLS 1.3", 0, ""},
		{"a suite of TLS 1.2", []uint16{ecdhe}, nil, "TLS 1.3", 0, ""},
		{"a suite of TLS 1.3 in the list of the others",
			[]uint16{vitrine.TLS_CHACHA20_POLY1305_SHA256, ecdhe}, nil, "TLS 1.3", 0, ""},
		{"no suite of TLS 1.2", []uint16{}, nil, "TLS 1.3", 0, ""},
		{"no suite of TLS 1.3", nil, []uint16{}, old, 0, ""},
		{"no suite of TLS 1.3, and one of TLS 1.2", []uint16{ecdhe}, []uint16{}, old, ecdhe, ""},
		{"CCM", nil, []uint16{ccm}, "TLS 1.3", ccm, ""},
		{"CCM_8", nil, []uint16{uint16(iana.TLS_AES_128_CCM_8_SHA256)}, "TLS 1.3",
			uint16(iana.TLS_AES_128_CCM_8_SHA256), ""},
		{"ChaCha20", nil, []uint16{vitrine.TLS_CHACHA20_POLY1305_SHA256}, "TLS 1.3",
			vitrine.TLS_CHACHA20_POLY1305_SHA256, ""},
		{"none at all", []uint16{}, []uint16{}, "", 0, "no version from"},
		{"a suite of TLS 1.2 for TLS 1.3", nil, []uint16{ecdhe}, "", 0, "CipherSuites13 has"},
		{"a number that is no suite", nil, []uint16{0x13FF}, "", 0, "CipherSuites13 has"},
	} {
		// the other end takes everything
		everything := func(v *vitrine.Config) {
			for _, s := range suite.All13() {
				v.CipherSuites13 = append(v.CipherSuites13, uint16(s.ID))
			}
		}
		errs, states := attempt(t, rig.ClientConfig(func(v *vitrine.Config) {
			v.CipherSuites, v.CipherSuites13 = c.until12, c.for13
		}), rig.ServerConfig(t, everything))
		if c.fails != "" {
			if errs[iana.Client] == nil || !strings.Contains(errs[iana.Client].Error(), c.fails) {
				t.Errorf("%s: got %v, expected %q", c.what, errs[iana.Client], c.fails)
			}
			continue
		}
		s := states[iana.Server]
		if errs != [2]error{} || vitrine.VersionName(s.Version) != c.version ||
			c.suite != 0 && s.CipherSuite != c.suite {
			t.Errorf("%s: got %s with %s, %v", c.what, vitrine.VersionName(s.Version),
				vitrine.CipherSuiteName(s.CipherSuite), errs)
		}
	}
}

// What a server chooses of a client's TLS 1.3: as crypto/tls's does, unless its own lists are
// named.
func TestAServerChoosesWithItsClient(t *testing.T) {
	const aes, chacha = vitrine.TLS_AES_128_GCM_SHA256, vitrine.TLS_CHACHA20_POLY1305_SHA256
	x25519, hybrid := vitrine.X25519, vitrine.X25519MLKEM768
	suites := func(ids ...uint16) func(*vitrine.Config) {
		return func(c *vitrine.Config) { c.CipherSuites13 = ids }
	}
	groups := func(ids ...vitrine.CurveID) func(*vitrine.Config) {
		return func(c *vitrine.Config) { c.CurvePreferences = ids }
	}
	nothing := func(*vitrine.Config) {}
	byClient := func(edits ...func(*vitrine.Config)) func(*vitrine.Config) {
		return func(c *vitrine.Config) {
			c.ClientOrder = true
			for _, edit := range edits {
				edit(c)
			}
		}
	}
	const aes12, chacha12 = vitrine.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		vitrine.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
	suites12 := func(ids ...uint16) func(*vitrine.Config) {
		return func(c *vitrine.Config) { c.CipherSuites, c.MaxVersion = ids, vitrine.VersionTLS12 }
	}
	for _, c := range []struct {
		what           string
		client, server func(*vitrine.Config)
		suite          uint16 // 0: either
		group          vitrine.CurveID
		retry          bool
	}{
		{"a client that has no instructions for AES", suites(chacha, aes), nothing, chacha, hybrid,
			false},
		{"the same, and the server names an order", suites(chacha, aes), suites(aes, chacha), aes,
			hybrid, false},
		{"a client that has, and the server names an order", suites(aes, chacha),
			suites(chacha, aes), chacha, hybrid, false},
		{"a share of X25519, and a hybrid listed", groups(x25519, hybrid), nothing, 0, hybrid,
			true},
		{"the same, and the server prefers X25519", groups(x25519, hybrid), groups(x25519, hybrid),
			0, x25519, false},
		{"a share of one hybrid, and another listed",
			groups(vitrine.SecP256r1MLKEM768, hybrid), nothing, 0, vitrine.SecP256r1MLKEM768,
			false},
		{"a share of P-384", groups(vitrine.CurveP384, x25519), nothing, 0, vitrine.CurveP384,
			false},
		{"TLS 1.2, the server's order", suites12(chacha12, aes12), suites12(aes12, chacha12), aes12,
			x25519, false},
		{"TLS 1.2, the client's order", suites12(chacha12, aes12),
			byClient(suites12(aes12, chacha12)), chacha12, x25519, false},
		{"the client's order, though the server names one", suites(chacha, aes),
			byClient(suites(aes, chacha)), chacha, hybrid, false},
		{"the client's order of groups", groups(vitrine.CurveP256, x25519),
			byClient(groups(x25519, vitrine.CurveP256)), 0, vitrine.CurveP256, false},
		{"no share of the server's only group", nothing, groups(vitrine.CurveP521), 0,
			vitrine.CurveP521, true},
	} {
		errs, states := attempt(t, rig.ClientConfig(c.client), rig.ServerConfig(t, c.server))
		s := states[iana.Client]
		if errs != [2]error{} || c.suite != 0 && s.CipherSuite != c.suite || s.CurveID != c.group ||
			s.HelloRetryRequest != c.retry {
			t.Errorf("%s: got %s, %v, retry %v, %v", c.what, vitrine.CipherSuiteName(s.CipherSuite),
				s.CurveID, s.HelloRetryRequest, errs)
		}
	}
}

// Every group of TLS 1.3 is negotiated where it is named; Modern takes no finite field from a
// client, and nobody 6144 bits and more.
func TestEveryGroupOfTLS13IsNegotiatedWhereItIsNamed(t *testing.T) {
	for _, g := range append(vitrine.Compatible.Groups(), iana.FFDHE6144, iana.FFDHE8192) {
		named := func(c *vitrine.Config) {
			c.CurvePreferences = []vitrine.CurveID{vitrine.CurveID(g)}
		}
		for _, server := range []struct {
			what   string
			config *vitrine.Config
			good   bool
		}{
			{"modern", rig.ServerConfig(t), slices.Contains(vitrine.Modern.Groups(), g)},
			{"compatible", rig.ServerConfig(t, func(c *vitrine.Config) {
				c.Policy = vitrine.Compatible
			}), g != iana.FFDHE6144 && g != iana.FFDHE8192},
			{"named", rig.ServerConfig(t, named), true},
		} {
			errs, states := attempt(t, rig.ClientConfig(rig.Only13, named), server.config)
			if (errs == [2]error{}) != server.good ||
				server.good && states[iana.Server].Group != g {
				t.Errorf("%v, %s: %v, %v", g, server.what, states[iana.Server].Group, errs)
			}
		}
	}
}

// RFC 8446 §4.1.3: a server of TLS 1.3, which is the default, that speaks an older version says so
// at the end of its random.
func TestTheDefaultServerMarksADowngrade(t *testing.T) {
	for _, c := range []struct {
		what   string
		server func(*vitrine.Config)
		want   bool
	}{
		{"the default", func(*vitrine.Config) {}, true},
		{"until TLS 1.2", rig.Until12, false},
		{"a policy before TLS 1.3", func(c *vitrine.Config) { c.Policy = vitrine.Modern20261123 },
			false},
	} {
		log := &trace.Memory{}
		rig.Pair(t, rig.ClientConfig(rig.Until12, func(v *vitrine.Config) { v.Trace = log }),
			rig.ServerConfig(t, c.server))
		marked := false
		for _, e := range log.Entries {
			if m, ok := e.Event.(*trace.Message); ok && m.Type == iana.ServerHello {
				marked = string(m.Raw[4+2+24:4+2+32]) == "DOWNGRD\x01"
			}
		}
		if marked != c.want {
			t.Errorf("%s: marked %v, expected %v", c.what, marked, c.want)
		}
	}
}

// What crypto/tls lists, we list, with the versions.
func TestTheListsHaveTheSuitesOfTLS13(t *testing.T) {
	for _, theirs := range tls.CipherSuites() {
		i := slices.IndexFunc(vitrine.CipherSuites(),
			func(s *vitrine.CipherSuite) bool { return s.ID == theirs.ID })
		if i < 0 {
			t.Errorf("%s is missing", theirs.Name)
			continue
		}
		if got := vitrine.CipherSuites()[i]; !reflect.DeepEqual(got, theirs) {
			t.Errorf("got %+v, crypto/tls has %+v", *got, *theirs)
		}
	}
}
