package handshake

import (
	"context"
	"crypto"
	"crypto/x509"
	"slices"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/negotiation"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/trace"
)

// player is what differs between the three roles.
type player interface {
	// compose returns a message of ours; nil omits an optional one.
	compose(Kind, *Score) (message.Message, error)
	// receive returns an error if a message of another side must be rejected.
	receive(from iana.Side, msg message.Message, s *Score) error
	// resumption reports whether the session is resumed, once ServerHello is known: a server
	// answers from its own decision, a client from the echo of its session ID. Only an observer may
	// have to wait for the next message: undecided.
	resumption(*Score) (resumed, undecided bool)
	// secret returns the result of the key exchange, once ClientKeyExchange was sent.
	secret(*Score) (Input, error)
	// finished fails unless everything that this role must know of its peer was proved. Only then
	// may a session be kept.
	// What it returns is said behind the last line: tickets of TLS 1.3.
	finished(*Score) ([]message.Message, error)
	// earlyKeys returns the keys of the early data that this side sends or accepts, or nil.
	earlyKeys(*Score) *earlyKeys
	// withdraw prevents the session of this connection from being resumed.
	withdraw()
}

// Input is what key derivation begins with: a pre_master_secret, or a master_secret that is known
// already; in TLS 1.3 the Early Secret and a shared secret, or traffic secrets.
type Input struct {
	PreMaster, Master []byte
	Early             *keys.Early // nil without a pre-shared key
	PSK               []byte      // an observer\'s, in place of Early
	Shared            []byte      // nil without a key exchange
	Traffic           *TrafficSecrets
}

// live is what client and server have in common.
type live struct {
	*negotiation.Config
	peer   Peer // the proof, filled by the checks
	signed slow[[]byte]
	shared slow[*negotiation.PSK]

	accepted slow[struct{}]
	greased  negotiation.Greased
}

// accept asks the program's Accept hook, which decides last.
func (l *live) accept() error {
	if l.Accept == nil {
		return nil
	}
	ask := func(ctx context.Context) (struct{}, error) { return struct{}{}, l.Accept(ctx) }
	_, err := l.accepted.await("the program's last word", ask)
	return err
}

// newMachine returns a Machine that waits for the first ClientHello.
func newMachine(me iana.Side, p player, c *negotiation.Config, carrier Carrier) *Machine {
	return &Machine{live: true, me: me, player: p, carrier: carrier, log: c.Log, prior: c.Prior,
		Score: Score{quic: c.QUIC != nil},
		open:  []reading{{Figure: &opening}}}
}

// Config returns the configuration that a client or a server follows. A server's is another one as
// soon as Hooks.ForClient has given it. It is nil at an observer.
func (m *Machine) Config() *negotiation.Config {
	switch p := m.player.(type) {
	case *client:
		return p.Config
	case *server:
		return p.Config
	}
	return nil
}

// ephemeral writes an ephemeral key exchange to the trace and returns the pre_master_secret for Z.
// Only a finite-field Z loses its leading zeros: RFC 5246 §8.1.2 and RFC 8422 §5.10.
func (l *live) ephemeral(me iana.Side, g kex.Group, private, public, peer, z []byte) []byte {
	ref := "RFC 8422 §5.10"
	if len(z) > 0 && isFiniteField(g) {
		ref = "RFC 5246 §8.1.2"
		z = keys.FiniteFieldPreMaster(z)
	}
	l.Log.Ephemeral(me, g.Name(), private, public, peer, ref)
	return z
}

func isFiniteField(g kex.Group) bool {
	p, _ := kex.Params(g)
	return p != nil
}

// curve returns the elliptic curve of a code point, or an error if Vitrine does not implement it.
// The code points of supported_groups also include finite fields, which are not curves.
func curve(id iana.Group) (kex.Group, error) {
	g, ok := kex.Named(id)
	if !ok || id.FiniteField() || id.Hybrid() {
		return nil, alert.KindGroup.Fail(alert.IllegalParameter, "RFC 8422 §5.4",
			"got the group %v, expected a curve that Vitrine knows", id)
	}
	return g, nil
}

// authenticateChain is authenticate for a chain of certificates.
func (l *live) authenticateChain(from iana.Side, raw [][]byte, verify bool) error {
	chain, err := l.read(raw)
	if err != nil {
		return err
	}
	if _, err := chain.PublicKey(); err != nil {
		return err
	}
	l.peer = Peer{Chain: chain}
	if verify {
		if l.peer.Verified, err = l.verify(chain, from); err != nil {
			return err
		}
		l.Log.Verified(trace.Verified{What: "chain", From: from,
			Detail: describe(l.peer.Verified[0])}, "RFC 5280 §6")
	}
	return l.verdict(raw)
}

// read parses a peer's chain. Only a client that verifies nothing accepts certificates that
// crypto/x509 rejects, and RSA keys under 1024 bits.
func (l *live) read(raw [][]byte) (*pki.Chain, error) {
	if l.Skip {
		return pki.ReadChain(raw)
	}
	return pki.ParseChain(raw)
}

// verdict asks the program about a peer's chain, which may be empty.
func (l *live) verdict(raw [][]byte) error {
	if l.VerifyPeer == nil {
		return nil
	}
	if err := l.VerifyPeer(raw, l.peer.Verified); err != nil {
		return alert.Refused(alert.BadCertificate, "the program refuses the peer's certificate",
			err)
	}
	return nil
}

// verify returns the paths from a chain's leaf to a trusted root.
func (l *live) verify(c *pki.Chain, from iana.Side) ([][]*x509.Certificate, error) {
	return c.Verify(from,
		pki.Trust{Roots: l.Roots, Name: l.ServerName, Now: l.Now, Listed: l.LegacyRoots,
			Weak: l.Legacy})
}

// describe returns a path, from leaf to root, as text.
func describe(path []*x509.Certificate) string {
	var names []string
	for i, c := range path {
		name := c.Subject.CommonName
		if i == 0 && len(c.DNSNames) > 0 {
			name = c.DNSNames[0]
		}
		names = append(names, strconv.Quote(name))
	}
	return strings.Join(names, " ← ")
}

// signature checks that the peer holds the private key of its certificate: the second half of the
// proof. The scheme must be one that we accept, which is checked before anything is computed with
// it. Below TLS 1.2 the message names no scheme, and the type of the key determines it.
func (l *live) signature(v iana.Version, from iana.Side, scheme iana.SignatureScheme, signed,
	signature []byte, ref string) error {
	pub, err := l.peer.Chain.PublicKey()
	if err != nil {
		return err
	}
	if !pki.NamesScheme(v) {
		if scheme, err = pki.ChooseScheme(pub, pki.Implied(v), pki.Implied(v)); err != nil {
			return err
		}
	} else if !slices.Contains(l.Schemes, scheme) {
		return alert.KindScheme.Fail(alert.IllegalParameter, ref,
			"the %v signed with %v, we accept %v", from, scheme, alert.Few(l.Schemes))
	}
	if err := pki.Verify(pub, scheme, signed, signature); err != nil {
		return err
	}
	l.peer.possessed, l.peer.Scheme = true, scheme
	l.Log.Verified(trace.Verified{What: "signature", From: from, Scheme: scheme, Signed: signed,
		Signature: signature}, ref)
	return nil
}

// sign signs with a credential's key. The key may be remote, and so slow.
func (l *live) sign(me iana.Side, c pki.Choice, signed []byte, ref string) ([]byte, error) {
	key, ok := c.Credential.Key.(crypto.Signer)
	if !ok {
		return nil, alert.Fail(alert.InternalError, "", "the %v's private key cannot sign", me)
	}
	signature, err := l.signed.get(key, "a signature", func(context.Context) ([]byte, error) {
		return pki.Sign(l.Rand, key, c.Scheme, signed)
	})
	if err != nil {
		return nil, err
	}
	l.Log.Signed(trace.Signed{From: me, Scheme: c.Scheme, Signed: signed, Signature: signature},
		ref)
	return signature, nil
}

// Peer returns the identity that the peer has proved.
func (m *Machine) Peer() *Peer {
	switch p := m.player.(type) {
	case *client:
		return &p.peer
	case *server:
		return &p.peer
	}
	return nil
}

// Shown returns the credential that we sent in this handshake, or nil.
func (m *Machine) Shown() *pki.Credential {
	switch p := m.player.(type) {
	case *client:
		return p.certChoice.Credential
	case *server:
		if p.choice != nil {
			return p.choice.Credential
		}
	}
	return nil
}

// TakeTicket processes a NewSessionTicket of TLS 1.3 that a client received, once Done.
func (m *Machine) TakeTicket(raw []byte) error {
	c, ok := m.player.(*client)
	if !ok {
		return alert.KindOrder.Fail(alert.UnexpectedMessage, "RFC 8446 §4.6.1", "a client sends no ticket")
	}
	return c.ticket13(raw, m)
}

// Peer is who is at the other end, as far as it was proved: the proof token without which no
// handshake finishes. Only the functions that check make one.
type Peer struct {
	// nil: a client that showed no certificate, and was allowed not to
	Chain    *pki.Chain
	Scheme   iana.SignatureScheme // that it signed with; 0 if it signed nothing in this handshake
	Verified [][]*x509.Certificate
	// PSKIdentity is what the client calls the pre-shared key that both sides were shown to have;
	// nil without one.
	PSKIdentity []byte
	possessed   bool // the private key of Chain's leaf was shown to be there, or nothing is claimed
	vouched     bool // the program has accepted Chain, a raw public key
}

// trusted reports whether Chain ends at a root that we trust, or is a raw public key that the
// program has accepted.
func (p *Peer) trusted() bool { return p.Verified != nil || p.vouched }
