package handshake

import (
	"context"
	"time"

	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
)

// server is the player that sends the server's messages.
type server struct {
	live
	*serverWork
	part   serverPart          // since ClientHello
	choice *negotiation.Choice // since ClientHello

	usesTickets bool     // TLS 1.3: the client uses tickets, and we issue some
	issued      uint8    // in QUIC: see NewTicket
	extra       [][]byte // in QUIC: of the next ticket's session

	skew      time.Duration // TLS 1.3: see TicketAgeSkew
	earlyWhy  *reason       // TLS 1.3: early data is rejected
	unfit     *reason       // TLS 1.3: the client's first identity is not used
	announced [][]byte      // TLS 1.3: tickets of this connection that allow early data
	ids       [][]byte      // under which the store has, or may have, sessions of this connection
	late      *lateProof    // behind the handshake, which is being checked
}

// serverWork is what a server needs until its handshake is done.
type serverWork struct {
	// the last one that passed the well-formedness check
	wellFormed *message.ClientHello
	read13     hello13Of // TLS 1.3: what was read from it
	offer      kex.Offer // our ephemeral key, since ServerKeyExchange
	// TLS 1.3: our share and the secret, from ServerHello on
	answered *kex.Answer
	early    *keys.Early                          // TLS 1.3: of the session that is resumed
	opened   map[string]*slow[*negotiation.Key13] // TLS 1.3: by identity

	earlyDecided bool // TLS 1.3: choice.Early is set
	// TLS 1.3: the hash of the ClientHello that early data is accepted with
	earlyHello []byte
	taken      slow[bool] // TLS 1.3: the ticket is used for early data for the first time

	asked     slow[*negotiation.Config]
	certs     slow[[]*pki.Credential]
	found     slow[*Session] // that the client offered
	decrypted slow[[]byte]   // the pre_master_secret of RSA key exchange
	ticket    slow[[]byte]
	kept      slow[struct{}]
	tickets13 slow[[]message.Message]
}

func newServer(c *negotiation.Config) *server {
	return &server{live: live{Config: c}, serverWork: &serverWork{}}
}

func (v *server) forget() {
	v.live.forget()
	v.serverWork = nil
	if v.choice != nil {
		v.choice.Share = nil // it is a part of the ClientHello
		v.choice.Choice = pki.Choice{Credential: v.choice.Credential}
	}
}

// reason is why something was not done, with the section that it follows.
type reason struct{ why, ref string }

// String returns "" for nil, which is no reason.
func (r *reason) String() string {
	if r == nil {
		return ""
	}
	return r.why + " (" + r.ref + ")"
}

// consult calls the program's hooks, before anything is decided.
func (v *server) consult(ch *message.ClientHello) error {
	if ask := v.ForClient; ask != nil {
		other, err := v.asked.await("GetConfigForClient",
			func(ctx context.Context) (*negotiation.Config, error) { return ask(ctx, ch) })
		if err != nil {
			return err
		}
		if other != nil {
			mine := *other
			mine.Log, mine.Rand, mine.ForClient = v.Log, v.Rand, nil
			mine.Reads, mine.QUIC = v.Reads, v.QUIC
			v.Config = &mine
		}
	}
	if ask := v.ForServerName; ask != nil {
		creds, err := v.certs.await("GetCertificate",
			func(ctx context.Context) ([]*pki.Credential, error) { return ask(ctx, ch) })
		if err != nil {
			return err
		}
		if len(creds) > 0 {
			mine := *v.Config
			mine.Credentials, mine.ForServerName = creds, nil
			v.Config = &mine
		}
	}
	return nil
}

// serverPart is what a server sends and accepts after the ClientHello.
type serverPart interface {
	// compose and receive are those of player.
	compose(Kind, *Score) (message.Message, error)
	receive(message.Message, *Score) error
	secret(*Score) (Input, error)
	// keep stores the session, now that the client is authenticated, and returns tickets to send
	// after the handshake.
	keep(*Score) ([]message.Message, error)
}

// hello13Of is what was read from a hello for a configuration.
type hello13Of struct {
	hello  *message.ClientHello
	config *negotiation.Config
	says   *negotiation.Hello13
}

// lateProof is the answer of a client, as far as it was received.
type lateProof struct {
	server *server
	score  *Score
}

func (v *server) answering(at message.Place, s *Score) *negotiation.Answering {
	return &negotiation.Answering{At: at, Version: v.choice.Version, Hello: s.ClientHello,
		Chosen: v.choice,
		Key:    v.answered, Log: v.Log}
}
