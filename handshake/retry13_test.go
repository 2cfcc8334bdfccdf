package handshake

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/suite"
)

// swap is a client that edit changes between its two hellos.
type swap struct {
	*client
	edit func(*client)
}

func (w swap) compose(k Kind, s *Score) (message.Message, error) {
	if k == Kind(iana.ClientHello) && s.Retried() {
		w.edit(w.client)
	}
	early := w.client.early
	m, err := w.client.compose(k, s)
	if early != nil {
		w.client.early = early
	}
	return m, err
}

// RFC 8446 §4.1.2: a client may not ask for another name after a HelloRetryRequest. The Config of
// the first name is in force, which may not want the certificate that the second name's does.
func TestASecondHelloMayNotAskForAnotherName(t *testing.T) {
	c, s := config13("retry client"), config13("retry server")
	s.Groups = []iana.Group{iana.Secp256r1}
	s.Credentials = []*pki.Credential{credential(t, throwaway.ECDSA, "public.test", "admin.test")}
	c.ServerName, c.Skip = "public.test", true
	s.ForClient = func(_ context.Context, ch *message.ClientHello) (*negotiation.Config, error) {
		o := *s
		o.ForClient = nil
		o.ClientAuth = negotiation.ClientAuth{}
		if negotiation.ServerName(ch) == "admin.test" {
			o.ClientAuth = negotiation.ClientAuth{Request: true, Require: true, Verify: true}
		}
		return &o, nil
	}
	sm, errs := retried(c, s, func(x *client) {
		n := *x.Config
		n.ServerName = "admin.test"
		x.Config = &n
	})
	if sm.Done() {
		t.Errorf("done, server name %q, no client certificate", sm.Agreed.ServerName)
	}
	if got := alert.Of(errs[iana.Server]); got != alert.IllegalParameter {
		t.Errorf("got %v (%v), expected illegal_parameter", got, errs[iana.Server])
	}
}

// retried is performBy without the disguise, and with a retry; edit changes the client before its
// second hello.
func retried(c, s *negotiation.Config, edit func(*client)) (*Machine, [2]error) {
	d := [2]*desk{{}, {}}
	m := [2]*Machine{NewClient(c, d[0]), NewServer(s, d[1])}
	m[0].player = swap{m[0].player.(*client), edit}
	var heard [2]int
	var errs [2]error
	errs[0] = patient(m[0].Speak, m[0].Speak)
	for turns := 0; turns < 6 && errs == [2]error{}; turns++ {
		me := iana.Side(1 - turns%2)
		from := me.Peer()
		for errs[me] == nil && heard[from] < len(d[from].said) {
			l := d[from].said[heard[from]]
			heard[from]++
			if l.kind == ChangeCipherSpec || l.kind == Kind(iana.NewSessionTicket) {
				continue
			}
			errs[me] = patient(func() error { return m[me].Take(from, l.kind, l.raw) }, m[me].Speak)
			if errs[me] == nil {
				errs[me] = patient(m[me].Speak, m[me].Speak)
			}
		}
	}
	return m[1], errs
}

// A ticket with a client certificate goes into the first hello and is left out of the second, in
// which the client shows none.
func TestATicketOfTheFirstHelloAloneProvesNothing(t *testing.T) {
	cred := credential(t, throwaway.ECDSA, name)
	c, s := config13("retry client"), config13("retry server")
	s.Groups = []iana.Group{iana.Secp256r1}
	s.Credentials = []*pki.Credential{cred}
	s.ClientAuth = negotiation.ClientAuth{Request: true}
	s.Tickets, c.Tickets = true, true
	var k *Session
	s.Open = func(context.Context, []byte) (*Session, error) { x := *k; return &x, nil }
	mk := func(me iana.Side, cfg *negotiation.Config) *Session {
		return &Session{Version: iana.TLS13, Suite: cfg.Suites13[0], Created: throwaway.Epoch,
			Issued: throwaway.Epoch, Deadline: throwaway.Epoch.Add(3600e9), ServerName: name,
			Master: bytes.Repeat([]byte{7}, suite.ByID13(cfg.Suites13[0]).PRF.Size()),
			Chain:  cred.Chain.Raw(),
			Ticket: []byte("ticket"), Bound: cfg.Bound(me)}
	}
	k, c.Offer = mk(iana.Server, s), mk(iana.Client, c)
	sm, errs := retried(c, s, func(x *client) { x.offered = nil })
	p := sm.player.(*server)
	if errs != [2]error{} || !sm.Done() || p.choice.Session != nil {
		t.Fatalf("done %t, resumed %t, %v", sm.Done(), p.choice.Session != nil, errs)
	}
	if p.early != nil || p.peer.possessed || p.peer.Chain != nil {
		t.Errorf("a full handshake keeps early %t, the client's chain %t", p.early != nil,
			p.peer.Chain != nil)
	}
}

// A hello is kept while another one is asked for, so a long one is not: what a client costs that
// has proved nothing is bounded.
func TestALongHelloIsNotAskedForAgain(t *testing.T) {
	for n, long := range map[int]bool{30_000: false, 60_000: true} {
		client, server := config13("client"), config13("server")
		server.Credentials = []*pki.Credential{credential(t, throwaway.ECDSA, name)}
		server.Groups = []iana.Group{iana.Secp256r1}
		errs, _ := tampered(t, client, server, iana.Client, on(func(m *message.ClientHello) {
			m.Extensions = append(m.Extensions, message.Extension{Type: 0xABCD,
				Data: make([]byte, n)})
			m.CipherSuites = append(m.CipherSuites, make([]iana.CipherSuite, 4000)...)
		}))
		err := errs[iana.Server]
		if told := err != nil && strings.Contains(err.Error(), "to ask for again"); told != long ||
			long && alert.Of(err) != alert.IllegalParameter {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}
