package handshake

import (
	"context"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/trace"
)

// client is the player that sends the client's messages.
type client struct {
	live
	part       clientPart // since ServerHello
	certChoice pki.Choice // the certificate that we send, if one was requested and fits
	asked      slow[*pki.Credential]
	preMaster  []byte
	shares     []keyShare               // TLS 1.3: our key shares, until the server's arrives
	offered    []*negotiation.Key13     // TLS 1.3: the pre-shared keys on offer, in their order
	key        *negotiation.Key13       // TLS 1.3: the one that the server chose
	early      *keys.Early              // TLS 1.3: of key
	shared13   slow[[]*negotiation.PSK] // TLS 1.3: the program's, to be offered

	remembered Peer        // of the session on offer
	late       *lateAnswer // to a CertificateRequest behind the handshake, which is being made
}

func (c *client) forget() {
	c.live.forget()
	c.preMaster, c.shares, c.offered = nil, nil, nil
	c.remembered = Peer{}
	c.asked, c.shared13 = slow[*pki.Credential]{}, slow[[]*negotiation.PSK]{}
}

// certificates returns our Certificate message, which is empty if nothing fits the request.
func (c *client) certificates(s *Score) *message.Certificate {
	m := &message.Certificate{Context: s.CertificateRequest.Context}
	if c.certChoice.Credential != nil {
		m.Chain = c.certChoice.Credential.Chain.Raw()
	}
	return m
}

// status checks the stapled OCSP response. An unreadable or invalid one is an error, although a
// missing one may not be. See RFC 6066 §8.
func (c *client) status(m *message.CertificateStatus) error {
	if m.StatusType != iana.StatusOCSP {
		return alert.KindMalformed.Fail(alert.IllegalParameter, "RFC 6066 §8",
			"got a certificate status of type %v, expected %v", m.StatusType, iana.StatusOCSP)
	}
	if c.peer.Chain.Type() != iana.X509 {
		return alert.KindExtension.Fail(alert.IllegalParameter, "RFC 6066 §8",
			"the server stapled a certificate status to a raw public key")
	}
	if c.Skip {
		return nil
	}
	chain := c.peer.Verified[0]
	if err := pki.CheckStaple(m.Response, chain[0], chain[min(1, len(chain)-1)],
		c.CurrentTime()); err != nil {
		return err
	}
	c.Log.Verified(trace.Verified{What: "ocsp", From: iana.Server, Detail: "stapled status: good"},
		"RFC 6066 §8")
	return nil
}

// unstapled returns an error if the server sent no OCSP response although its certificate requires
// one. It is called after the server's flight. A raw public key has no status. See RFC 7633 §4.3.3.
func (c *client) unstapled(s *Score) error {
	if s.CertificateStatus != nil || c.Skip || c.peer.Chain == nil ||
		c.peer.Chain.Type() != iana.X509 {
		return nil
	}
	switch {
	case c.StatusRequest == negotiation.Required:
		return alert.Fail(alert.BadCertificateStatusResponse, "RFC 6066 §8",
			"the server stapled no certificate status, which we require")
	case c.StatusRequest != negotiation.Off && pki.MustStaple(c.peer.Chain.Leaf()):
		return alert.Fail(alert.BadCertificateStatusResponse, "RFC 7633 §4.3.3",
			"got no certificate status, expected one: the server's certificate says that it is "+
				"stapled")
	}
	return nil
}

// chooseCredential chooses what to show for a request, or asks the program.
func (c *client) chooseCredential(r pki.Request, v iana.Version, ref string) error {
	creds := c.Credentials
	if ask := c.ForRequest; ask != nil {
		cred, err := c.asked.await("GetClientCertificate",
			func(ctx context.Context) (*pki.Credential, error) { return ask(ctx, r, v) })
		if err != nil {
			return err
		}
		creds, r.Authorities = nil, nil // the program chose: only the signature scheme is left
		if cred != nil {
			creds = []*pki.Credential{cred}
		}
	}
	c.certChoice = pki.ChooseClient(creds, r, negotiation.SchemesOf(v, c.Config))
	if !c.Log.On() {
		return nil
	}
	name := "none"
	if c.certChoice.Credential != nil {
		name = c.certChoice.Credential.Chain.Subject() + ", " + c.certChoice.Scheme.String()
	}
	c.Log.Choice("client_certificate", "", name, c.certChoice.Why(), ref)
	return nil
}

// clientPart is what a client sends and accepts after the ServerHello.
type clientPart interface {
	// compose and receive are those of player.
	compose(Kind, *Score) (message.Message, error)
	receive(message.Message, *Score) error
	// resumed reports whether the ServerHello resumes our session.
	resumed(*Score) bool
	secret(*Score) (Input, error)
	// keep passes the session to the program, now that the server is authenticated.
	keep(*Score)
}

// keyShare is a key pair of ours for which the server's share has not arrived.
type keyShare struct {
	kex.Group
	offer kex.Offer
}

// lateAnswer is a client's unfinished answer, which may wait for a callback or for a key.
type lateAnswer struct {
	client     *client
	score      *Score
	haveChoice bool
	raw        [][]byte // Certificate, and CertificateVerify if there is one
}
