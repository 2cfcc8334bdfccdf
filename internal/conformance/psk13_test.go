package conformance_test

import (
	"bytes"
	"crypto"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/rig"
)

// finds returns a GetPSK that has one key. A server's knows it by its identity alone.
func finds(k vitrine.PSK) func(*vitrine.PSKInfo) (*vitrine.PSK, error) {
	return func(i *vitrine.PSKInfo) (*vitrine.PSK, error) {
		if i.Identity != nil && !bytes.Equal(i.Identity, k.Identity) {
			return nil, nil
		}
		return &k, i.Context().Err()
	}
}

// pskAlone are two sides that prove themselves with a pre-shared key and nothing else.
func pskAlone(client, server vitrine.PSK) (c, s *vitrine.Config) {
	c = &vitrine.Config{GetPSK: finds(client)}
	s = &vitrine.Config{GetPSK: finds(server)}
	rig.Only13(c)
	rig.Only13(s)
	return c, s
}

var gardener = vitrine.PSK{Identity: []byte("gardener"), Key: bytes.Repeat([]byte{7}, 32)}

// changed is a copy of a key with something changed.
func changed(k vitrine.PSK, change func(*vitrine.PSK)) vitrine.PSK {
	change(&k)
	return k
}

// External and imported keys: RFC 8446 §4.2.11, RFC 9258. The hash of the key chooses the suite.
func TestPreSharedKeysOfTLS13Connect(t *testing.T) {
	sha384 := changed(gardener, func(k *vitrine.PSK) { k.Hash = crypto.SHA384 })
	imported := changed(gardener, func(k *vitrine.PSK) {
		k.Import, k.Context = true, []byte("gardener waters, the pump serves")
	})
	for _, tt := range []struct {
		what  string
		key   vitrine.PSK
		edit  func(client, server *vitrine.Config)
		suite iana.CipherSuite // 0: any
		group bool             // keys were exchanged
		retry bool
	}{
		{what: "external", key: gardener, group: true},
		{what: "external, of SHA-384", key: sha384, group: true,
			suite: iana.TLS_AES_256_GCM_SHA384},
		{what: "imported", key: imported, group: true},
		{what: "imported from one of SHA-384", group: true,
			key: changed(imported, func(k *vitrine.PSK) { k.Hash = crypto.SHA384 })},
		{what: "psk_ke", key: gardener, edit: func(client, server *vitrine.Config) {
			client.PSKKeyExchangeModes = []iana.PSKKeyExchangeMode{iana.PSKKE}
			server.PSKKeyExchangeModes = []iana.PSKKeyExchangeMode{iana.PSKDHEKE, iana.PSKKE}
		}},
		{what: "psk_ke, though both have psk_dhe_ke", key: gardener,
			edit: func(client, server *vitrine.Config) {
				client.PSKKeyExchangeModes = []iana.PSKKeyExchangeMode{iana.PSKDHEKE, iana.PSKKE}
				server.PSKKeyExchangeModes = []iana.PSKKeyExchangeMode{iana.PSKKE}
			}},
		{what: "psk_ke without a group in common", key: gardener,
			edit: func(client, server *vitrine.Config) {
				client.PSKKeyExchangeModes = []iana.PSKKeyExchangeMode{iana.PSKKE}
				server.PSKKeyExchangeModes = client.PSKKeyExchangeModes
				server.CurvePreferences = []vitrine.CurveID{vitrine.CurveP521}
				client.CurvePreferences = []vitrine.CurveID{vitrine.CurveP256}
			}},
		{what: "after a retry", key: gardener, edit: retries, group: true, retry: true},
		{what: "imported, after a retry", key: imported, edit: retries, group: true, retry: true},
		{what: "of SHA-384, after a retry", key: sha384, edit: retries, group: true, retry: true,
			suite: iana.TLS_AES_256_GCM_SHA384},
	} {
		t.Run(tt.what, func(t *testing.T) {
			client, server := pskAlone(tt.key, tt.key)
			client.ClientSessionCache = vitrine.NewLRUClientSessionCache(0)
			client.ServerName = rig.ServerName // that of its sessions
			if tt.edit != nil {
				tt.edit(client, server)
			}
			for i := range 2 {
				c, s, err := rig.Connect(t, client, server)
				if err != nil {
					t.Fatal(err)
				}
				for _, state := range []vitrine.ConnectionState{c, s} {
					if string(state.PSKIdentity) != "gardener" || len(state.PeerCertificates) > 0 ||
						state.DidResume != (i > 0) || (state.Group != 0) != tt.group ||
						state.HelloRetryRequest != tt.retry ||
						(len(state.Concerns) == 0) != tt.group ||
						tt.suite != 0 && state.CipherSuite != uint16(tt.suite) {
						t.Errorf("connection %d: %+v", i+1, state)
					}
				}
			}
		})
	}
}

// A client may offer several keys, of which a server takes the first that it knows and that fits a
// suite, also of those that are imported from one for each hash: RFC 8446 §4.2.11, RFC 9258 §5.1.
func TestAServerChoosesAmongPreSharedKeys(t *testing.T) {
	stranger := vitrine.PSK{Identity: []byte("stranger"), Key: bytes.Repeat([]byte{1}, 32)}
	long := vitrine.PSK{Identity: []byte("long"), Key: bytes.Repeat([]byte{2}, 48),
		Hash: crypto.SHA384}
	imported := vitrine.PSK{Identity: []byte("imported"), Key: bytes.Repeat([]byte{3}, 32),
		Import: true}
	only := func(ids ...iana.CipherSuite) func(client, server *vitrine.Config) {
		return func(_, server *vitrine.Config) {
			server.CipherSuites13 = nil
			for _, id := range ids {
				server.CipherSuites13 = append(server.CipherSuites13, uint16(id))
			}
		}
	}
	const sha256, sha384 = iana.TLS_AES_128_GCM_SHA256, iana.TLS_AES_256_GCM_SHA384
	for _, tt := range []struct {
		what   string
		offers []*vitrine.PSK
		knows  []vitrine.PSK
		edit   func(client, server *vitrine.Config)
		want   string
		suite  iana.CipherSuite // 0: any
	}{
		{"the first", []*vitrine.PSK{&gardener, &stranger}, []vitrine.PSK{stranger, gardener}, nil,
			"gardener", 0},
		{"the one that is known", []*vitrine.PSK{&stranger, nil, &gardener},
			[]vitrine.PSK{gardener}, nil, "gardener", 0},
		{"the one of the server's hash", []*vitrine.PSK{&long, &gardener},
			[]vitrine.PSK{long, gardener}, only(sha256), "gardener", sha256},
		{"the other hash", []*vitrine.PSK{&gardener, &long}, []vitrine.PSK{long, gardener},
			only(sha384), "long", sha384},
		{"after a retry, which drops the keys of another hash", []*vitrine.PSK{&gardener, &long},
			[]vitrine.PSK{long, gardener}, func(client, server *vitrine.Config) {
				only(sha384)(client, server)
				retries(client, server)
			}, "long", sha384},
		{"imported for SHA-256", []*vitrine.PSK{&imported}, []vitrine.PSK{imported}, only(sha256),
			"imported", sha256},
		{"imported for SHA-384", []*vitrine.PSK{&imported}, []vitrine.PSK{imported}, only(sha384),
			"imported", sha384},
		{"behind one that is imported", []*vitrine.PSK{&imported, &gardener},
			[]vitrine.PSK{gardener}, nil, "gardener", 0},
	} {
		client, server := pskAlone(gardener, gardener)
		client.GetPSKs = func(*vitrine.PSKInfo) ([]*vitrine.PSK, error) { return tt.offers, nil }
		server.GetPSK = func(i *vitrine.PSKInfo) (*vitrine.PSK, error) {
			for _, k := range tt.knows {
				if bytes.Equal(k.Identity, i.Identity) {
					return &k, nil
				}
			}
			return nil, nil
		}
		if tt.edit != nil {
			tt.edit(client, server)
		}
		c, s, err := rig.Connect(t, client, server)
		if err != nil || string(c.PSKIdentity) != tt.want || string(s.PSKIdentity) != tt.want ||
			tt.suite != 0 && c.CipherSuite != uint16(tt.suite) {
			t.Errorf("%s: %v, %q and %q, %v", tt.what, err, c.PSKIdentity, s.PSKIdentity,
				iana.CipherSuite(c.CipherSuite))
		}
	}
}

// retries makes a server ask for a second ClientHello.
func retries(client, server *vitrine.Config) {
	client.CurvePreferences = []vitrine.CurveID{vitrine.X25519, vitrine.CurveP256}
	server.CurvePreferences = []vitrine.CurveID{vitrine.CurveP256}
}

// What ends a handshake with a pre-shared key, with the alert that the server sends. RFC 8446
// §4.2.11, RFC 9258 §5.1.
func TestPreSharedKeysOfTLS13ThatDoNotFitAreRefused(t *testing.T) {
	imported := changed(gardener, func(k *vitrine.PSK) { k.Import, k.Context = true, []byte("a") })
	for _, tt := range []struct {
		what           string
		client, server vitrine.PSK
		edit           func(client, server *vitrine.Config)
		want           alert.Description
	}{
		{"another key", gardener,
			changed(gardener, func(k *vitrine.PSK) { k.Key = []byte{1} }), nil, alert.DecryptError},
		{"another identity", changed(gardener, func(k *vitrine.PSK) { k.Identity = []byte("x") }),
			gardener, nil, alert.UnknownPSKIdentity},
		{"another hash", gardener,
			changed(gardener, func(k *vitrine.PSK) { k.Hash = crypto.SHA384 }), nil,
			alert.DecryptError},
		{"imported by the client alone", imported, gardener, nil, alert.UnknownPSKIdentity},
		{"imported by the server alone", gardener, imported, nil, alert.UnknownPSKIdentity},
		{"imported for another context", imported,
			changed(imported, func(k *vitrine.PSK) { k.Context = []byte("b") }), nil,
			alert.UnknownPSKIdentity},
		{"imported from another key", imported,
			changed(imported, func(k *vitrine.PSK) { k.Key = []byte{1} }), nil, alert.DecryptError},
		{"imported from a key of another hash", imported,
			changed(imported, func(k *vitrine.PSK) { k.Hash = crypto.SHA384 }), nil,
			alert.DecryptError},
		{"psk_ke, which the server does not allow", gardener, gardener,
			func(client, server *vitrine.Config) {
				client.PSKKeyExchangeModes = []iana.PSKKeyExchangeMode{iana.PSKKE}
			}, alert.HandshakeFailure},
		{"none, and no certificate", gardener, gardener, func(client, server *vitrine.Config) {
			client.GetPSK, client.InsecureSkipVerify = nil, true
		}, alert.MissingExtension},
	} {
		t.Run(tt.what, func(t *testing.T) {
			client, server := pskAlone(tt.client, tt.server)
			if tt.edit != nil {
				tt.edit(client, server)
			}
			_, _, err := rig.Connect(t, client, server)
			if got, ok := rig.ReceivedAlert(err); !ok || got != tt.want {
				t.Errorf("got %v, expected %v", err, tt.want)
			}
		})
	}
}

// A server with a certificate too uses it if it knows none of the client's keys: RFC 8446 §4.2.11.
// A client that has no name to check it for does not accept it.
func TestACertificateReplacesAnUnknownPreSharedKey(t *testing.T) {
	client, server := rig.Configs(t)
	for _, c := range []*vitrine.Config{client, server} {
		rig.Only13(c)
		c.GetPSK = finds(gardener)
	}
	c, s, err := rig.Connect(t, client, server)
	if err != nil || len(c.PeerCertificates) > 0 || string(s.PSKIdentity) != "gardener" {
		t.Errorf("a key that both know: %v, %d certificates", err, len(c.PeerCertificates))
	}
	server.GetPSK = func(*vitrine.PSKInfo) (*vitrine.PSK, error) { return nil, nil }
	c, s, err = rig.Connect(t, client, server)
	if err != nil || len(c.PeerCertificates) == 0 || c.PSKIdentity != nil || s.PSKIdentity != nil {
		t.Errorf("an unknown key: %v, %d certificates, %q and %q", err, len(c.PeerCertificates),
			c.PSKIdentity, s.PSKIdentity)
	}
	client.ServerName = ""
	_, _, err = rig.Connect(t, client, server)
	if got, _ := rig.AlertOf(err); got != alert.MissingExtension {
		t.Errorf("a client without a server's name: got %v, expected missing_extension", err)
	}
}

// A server without the pre-shared key does not resume its sessions, and a client without it offers
// none.
func TestSessionsOfALostPreSharedKeyOfTLS13(t *testing.T) {
	for _, k := range []vitrine.PSK{gardener,
		changed(gardener, func(k *vitrine.PSK) { k.Import, k.Context = true, []byte("a") })} {
		for _, loser := range []iana.Side{iana.Client, iana.Server} {
			client, server := pskAlone(k, k)
			client.ServerName = rig.ServerName
			client.RootCAs = rig.Authority().Pool()
			server.Certificates = rig.ServerConfig(t).Certificates
			client.ClientSessionCache = vitrine.NewLRUClientSessionCache(0)
			if _, _, err := rig.Connect(t, client, server); err != nil {
				t.Fatal(err)
			}
			lost := []*vitrine.Config{client, server}[loser]
			lost.GetPSK = nil
			if loser == iana.Server {
				lost.GetPSK = func(*vitrine.PSKInfo) (*vitrine.PSK, error) { return nil, nil }
			}
			c, _, err := rig.Connect(t, client, server)
			if err != nil || c.DidResume || len(c.PeerCertificates) == 0 {
				t.Errorf("lost by the %v: %v, resumed %v", loser, err, c.DidResume)
			}
		}
	}
}
