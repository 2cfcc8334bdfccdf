package handshake

import (
	"errors"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
)

// cookieServer is a server with cookies, whose clock is later.
func cookieServer(t *testing.T, later time.Duration, keys ...byte) *negotiation.Config {
	c := config13("server")
	c.Credentials = []*pki.Credential{credential(t, throwaway.ECDSA, name)}
	for _, b := range keys {
		c.CookieKeys = append(c.CookieKeys, [32]byte{b})
	}
	c.Now = throwaway.Epoch.Add(time.Hour + later)
	return c
}

// secondHello returns a client's second ClientHello, after a server has sent it a cookie.
func secondHello(t *testing.T, server *negotiation.Config) *message.ClientHello {
	t.Helper()
	desks := [2]*desk{{}, {}}
	client, answering := NewClient(config13("client"), desks[0]), NewServer(server, desks[1])
	for _, step := range []func() error{
		client.Speak,
		func() error {
			return answering.Take(iana.Client, Kind(iana.ClientHello), desks[0].said[0].raw)
		},
		answering.Speak,
		func() error { return client.Take(iana.Server, HelloRetryRequest, desks[1].said[0].raw) },
		client.Speak,
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	last := desks[0].said[len(desks[0].said)-1]
	m, err := (message.Dialect{Version: iana.TLS12}).Parse(last.raw)
	if err != nil {
		t.Fatal(err)
	}
	return m.(*message.ClientHello)
}

// Which second hellos another server takes: RFC 8446 §4.1.2 and §4.2.2.
func TestCookiesAreHeldToTheirHello(t *testing.T) {
	cookie := func(change func(b []byte) []byte) func(*testing.T, *message.ClientHello) {
		return func(t *testing.T, ch *message.ClientHello) {
			var c message.Cookie
			if _, err := ch.Extensions.Read(iana.ExtCookie, &c); err != nil {
				t.Fatal(err)
			}
			with(t, &ch.Extensions, iana.ExtCookie, &message.Cookie{Cookie: change(c.Cookie)})
		}
	}
	flipped := func(at int) func(b []byte) []byte {
		return func(b []byte) []byte {
			b[(at+len(b))%len(b)] ^= 1
			return b
		}
	}
	never := func(*testing.T, *message.ClientHello) {}
	for _, c := range []struct {
		what   string
		groups []iana.Group // of the servers
		change func(*testing.T, *message.ClientHello)
		later  time.Duration
		keys   []byte // of the other server
		ok     bool
	}{
		{"as it should be", nil, never, 0, []byte{1}, true},
		{"after a request for a share", []iana.Group{iana.Secp256r1}, never, 0, []byte{1}, true},
		{"in time", nil, never, 59 * time.Second, []byte{1}, true},
		{"of a server whose clock is ahead", nil, never, -59 * time.Second, []byte{1}, true},
		{"with an older key", nil, never, 0, []byte{2, 1}, true},
		{"too old", nil, never, 61 * time.Second, []byte{1}, false},
		{"of the future", nil, never, -61 * time.Second, []byte{1}, false},
		{"of another key", nil, never, 0, []byte{2}, false},
		{"forged: the version", nil, cookie(flipped(0)), 0, []byte{1}, false},
		{"forged: the time", nil, cookie(flipped(8)), 0, []byte{1}, false},
		{"forged: the suite", nil, cookie(flipped(10)), 0, []byte{1}, false},
		{"forged: the group", nil, cookie(flipped(12)), 0, []byte{1}, false},
		{"forged: the hash", nil, cookie(flipped(20)), 0, []byte{1}, false},
		{"forged: the MAC", nil, cookie(flipped(-1)), 0, []byte{1}, false},
		{"cut", nil, cookie(func(b []byte) []byte { return b[:len(b)-1] }), 0, []byte{1}, false},
		{"short", nil, cookie(func(b []byte) []byte { return b[:1] }), 0, []byte{1}, false},
		{"replayed in another client's hello", nil, func(t *testing.T, ch *message.ClientHello) {
			ch.Random[0] ^= 1
		}, 0, []byte{1}, false},
		{"with another session ID", nil, func(t *testing.T, ch *message.ClientHello) {
			ch.SessionID = ch.SessionID[1:]
		}, 0, []byte{1}, false},
		{"with other suites", nil, func(t *testing.T, ch *message.ClientHello) {
			ch.CipherSuites = ch.CipherSuites[:1]
		}, 0, []byte{1}, false},
		{"with another server_name", nil, func(t *testing.T, ch *message.ClientHello) {
			without(&ch.Extensions, iana.ExtServerName)
		}, 0, []byte{1}, false},
	} {
		first := cookieServer(t, 0, 1)
		other := cookieServer(t, c.later, c.keys...)
		if c.groups != nil {
			first.Groups, other.Groups = c.groups, c.groups
		}
		ch := secondHello(t, first)
		c.change(t, ch)
		raw, err := (message.Dialect{Version: iana.TLS12}).Encode(ch)
		if err != nil {
			t.Fatal(err)
		}
		m := NewServer(other, &desk{})
		err = m.Take(iana.Client, Kind(iana.ClientHello), raw)
		if err == nil {
			err = m.Speak()
		}
		for {
			pending, ok := errors.AsType[*Pending](err)
			if !ok {
				break
			}
			if err = pending.Do(t.Context()); err == nil {
				err = m.Speak()
			}
		}
		if c.ok && (err != nil || !m.Retried()) ||
			!c.ok && alert.Of(err) != alert.IllegalParameter {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

// On one connection the second hello must bring the cookie back that was sent.
func TestASecondHelloBringsItsCookieBack(t *testing.T) {
	for what, change := range map[string]func(*message.ClientHello){
		"none": func(ch *message.ClientHello) { without(&ch.Extensions, iana.ExtCookie) },
		"another": func(ch *message.ClientHello) {
			with(t, &ch.Extensions, iana.ExtCookie, &message.Cookie{Cookie: []byte("another")})
		},
	} {
		n := 0
		errs, touched := tampered(t, config13("client"), cookieServer(t, 0, 1), iana.Client,
			func(m message.Message) bool {
				ch, ok := m.(*message.ClientHello)
				if n++; !ok || n != 2 {
					return false
				}
				change(ch)
				return true
			})
		if !touched || alert.Of(errs[iana.Server]) != alert.IllegalParameter {
			t.Errorf("%s: %v", what, errs)
		}
	}
}
