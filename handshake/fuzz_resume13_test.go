package handshake

import (
	"bytes"
	"context"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
)

// options13 change both sides of a resumption of TLS 1.3; each bit of a fuzzed byte chooses one.
var options13 = [8]func(t testing.TB, c, s *negotiation.Config){
	// a retry, in most cases
	func(_ testing.TB, c, s *negotiation.Config) { s.Groups = c.Groups[1:] },
	func(_ testing.TB, _, s *negotiation.Config) { s.CookieKeys = make([][32]byte, 1) },
	func(_ testing.TB, c, s *negotiation.Config) { c.GREASE, s.GREASE = true, true },
	func(_ testing.TB, c, s *negotiation.Config) {
		c.PostHandshakeAuth, s.PostHandshakeAuth = true, true
	},
	func(_ testing.TB, c, s *negotiation.Config) {
		c.CertificateCompression = []iana.CertificateCompressionAlgorithm{iana.Zlib}
		s.CertificateCompression = c.CertificateCompression
	},
	func(t testing.TB, c, s *negotiation.Config) {
		c.Credentials = []*pki.Credential{credential(t, throwaway.ECDSA, "client.test")}
		s.ClientAuth = negotiation.ClientAuth{Request: true, Require: true}
	},
	func(_ testing.TB, c, s *negotiation.Config) {
		find := func(context.Context, negotiation.KeyRequest) (*negotiation.PSK, error) {
			return &negotiation.PSK{Identity: []byte("key"), Key: bytes.Repeat([]byte{5}, 32)}, nil
		}
		c.FindKey, s.FindKey = find, find
	},
	func(_ testing.TB, c, _ *negotiation.Config) { c.Offer = nil },
}

// mutant13 is a player whose messages are changed, and whose binders fit the changed hello.
type mutant13 struct {
	player
	edits []byte
}

func (m mutant13) compose(k Kind, s *Score) (message.Message, error) {
	msg, err := m.player.compose(k, s)
	if err != nil || msg == nil {
		return msg, err
	}
	s.negotiated = negotiatedParameters{} // of what it would have sent
	for e := m.edits[:min(len(m.edits), 24)]; len(e) >= 4; e = e[4:] {
		if int(e[0])%30 != int(msg.Type()) {
			continue
		}
		switch msg := msg.(type) {
		case *message.ClientHello:
			msg.Extensions = change13(msg.Extensions, e)
			msg.CipherSuites = substitute(msg.CipherSuites, e[1], int(e[2]), e[3])
		case *message.ServerHello:
			// A server that forgets its own key has no certificate: that tests the test.
			psk := iana.ExtPreSharedKey
			if x := change13(msg.Extensions, e); x.Has(psk) == msg.Extensions.Has(psk) {
				msg.Extensions = x
			}
		case *message.EncryptedExtensions:
			msg.Extensions = change13(msg.Extensions, e)
		case *message.CertificateRequest:
			msg.Extensions = change13(msg.Extensions, e)
		case *message.Certificate:
			msg.Chain = msg.Chain[:int(e[3])%(len(msg.Chain)+1)]
			msg.Extensions = msg.Extensions[:min(len(msg.Extensions), len(msg.Chain))]
		}
	}
	c, client := m.player.(*client)
	if hello, ok := msg.(*message.ClientHello); ok && client && len(c.offered) > 0 {
		last := len(hello.Extensions) - 1
		if last >= 0 && hello.Extensions[last].Type == iana.ExtPreSharedKey &&
			len(hello.Extensions[last].Data) > 33*len(c.offered) {
			return hello, c.bind(hello, s)
		}
	}
	return msg, nil
}

// change13 changes one extension, as three bytes say.
func change13(e message.Extensions, b []byte) message.Extensions {
	if len(e) == 0 {
		return e
	}
	e = slices.Clone(e)
	i := int(b[2]) % len(e)
	data := bytes.Clone(e[i].Data)
	switch b[1] % 6 {
	case 0:
		return slices.Delete(e, i, i+1)
	case 1:
		if len(data) > 0 {
			data[int(b[3])%len(data)] ^= 1 << (b[3] % 8)
		}
	case 2:
		data = data[:int(b[3])%(len(data)+1)]
	case 3:
		types := []iana.ExtensionType{iana.ExtEarlyData, iana.ExtPreSharedKey, iana.ExtKeyShare,
			iana.ExtCookie, iana.ExtPostHandshakeAuth, iana.ExtSupportedVersions}
		e[i].Type = types[int(b[3])%len(types)]
	case 4:
		e[i], e[len(e)-1] = e[len(e)-1], e[i]
		return e
	}
	e[i].Data = data
	return e
}

// FuzzResumption13 starts from a valid session of TLS 1.3 with early data, and changes what both
// sides are and say. Nothing panics, whoever comes to the end agrees with the other, and early data
// is accepted by both or by neither.
func FuzzResumption13(f *testing.F) {
	keep := testkit.SampleSeeds(11)
	add := func(b ...byte) {
		if keep() {
			f.Add(b)
		}
	}
	for options := range 256 {
		add(byte(options), 0)
	}
	for extra := range meanwhile {
		for options := range 8 {
			add(1<<options, byte(extra))
		}
		add(0, byte(extra))
		for e := range byte(4) {
			for at := range byte(14) {
				add(0, byte(extra), e, at*3, at)
			}
		}
	}
	for _, kind := range []byte{1, 2, 8, 13, 11} {
		for what := range byte(6) {
			for at := range byte(8) {
				add(at*37, 0, kind, what, at, at)
				add(64, 0, kind, what, at, at)
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 2 {
			return
		}
		ours, theirs, at := earlyConfigs(t)
		var kept []*Session
		ours.Keep = func(s *Session) { kept = append(kept, s) }
		theirs.Seal = func(_ context.Context, s *Session) ([]byte, error) { return s.Encode() }
		theirs.Count = 2
		extra := int(b[1]) % len(meanwhile)
		for bit, edit := range options13 {
			if b[0]>>bit&1 != 0 && (extra == 0 || bit != len(options13)-1) {
				edit(t, ours, theirs)
			}
		}
		meanwhile[extra](t, ours, theirs, at)
		m, errs := perform13(ours, theirs,
			func(p player) player { return mutant13{p, b[2:]} })
		takeTickets(m, b)
		for _, s := range kept {
			if s != nil && (!s.IsPSK() || len(s.Ticket) == 0) {
				t.Errorf("a session of %v with a ticket of %d bytes", s.Version, len(s.Ticket))
			}
		}
		for side, err := range errs {
			if err != nil {
				m[side].Withdraw()
			}
		}
		if len(b) == 2 && extra == 0 && errs != [2]error{} {
			t.Fatalf("options %#x: %v", b[0], errs)
		}
		c, s := m[0], m[1]
		if s.Done() && (!c.Done() || c.Resumed != s.Resumed || c.EarlyData() != s.EarlyData() ||
			c.Agreed.ALPN != s.Agreed.ALPN || c.Agreed.Suite != s.Agreed.Suite ||
			!bytes.Equal(c.Secret([]byte{1}), s.Secret([]byte{1}))) {
			t.Errorf("both are done and do not agree: %+v and %+v, %v", c.Agreed, s.Agreed, errs)
		}
		if s.Done() && theirs.ClientAuth.Require {
			p := s.player.(mutant13).player.(*server).peer
			if p.Chain == nil && p.PSKIdentity == nil {
				t.Error("the server is done, and the client has proved nothing")
			}
		}
	})
}

// takeTickets gives the client the server's tickets, as they are and changed as three bytes say.
func takeTickets(m [2]*Machine, b []byte) {
	c, s := m[iana.Client], m[iana.Server]
	d, ok := s.carrier.(*desk)
	if !ok || !c.Done() || !s.Done() {
		return
	}
	if p, ok := c.player.(mutant13); ok {
		c.player = p.player
	}
	for _, l := range d.said {
		if l.kind != Kind(iana.NewSessionTicket) {
			continue
		}
		raw := bytes.Clone(l.raw)
		_ = c.TakeTicket(raw)
		for e := b[2:]; len(e) >= 3; e = e[3:] {
			changed := bytes.Clone(raw)
			at := 4 + int(e[1])%(len(changed)-4)
			switch e[0] % 4 {
			case 0:
				changed[at] ^= 1 << (e[2] % 8)
			case 1:
				changed[at] = e[2]
			case 2:
				changed = resize(changed[:at])
			case 3:
				changed = resize(append(changed, e...))
			}
			_ = c.TakeTicket(changed)
		}
	}
}
