package handshake

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/hellos"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/trace"
)

// more are rehearsals with the other kinds of suites and versions: pre-shared keys alone and with
// each exchange, finite fields, TLS 1.1, a staple, a ticket, a session ID, and a traced one.
func more(t testing.TB) []stage {
	var all []stage
	ed25519, rsa := credential(t, throwaway.Ed25519, name), credential(t, throwaway.RSA, name)
	staple, err := hellos.Authority().Staple(ed25519.Chain.Certs[0])
	if err != nil {
		t.Fatal(err)
	}
	shared := func(c, s *negotiation.Config) {
		find := func(context.Context, negotiation.KeyRequest) (*negotiation.PSK, error) {
			return &negotiation.PSK{
				Identity: []byte("gardener"),
				Key:      bytes.Repeat([]byte{7}, 32),
			}, nil
		}
		c.FindKey, s.FindKey = find, find
	}
	for _, c := range []struct {
		what  string
		suite iana.CipherSuite
		edit  func(c, s *negotiation.Config)
	}{
		{"PSK", iana.TLS_PSK_WITH_AES_128_GCM_SHA256, shared},
		{"PSK with a hint", iana.TLS_PSK_WITH_AES_128_GCM_SHA256, func(c, s *negotiation.Config) {
			shared(c, s)
			s.Hint = []byte("garden")
		}},
		{"DHE_PSK", iana.TLS_DHE_PSK_WITH_AES_128_GCM_SHA256, shared},
		{"ECDHE_PSK", iana.TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256, shared},
		{"RSA_PSK", iana.TLS_RSA_PSK_WITH_AES_128_GCM_SHA256, shared},
		{"DHE", dheRSA, func(_, _ *negotiation.Config) {}},
		{"TLS 1.1", iana.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, func(c, s *negotiation.Config) {
			for _, x := range []*negotiation.Config{c, s} {
				x.MinVersion, x.MaxVersion, x.Legacy = iana.TLS11, iana.TLS11, true
			}
			s.ClientAuth = negotiation.ClientAuth{Request: true}
		}},
		{"traced, with a ticket", ecdheECDSA, func(c, s *negotiation.Config) {
			c.Tickets, s.Tickets = true, true
			c.Log = trace.New(trace.Client, &trace.Memory{}, nil)
			c.Keep = func(*Session) {}
			s.Seal = sealsAny
		}},
		{"with a session ID", ecdheECDSA, func(c, s *negotiation.Config) {
			c.Keep = func(*Session) {}
			s.Store = func(context.Context, []byte, *Session) error { return nil }
		}},
		{"a stapled status", ecdheECDSA, func(c, s *negotiation.Config) {
			stapled := *ed25519
			stapled.Staple = staple
			s.Credentials = []*pki.Credential{&stapled}
		}},
		{"a client certificate is required", ecdheECDSA, func(c, s *negotiation.Config) {
			c.Credentials = []*pki.Credential{ed25519}
			s.ClientAuth = negotiation.ClientAuth{Request: true, Require: true}
		}},
	} {
		both := func() (client, server *negotiation.Config) {
			client, server = config("client", c.suite), config("server", c.suite)
			server.Credentials = []*pki.Credential{ed25519, rsa}
			c.edit(client, server)
			return client, server
		}
		client, server := both()
		_, _, said, errs := perform(client, server)
		if errs != [2]error{} {
			t.Fatal(c.what, errs)
		}
		all = append(all,
			stage{c.what + ", client", iana.Client, said[iana.Server],
				func(d Carrier) *Machine { ours, _ := both(); return NewClient(ours, d) }},
			stage{c.what + ", server", iana.Server, said[iana.Client],
				func(d Carrier) *Machine { _, ours := both(); return NewServer(ours, d) }})
	}
	return append(all, in13(t)...)
}

// sealsAny gives the same ticket for every session.
func sealsAny(context.Context, *Session) ([]byte, error) { return []byte("ticket"), nil }

// in13 are rehearsals of TLS 1.3, with a ticket behind the server's lines, and a client
// certificate.
func in13(t testing.TB) (all []stage) {
	theirs, own := credential(t, throwaway.Ed25519, name),
		credential(t, throwaway.Ed25519, "client.test")
	for _, auth := range []negotiation.ClientAuth{{}, {Request: true, Require: true}} {
		both := func() (client, server *negotiation.Config) {
			client, server = config13("machine client"), config13("machine server")
			server.Credentials = []*pki.Credential{theirs}
			client.Credentials = []*pki.Credential{own}
			server.ClientAuth = auth
			server.Tickets, client.Tickets = true, true
			server.Log = trace.New(trace.Server, &trace.Memory{}, nil)
			server.Seal = sealsAny
			return client, server
		}
		client, server := both()
		m, errs := perform13(client, server, asItIs)
		if errs != [2]error{} {
			t.Fatal(errs)
		}
		var said [2][]spoke
		for side := range said { // without what only the record layer is told, and tickets
			said[side] = slices.DeleteFunc(m[side].carrier.(*desk).said, func(l spoke) bool {
				return l.kind == ChangeCipherSpec || l.kind == Kind(iana.NewSessionTicket)
			})
		}
		all = append(all,
			stage{"TLS 1.3, client", iana.Client, said[iana.Server],
				func(d Carrier) *Machine { ours, _ := both(); return NewClient(ours, d) }},
			stage{"TLS 1.3, server", iana.Server, said[iana.Client],
				func(d Carrier) *Machine { _, ours := both(); return NewServer(ours, d) }})
	}
	return all
}

// FuzzMachine: whatever order and whatever bytes, a machine goes on or says why not; it is never
// done but with the genuine lines. Each step takes three bytes: which line, what to do with it, and
// where.
func FuzzMachine(f *testing.F) {
	all, keep := append(rehearse(f), more(f)...), testkit.SampleSeeds(29)
	for i, s := range all {
		honest := []byte{byte(i)}
		for j := range s.lines {
			honest = append(honest, byte(j), 0, 0)
		}
		f.Add(honest)
		f.Add(append(slices.Clone(honest[:1]), 255, 0, 0, 254, 0, 0, 0, 1, 9))
		f.Add(append(slices.Clone(honest), honest[1:]...))
		for at := 1; at < len(honest); at += 3 { // one message changed, in each way
			for where := range byte(4) {
				edited := slices.Clone(honest)
				edited[at+1], edited[at+2] = 8, where
				if keep() {
					f.Add(edited)
				}
			}
			for what := byte(0); what < 8; what++ {
				for _, where := range []byte{2, 77, 200} {
					if what == 5 && where > 30 {
						continue
					}
					edited := slices.Clone(honest)
					edited[at+1], edited[at+2] = what, where
					if keep() {
						f.Add(edited)
					}
				}
			}
			if keep() {
				f.Add(slices.Delete(slices.Clone(honest), at, at+3))
				f.Add(slices.Insert(slices.Clone(honest), at, 254, 0, 0))
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 {
			return
		}
		s := all[int(b[0])%len(all)]
		var lines []spoke
		for b = b[1:]; len(b) >= 3 && len(lines) < 40; b = b[3:] {
			lines = append(lines, s.line(b[0], b[1], int(b[2])))
		}
		s.check(t, "fuzzed", lines)
	})
}

// line is one of the right lines, or another one, with something done to it.
func (s *stage) line(which, what byte, where int) spoke {
	l := spoke{ChangeCipherSpec, nil}
	switch which {
	case 255:
	case 254:
		l = spoke{Kind(iana.HelloRequest), []byte{0, 0, 0, 0}}
	default:
		l = s.lines[int(which)%len(s.lines)]
		l.raw = bytes.Clone(l.raw)
	}
	if len(l.raw) < 5 {
		return l
	}
	at := 4 + where*len(l.raw)/256%(len(l.raw)-4)
	switch what % 9 {
	case 1:
		l.raw[at] ^= 1 << (where % 8)
	case 2:
		l.raw = resize(l.raw[:at])
	case 3:
		l.raw = resize(append(l.raw, byte(where)))
	case 4:
		l.raw = resize(append(l.raw[:at:at], l.raw[4:]...))
	case 5:
		l.raw[0] = byte(where)
		l.kind = KindOf(l.raw)
	case 6:
		l.raw[at] = 0
	case 7:
		l.raw[at] = 0xFF
	case 8:
		l.raw = resize(append(l.raw[:4:4], make([]byte, where%40)...))
	}
	return l
}

// resize makes a message's length right.
func resize(raw []byte) []byte {
	n := len(raw) - 4
	raw[1], raw[2], raw[3] = byte(n>>16), byte(n>>8), byte(n)
	return raw
}
