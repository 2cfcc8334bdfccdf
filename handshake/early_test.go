package handshake

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/trace"
)

// earlyConfigs are two sides with a session for early data, and that session at the server.
func earlyConfigs(t testing.TB) (c, s *negotiation.Config, at *Session) {
	t.Helper()
	c, s = config13("early client"), config13("early server")
	s.Credentials = []*pki.Credential{credential(t, throwaway.ECDSA, name)}
	for _, x := range []*negotiation.Config{c, s} {
		x.Tickets, x.Protocols = true, []string{"a", "b"}
		x.Suites13 = []iana.CipherSuite{iana.TLS_AES_128_GCM_SHA256,
			iana.TLS_CHACHA20_POLY1305_SHA256}
	}
	of := func(me iana.Side, x *negotiation.Config) *Session {
		return &Session{Version: iana.TLS13, Suite: iana.TLS_AES_128_GCM_SHA256,
			Created: throwaway.Epoch, Issued: throwaway.Epoch.Add(-time.Hour), ServerName: name,
			Deadline: throwaway.Epoch.Add(time.Hour), ALPN: "a", MaxEarlyData: 100,
			Master: bytes.Repeat([]byte{7}, 32), Chain: s.Credentials[0].Chain.Raw(),
			Ticket: []byte("ticket"), Bound: x.Bound(me)}
	}
	c.Offer, at = of(iana.Client, c), of(iana.Server, s)
	at.Chain = nil
	c.Sends, s.Reads, s.MaxEarlyData = true, true, 100
	s.Open = func(_ context.Context, ticket []byte) (*Session, error) {
		if string(ticket) != "ticket" {
			return nil, nil
		}
		k := *at
		return &k, nil
	}
	taken := false
	s.Take = func(_ context.Context, ticket []byte) (known bool, err error) {
		known, taken = string(ticket) == "ticket" && !taken, true
		return known, nil
	}
	return c, s, at
}

// perform13 is performBy without what only the record layer is told, nor tickets, and with a retry.
func perform13(c, s *negotiation.Config, by func(player) player) (m [2]*Machine, errs [2]error) {
	d := [2]*desk{{}, {}}
	m = [2]*Machine{NewClient(c, d[0]), NewServer(s, d[1])}
	for _, m := range m {
		m.player = by(m.player)
	}
	var heard [2]int
	errs[0] = patient(m[0].Speak, m[0].Speak)
	for turns := 0; turns < 6 && errs == [2]error{}; turns++ {
		me := iana.Side(1 - turns%2)
		for from := me.Peer(); errs[me] == nil && heard[from] < len(d[from].said); heard[from]++ {
			l := d[from].said[heard[from]]
			if l.kind == ChangeCipherSpec || l.kind == Kind(iana.NewSessionTicket) {
				continue
			}
			errs[me] = patient(func() error { return m[me].Take(from, l.kind, l.raw) }, m[me].Speak)
			if errs[me] == nil {
				errs[me] = patient(m[me].Speak, m[me].Speak)
			}
		}
	}
	return m, errs
}

func asItIs(p player) player { return p }

// earlyReasons are parts of what a server says of early data that it rejects.
var earlyReasons = map[string]string{
	"§4.2.10: another suite of the same hash": "another cipher suite (RFC 8446 §4.2.10)",
	"§4.2.10: another protocol":               "another application protocol (RFC 8446 §4.2.10)",
	"RFC 6066 §3: another name": "its ticket is not resumed: it was made for another " +
		"server_name (RFC 6066 §3)",
	"nobody reads it":                            "the program does not read any",
	"§8.1: stateless tickets alone":              "no store that remembers used tickets",
	"§8.1: the ticket was taken":                 "used for early data before",
	"§8.2: a start":                              "this server was just started",
	"§8.3: it is older":                          "old, and it is 1h0m10.001s (RFC 8446 §8.3)",
	"§8.3: its age is not known":                 "when the ticket was issued is not known",
	"§4.2.10: the server asks for another hello": "the client must send another hello",
}

// RFC 8446 §4.2.10: what must be as it was when the ticket was made, and §8 on replay. A server
// that finds a difference ignores early data and resumes all the same, where it can.
func TestConditionsForEarlyData(t *testing.T) {
	for _, c := range []struct {
		what    string
		change  func(c, s *negotiation.Config, at *Session)
		want    EarlyStatus
		resumed bool
	}{
		{"nothing is different", func(_, _ *negotiation.Config, _ *Session) {}, EarlyAccepted,
			true},
		{"§4.2.10: another suite of the same hash", func(_, s *negotiation.Config, _ *Session) {
			s.Suites13 = s.Suites13[1:]
		}, EarlyRejected, true},
		{"§4.2.10: the server's session has another suite",
			func(_, _ *negotiation.Config, at *Session) {
				at.Suite = iana.TLS_CHACHA20_POLY1305_SHA256
			}, EarlyRejected, true},
		{"§4.2.10: another protocol", func(_, s *negotiation.Config, _ *Session) {
			s.Protocols = []string{"b", "a"}
		}, EarlyRejected, true},
		{"§4.2.10: no protocol any more", func(_, s *negotiation.Config, at *Session) {
			at.ALPN = "x"
		}, EarlyRejected, false},
		{"RFC 6066 §3: another name", func(_, _ *negotiation.Config, at *Session) {
			at.ServerName = "other.test"
		}, EarlyRejected, false},
		{"§4.2.10: the ticket of the server allows none",
			func(_, _ *negotiation.Config, at *Session) {
				at.MaxEarlyData = 0
			}, EarlyRejected, true},
		{"§4.2.10: it allows more than is read now", func(_, s *negotiation.Config, _ *Session) {
			s.MaxEarlyData = 99
		}, EarlyRejected, true},
		{"nobody reads it", func(_, s *negotiation.Config, _ *Session) { s.Reads = false },
			EarlyRejected, true},
		{"the last word comes later", func(_, s *negotiation.Config, _ *Session) {
			s.Accept = func(context.Context) error { return nil }
		}, EarlyRejected, true},
		{"§8.1: stateless tickets alone",
			func(_, s *negotiation.Config, _ *Session) { s.Take = nil }, EarlyRejected, true},
		{"§8.1: the ticket was taken", func(_, s *negotiation.Config, _ *Session) {
			s.Take(nil, []byte("ticket"))
		}, EarlyRejected, true},
		{"§8.2: a start", func(_, s *negotiation.Config, _ *Session) {
			s.EarlyFrom = throwaway.Epoch.Add(time.Millisecond)
		}, EarlyRejected, true},
		{"§8.2: the window of a start has passed", func(_, s *negotiation.Config, _ *Session) {
			s.EarlyFrom = throwaway.Epoch
		}, EarlyAccepted, true},
		{"§8.3: the ticket is as much older as is allowed",
			func(_, _ *negotiation.Config, at *Session) {
				at.Issued = at.Issued.Add(-EarlyWindow)
			}, EarlyAccepted, true},
		{"§8.3: it is older", func(_, _ *negotiation.Config, at *Session) {
			at.Issued = at.Issued.Add(-EarlyWindow - time.Millisecond)
		}, EarlyRejected, true},
		{"§8.3: it is younger", func(_, _ *negotiation.Config, at *Session) {
			at.Issued = at.Issued.Add(EarlyWindow + time.Millisecond)
		}, EarlyRejected, true},
		{"§8.3: its age is not known", func(_, _ *negotiation.Config, at *Session) {
			at.Issued = time.Time{}
		}, EarlyRejected, true},
		{"§8.3: the age is hidden by another number", func(_, _ *negotiation.Config, at *Session) {
			at.AgeAdd = 1 << 31
		}, EarlyRejected, true},
		{"§4.2.10: the client's program sends none", func(c, _ *negotiation.Config, _ *Session) {
			c.Sends = false
		}, EarlyNone, true},
		{"§4.2.10: the client's ticket allows none", func(c, _ *negotiation.Config, _ *Session) {
			c.Offer.MaxEarlyData = 0
		}, EarlyNone, true},
		{"§4.2.10: the client does not speak the ticket's protocol",
			func(c, _ *negotiation.Config, _ *Session) {
				c.Protocols = []string{"b"}
			}, EarlyNone, true},
		{"§4.2.10: the server asks for another hello", func(_, s *negotiation.Config, _ *Session) {
			s.Groups = []iana.Group{iana.Secp256r1}
		}, EarlyRejected, true},
	} {
		client, server, at := earlyConfigs(t)
		c.change(client, server, at)
		m, errs := perform13(client, server, asItIs)
		cm, sm := m[0], m[1]
		if errs != [2]error{} || !sm.Done() {
			t.Errorf("%s: %v", c.what, errs)
			continue
		}
		if cm.EarlyData() != c.want || sm.EarlyData() != c.want || sm.Resumed != c.resumed ||
			cm.EarlyOpen() || sm.EarlyOpen() {
			t.Errorf("%s: %v and %v, resumed %t", c.what, cm.EarlyData(), sm.EarlyData(),
				sm.Resumed)
		}
		if why := sm.EarlyDataReason(); (why != "") != (c.want == EarlyRejected) ||
			!strings.Contains(why, earlyReasons[c.what]) || cm.EarlyDataReason() != "" {
			t.Errorf("%s: the server says %q, the client %q", c.what, why, cm.EarlyDataReason())
		}
	}
}

// behind is a client that offers its ticket behind the identity of another key.
type behind struct{ player }

func (p behind) compose(k Kind, s *Score) (message.Message, error) {
	m, err := p.player.compose(k, s)
	hello, ok := m.(*message.ClientHello)
	if !ok || err != nil {
		return m, err
	}
	c := p.player.(*client)
	other := *c.offered[0]
	other.Identity = []byte("another")
	c.offered = append([]*negotiation.Key13{&other}, c.offered...)
	var psk message.OfferedPSKs
	if _, err := hello.Extensions.Read(iana.ExtPreSharedKey, &psk); err != nil {
		return nil, err
	}
	psk.Identities = append([]message.PSKIdentity{{Identity: other.Identity}}, psk.Identities...)
	psk.Binders = append([][]byte{make([]byte, other.Hash.Size())}, psk.Binders...)
	hello.Extensions = hello.Extensions[:len(hello.Extensions)-1]
	if err := hello.Extensions.Add(iana.ExtPreSharedKey, &psk); err != nil {
		return nil, err
	}
	return hello, c.bind(hello, s)
}

// RFC 8446 §4.2.10: early data is under the key of the client's first identity. A server that
// resumes with another one could not read it.
func TestEarlyDataGoesWithTheFirstIdentity(t *testing.T) {
	c, s, _ := earlyConfigs(t)
	var events trace.Memory
	s.Log = trace.New(trace.Server, &events, nil)
	m, errs := perform13(c, s, func(p player) player {
		if _, ok := p.(*client); ok {
			return behind{p}
		}
		return p
	})
	if errs != [2]error{} || !m[1].Done() || !m[1].Resumed {
		t.Fatalf("resumed: %v, %v", m[1].Resumed, errs)
	}
	reason := ""
	for _, e := range events.Entries {
		if x, ok := e.Event.(*trace.Choice); ok && x.What == "early_data" {
			reason = x.Rule
		}
	}
	if m[0].EarlyData() != EarlyRejected || m[1].EarlyData() != EarlyRejected ||
		!strings.Contains(reason, "not the client's first") {
		t.Errorf("%v and %v, %q", m[0].EarlyData(), m[1].EarlyData(), reason)
	}
}

// A server may take long to find out whether a ticket was used.
func TestATicketIsTakenOnce(t *testing.T) {
	c, s, _ := earlyConfigs(t)
	taken := 0
	s.Take = func(context.Context, []byte) (bool, error) { taken++; return true, nil }
	if m, errs := perform13(c, s, asItIs); errs != [2]error{} || !m[1].Done() || taken != 1 {
		t.Errorf("taken %d times, %v", taken, errs)
	}
}

// A ticket cannot be used up without its key: RFC 8446 §4.2.11.2.
func TestATicketIsNotTakenBeforeItsBinderHolds(t *testing.T) {
	c, s, _ := earlyConfigs(t)
	c.Offer.Master = bytes.Repeat([]byte{8}, 32)
	s.Take = func(context.Context, []byte) (bool, error) {
		t.Error("the ticket was taken")
		return true, nil
	}
	if _, errs := perform13(c, s, asItIs); alert.Of(errs[iana.Server]) != alert.DecryptError {
		t.Error(errs)
	}
}

// accepting is a server that accepts early data where it must not. edit changes its answers.
type accepting struct {
	player
	hello     func(*message.ServerHello)
	encrypted func(*message.EncryptedExtensions)
}

func (a accepting) compose(k Kind, s *Score) (message.Message, error) {
	m, err := a.player.compose(k, s)
	switch m := m.(type) {
	case *message.ServerHello:
		if a.hello != nil && !m.IsRetry() {
			a.hello(m)
		}
	case *message.EncryptedExtensions:
		if !m.Extensions.Has(iana.ExtEarlyData) {
			m.Extensions.Add(iana.ExtEarlyData, nil)
		}
		if a.encrypted != nil {
			a.encrypted(m)
		}
	}
	return m, err
}

// RFC 8446 §4.2.10: a client checks that early data was accepted as it was sent.
func TestAServerThatAcceptsEarlyDataWronglyIsRefused(t *testing.T) {
	for _, c := range []struct {
		what   string
		change func(c, s *negotiation.Config)
		edit   accepting
		want   alert.Description
	}{
		{"none was sent", func(c, _ *negotiation.Config) { c.Sends = false }, accepting{},
			alert.UnsupportedExtension},
		{"no ticket is resumed", func(_, s *negotiation.Config) { s.Tickets = false }, accepting{},
			alert.IllegalParameter},
		{"another key than the first", func(c, _ *negotiation.Config) {
			c.FindKey = func(context.Context, negotiation.KeyRequest) (*negotiation.PSK, error) {
				return &negotiation.PSK{Identity: []byte("gardener"),
					Key: bytes.Repeat([]byte{7}, 32)}, nil
			}
		}, accepting{hello: func(m *message.ServerHello) {
			replaceExtension(&m.Extensions, iana.ExtPreSharedKey, "\x00\x01")
		}}, alert.IllegalParameter},
		{"another suite", func(_, s *negotiation.Config) { s.Suites13 = s.Suites13[1:] },
			accepting{}, alert.IllegalParameter},
		{"another protocol", func(_, s *negotiation.Config) { s.Protocols = []string{"b"} },
			accepting{}, alert.IllegalParameter},
		{"no protocol", nil, accepting{encrypted: func(m *message.EncryptedExtensions) {
			replaceExtension(&m.Extensions, iana.ExtEarlyData, "")
			m.Extensions = m.Extensions[len(m.Extensions)-1:]
		}}, alert.IllegalParameter},
		{"content", nil, accepting{encrypted: func(m *message.EncryptedExtensions) {
			replaceExtension(&m.Extensions, iana.ExtEarlyData, "\x00")
		}}, alert.DecodeError},
		{"in ServerHello", nil, accepting{hello: func(m *message.ServerHello) {
			m.Extensions.Add(iana.ExtEarlyData, nil)
		}}, alert.IllegalParameter},
	} {
		ours, theirs, at := earlyConfigs(t)
		at.ALPN = ""
		ours.Offer.ALPN = "a"
		if c.change != nil {
			c.change(ours, theirs)
		}
		_, errs := perform13(ours, theirs, func(p player) player {
			if _, ok := p.(*server); ok {
				c.edit.player = p
				return c.edit
			}
			return p
		})
		if alert.Of(errs[iana.Client]) != c.want {
			t.Errorf("%s: got %v, expected %v", c.what, errs[iana.Client], c.want)
		}
	}
}

// RFC 8446 §D.3: an earlier version than TLS 1.3 ends the connection of a client with early data.
func TestAnEarlierVersionDoesNotGoWithEarlyData(t *testing.T) {
	c, s, _ := earlyConfigs(t)
	c.MinVersion, c.Suites = iana.TLS12, []iana.CipherSuite{ecdheECDSA}
	c.Offer.Bound = c.Bound(iana.Client)
	s.MinVersion, s.MaxVersion, s.Suites, s.Suites13 = iana.TLS12, iana.TLS12, c.Suites, nil
	if _, errs := perform13(c, s, asItIs); alert.Of(errs[iana.Client]) != alert.ProtocolVersion {
		t.Error(errs)
	}
}

// RFC 8446 §7.1: both sides derive the same from the ClientHello, and the key log has it.
func TestEarlySecretsOfBothSidesAreEqual(t *testing.T) {
	c, s, _ := earlyConfigs(t)
	m, errs := perform13(c, s, asItIs)
	cm, sm := m[0], m[1]
	if errs != [2]error{} {
		t.Fatal(errs)
	}
	ours, err := cm.ExportEarly("label", []byte("context"), 32)
	if theirs, other := sm.ExportEarly("label", []byte("context"), 32); err != nil ||
		other != nil ||
		!bytes.Equal(ours, theirs) {
		t.Errorf("%x and %x: %v, %v", ours, theirs, err, other)
	}
	hello := sha256.Sum256(cm.carrier.(*desk).said[0].raw)
	want, err := keys.HKDF{Hash: crypto.SHA256}.Early(c.Offer.Master).Exporter(hello[:]).
		Export("label", []byte("context"), 32)
	if err != nil || !bytes.Equal(ours, want) {
		t.Errorf("%x, expected what follows from the ClientHello: %x, %v", ours, want, err)
	}
	c.Sends = false
	m, _ = perform13(c, s, asItIs)
	if _, err := m[0].ExportEarly("label", nil, 32); err == nil {
		t.Error("exported without early data")
	}
}
