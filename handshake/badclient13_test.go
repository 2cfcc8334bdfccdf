package handshake

import (
	"context"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/suite"
)

// Clients of TLS 1.3 that a server refuses.
func TestAServerRefusesBadClientsOfTLS13(t *testing.T) {
	ch := func(f func(t *testing.T, m *message.ClientHello)) func(*testing.T) edit {
		return func(t *testing.T) edit { return on(func(m *message.ClientHello) { f(t, m) }) }
	}
	second := func(f func(t *testing.T, m *message.ClientHello)) func(*testing.T) edit {
		return func(t *testing.T) edit {
			return nth(2, func(m *message.ClientHello) { f(t, m) })
		}
	}
	retry := func(client, server *negotiation.Config) {
		server.Groups = []iana.Group{iana.Secp256r1}
	}
	require := func(client,
		server *negotiation.Config) {
		server.ClientAuth = negotiation.ClientAuth{Request: true, Require: true}
	}
	certified := func(client, server *negotiation.Config) {
		server.ClientAuth = negotiation.ClientAuth{Request: true}
		client.Credentials = []*pki.Credential{credential(t, throwaway.ECDSA, "somebody")}
	}
	ffdhe := func(client, server *negotiation.Config) {
		client.Groups = []iana.Group{iana.FFDHE2048}
		server.Groups = client.Groups
	}
	finite := func(b []byte) *message.KeyShares {
		return &message.KeyShares{Shares: []message.KeyShareEntry{{Group: iana.FFDHE2048,
			KeyExchange: b}}}
	}
	share := func(g iana.Group, n int) message.KeyShareEntry {
		return message.KeyShareEntry{Group: g, KeyExchange: make([]byte, n)}
	}
	psk := &message.OfferedPSKs{Identities: []message.PSKIdentity{{Identity: []byte("ticket")}},
		Binders: [][]byte{make([]byte, 32)}}
	cases := []badCase{
		{"RFC 9846 §4.2.2: legacy_version of TLS 1.1",
			ch(func(_ *testing.T, m *message.ClientHello) { m.Version = iana.TLS11 }),
			alert.ProtocolVersion, nil},
		{"RFC 9846 §4.2.2: legacy_version of TLS 1.3",
			ch(func(_ *testing.T, m *message.ClientHello) { m.Version = iana.TLS13 }),
			alert.ProtocolVersion, nil},
		{"§4.1.2: compression",
			ch(func(t *testing.T,
				m *message.ClientHello) {
				m.CompressionMethods = append(m.CompressionMethods,
					1)
			}), alert.IllegalParameter, nil},
		{"§9.2: no signature_algorithms",
			ch(func(t *testing.T,
				m *message.ClientHello) {
				without(&m.Extensions,
					iana.ExtSignatureAlgorithms)
			}), alert.MissingExtension, nil},
		{"§9.2: no supported_groups",
			ch(func(t *testing.T,
				m *message.ClientHello) {
				without(&m.Extensions,
					iana.ExtSupportedGroups)
			}), alert.MissingExtension, nil},
		{"§9.2: no key_share",
			ch(func(t *testing.T,
				m *message.ClientHello) {
				without(&m.Extensions,
					iana.ExtKeyShare)
			}), alert.MissingExtension, nil},
		{"§4.2.8: two shares of a group", ch(func(t *testing.T, m *message.ClientHello) {
			with(t, &m.Extensions, iana.ExtKeyShare,
				&message.KeyShares{Shares: []message.KeyShareEntry{share(iana.X25519, 32),
					share(iana.X25519, 32)}})
		}), alert.IllegalParameter, nil},
		{"§4.2.8: a share of a group that is not listed",
			ch(func(t *testing.T, m *message.ClientHello) {
				with(t, &m.Extensions, iana.ExtKeyShare,
					&message.KeyShares{Shares: []message.KeyShareEntry{share(iana.X448, 56)}})
			}), alert.IllegalParameter, nil},
		{"§4.2.8: a share that is none", ch(func(t *testing.T, m *message.ClientHello) {
			with(t, &m.Extensions, iana.ExtKeyShare,
				&message.KeyShares{Shares: []message.KeyShareEntry{share(iana.X25519, 32)}})
		}), alert.IllegalParameter, nil},
		{"§4.2: oid_filters in a ClientHello", ch(func(t *testing.T, m *message.ClientHello) {
			with(t, &m.Extensions, iana.ExtOIDFilters, &message.OIDFilters{})
		}), alert.IllegalParameter, nil},
		{"§4.1.1: no suite in common",
			ch(func(t *testing.T,
				m *message.ClientHello) {
				m.CipherSuites = []iana.CipherSuite{ecdheECDSA}
			}), alert.HandshakeFailure, nil},
		{"§4.1.1: no group in common", ch(func(t *testing.T, m *message.ClientHello) {
			with(t, &m.Extensions, iana.ExtSupportedGroups,
				&message.SupportedGroups{Groups: []iana.Group{iana.X448}})
			with(t, &m.Extensions, iana.ExtKeyShare,
				&message.KeyShares{Shares: []message.KeyShareEntry{share(iana.X448, 56)}})
		}), alert.HandshakeFailure, nil},
		{"§4.2.8.1: a finite field's share of p - 1",
			ch(func(t *testing.T, m *message.ClientHello) {
				with(t, &m.Extensions, iana.ExtKeyShare, finite(pMinus1(t)))
			}), alert.IllegalParameter, ffdhe},
		{"§4.2.8.1: a finite field's share that is short",
			ch(func(t *testing.T, m *message.ClientHello) {
				with(t, &m.Extensions, iana.ExtKeyShare, finite([]byte{4}))
			}), alert.IllegalParameter, ffdhe},
		{"§D.5: SSL 3.0", ch(func(_ *testing.T, m *message.ClientHello) {
			without(&m.Extensions, iana.ExtSupportedVersions)
			m.Version = iana.SSL30
		}), alert.ProtocolVersion, nil},
		{"§4.4.2: an extension that we did not ask for", func(*testing.T) edit {
			return on(func(m *message.Certificate) {
				m.Extensions = []message.Extensions{{{Type: iana.ExtKeyShare}}}
			})
		}, alert.UnsupportedExtension, certified},
		{"§4.4.2: SCTs that we did not ask for", leafWith(iana.ExtSCT, oneSCT),
			alert.UnsupportedExtension, certified},
		{"§4.4.3: a wrong signature", func(*testing.T) edit {
			return on(func(m *message.CertificateVerify) { m.Signature[len(m.Signature)-1] ^= 1 })
		}, alert.DecryptError, certified},
		{"§4.4.3: PKCS #1 v1.5", func(*testing.T) edit {
			return on(func(m *message.CertificateVerify) { m.Scheme = iana.RSA_PKCS1_SHA256 })
		}, alert.IllegalParameter, certified},
		{"§4.2.1: TLS 1.2 alone",
			ch(func(t *testing.T,
				m *message.ClientHello) {
				without(&m.Extensions,
					iana.ExtSupportedVersions)
			}), alert.ProtocolVersion, nil},
		{"§4.2.11: pre_shared_key is not the last",
			ch(func(t *testing.T,
				m *message.ClientHello) {
				with(t, &m.Extensions, iana.ExtPreSharedKey,
					psk)
			}), alert.IllegalParameter, nil},
		{"§4.2.9: pre_shared_key without modes", ch(func(t *testing.T, m *message.ClientHello) {
			without(&m.Extensions, iana.ExtPSKKeyExchangeModes)
			m.Extensions.Add(iana.ExtPreSharedKey, psk)
		}), alert.MissingExtension, nil},
		{"§4.2.11: fewer binders than identities", ch(func(t *testing.T, m *message.ClientHello) {
			m.Extensions.Add(iana.ExtPreSharedKey,
				&message.OfferedPSKs{Identities: append(psk.Identities, psk.Identities...),
					Binders: psk.Binders})
		}), alert.IllegalParameter, nil},
		{"§4.1.2: the second hello has another share",
			second(func(t *testing.T, m *message.ClientHello) {
				with(t, &m.Extensions, iana.ExtKeyShare,
					&message.KeyShares{Shares: []message.KeyShareEntry{share(iana.X25519, 32)}})
			}), alert.IllegalParameter, retry},
		{"§4.1.2: the second hello has a share of a group that was not asked for",
			second(func(t *testing.T, m *message.ClientHello) {
				g, _ := kex.Named13(iana.Secp384r1)
				o, err := g.Offer(testkit.Rand("another share"))
				if err != nil {
					t.Fatal(err)
				}
				with(t, &m.Extensions, iana.ExtKeyShare,
					&message.KeyShares{Shares: []message.KeyShareEntry{{Group: iana.Secp384r1,
						KeyExchange: o.Share()}}})
			}), alert.IllegalParameter, func(client, server *negotiation.Config) {
				server.Groups = []iana.Group{iana.Secp256r1, iana.Secp384r1}
			}},
		{"§4.1.2: the second hello has early_data",
			second(func(t *testing.T, m *message.ClientHello) {
				with(t, &m.Extensions, iana.ExtEarlyData, nil)
			}), alert.IllegalParameter, retry},
		{"§4.4.2.4: no certificate, where one is required",
			func(*testing.T) edit { return on(func(*message.Certificate) {}) },
			alert.CertificateRequired, require},
		{"§4.4.2: another context",
			func(*testing.T) edit {
				return on(func(m *message.Certificate) { m.Context = []byte{1} })
			}, alert.IllegalParameter, require},
		{"§4.4.4: a wrong Finished",
			func(*testing.T) edit { return on(func(m *message.Finished) { m.VerifyData[0] ^= 1 }) },
			alert.DecryptError, nil},
	}
	for _, c := range cases {
		client, server := config13("client"), config13("server")
		client.Tickets = true
		server.Credentials = []*pki.Credential{credential(t, throwaway.ECDSA, name)}
		if c.setup != nil {
			c.setup(client, server)
		}
		expectAlert13(t, c.what, client, server, iana.Client, c.change(t), c.want)
	}
}

// A binder that does not match is the end, and not a full handshake: RFC 8446 §4.2.11.
func TestAWrongBinderEndsTheHandshake(t *testing.T) {
	session := &Session{Version: iana.TLS13, Suite: suite.Preference13()[0], ServerName: name,
		Master: make([]byte, 32), Ticket: []byte("ticket")}
	for _, c := range []struct {
		what   string
		change func(*message.ClientHello)
		want   alert.Description
	}{
		{"as it should be", func(*message.ClientHello) {}, 0},
		{"another binder",
			func(m *message.ClientHello) {
				d := m.Extensions[len(m.Extensions)-1].Data
				d[len(d)-1] ^= 1
			}, alert.DecryptError},
		{"another hello", func(m *message.ClientHello) { m.Random[0] ^= 1 }, alert.DecryptError},
	} {
		client, server := config13("client"), config13("server")
		server.Credentials = []*pki.Credential{credential(t, throwaway.ECDSA, name)}
		client.Tickets, server.Tickets, client.Skip = true, true, true
		ours, theirs := *session, *session
		ours.Created, theirs.Created = throwaway.Epoch, throwaway.Epoch
		ours.Chain = server.Credentials[0].Chain.Raw()
		ours.Bound, theirs.Bound = client.Bound(iana.Client), server.Bound(iana.Server)
		client.Offer = &ours
		server.Open = func(context.Context, []byte) (*Session,
			error) {
			k := theirs
			return &k, nil
		}
		errs, touched := tampered(t, client, server, iana.Client, on(c.change))
		switch err := errs[iana.Server]; {
		case !touched:
			t.Errorf("%s: nothing was changed", c.what)
		case c.want == 0 && errs != [2]error{}:
			t.Errorf("%s: %v", c.what, errs)
		case c.want != 0 && alert.Of(err) != c.want:
			t.Errorf("%s: %v, expected %v", c.what, err, c.want)
		}
	}
}

// expectAlert13 performs a handshake of TLS 1.3 in which from's messages are edited, and expects
// that the other side ends it with an alert, and cites a section of TLS 1.3.
func expectAlert13(t *testing.T, what string, client, server *negotiation.Config, from iana.Side,
	change edit, want alert.Description) {
	t.Helper()
	errs, touched := tampered(t, client, server, from, change)
	if err := errs[from.Peer()]; !touched || err == nil || alert.Of(err) != want {
		t.Errorf("%s: %v and %v (changed: %v), expected %v", what, errs[0], errs[1], touched, want)
	} else if text := err.Error(); strings.Contains(text, "RFC 5246") &&
		!strings.Contains(text, "RFC 8446") && want != alert.ProtocolVersion &&
		want != alert.UnexpectedMessage {
		t.Errorf("%s: %v, expected a section of TLS 1.3", what, err)
	}
}
