package conformance_test

import (
	"bytes"
	"crypto"
	"crypto/tls"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/trace"
)

// Raw public keys: RFC 7250.

var (
	rawAlone  = []iana.CertificateType{iana.RawPublicKey}
	rawFirst  = []iana.CertificateType{iana.RawPublicKey, iana.X509}
	x509First = []iana.CertificateType{iana.X509, iana.RawPublicKey}
)

// rawKey is a private key of this kind as a raw public key, with its pin and what goes on the wire.
func rawKey(t *testing.T, kind throwaway.Kind) (cert tls.Certificate, pin [32]byte, spki []byte) {
	t.Helper()
	key := rig.Certificate(t, kind).PrivateKey.(crypto.Signer)
	pin, err := vitrine.RawKeyPin(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	if spki, err = pki.MarshalPublicKey(key.Public()); err != nil {
		t.Fatal(err)
	}
	return vitrine.RawPublicKey(key), pin, spki
}

// rawConfigs are a client and a server that both prove themselves with raw public keys, pinned.
func rawConfigs(t *testing.T, kind throwaway.Kind,
	edits ...func(*vitrine.Config)) (client, server *vitrine.Config) {
	t.Helper()
	ours, clientPin, _ := rawKey(t, throwaway.Ed25519)
	theirs, serverPin, _ := rawKey(t, kind)
	client = &vitrine.Config{Certificates: []tls.Certificate{ours}, PeerCertificateTypes: rawAlone,
		ServerName: rig.ServerName, // by which sessions are found
		RawKeyPins: [][32]byte{serverPin}}
	server = &vitrine.Config{Certificates: []tls.Certificate{theirs},
		PeerCertificateTypes: rawAlone,
		ClientAuth:           tls.RequireAndVerifyClientCert, RawKeyPins: [][32]byte{clientPin}}
	for _, edit := range edits {
		edit(client)
		edit(server)
	}
	return client, server
}

// rawVersions are the versions with raw public keys: all.
var rawVersions = []struct {
	name string
	set  func(*vitrine.Config)
}{
	{"TLS 1.0", func(c *vitrine.Config) {
		c.Policy, c.MinVersion, c.MaxVersion = vitrine.Legacy, 0x0301, 0x0301
	}},
	{"TLS 1.1", func(c *vitrine.Config) {
		c.Policy, c.MinVersion, c.MaxVersion = vitrine.Legacy, 0x0302, 0x0302
	}},
	{"TLS 1.2", rig.Until12},
	{"TLS 1.3", rig.Only13},
}

// Both sides show a raw public key of each kind and accept the other's by its pin, and a session
// remembers who was there.
func TestBothSidesShowRawPublicKeys(t *testing.T) {
	_, _, clientKey := rawKey(t, throwaway.Ed25519)
	for _, v := range rawVersions {
		for _, kind := range throwaway.Kinds() {
			if v.name < "TLS 1.2" && kind != throwaway.RSA {
				continue // their signatures have no schemes
			}
			t.Run(v.name+" "+string(kind), func(t *testing.T) {
				client, server := rawConfigs(t, kind, v.set)
				if v.name < "TLS 1.2" {
					client.Certificates = server.Certificates
					server.RawKeyPins = client.RawKeyPins
				}
				_, _, serverKey := rawKey(t, kind)
				client.ClientSessionCache = vitrine.NewLRUClientSessionCache(1)
				for _, resumed := range []bool{false, true} {
					c, s := rig.Pair(t, client, server)
					rig.Hear(t, c, s)
					at, there := c.ConnectionState(), s.ConnectionState()
					if at.DidResume != resumed || there.DidResume != resumed {
						t.Errorf("resumed: %v and %v, expected %v", at.DidResume, there.DidResume,
							resumed)
					}
					if !bytes.Equal(at.PeerRawPublicKey, serverKey) || at.PeerCertificates != nil ||
						at.VerifiedChains != nil {
						t.Errorf("the client saw the key %x and %d certificates",
							at.PeerRawPublicKey, len(at.PeerCertificates))
					}
					if v.name >= "TLS 1.2" && !bytes.Equal(there.PeerRawPublicKey, clientKey) {
						t.Errorf("the server saw the key %x", there.PeerRawPublicKey)
					}
					if !resumed && !bytes.Equal(there.LocalRawPublicKey, serverKey) {
						t.Errorf("the server showed the key %x", there.LocalRawPublicKey)
					}
				}
			})
		}
	}
}

// A raw public key that nobody has named is refused, in both roles, with certificate_unknown.
func TestRawPublicKeysThatAreNotKnownAreRefused(t *testing.T) {
	_, other, _ := rawKey(t, throwaway.ECDSAP521)
	no := errors.New("not this one")
	rig.EachVersion(t, func(t *testing.T, version func(*vitrine.Config)) {
		for _, c := range []struct {
			what string
			edit func(*vitrine.Config)
		}{
			{"another pin", func(c *vitrine.Config) { c.RawKeyPins = [][32]byte{other} }},
			{"no pin", func(c *vitrine.Config) { c.RawKeyPins = [][32]byte{} }},
			{"another pin, and InsecureSkipVerify", func(c *vitrine.Config) {
				c.RawKeyPins, c.InsecureSkipVerify = [][32]byte{other}, true
			}},
			{"the callback", func(c *vitrine.Config) {
				c.RawKeyPins, c.VerifyRawPublicKey = nil, func([]byte) error { return no }
			}},
			{"the callback, after the pin", func(c *vitrine.Config) {
				c.VerifyRawPublicKey = func([]byte) error { return no }
			}},
		} {
			for _, side := range []iana.Side{iana.Client, iana.Server} {
				client, server := rawConfigs(t, throwaway.ECDSA, version)
				config := [2]*vitrine.Config{client, server}[side]
				c.edit(config)
				a, b := rig.Wires(t)
				alice, bob := vitrine.Client(a, client), vitrine.Server(b, server)
				errs := [2]error{}
				errs[iana.Client], errs[iana.Server] = rig.Shake(alice, bob)
				if got, ok := rig.AlertOf(errs[side]); !ok || got != alert.CertificateUnknown {
					t.Errorf("%s, %v: got %v, expected certificate_unknown", c.what, side,
						errs[side])
				}
			}
		}
	})
}

// A Config that would accept any raw public key is an error before any byte is sent.
func TestConfigsThatWouldAcceptAnyRawPublicKey(t *testing.T) {
	cert, pin, _ := rawKey(t, throwaway.ECDSA)
	for _, c := range []struct {
		what   string
		server bool
		config *vitrine.Config
		says   string
	}{
		{"a client without pins", false, &vitrine.Config{PeerCertificateTypes: rawAlone},
			"RawKeyPins"},
		{"a server that verifies, without pins", true,
			&vitrine.Config{PeerCertificateTypes: rawFirst,
				Certificates: []tls.Certificate{cert}, ClientAuth: tls.VerifyClientCertIfGiven},
			"RawKeyPins"},
		{"pins for what is not accepted", false, &vitrine.Config{ServerName: rig.ServerName,
			RawKeyPins: [][32]byte{pin}}, "PeerCertificateTypes"},
		{"a type that nobody knows", false, &vitrine.Config{ServerName: rig.ServerName,
			PeerCertificateTypes: []iana.CertificateType{1}}, "OpenPGP"},
		{"a type twice", false, &vitrine.Config{ServerName: rig.ServerName,
			CertificateTypes: []iana.CertificateType{2, 2}}, "each once"},
		{"chains as well, and no name", false, &vitrine.Config{PeerCertificateTypes: rawFirst,
			RawKeyPins: [][32]byte{pin}}, "ServerName"},
		{"a certificate beside a raw key", true, &vitrine.Config{Certificates: []tls.Certificate{{
			Certificate: rig.Certificate(t, throwaway.ECDSA).Certificate,
			PrivateKey:  cert.PrivateKey}}}, "raw public key"},
	} {
		a, b := rig.Wires(t)
		b.Close()
		conn := vitrine.Client(a, c.config)
		if c.server {
			conn = vitrine.Server(a, c.config)
		}
		if err := conn.Handshake(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, expected one with %q", c.what, err, c.says)
		}
	}
}

// RFC 7250 §4.2: the server chooses a type that both sides have; where there is none the handshake
// ends with unsupported_certificate; and who says nothing means X.509.
func TestCertificateTypesAreNegotiated(t *testing.T) {
	raw, pin, _ := rawKey(t, throwaway.ECDSA)
	chain := rig.Certificate(t, throwaway.ECDSA)
	rig.EachVersion(t, func(t *testing.T, version func(*vitrine.Config)) {
		for _, c := range []struct {
			what   string
			accept []iana.CertificateType // by the client
			have   []tls.Certificate      // of the server
			raw    bool                   // what is chosen
			fails  bool
		}{
			{"neither knows raw keys", nil, []tls.Certificate{chain}, false, false},
			{"the client does not", nil, []tls.Certificate{raw, chain}, false, false},
			{"the server does not", rawFirst, []tls.Certificate{chain}, false, false},
			{"both, the server's first is raw", x509First, []tls.Certificate{raw, chain}, true,
				false},
			{"both, the server's first is not", rawFirst, []tls.Certificate{chain, raw}, false,
				false},
			{"raw keys alone", rawAlone, []tls.Certificate{chain, raw}, true, false},
			{"a client without chains", rawAlone, []tls.Certificate{chain}, false, true},
			{"a server without chains", nil, []tls.Certificate{raw}, false, true},
		} {
			client, server := rig.ClientConfig(version), rig.ServerConfig(t, version)
			server.Certificates, client.PeerCertificateTypes = c.have, c.accept
			if c.accept != nil {
				client.RawKeyPins = [][32]byte{pin}
			}
			a, b := rig.Wires(t)
			alice, bob := vitrine.Client(a, client), vitrine.Server(b, server)
			err, serverErr := rig.Shake(alice, bob)
			if c.fails {
				if got, _ := rig.AlertOf(serverErr); got != alert.UnsupportedCertificate ||
					alert.KindOf(serverErr) != alert.KindCertificateType {
					t.Errorf("%s: got %v, expected unsupported_certificate", c.what, serverErr)
				}
				continue
			}
			if err != nil || serverErr != nil {
				t.Errorf("%s: client: %v; server: %v", c.what, err, serverErr)
			} else if got := alice.ConnectionState().PeerRawPublicKey != nil; got != c.raw {
				t.Errorf("%s: a raw key was shown: %v", c.what, got)
			}
		}
	})
}

// The same for what the client shows: the server's order decides.
func TestClientCertificateTypesAreNegotiated(t *testing.T) {
	raw, pin, _ := rawKey(t, throwaway.ECDSA)
	chain := rig.Certificate(t, throwaway.ECDSA, throwaway.ForClient)
	rig.EachVersion(t, func(t *testing.T, version func(*vitrine.Config)) {
		for _, c := range []struct {
			what   string
			have   []tls.Certificate
			accept []iana.CertificateType // by the server
			raw    bool
			fails  bool
		}{
			{"the server does not know raw keys", []tls.Certificate{raw, chain}, nil, false, false},
			{"the client does not", []tls.Certificate{chain}, rawFirst, false, false},
			{"raw keys first", []tls.Certificate{chain, raw}, rawFirst, true, false},
			{"chains first", []tls.Certificate{raw, chain}, x509First, false, false},
			{"a client without chains", []tls.Certificate{raw}, nil, false, true},
			{"a client without raw keys", []tls.Certificate{chain}, rawAlone, false, true},
		} {
			client, server := rig.ClientConfig(version), rig.ServerConfig(t, version)
			client.Certificates, server.PeerCertificateTypes = c.have, c.accept
			server.ClientAuth, server.ClientCAs = tls.RequireAndVerifyClientCert,
				rig.Authority().Pool()
			if c.accept != nil {
				server.RawKeyPins = [][32]byte{pin}
			}
			a, b := rig.Wires(t)
			alice, bob := vitrine.Client(a, client), vitrine.Server(b, server)
			_, err := rig.Shake(alice, bob)
			if c.fails {
				if got, _ := rig.AlertOf(err); got != alert.UnsupportedCertificate {
					t.Errorf("%s: got %v, expected unsupported_certificate", c.what, err)
				}
				continue
			}
			s := bob.ConnectionState()
			if err != nil || (s.PeerRawPublicKey != nil) != c.raw ||
				(s.VerifiedChains != nil) == c.raw {
				t.Errorf("%s: got %v, a raw key: %v, %d chains", c.what, err,
					s.PeerRawPublicKey != nil, len(s.VerifiedChains))
			}
		}
	})
}

// A session with a raw public key is resumed only as long as the key is accepted.
func TestSessionsOfRawPublicKeysEndWithTheirKeys(t *testing.T) {
	_, other, _ := rawKey(t, throwaway.ECDSAP384)
	rig.EachVersion(t, func(t *testing.T, version func(*vitrine.Config)) {
		for _, c := range []struct {
			what string
			side iana.Side
			edit func(*vitrine.Config)
		}{
			{"the server's pin is gone", iana.Client, func(c *vitrine.Config) {
				c.RawKeyPins = [][32]byte{other}
			}},
			{"the client's pin is gone", iana.Server, func(c *vitrine.Config) {
				c.RawKeyPins = [][32]byte{other}
			}},
			{"the client accepts chains alone", iana.Client, func(c *vitrine.Config) {
				c.PeerCertificateTypes, c.RawKeyPins, c.ServerName = nil, nil, rig.ServerName
			}},
			{"the server accepts chains alone", iana.Server, func(c *vitrine.Config) {
				c.PeerCertificateTypes, c.RawKeyPins = nil, nil
			}},
			{"the client shows another key", iana.Client, func(c *vitrine.Config) {
				c.Certificates = rawCertificates(t, throwaway.ECDSA)
			}},
		} {
			client, server := rawConfigs(t, throwaway.ECDSA, version)
			cache := &rig.OneSession{}
			client.ClientSessionCache = cache
			server.SetSessionTicketKeys([][32]byte{{1}})
			alice, bob := rig.Pair(t, client, server)
			rig.Hear(t, alice, bob)
			if cache.S == nil {
				t.Fatal("no session was kept")
			}
			configs := [2]*vitrine.Config{client.Clone(), server.Clone()}
			c.edit(configs[c.side])
			a, b := rig.Wires(t)
			alice, bob = vitrine.Client(a, configs[iana.Client]),
				vitrine.Server(b, configs[iana.Server])
			if err, serverErr := rig.Shake(alice, bob); serverErr == nil && err == nil {
				t.Errorf("%s: the connection succeeded, resumed: %v", c.what,
					alice.ConnectionState().DidResume)
			}
		}
	})
}

func rawCertificates(t *testing.T, kind throwaway.Kind) []tls.Certificate {
	cert, _, _ := rawKey(t, kind)
	return []tls.Certificate{cert}
}

// RFC 8446 §4.6.2: a raw public key can be shown after the handshake, too.
func TestARawPublicKeyAfterTheHandshake(t *testing.T) {
	client, server := rawConfigs(t, throwaway.ECDSA, rig.Only13)
	client.PostHandshakeAuth, server.PostHandshakeAuth = true, true
	server.ClientAuth = tls.NoClientCert
	c, s := rig.Pair(t, client, server)
	if err := s.RequestClientCertificate(tls.RequireAndVerifyClientCert); err != nil {
		t.Fatal(err)
	}
	go func() {
		c.Read(make([]byte, 1)) // and so answers
	}()
	for s.ConnectionState().PeerRawPublicKey == nil {
		c.Write([]byte("x"))
		if _, err := io.ReadFull(s, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, key := rawKey(t, throwaway.Ed25519); !bytes.Equal(s.ConnectionState().PeerRawPublicKey,
		key) {
		t.Errorf("the server saw the key %x", s.ConnectionState().PeerRawPublicKey)
	}
}

// RSA key exchange encrypts to the raw public key.
func TestRSAKeyExchangeEncryptsToARawPublicKey(t *testing.T) {
	client, server := rawConfigs(t, throwaway.RSA, func(c *vitrine.Config) {
		c.CipherSuites, c.MaxVersion = []uint16{uint16(iana.TLS_RSA_WITH_AES_128_GCM_SHA256)},
			0x0303
	})
	c, _ := rig.Pair(t, client, server)
	if s := c.ConnectionState(); s.PeerRawPublicKey == nil || s.Group != 0 {
		t.Errorf("got the group %v and the key %x", s.Group, s.PeerRawPublicKey)
	}
}

// An observer with the key log reads a connection of raw public keys, which it knows by the hellos:
// in TLS 1.2 a Certificate then has another form. See RFC 7250 §3.
func TestAnObserverReadsRawPublicKeys(t *testing.T) {
	for _, v := range rawVersions[2:] {
		client, server := rawConfigs(t, throwaway.ECDSA, v.set)
		var logged bytes.Buffer
		client.KeyLogWriter = &logged
		a, b := rig.Wires(t)
		tapes := [2]*taped{{Conn: a}, {Conn: b}}
		c, s := vitrine.Client(tapes[0], client), vitrine.Server(tapes[1], server)
		if err, other := rig.Shake(c, s); err != nil || other != nil {
			t.Fatal(err, other)
		}
		converse(t, c, s, 8)
		var events trace.Memory
		got, o := observeTapes(t, &logged, tapes, &events)
		if got != [2]string{"vitrine!", "vitrine!"} {
			t.Errorf("%s: read %q: %v", v.name, got, o.Report().Reason)
		}
		for side, key := range [2][]byte{c.ConnectionState().LocalRawPublicKey,
			s.ConnectionState().LocalRawPublicKey} {
			if !slices.ContainsFunc(events.Entries, func(e trace.Entry) bool {
				m, ok := e.Event.(*trace.Message)
				return ok && m.Type == iana.Certificate && m.From == iana.Side(side) &&
					bytes.Contains(m.Raw, key)
			}) {
				t.Errorf("%s: the observer has not seen the %v's key", v.name, iana.Side(side))
			}
			if typ := o.Machine().Agreed.CertificateTypes[side]; typ != iana.RawPublicKey {
				t.Errorf("%s: the observer takes the %v's %v for a certificate", v.name,
					iana.Side(side), typ)
			}
		}
		c.Close()
		s.Close()
	}
}
