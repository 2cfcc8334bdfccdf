package engine

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
)

// configLate is config13 for a side that allows a request for a certificate after the handshake,
// and has one.
func configLate(me iana.Side) *negotiation.Config {
	c := config13(me)
	c.PostHandshakeAuth = true
	c.Credentials = config(iana.Server).Credentials
	return c
}

// asked is a client and a server after their handshake, and the client's answer to a request.
func asked(t *testing.T) (client, server *Engine, answer *handshake.LateAnswer) {
	t.Helper()
	engines, _ := connectBy(t, configLate)
	client, server = engines[0], engines[1]
	if err := server.RequestCertificate(negotiation.ClientAuth{Request: true}); err != nil {
		t.Fatal(err)
	}
	arrive(client, sealed(server))
	if _, err := client.Read(make([]byte, 1)); err != ErrMore {
		t.Fatal(err)
	}
	if !client.Answering() || len(client.answers) != 1 {
		t.Fatal("the client has no answer")
	}
	answer, client.answers = client.answers[0], nil
	return client, server, answer
}

// Answers to a request for a certificate that a server refuses: RFC 8446 §4.6.2.
func TestBadAnswersToARequestForACertificate(t *testing.T) {
	say := func(e *Engine, raw ...[]byte) error {
		for _, b := range raw {
			if err := e.Out.Seal(iana.RecordHandshake, b); err != nil {
				return err
			}
		}
		return nil
	}
	for _, c := range []struct {
		what string
		send func(e *Engine, a *handshake.LateAnswer, finished []byte) error
		want alert.Description // 0: accepted
	}{
		{"as it should be", func(e *Engine, a *handshake.LateAnswer, finished []byte) error {
			return say(e, a.Messages[0], a.Messages[1], finished)
		}, 0},
		{"another context", func(e *Engine, a *handshake.LateAnswer, _ []byte) error {
			a.Messages[0][message.HeaderLen+1] ^= 1
			return say(e, a.Messages[0])
		}, alert.IllegalParameter},
		{"no proof of the key", func(e *Engine, a *handshake.LateAnswer, finished []byte) error {
			return say(e, a.Messages[0], finished)
		}, alert.UnexpectedMessage},
		{"a wrong signature", func(e *Engine, a *handshake.LateAnswer, _ []byte) error {
			a.Messages[1][len(a.Messages[1])-1] ^= 1
			return say(e, a.Messages...)
		}, alert.DecryptError},
		{"a wrong Finished", func(e *Engine, a *handshake.LateAnswer, finished []byte) error {
			finished[len(finished)-1] ^= 1
			return say(e, a.Messages[0], a.Messages[1], finished)
		}, alert.DecryptError},
		{"data between", func(e *Engine, a *handshake.LateAnswer, _ []byte) error {
			return errors.Join(say(e, a.Messages[0]), e.Seal([]byte("data")))
		}, alert.UnexpectedMessage},
		{"a KeyUpdate between", func(e *Engine, a *handshake.LateAnswer, _ []byte) error {
			return errors.Join(say(e, a.Messages[0]), e.UpdateKeys(iana.UpdateNotRequested))
		}, alert.UnexpectedMessage},
		{"a Finished of the keys before", func(e *Engine, a *handshake.LateAnswer,
			finished []byte) error {
			return errors.Join(e.UpdateKeys(iana.UpdateNotRequested),
				say(e, a.Messages[0], a.Messages[1], finished))
		}, alert.DecryptError},
		{"an answer without a request", func(e *Engine, a *handshake.LateAnswer,
			finished []byte) error {
			return say(e, a.Messages[0], a.Messages[1], finished, a.Messages[0])
		}, alert.UnexpectedMessage},
		{"the proof alone", func(e *Engine, a *handshake.LateAnswer, finished []byte) error {
			return say(e, a.Messages[1])
		}, alert.UnexpectedMessage},
		{"a Finished alone", func(e *Engine, a *handshake.LateAnswer, finished []byte) error {
			return say(e, finished)
		}, alert.UnexpectedMessage},
	} {
		client, server, answer := asked(t)
		proved := 0
		server.Proved = func(p *handshake.Peer) error { proved++; return nil }
		finished, err := client.Machine().LateFinished(answer)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.send(client, answer, finished); err != nil {
			t.Fatal(err)
		}
		arrive(server, sealed(client))
		_, err = server.Read(make([]byte, 1))
		if c.want == 0 && (err != ErrMore || proved != 1) ||
			c.want != 0 && (alert.Of(err) != c.want ||
				errors.Is(err, ErrMore)) {
			t.Errorf("%s: %v, and %d proofs, expected %v", c.what, err, proved, c.want)
		}
	}
}

// A server that asks without end is refused, whether the answers are sent or wait: RFC 8446 §4.6.2
// lets it ask at any time.
func TestRequestsForACertificateAreBounded(t *testing.T) {
	for _, answers := range []bool{false, true} {
		testRequestsForACertificateAreBounded(t, answers)
	}
}

func testRequestsForACertificateAreBounded(t *testing.T, answers bool) {
	engines, _ := connectBy(t, configLate)
	client, server := engines[0], engines[1]
	raw, err := server.Machine().RequestCertificate(negotiation.ClientAuth{Request: true})
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxLate + 1 {
		if err := server.Out.Seal(iana.RecordHandshake, raw); err != nil {
			t.Fatal(err)
		}
		arrive(client, sealed(server))
		_, err := client.Read(make([]byte, 1))
		if i < maxLate && err != ErrMore ||
			i == maxLate && alert.Of(err) != alert.UnexpectedMessage {
			t.Errorf("request %d, answers are sent: %v: %v", i+1, answers, err)
		}
		if answers {
			client.answers = nil
		}
	}
}

// External pre-shared keys do not go with certificates after the handshake either: a server must
// not request one, and a client answers no request. See RFC 9846 §4.4.2 and appendix F.1.
func TestAnExternalKeyForbidsARequestForACertificate(t *testing.T) {
	engines, _ := connectBy(t, func(me iana.Side) *negotiation.Config {
		c := configLate(me)
		c.FindKey = func(context.Context, negotiation.KeyRequest) (*negotiation.PSK, error) {
			return &negotiation.PSK{Identity: []byte("gardener"), Key: make([]byte, 32)}, nil
		}
		return c
	})
	client, server := engines[0], engines[1]
	auth := negotiation.ClientAuth{Request: true}
	if err := server.RequestCertificate(auth); err == nil ||
		!strings.Contains(err.Error(), "external pre-shared key (RFC 9846 §4.4.2)") {
		t.Errorf("the server requests: %v", err)
	}
	if err := askedAnyway(t, client, server); alert.Of(err) != alert.UnexpectedMessage {
		t.Errorf("the client: %v", err)
	}
}

// askedAnyway sends a client the CertificateRequest of another connection, under the keys of its
// own, and returns what the client reads then.
func askedAnyway(t *testing.T, client, server *Engine) error {
	t.Helper()
	others, _ := connectBy(t, configLate)
	raw, err := others[iana.Server].Machine().RequestCertificate(
		negotiation.ClientAuth{Request: true})
	if err == nil {
		err = server.Out.Seal(iana.RecordHandshake, raw)
	}
	if err != nil {
		t.Fatal(err)
	}
	arrive(client, sealed(server))
	_, err = client.Read(make([]byte, 1))
	return err
}

// HTTP/2 forbids it, too: a server does not ask, and a client takes a request for an error. See RFC
// 9113 §9.2.3.
func TestHTTP2ForbidsARequestForACertificate(t *testing.T) {
	for _, protocol := range []string{"h2", "http/1.1"} {
		engines, _ := connectBy(t, func(me iana.Side) *negotiation.Config {
			c := configLate(me)
			c.Protocols = []string{protocol}
			return c
		})
		client, server := engines[0], engines[1]
		auth := negotiation.ClientAuth{Request: true}
		forbidden := protocol == "h2"
		if _, err := server.Machine().RequestCertificate(auth); (err != nil) != forbidden {
			t.Errorf("%s: the server requests: %v", protocol, err)
		}
		err := askedAnyway(t, client, server)
		if forbidden && alert.Of(err) != alert.UnexpectedMessage || !forbidden && err != ErrMore {
			t.Errorf("%s: the client reads: %v", protocol, err)
		}
	}
}
