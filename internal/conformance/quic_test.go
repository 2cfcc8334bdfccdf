package conformance_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/internal/rig"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
)

// quicConn is what an implementation of QUIC needs of either stack.
type quicConn interface {
	Start(context.Context) error
	NextEvent() tls.QUICEvent
	HandleData(tls.QUICEncryptionLevel, []byte) error
	SetTransportParameters([]byte)
	SendSessionTicket(tls.QUICSessionTicketOptions) error
	Close() error
}

var _, _ quicConn = (*vitrine.QUICConn)(nil), (*tls.QUICConn)(nil)

// quicEnd is one end of a QUIC without packets: what it got from TLS.
type quicEnd struct {
	conn     quicConn
	mine     []byte // transport parameters
	early    bool   // they are set before Start
	step     int    // bytes passed at once; 0: all
	peer     []byte // the transport parameters that came
	secrets  map[string]string
	kinds    []tls.QUICEventKind
	done     bool
	required bool
	rejected bool
	failed   error
	sent     map[tls.QUICEncryptionLevel][]byte
	edit     func(tls.QUICEncryptionLevel, []byte) []byte // of what it sends
	sessions func(tls.QUICEvent)                          // what a program does about sessions
}

func newEnd(conn quicConn, params string) *quicEnd {
	return &quicEnd{conn: conn, mine: []byte(params), secrets: map[string]string{},
		sent: map[tls.QUICEncryptionLevel][]byte{}}
}

// start starts an end.
func (e *quicEnd) start() error {
	if e.early {
		e.conn.SetTransportParameters(e.mine)
	}
	return e.conn.Start(context.Background())
}

// flush takes all events of e, and passes what e says to the other. It reports whether there was
// something to do.
func (e *quicEnd) flush(to *quicEnd) (any bool, err error) {
	for {
		ev := e.conn.NextEvent()
		if ev.Kind == tls.QUICNoEvent {
			return any, nil
		}
		any = true
		e.kinds = append(e.kinds, ev.Kind)
		key := fmt.Sprintf("%v %x", ev.Level, ev.Suite)
		switch ev.Kind {
		case tls.QUICSetReadSecret:
			e.secrets["read "+key] = string(ev.Data)
		case tls.QUICSetWriteSecret:
			e.secrets["write "+key] = string(ev.Data)
		case tls.QUICWriteData:
			e.sent[ev.Level] = append(e.sent[ev.Level], ev.Data...)
			data := ev.Data
			if e.edit != nil {
				data = e.edit(ev.Level, data)
			}
			if err := to.take(ev.Level, data); err != nil {
				return true, err
			}
		case tls.QUICTransportParameters:
			e.peer = bytes.Clone(ev.Data)
		case tls.QUICTransportParametersRequired:
			e.required = true
			e.conn.SetTransportParameters(e.mine)
		case tls.QUICHandshakeDone:
			e.done = true
		case tls.QUICRejectedEarlyData:
			e.rejected = true
		case tls.QUICResumeSession, tls.QUICStoreSession:
			e.sessions(ev)
		case tls.QUICErrorEvent:
			e.failed = ev.Err
		}
	}
}

func (e *quicEnd) take(level tls.QUICEncryptionLevel, data []byte) error {
	if e.step == 0 {
		return e.conn.HandleData(level, data)
	}
	for part := range slices.Chunk(data, e.step) {
		if err := e.conn.HandleData(level, part); err != nil {
			return err
		}
	}
	return nil
}

// pump passes everything both ways until nobody has more to say.
func pump(a, b *quicEnd) error {
	for {
		one, err := a.flush(b)
		if err != nil {
			return err
		}
		two, err := b.flush(a)
		if err != nil || !one && !two {
			return err
		}
	}
}

// shakeQUIC performs both sides' handshake.
func shakeQUIC(client, server *quicEnd) error {
	for _, e := range []*quicEnd{server, client} {
		if err := e.start(); err != nil {
			return err
		}
	}
	return pump(client, server)
}

// quicPair is two configurations, of which one is used at each end.
type quicPair struct {
	client, server     *vitrine.Config
	goClient, goServer *tls.Config
}

func newQUICPair(t *testing.T) *quicPair {
	p := &quicPair{client: rig.ClientConfig(), server: rig.ServerConfig(t),
		goClient: go13(t), goServer: go13(t, throwaway.ECDSA)}
	for _, c := range []*vitrine.Config{p.client, p.server} {
		c.NextProtos = []string{"h3"}
	}
	for _, c := range []*tls.Config{p.goClient, p.goServer} {
		c.NextProtos = []string{"h3"}
	}
	return p
}

// ends are a client and a server, of Vitrine or of crypto/tls.
func (p *quicPair) ends(ourClient, ourServer bool) (client, server *quicEnd) {
	const c, s = "client's parameters", "server's parameters"
	if ourClient {
		client = newEnd(vitrine.QUICClient(&vitrine.QUICConfig{TLSConfig: p.client,
			EarlyData: true}), c)
	} else {
		client = newEnd(tls.QUICClient(&tls.QUICConfig{TLSConfig: p.goClient}), c)
	}
	if ourServer {
		server = newEnd(vitrine.QUICServer(&vitrine.QUICConfig{TLSConfig: p.server}), s)
	} else {
		server = newEnd(tls.QUICServer(&tls.QUICConfig{TLSConfig: p.goServer}), s)
	}
	return client, server
}

// stacks are who talks to whom.
var stacks = []struct {
	name           string
	client, server bool // ours
}{{"crypto/tls to Vitrine", false, true}, {"Vitrine to crypto/tls", true, false},
	{"Vitrine to Vitrine", true, true}}

// agreeQUIC fails the test unless both ends have finished, with equal secrets.
func agreeQUIC(t *testing.T, client, server *quicEnd) {
	t.Helper()
	for what, pair := range map[string][2]*quicEnd{"client": {client, server},
		"server": {server, client}} {
		e, other := pair[0], pair[1]
		if !e.done || e.failed != nil {
			t.Errorf("%s: done %v, error %v", what, e.done, e.failed)
		}
		if !bytes.Equal(e.peer, other.mine) {
			t.Errorf("%s: got the transport parameters %q, expected %q", what, e.peer, other.mine)
		}
		if e.required == e.early {
			t.Errorf("%s: parameters required: %v, set before Start: %v", what, e.required,
				e.early)
		}
		writes := 0
		for key, secret := range e.secrets {
			if kind, rest, _ := bytes.Cut([]byte(key), []byte(" ")); string(kind) == "write" {
				writes++
				if other.secrets["read "+string(rest)] != secret || len(secret) < 32 {
					t.Errorf("%s: the secret of %s is not the other's", what, key)
				}
			}
		}
		if writes < 2 {
			t.Errorf("%s: %d secrets to write with, expected Handshake and Application", what,
				writes)
		}
	}
}

func TestQUICHandshakesWithCryptoTLS(t *testing.T) {
	for _, test := range []struct {
		what  string
		edit  func(*quicPair)
		early bool
		step  int
	}{
		{what: "full", edit: func(*quicPair) {}},
		{what: "parameters set before Start", edit: func(*quicPair) {}, early: true},
		{what: "byte by byte", edit: func(*quicPair) {}, step: 1},
		{what: "HelloRetryRequest, RFC 8446 §4.1.4", edit: func(p *quicPair) {
			only := []vitrine.CurveID{vitrine.CurveP256}
			both := []vitrine.CurveID{vitrine.X25519, vitrine.CurveP256}
			p.server.CurvePreferences, p.goServer.CurvePreferences = only, only
			p.client.CurvePreferences, p.goClient.CurvePreferences = both, both
		}},
		{what: "client certificate", edit: func(p *quicPair) {
			p.client.Certificates = []tls.Certificate{rig.Certificate(t, throwaway.ECDSA)}
			p.goClient.Certificates = p.client.Certificates
			p.server.ClientAuth, p.goServer.ClientAuth = vitrine.RequireAnyClientCert,
				tls.RequireAnyClientCert
		}},
	} {
		for _, who := range stacks {
			t.Run(test.what+", "+who.name, func(t *testing.T) {
				p := newQUICPair(t)
				test.edit(p)
				client, server := p.ends(who.client, who.server)
				for _, e := range []*quicEnd{client, server} {
					e.early, e.step = test.early, test.step
				}
				if err := shakeQUIC(client, server); err != nil {
					t.Fatal(err)
				}
				agreeQUIC(t, client, server)
			})
		}
	}
}

// alertOfQUIC is the alert that an error is for QUIC.
func alertOfQUIC(t *testing.T, err error) tls.AlertError {
	t.Helper()
	code, ok := errors.AsType[tls.AlertError](err)
	if !ok {
		t.Fatalf("got the error %v, expected one with an alert", err)
	}
	return code
}
