package conformance_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/session"
)

// resumed reports whether an end of either stack has resumed a session.
func (e *quicEnd) resumed() bool {
	if ours, ok := e.conn.(*vitrine.QUICConn); ok {
		return ours.ConnectionState().DidResume
	}
	return e.conn.(*tls.QUICConn).ConnectionState().DidResume
}

// tickets gives a pair caches, stores, and a clock.
func (p *quicPair) tickets() *clock {
	c := &clock{}
	p.client.ClientSessionCache = vitrine.NewLRUClientSessionCache(0)
	p.goClient.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	p.server.SessionStore, p.server.MaxEarlyData = session.NewMemory(100), 1
	p.client.Time, p.server.Time, p.goClient.Time, p.goServer.Time = c.now, c.now, c.now, c.now
	return c
}

// first is a connection whose server sends a ticket.
func (p *quicPair) first(t *testing.T, ourClient, ourServer, early bool) {
	t.Helper()
	client, server := p.ends(ourClient, ourServer)
	if err := shakeQUIC(client, server); err != nil {
		t.Fatal(err)
	}
	if len(server.sent[tls.QUICEncryptionLevelApplication]) > 0 && ourServer {
		t.Error("a ticket was sent that nobody asked for")
	}
	err := server.conn.SendSessionTicket(tls.QUICSessionTicketOptions{EarlyData: early})
	if err == nil {
		err = pump(client, server)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Tickets come when QUIC asks for them. Early data has the level Early, and its secret is equal at
// both ends; a server that chooses another protocol rejects it.
func TestQUICResumes(t *testing.T) {
	for _, test := range []struct {
		what            string
		early, rejected bool
	}{{"without early data", false, false}, {"early data accepted", true, false},
		{"early data rejected", true, true}} {
		for _, who := range stacks {
			t.Run(test.what+", "+who.name, func(t *testing.T) {
				p := newQUICPair(t)
				clock := p.tickets()
				protocols := []string{"h3", "x"}
				p.client.NextProtos, p.goClient.NextProtos = protocols, protocols
				p.first(t, who.client, who.server, test.early)
				clock.advance(time.Minute)
				if test.rejected {
					p.server, p.goServer = p.server.Clone(), p.goServer.Clone()
					p.server.NextProtos, p.goServer.NextProtos = protocols[1:], protocols[1:]
				}
				client, server := p.ends(who.client, who.server)
				if err := shakeQUIC(client, server); err != nil {
					t.Fatal(err)
				}
				agreeEarly(t, client, server, test.early, test.rejected)
				// ours resumes no session whose protocol it does not speak any more
				if resumes := !test.rejected; client.resumed() != server.resumed() ||
					resumes && !client.resumed() {
					t.Errorf("resumed: client %v, server %v", client.resumed(), server.resumed())
				}
			})
		}
	}
}

// agreeEarly fails the test unless early data was sent and rejected as a case says.
func agreeEarly(t *testing.T, client, server *quicEnd, sent, rejected bool) {
	t.Helper()
	const level = "Early 1301"
	ours, theirs := client.secrets["write "+level], server.secrets["read "+level]
	switch {
	case client.rejected != rejected:
		t.Errorf("rejected: %v, expected %v", client.rejected, rejected)
	case (ours != "") != sent || (theirs != "") != (sent && !rejected):
		t.Errorf("secrets of early data: %d bytes at the client, %d at the server", len(ours),
			len(theirs))
	}
	if rejected { // the secret that the client has is not the server's
		delete(client.secrets, "write "+level)
	}
	agreeQUIC(t, client, server)
}

// RFC 9001 §4.6.1: the only max_early_data_size is 0xffffffff.
func TestQUICRefusesTicketsWithALimit(t *testing.T) {
	for _, size := range [][]byte{{0, 0, 0, 0}, {0, 0, 16, 0}, {255, 255, 255, 254}} {
		client, server := newQUICPair(t).ends(true, false)
		atLevel(tls.QUICEncryptionLevelApplication, func(b []byte) []byte {
			unlimited := []byte{0, 42, 0, 4, 255, 255, 255, 255}
			if !bytes.Contains(b, unlimited) {
				t.Error("crypto/tls sends no early_data in its ticket")
			}
			return bytes.Replace(b, unlimited, slices.Concat(unlimited[:4], size), 1)
		})(server)
		if err := shakeQUIC(client, server); err != nil {
			t.Fatal(err)
		}
		options := tls.QUICSessionTicketOptions{EarlyData: true}
		if err := server.conn.SendSessionTicket(options); err != nil {
			t.Fatal(err)
		}
		err := pump(client, server)
		if got := alertOfQUIC(t, err); got != tls.AlertError(alert.IllegalParameter) {
			t.Errorf("max_early_data_size %x: got %v, expected illegal_parameter", size, err)
		}
	}
}

// sessionEnds are both ends of ours or of crypto/tls, with events of sessions.
func (p *quicPair) sessionEnds(ours bool) (client, server *quicEnd) {
	if ours {
		return newEnd(vitrine.QUICClient(&vitrine.QUICConfig{TLSConfig: p.client, EarlyData: true,
				EnableSessionEvents: true}), "client's parameters"),
			newEnd(vitrine.QUICServer(&vitrine.QUICConfig{TLSConfig: p.server,
				EnableSessionEvents: true}), "server's parameters")
	}
	return newEnd(tls.QUICClient(&tls.QUICConfig{TLSConfig: p.goClient, EnableSessionEvents: true}),
			"client's parameters"), newEnd(tls.QUICServer(&tls.QUICConfig{TLSConfig: p.goServer,
			EnableSessionEvents: true}), "server's parameters")
}

// What a program of QUIC sees of sessions, and what its answers do, is as with crypto/tls.
func TestQUICSessionEventsAreThoseOfCryptoTLS(t *testing.T) {
	for _, test := range []struct {
		what             string
		stores           bool // the client stores the session
		clientNo, server bool // who declines early data
		resumed, early   bool
	}{
		{what: "not stored"},
		{what: "resumed", stores: true, resumed: true, early: true},
		{what: "the client declines early data", stores: true, clientNo: true, resumed: true},
		{what: "the server declines early data", stores: true, server: true, resumed: true},
	} {
		var seen [2][]string
		for i, ours := range []bool{true, false} {
			p := newQUICPair(t)
			clock := p.tickets()
			note := func(who string, e *quicEnd, declines bool) {
				e.sessions = func(ev tls.QUICEvent) {
					s := ev.SessionState
					seen[i] = append(seen[i], fmt.Sprintf("%s %d early %t %q", who, ev.Kind,
						s.EarlyData, s.Extra))
					if ev.Kind == tls.QUICResumeSession {
						s.EarlyData = s.EarlyData && !declines
						return
					}
					s.Extra = append(s.Extra, []byte("the client's"))
					store := e.conn.(interface{ StoreSession(*tls.SessionState) error })
					if test.stores {
						if err := store.StoreSession(s); err != nil {
							t.Error(err)
						}
					}
				}
			}
			for again := range 2 {
				client, server := p.sessionEnds(ours)
				note("client", client, test.clientNo)
				note("server", server, test.server)
				if err := shakeQUIC(client, server); err != nil {
					t.Fatalf("%s, ours %t: %v", test.what, ours, err)
				}
				early := client.secrets["write Early 1301"] != "" && !client.rejected
				if again == 1 && (client.resumed() != test.resumed || early != test.early) {
					t.Errorf("%s, ours %t: resumed %t, early data %t", test.what, ours,
						client.resumed(), early)
				}
				err := server.conn.SendSessionTicket(tls.QUICSessionTicketOptions{EarlyData: true,
					Extra: [][]byte{[]byte("the server's")}})
				if err == nil {
					err = pump(client, server)
				}
				if err != nil {
					t.Fatal(err)
				}
				clock.advance(time.Minute)
			}
		}
		if !slices.Equal(seen[0], seen[1]) || len(seen[0]) < 2 {
			t.Errorf("%s: here\n%s\ncrypto/tls\n%s", test.what, strings.Join(seen[0], "\n"),
				strings.Join(seen[1], "\n"))
		}
	}
}

func TestQUICStoresOnlySessionsOfItsEvents(t *testing.T) {
	p := newQUICPair(t)
	client, server := p.sessionEnds(true)
	for _, e := range []*quicEnd{client, server} {
		if err := e.conn.(*vitrine.QUICConn).StoreSession(&tls.SessionState{}); err == nil {
			t.Error("a session that no event told of was stored")
		}
	}
}
