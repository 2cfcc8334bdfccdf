package handshake

import (
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/suite"
)

// A handshake that comes to its end without one of its proofs fails, whichever it is: each is a
// check of its own elsewhere, and this is the last one.
func TestNoHandshakeEndsWithoutEachProof(t *testing.T) {
	chain := &pki.Chain{}
	score := func() *Score {
		return &Score{VerifyData: [2][]byte{{1}, {1}},
			Agreed: &negotiation.Agreed{Version: iana.TLS12, Suite: suite.ByID(ecdheRSA),
				Kex: iana.KexECDHE, Auth: iana.AuthRSA}}
	}
	whole := Peer{Chain: chain, keyAccepted: true, possessed: true}
	for _, c := range []struct {
		what string
		edit func(*Peer, *Score)
		says [2]string // of the server's proofs to a client, and the client's to a server
	}{
		{"the certificate", func(p *Peer, _ *Score) { p.Chain = nil },
			[2]string{"it showed a certificate", "it showed the certificate that we require"}},
		{"trust", func(p *Peer, _ *Score) { p.keyAccepted = false },
			[2]string{"its certificate is trusted", "its certificate is trusted"}},
		{"possession", func(p *Peer, _ *Score) { p.possessed = false },
			[2]string{"it has its certificate's key", "it has its certificate's key"}},
		{"Finished", func(_ *Peer, s *Score) { s.VerifyData = [2][]byte{} },
			[2]string{"it sent its Finished", "it sent its Finished"}},
		{"the decision to resume", func(_ *Peer, s *Score) { s.Undecided = true },
			[2]string{"it resumes the session, or does not", ""}},
	} {
		config := &negotiation.Config{}
		config.ClientAuth.Require, config.ClientAuth.Verify = true, true
		for i := range 2 {
			peer, s := whole, score()
			c.edit(&peer, s)
			p := player(&client{live: live{Config: config, peer: peer}, part: silent{}})
			if i == 1 {
				p = &server{live: live{Config: config, peer: peer}, part: quiet{}}
			}
			_, err := p.finished(s)
			if (err == nil) != (c.says[i] == "") ||
				err != nil && !strings.HasSuffix(err.Error(), "that "+c.says[i]) {
				t.Errorf("without %s, %T: got %v, expected %q", c.what, p, err, c.says[i])
			}
		}
	}
}

// silent and quiet are parts that keep no session.
type (
	silent struct{ clientPart }
	quiet  struct{ serverPart }
)

func (silent) keep(*Score)                           {}
func (quiet) keep(*Score) ([]message.Message, error) { return nil, nil }
