package handshake

import (
	"bytes"
	"context"
	"crypto"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
)

// keyed returns two sides that hold one external pre-shared key, and of which the server has a
// certificate too.
func keyed(t *testing.T, edit func(*negotiation.PSK)) (client, server *negotiation.Config) {
	client, server = config13("client"), config13("server")
	server.Credentials = []*pki.Credential{credential(t, throwaway.ECDSA, name)}
	k := negotiation.PSK{Identity: []byte("gardener"), Key: bytes.Repeat([]byte{7}, 32)}
	if edit != nil {
		edit(&k)
	}
	find := func(_ context.Context, r negotiation.KeyRequest) (*negotiation.PSK, error) {
		if r.Identity != nil && !bytes.Equal(r.Identity, k.Identity) {
			return nil, nil
		}
		found := k
		return &found, nil
	}
	client.FindKey, server.FindKey = find, find
	return client, server
}

func importing(k *negotiation.PSK) { k.Import = true }

// Servers that choose one of a client's keys and that the client refuses: RFC 8446 §4.2.11.
func TestAClientRefusesBadChoicesOfItsKeys(t *testing.T) {
	for _, tt := range []struct {
		what   string
		key    func(*negotiation.PSK)
		change func(*testing.T, *message.ServerHello)
		setup  func(client, server *negotiation.Config)
		want   alert.Description
	}{
		{what: "an index behind the last",
			change: func(t *testing.T, m *message.ServerHello) {
				with(t, &m.Extensions, iana.ExtPreSharedKey, &message.SelectedPSK{Identity: 1})
			}, want: alert.IllegalParameter},
		{what: "the key of another hash", key: importing,
			change: func(t *testing.T, m *message.ServerHello) {
				with(t, &m.Extensions, iana.ExtPreSharedKey, &message.SelectedPSK{Identity: 1})
			}, want: alert.IllegalParameter},
		{what: "a suite of another hash", change: func(_ *testing.T, m *message.ServerHello) {
			m.CipherSuite = iana.TLS_AES_256_GCM_SHA384
		}, want: alert.IllegalParameter},
		{what: "psk_ke, which was not offered",
			change: func(_ *testing.T, m *message.ServerHello) {
				without(&m.Extensions, iana.ExtKeyShare)
			}, want: alert.IllegalParameter},
		{what: "a key exchange, where psk_ke alone was offered",
			change: func(t *testing.T, m *message.ServerHello) {
				with(t, &m.Extensions, iana.ExtPreSharedKey, &message.SelectedPSK{})
			}, setup: func(client, _ *negotiation.Config) {
				client.Modes = []iana.PSKKeyExchangeMode{iana.PSKKE}
			}, want: alert.IllegalParameter},
		{what: "neither a key nor a key share",
			change: func(_ *testing.T, m *message.ServerHello) {
				without(&m.Extensions, iana.ExtKeyShare)
				without(&m.Extensions, iana.ExtPreSharedKey)
			}, want: alert.MissingExtension},
		{what: "no key, where nothing else proves the server",
			change: func(_ *testing.T, m *message.ServerHello) {
				without(&m.Extensions, iana.ExtPreSharedKey)
			}, setup: func(client, _ *negotiation.Config) { client.ServerName = "" },
			want: alert.MissingExtension},
	} {
		client, server := keyed(t, tt.key)
		if tt.setup != nil {
			tt.setup(client, server)
		}
		errs, touched := tampered(t, client, server, iana.Server,
			on(func(m *message.ServerHello) { tt.change(t, m) }))
		if err := errs[iana.Client]; !touched || err == nil || alert.Of(err) != tt.want {
			t.Errorf("%s: %v (changed: %v), expected %v", tt.what, err, touched, tt.want)
		}
	}
}

// psks returns the pre-shared keys that a ClientHello offers.
func psks(t *testing.T, m *message.ClientHello) *message.OfferedPSKs {
	t.Helper()
	p := &message.OfferedPSKs{}
	if ok, err := m.Extensions.Read(iana.ExtPreSharedKey, p); !ok || err != nil {
		t.Fatalf("no pre_shared_key: %v", err)
	}
	return p
}

// The server's part of RFC 8446 §4.2.11: a binder is checked first, of the key that is chosen and
// of no other, and what is wrong with the list is refused whether or not a key of it is known.
func TestAServerChecksTheKeysOfAClient(t *testing.T) {
	first := func(change func(*message.OfferedPSKs)) func(*testing.T, *message.ClientHello) {
		return func(t *testing.T, m *message.ClientHello) {
			p := psks(t, m)
			change(p)
			with(t, &m.Extensions, iana.ExtPreSharedKey, p)
		}
	}
	nobody := func(_, server *negotiation.Config) {
		server.FindKey = func(context.Context, negotiation.KeyRequest) (*negotiation.PSK, error) {
			return nil, nil
		}
	}
	for _, tt := range []struct {
		what   string
		key    func(*negotiation.PSK)
		change func(*testing.T, *message.ClientHello)
		setup  func(client, server *negotiation.Config)
		want   alert.Description
	}{
		{what: "another external binder",
			change: first(func(p *message.OfferedPSKs) { p.Binders[0][31] ^= 1 }),
			want:   alert.DecryptError},
		{what: "another imported binder", key: importing,
			change: first(func(p *message.OfferedPSKs) { p.Binders[0][0] ^= 1 }),
			want:   alert.DecryptError},
		{what: "a binder that is too long",
			change: first(func(p *message.OfferedPSKs) { p.Binders[0] = make([]byte, 48) }),
			want:   alert.DecryptError},
		{what: "binders in another order", key: importing,
			change: first(func(p *message.OfferedPSKs) {
				p.Binders[0], p.Binders[1] = p.Binders[1], p.Binders[0]
			}), want: alert.DecryptError},
		{what: "two identities and one binder", setup: nobody,
			change: first(func(p *message.OfferedPSKs) {
				p.Identities = append(p.Identities, p.Identities...)
			}), want: alert.IllegalParameter},
		{what: "one identity and two binders", setup: nobody,
			change: first(func(p *message.OfferedPSKs) {
				p.Binders = append(p.Binders, p.Binders...)
			}), want: alert.IllegalParameter},
		{what: "no modes", setup: nobody, change: func(_ *testing.T, m *message.ClientHello) {
			without(&m.Extensions, iana.ExtPSKKeyExchangeModes)
		}, want: alert.MissingExtension},
		{what: "not the last extension", setup: nobody,
			change: func(_ *testing.T, m *message.ClientHello) {
				m.Extensions = append(m.Extensions, message.Extension{Type: 0x1A1A})
			}, want: alert.IllegalParameter},
		{what: "no key share", change: func(_ *testing.T, m *message.ClientHello) {
			without(&m.Extensions, iana.ExtKeyShare)
		}, want: alert.MissingExtension},
		{what: "neither key share nor groups nor schemes, and no key is known", setup: nobody,
			change: func(_ *testing.T, m *message.ClientHello) {
				without(&m.Extensions, iana.ExtKeyShare)
				without(&m.Extensions, iana.ExtSupportedGroups)
				without(&m.Extensions, iana.ExtSignatureAlgorithms)
			}, want: alert.MissingExtension},
	} {
		client, server := keyed(t, tt.key)
		if tt.setup != nil {
			tt.setup(client, server)
		}
		errs, touched := tampered(t, client, server, iana.Client,
			on(func(m *message.ClientHello) { tt.change(t, m) }))
		err := errs[iana.Server]
		if err == nil {
			err = errs[iana.Client]
		}
		if !touched || err == nil || alert.Of(err) != tt.want {
			t.Errorf("%s: %v (changed: %v), expected %v", tt.what, errs, touched, tt.want)
		}
	}
}

// A client in want of a key with psk_ke may leave out what a certificate and a key exchange need:
// RFC 8446 §9.2.
func TestAHelloWithAKeyNeedsNoMore(t *testing.T) {
	ours, server := keyed(t, nil)
	server.Credentials = nil
	ours.Modes = []iana.PSKKeyExchangeMode{iana.PSKKE}
	server.Modes = ours.Modes
	said := &desk{}
	c := NewClient(ours, said)
	if err := c.Speak(); err == nil {
		t.Fatal("a key that waits for nothing")
	} else if err := patient(func() error { return err }, c.Speak); err != nil {
		t.Fatal(err)
	}
	m, err := (message.Dialect{Version: iana.TLS12}).Parse(said.said[0].raw)
	if err != nil {
		t.Fatal(err)
	}
	ch := m.(*message.ClientHello)
	for _, x := range []iana.ExtensionType{iana.ExtKeyShare, iana.ExtSupportedGroups,
		iana.ExtSignatureAlgorithms} {
		without(&ch.Extensions, x)
	}
	if err := c.player.(*client).bind(ch, &Score{}); err != nil {
		t.Fatal(err)
	}
	raw, err := (message.Dialect{Version: iana.TLS12}).Encode(ch)
	if err != nil {
		t.Fatal(err)
	}
	answer := &desk{}
	s := NewServer(server, answer)
	err = patient(func() error { return s.Take(iana.Client, Kind(iana.ClientHello), raw) }, s.Speak)
	if err == nil {
		err = patient(s.Speak, s.Speak)
	}
	if err != nil || s.Agreed == nil || s.Agreed.Kex != iana.KexPSK {
		t.Errorf("%v, %+v", err, s.Agreed)
	}
}

// At most so many of a client's identities are looked at, whatever they are: RFC 8446 leaves it to
// the server, and each costs a decryption and questions to the program.
func TestAServerLooksAtFewIdentities(t *testing.T) {
	client, server := keyed(t, nil)
	asked := map[string]int{}
	server.FindKey = func(_ context.Context, r negotiation.KeyRequest) (*negotiation.PSK, error) {
		asked[string(r.Identity)]++
		return nil, nil
	}
	opened := 0
	server.Tickets = true
	server.Open = func(context.Context, []byte) (*Session, error) { opened++; return nil, nil }
	errs, touched := tampered(t, client, server, iana.Client, on(func(m *message.ClientHello) {
		p := &message.OfferedPSKs{}
		for i := range 1000 {
			id := []byte(strings.Repeat("x", 1+i%7) + string(rune('a'+i)))
			p.Identities = append(p.Identities, message.PSKIdentity{Identity: id})
			p.Binders = append(p.Binders, make([]byte, 32))
		}
		with(t, &m.Extensions, iana.ExtPreSharedKey, p)
	}))
	if !touched || errs[iana.Server] != nil {
		t.Errorf("changed %v, %v", touched, errs)
	}
	if len(asked) != maxIdentities || opened != maxIdentities {
		t.Errorf("the program was asked for %d identities and %d tickets were opened, expected %d",
			len(asked), opened, maxIdentities)
	}
	for id, n := range asked {
		if n != 1 {
			t.Errorf("asked %d times for %q", n, id)
		}
	}
}

// A retry drops the keys of another hash than that of its suite, and keeps the others: RFC 8446
// §4.1.4.
func TestARetryDropsKeysOfAnotherHash(t *testing.T) {
	for _, hash := range []crypto.Hash{crypto.SHA256, crypto.SHA384} {
		client, server := keyed(t, importing)
		server.Groups = []iana.Group{iana.Secp256r1}
		server.Suites13 = []iana.CipherSuite{iana.TLS_AES_128_GCM_SHA256}
		if hash == crypto.SHA384 {
			server.Suites13[0] = iana.TLS_AES_256_GCM_SHA384
		}
		var hellos []*message.ClientHello
		errs, _ := tampered(t, client, server, iana.Client, func(m message.Message) bool {
			if ch, ok := m.(*message.ClientHello); ok {
				hellos = append(hellos, ch)
			}
			return false
		})
		if errs != [2]error{} || len(hellos) != 2 {
			t.Fatalf("%v, %d hellos", errs, len(hellos))
		}
		one, two := psks(t, hellos[0]), psks(t, hellos[1])
		if len(one.Identities) != 2 || len(two.Identities) != 1 ||
			len(two.Binders[0]) != hash.Size() {
			t.Errorf("%v: %d keys, then %d", hash, len(one.Identities), len(two.Identities))
		}
	}
}
