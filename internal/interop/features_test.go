package interop_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/interop"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

var stacks = []*interop.Stack{interop.OpenSSL, interop.GnuTLS}

// peer is a stack in a role.
type peer struct {
	with *interop.Stack
	them iana.Side
}

// everyPeer runs a test with each stack in each role, or with -short with one that the test's name
// chooses.
func everyPeer(t *testing.T, run func(t *testing.T, with *interop.Stack, them iana.Side)) {
	var all []peer
	for _, with := range stacks {
		for _, them := range sides {
			all = append(all, peer{with, them})
		}
	}
	for _, p := range testkit.Sample(t, "peers", len(all), all) {
		t.Run(p.with.Name+"/their "+p.them.String(), func(t *testing.T) {
			t.Parallel()
			run(t, p.with, p.them)
		})
	}
}

// everyPeerAndVersion runs a test with each stack in each role in TLS 1.2 and in TLS 1.3.
func everyPeerAndVersion(t *testing.T,
	run func(t *testing.T, with *interop.Stack, them iana.Side, version iana.Version)) {
	for _, version := range bothVersions {
		t.Run(version.String(), func(t *testing.T) {
			everyPeer(t, func(t *testing.T, with *interop.Stack, them iana.Side) {
				run(t, with, them, version)
			})
		})
	}
}

// everywhere runs a meeting, made anew by each call, with each stack in each role.
func everywhere(t *testing.T, what string, of func(with *interop.Stack, them iana.Side) *meeting) {
	t.Run(what, func(t *testing.T) {
		everyPeer(t, func(t *testing.T, with *interop.Stack, them iana.Side) {
			m := of(with, them)
			m.with, m.them = with, them
			m.run(t)
		})
	})
}

// inBothVersions runs a meeting everywhere in TLS 1.2 and in TLS 1.3.
func inBothVersions(t *testing.T, what string,
	of func(with *interop.Stack, them iana.Side) *meeting) {
	for _, version := range bothVersions {
		everywhere(
			t,
			what+"/"+version.String(),
			func(with *interop.Stack, them iana.Side) *meeting {
				m := of(with, them)
				m.version = version
				return m
			},
		)
	}
}

var bothVersions = []iana.Version{iana.TLS12, iana.TLS13}

func TestEveryGroupIsSharedWithOtherStacks(t *testing.T) {
	for _, g := range testkit.Sample(t, "groups", 3, []iana.Group{iana.X25519, iana.X448,
		iana.Secp256r1, iana.Secp384r1, iana.Secp521r1, iana.FFDHE2048, iana.FFDHE3072,
		iana.FFDHE4096, iana.FFDHE6144, iana.FFDHE8192}) {
		inBothVersions(t, g.String(), func(*interop.Stack, iana.Side) *meeting {
			m := &meeting{}
			if g.FiniteField() {
				m.suite = dheRSA
			}
			m.us = func(c *vitrine.Config) { c.CurvePreferences = []tls.CurveID{tls.CurveID(g)} }
			m.they = func(s *interop.Setup) {
				s.Groups = []iana.Group{g}
				if s.DHParams != "" {
					s.DHParams = dhParams(t, g.String())
				}
			}
			m.want = func(t *testing.T, s *vitrine.ConnectionState) {
				if s.Group != g {
					t.Errorf("got the group %v, expected %v", s.Group, g)
				}
			}
			return m
		})
	}
}

// RFC 5246 lets a server choose any prime. Those of RFC 3526 have names too; one of RFC 5114 is
// like one of the server's own making.
func TestPrimesOutsideRFC7919AreAcceptedAndNamed(t *testing.T) {
	require(t, interop.OpenSSL)
	for prime, called := range map[string]string{"modp_2048": "2048-bit MODP (RFC 3526)",
		"modp_4096": "4096-bit MODP (RFC 3526)", "dh_2048_256": "2048-bit prime"} {
		t.Run(prime, func(t *testing.T) {
			t.Parallel()
			m := &meeting{with: interop.OpenSSL, them: iana.Server, suite: dheRSA,
				they: func(s *interop.Setup) { s.DHParams = dhParams(t, prime) },
				want: func(t *testing.T, s *vitrine.ConnectionState) {
					if s.GroupName != called {
						t.Errorf("got %q, expected %q", s.GroupName, called)
					}
				},
			}
			m.run(t)
		})
	}
}

// primes are made once.
var primes sync.Map

// dhParams returns a file with the prime of that name.
func dhParams(t *testing.T, name string) string {
	t.Helper()
	once, _ := primes.LoadOrStore(name, sync.OnceValues(func() (string, error) {
		return office.DHParams(context.Background(), name)
	}))
	path, err := once.(func() (string, error))()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func suiteFor(k throwaway.Kind) iana.CipherSuite {
	if k == throwaway.RSA || k == throwaway.RSAPSS {
		return ecdheRSA
	}
	return ecdheECDSA
}

func TestEveryServerKeyIsAcceptedByOtherStacks(t *testing.T) {
	for _, kind := range throwaway.Kinds() {
		inBothVersions(t, string(kind), func(*interop.Stack, iana.Side) *meeting {
			return &meeting{suite: suiteFor(kind), serverKey: kind}
		})
	}
}

func TestEveryClientKeyIsAcceptedByOtherStacks(t *testing.T) {
	for _, kind := range throwaway.Kinds() {
		inBothVersions(t, string(kind), func(_ *interop.Stack, them iana.Side) *meeting {
			return &meeting{clientKey: kind, want: func(t *testing.T, s *vitrine.ConnectionState) {
				if them == iana.Client &&
					!bytes.Equal(s.PeerCertificates[0].Raw, identity(t, kind, them).Leaf.Raw) {
					t.Error("the client showed another certificate")
				}
			}}
		})
	}
}

func TestChainsWithAnIntermediate(t *testing.T) {
	branch, err := office.Branch()
	if err != nil {
		t.Fatal(err)
	}
	server, err := branch.Issue(throwaway.RSA, []string{name})
	if err != nil {
		t.Fatal(err)
	}
	client, err := branch.Issue(throwaway.ECDSA, []string{"somebody"}, throwaway.ForClient)
	if err != nil {
		t.Fatal(err)
	}
	inBothVersions(t, "both sides", func(_ *interop.Stack, them iana.Side) *meeting {
		ids := [2]*interop.Identity{iana.Client: client, iana.Server: server}
		return &meeting{clientKey: throwaway.ECDSA,
			us:   func(c *vitrine.Config) { c.Certificates[0] = ids[them.Peer()].Certificate },
			they: func(s *interop.Setup) { s.Identity = ids[them] },
			want: func(t *testing.T, s *vitrine.ConnectionState) {
				if len(s.PeerCertificates) != 2 {
					t.Errorf("got %d certificates, expected 2", len(s.PeerCertificates))
				}
			},
		}
	})
}

func TestAClientNeedNotHaveACertificate(t *testing.T) {
	inBothVersions(t, "asked", func(with *interop.Stack, them iana.Side) *meeting {
		return &meeting{
			us: func(c *vitrine.Config) { c.ClientAuth = tls.VerifyClientCertIfGiven },
			they: func(s *interop.Setup) {
				if them == iana.Server && with == interop.OpenSSL {
					s.Options = []string{"-verify", "4"}
				}
			},
			want: func(t *testing.T, s *vitrine.ConnectionState) {
				if them == iana.Client && len(s.PeerCertificates) > 0 {
					t.Error("got a client certificate, expected none")
				}
			},
		}
	})
}

// Each of these two is negotiated only if both sides want it.
func TestExtensionsAreUsedIfBothSidesWantThem(t *testing.T) {
	for _, x := range []struct {
		typ  iana.ExtensionType
		off  func(*vitrine.Config)
		used func(*vitrine.ConnectionState) bool
	}{
		{iana.ExtEncryptThenMAC, func(c *vitrine.Config) { c.EncryptThenMAC = vitrine.Off },
			func(s *vitrine.ConnectionState) bool { return s.EncryptThenMAC }},
		{iana.ExtExtendedMasterSecret,
			func(c *vitrine.Config) { c.ExtendedMasterSecret = vitrine.Off },
			func(s *vitrine.ConnectionState) bool { return s.ExtendedMasterSecret }},
	} {
		for who, c := range map[string]meeting{
			"both want it": {},
			"we do not":    {us: x.off},
			"they do not": {they: func(s *interop.Setup) {
				s.Without = []iana.ExtensionType{x.typ}
			}},
		} {
			everywhere(t, x.typ.String()+"/"+who, func(*interop.Stack, iana.Side) *meeting {
				m := c
				m.suite = cbc
				m.want = func(t *testing.T, s *vitrine.ConnectionState) {
					if got, want := x.used(s), who == "both want it"; got != want {
						t.Errorf("used: got %v, expected %v", got, want)
					}
				}
				return &m
			})
		}
	}
}

func TestProtocolsAreNegotiatedWithOtherStacks(t *testing.T) {
	inBothVersions(t, "h2", func(with *interop.Stack, them iana.Side) *meeting {
		return &meeting{
			us:   func(c *vitrine.Config) { c.NextProtos = []string{"h2", "http/1.1"} },
			they: func(s *interop.Setup) { s.Protocols = []string{"unknown", "h2"} },
			want: func(t *testing.T, s *vitrine.ConnectionState) {
				if s.NegotiatedProtocol != "h2" {
					t.Errorf("got %q, expected h2", s.NegotiatedProtocol)
				}
			},
		}
	})
}

// A server with two certificates sends the one that the client asks for.
func TestAServerNameChoosesTheCertificateOfOtherStacks(t *testing.T) {
	const other = "other.test"
	named, err := office.Issue(throwaway.RSA, []string{other})
	if err != nil {
		t.Fatal(err)
	}
	inBothVersions(t, "second certificate", func(_ *interop.Stack, them iana.Side) *meeting {
		return &meeting{
			us: func(c *vitrine.Config) {
				c.ServerName = other
				c.Certificates = append(c.Certificates, named.Certificate)
			},
			they: func(s *interop.Setup) {
				s.ServerName = other
				if them == iana.Server {
					s.Named = named
				}
			},
			want: func(t *testing.T, s *vitrine.ConnectionState) {
				if s.ServerName != other {
					t.Errorf("got the server_name %q, expected %q", s.ServerName, other)
				}
			},
		}
	})
}
