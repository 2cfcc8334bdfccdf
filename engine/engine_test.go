package engine

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/testkit"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/session"
)

var authority = sync.OnceValue(func() *throwaway.CA {
	ca, err := throwaway.New(throwaway.Options{Seed: testkit.Rand("session tests")})
	if err != nil {
		panic(err)
	}
	return ca
})

var serverCredential = sync.OnceValue(func() *pki.Credential {
	c, err := authority().Issue(throwaway.Ed25519, []string{"vitrine.test"})
	if err != nil {
		panic(err)
	}
	cred, err := pki.FromTLS(&c)
	if err != nil {
		panic(err)
	}
	return cred
})

func config(me iana.Side) *negotiation.Config {
	c := &negotiation.Config{Rand: testkit.Rand(me.String()), Now: throwaway.Epoch,
		Parameters: &negotiation.Parameters{MinVersion: iana.TLS12, MaxVersion: iana.TLS12,
			Suites:              []iana.CipherSuite{iana.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
			Groups:              []iana.Group{iana.X25519, iana.Secp256r1},
			Schemes:             []iana.SignatureScheme{iana.ED25519, iana.ECDSA_SECP256R1_SHA256},
			SecureRenegotiation: negotiation.Required},
		Trust: negotiation.Trust{ServerName: "vitrine.test", Roots: authority().Pool()}}
	if me == iana.Server {
		c.Credentials = []*pki.Credential{serverCredential()}
	}
	return c
}

// advance performs slow operations too.
func advance(e *Engine) error { return e.Proceed(context.Background()) }

// sealed returns what an engine has sealed.
func sealed(e *Engine) []byte {
	b := bytes.Clone(e.Out.Sealed())
	if len(b) > 0 {
		e.Out.Sent()
	}
	return b
}

func arrive(e *Engine, b []byte) {
	for len(b) > 0 {
		n := copy(e.In.Space(), b)
		e.In.Arrived(n)
		b = b[n:]
	}
}

// connect performs a handshake between two engines and gives what each side sent.
func connect(t testing.TB) (engines [2]*Engine, sent [2][]byte) {
	t.Helper()
	return connectBy(t, config)
}

// connectBy is connect with these configurations.
func connectBy(t testing.TB, config func(iana.Side) *negotiation.Config) (engines [2]*Engine,
	sent [2][]byte) {
	t.Helper()
	engines = [2]*Engine{NewEngine(iana.Client, config(iana.Client)),
		NewEngine(iana.Server, config(iana.Server))}
	for range 4 {
		for side, e := range engines {
			if !e.Machine().Done() {
				if err := advance(e); err != nil {
					t.Fatal(err)
				}
			}
			b := sealed(e)
			sent[side] = append(sent[side], b...)
			arrive(engines[1-side], b)
		}
	}
	if !engines[0].Machine().Done() || !engines[1].Machine().Done() {
		t.Fatal("the handshake did not end")
	}
	return engines, sent
}

func TestEnginesConnectWithoutASocket(t *testing.T) {
	engines, _ := connect(t)
	for side, e := range engines {
		if err := e.Out.Seal(iana.RecordApplicationData, []byte("said")); err != nil {
			t.Fatal(err)
		}
		if err := e.SealAlert(alert.Warning, alert.CloseNotify, ""); err != nil {
			t.Fatal(err)
		}
		other := engines[1-side]
		arrive(other, sealed(e))
		b := make([]byte, 3)
		n, err := other.Read(b)
		if string(b[:n]) != "sai" || err != nil || len(other.Buffered()) != 1 {
			t.Errorf("got %q, %v, and %d more", b[:n], err, len(other.Buffered()))
		}
		if n, err = other.Read(b); string(b[:n]) != "d" || err != nil {
			t.Errorf("got %q, %v", b[:n], err)
		}
		if _, err = other.Read(b); err != io.EOF {
			t.Errorf("got %v, expected the end", err)
		}
		if _, err = other.Read(b); err != io.EOF {
			t.Errorf("got %v, expected the end again", err)
		}
	}
}

// An alert that ends a connection is the last thing that is sealed, and the first fatal one.
func TestFirstFatalAlertIsTheLastWord(t *testing.T) {
	engines, _ := connect(t)
	e := engines[0]
	first := alert.Fail(alert.BadRecordMAC, "RFC 5246 §6.2.3.2", "the first")
	e.Abort(first)
	e.Abort(alert.Fail(alert.InternalError, "", "the second"))
	if !e.Answering() {
		t.Fatal("nothing waits")
	}
	ended, _, err := e.SealReplies()
	if ended != first || err != nil {
		t.Errorf("got %v, %v", ended, err)
	}
	arrive(engines[1], sealed(e))
	if _, err := engines[1].Read(make([]byte, 1)); err == nil ||
		err.(*alert.Received).Description != alert.BadRecordMAC {
		t.Errorf("the peer got %v", err)
	}
}

// A connection that the peer ended gets no answer, whatever error it leads to; and an error that
// only looks like the peer's end is answered.
func TestNothingIsSentToAPeerThatEnded(t *testing.T) {
	wraps := fmt.Errorf("a callback: %w",
		&alert.Received{Level: alert.Fatal, Description: alert.UnknownCA})
	for _, tt := range []struct {
		name        string
		level       alert.Level
		description alert.Description // the peer's last word; 0 with level 0: it says nothing
		answered    bool
	}{
		{"close_notify", alert.Warning, alert.CloseNotify, false},
		{"a fatal alert", alert.Fatal, alert.InternalError, false},
		{"nothing", 0, 0, true},
	} {
		engines, _ := connect(t)
		e, peer := engines[0], engines[1]
		if tt.level != 0 {
			if err := peer.SealAlert(tt.level, tt.description, ""); err != nil {
				t.Fatal(err)
			}
			arrive(e, sealed(peer))
			if _, err := e.Read(make([]byte, 1)); err == nil {
				t.Fatal("the peer's last word was not heard")
			}
		}
		e.Abort(wraps)
		if _, told, err := e.SealReplies(); told != tt.answered || err != nil {
			t.Errorf("%s: told %v, %v", tt.name, told, err)
		}
		if b := sealed(e); (len(b) > 0) != tt.answered {
			t.Errorf("%s was answered with %x", tt.name, b)
		}
	}
}

// anonymous is a stream that begins with a hello, without its session ID.
func anonymous(stream []byte) []byte {
	const at = 5 + 4 + 2 + 32 // behind the headers, the version and the random
	n := stream[at]
	b := append(bytes.Clone(stream[:at]), 0)
	b = append(b, stream[at+1+int(n):]...)
	for _, i := range []int{3, 7} { // the lengths of the record and of the message
		binary.BigEndian.PutUint16(b[i:], binary.BigEndian.Uint16(b[i:])-uint16(n))
	}
	return b
}

// resuming makes configurations of two sides that have met: the client offers the ticket of a full
// handshake. What it resumes repeats to the byte.
func resuming(t testing.TB) func(iana.Side) *negotiation.Config {
	t.Helper()
	make := ticketed(config)
	return offering(make, firstSession(t, make))
}

// ticketed lets both sides use tickets.
func ticketed(base func(iana.Side) *negotiation.Config) func(iana.Side) *negotiation.Config {
	key := []session.TicketKey{session.NewTicketKey([32]byte{1})}
	return func(me iana.Side) *negotiation.Config {
		c := base(me)
		c.Tickets = true
		c.Seal = func(_ context.Context, s *session.Session) ([]byte, error) {
			return session.SealTicket(testkit.Rand("ticket"), key[0], s)
		}
		c.Open = func(_ context.Context, ticket []byte) (*session.Session, error) {
			return session.OpenTicket(key, ticket), nil
		}
		return c
	}
}

// firstSession returns the session that a connection gives its client.
func firstSession(t testing.TB, make func(iana.Side) *negotiation.Config) (s *session.Session) {
	t.Helper()
	engines, _ := connectBy(t, keeping(make, &s))
	if _, err := engines[iana.Client].Read([]byte{0}); err != ErrMore || s == nil {
		t.Fatal("no session was kept:", err)
	}
	return s
}

// keeping keeps the client's session in s.
func keeping(make func(iana.Side) *negotiation.Config,
	s **session.Session) func(iana.Side) *negotiation.Config {
	return func(me iana.Side) *negotiation.Config {
		c := make(me)
		c.Keep = func(kept *session.Session) { *s = kept }
		return c
	}
}

// offering lets the client offer a session.
func offering(make func(iana.Side) *negotiation.Config,
	offer *session.Session) func(iana.Side) *negotiation.Config {
	return func(me iana.Side) *negotiation.Config {
		c := make(me)
		if c.Rand = testkit.Rand("again " + me.String()); me == iana.Client {
			again := *offer
			c.Offer = &again
		}
		return c
	}
}
