package handshake

import (
	"context"
	"crypto"
	"crypto/x509"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/record"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

// player is what differs between the three roles.
type player interface {
	// compose makes a line of ours; nil leaves an optional one out.
	compose(Kind, *Score) (message.Message, error)
	// receive refuses a line of another side that must not become a fact.
	receive(from iana.Side, msg message.Message, s *Score) error
	// resumption reports whether the session is resumed, once ServerHello is known: a server
	// answers from its own decision, a client from the echo of its session ID. Only an observer may
	// have to wait for the next message: undecided.
	resumption(*Score) (resumed, undecided bool)
	// secret is what the key exchange gave, once ClientKeyExchange has been said.
	secret(*Score) (Input, error)
	// finished fails unless everything that this role must know of its peer was proved. Only then
	// may a session be kept.
	// What it returns is said behind the last line: a ticket of TLS 1.3.
	finished(*Score) (message.Message, error)
	// withdraw makes the session of this connection one that nobody can resume.
	withdraw()
}

// Input is where derivation begins: with a pre_master_secret, or with a master_secret that is known
// already; in TLS 1.3 with the Early Secret and a shared secret, or with traffic secrets.
type Input struct {
	PreMaster, Master []byte
	Early             *keys.Early // nil without a pre-shared key
	Shared            []byte      // nil without a key exchange
	Traffic           *TrafficSecrets
}

// live is what client and server have in common.
type live struct {
	*Config
	peer   Peer // the proof, filled by the checks
	signed slow[[]byte]
	shared slow[*PSK]

	accepted slow[struct{}]
}

// accept gives the program the last word.
func (l *live) accept() error {
	if l.Accept == nil {
		return nil
	}
	ask := func(ctx context.Context) (struct{}, error) { return struct{}{}, l.Accept(ctx) }
	_, err := l.accepted.await("the program's last word", ask)
	return err
}

// newMachine is a Machine that waits for the first ClientHello.
func newMachine(me iana.Side, p player, c *Config, carrier Carrier) *Machine {
	return &Machine{live: true, me: me, player: p, carrier: carrier, log: c.Log, prior: c.Prior,
		keyLog: c.KeyLog,
		open:   []reading{{Figure: &opening}}}
}

// now is the time for certificates.
func (l *live) now() time.Time {
	if l.Now.IsZero() {
		return time.Now()
	}
	return l.Now
}

// ephemeral shows an ephemeral key exchange to the glass and makes the pre_master_secret of Z. Only
// finite-field Z loses its leading zeros: RFC 5246 §8.1.2 and RFC 8422 §5.10.
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

// curve finds a curve that Vitrine speaks. supported_groups has code points for finite fields too,
// which are none.
func curve(id iana.Group) (kex.Group, error) {
	g, ok := kex.Named(id)
	if !ok || id.FiniteField() || id.Hybrid() {
		return nil, alert.Fail(alert.IllegalParameter, "RFC 8422 §5.4",
			"got the group %v, expected a curve that Vitrine knows", id)
	}
	return g, nil
}

// offers tells whether a suite of the list has such a key exchange.
func offers(ids []iana.CipherSuite, such func(iana.KeyExchange) bool) bool {
	return slices.ContainsFunc(ids, func(id iana.CipherSuite) bool {
		s := suite.ByID(id)
		return s != nil && such(s.Kex)
	})
}

func isCBC(id iana.CipherSuite) bool {
	s := suite.ByID(id)
	return s != nil && s.Cipher.CBC()
}

// authenticate checks a peer's chain as far as the configuration wants it, and keeps it as the
// proof's first half.
func (l *live) authenticate(from iana.Side, raw [][]byte, verify bool) error {
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

// read reads a peer's chain. Only a client that checks nothing takes certificates that crypto/x509
// refuses, and RSA keys under 1024 bits.
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

// verify finds the paths from a chain's leaf to a root.
func (l *live) verify(c *pki.Chain, from iana.Side) ([][]*x509.Certificate, error) {
	return c.Verify(from,
		pki.Trust{Roots: l.Roots, Name: l.ServerName, Now: l.Now, Listed: l.LegacyRoots,
			Weak: l.Legacy})
}

// describe is a path from leaf to root.
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

// signature checks that the peer holds the key of its certificate: the proof's second half. The
// scheme must be one that we accept, before anything is computed with it; below TLS 1.2 the message
// names none, and the kind of key decides.
func (l *live) signature(v iana.Version, from iana.Side, scheme iana.SignatureScheme, signed,
	signature []byte, ref string) error {
	pub, err := l.peer.Chain.PublicKey()
	if err != nil {
		return err
	}
	if v < iana.TLS12 {
		if scheme, err = pki.ChooseScheme(pub, pki.Implied(v), pki.Implied(v)); err != nil {
			return err
		}
	} else if !slices.Contains(l.Schemes, scheme) {
		return alert.Fail(alert.IllegalParameter, ref, "the %v signed with %v, we accept %v", from,
			scheme,
			alert.Few(l.Schemes))
	}
	if err := pki.Verify(pub, scheme, signed, signature); err != nil {
		return err
	}
	l.peer.possessed, l.peer.Scheme = true, scheme
	l.Log.Verified(trace.Verified{What: "signature", From: from, Scheme: scheme, Signed: signed,
		Signature: signature}, ref)
	return nil
}

// sign signs with a credential's key, which may be elsewhere.
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

// Peer is who was proved to be at the other end.
func (m *Machine) Peer() *Peer {
	switch p := m.player.(type) {
	case *client:
		return &p.peer
	case *server:
		return &p.peer
	}
	return nil
}

// Shown is the credential that we showed in this handshake, or nil.
func (m *Machine) Shown() *pki.Credential {
	switch p := m.player.(type) {
	case *client:
		return p.chosen.Credential
	case *server:
		if p.chosen != nil {
			return p.chosen.Credential
		}
	}
	return nil
}

// MaxPlaintext is the longest plaintext of a record that a side may send under protection.
func (a *Agreed) MaxPlaintext(from iana.Side) int {
	return min(a.MaxFragment, a.SizeLimit[from], record.MaxPlaintext)
}

// TakeTicket takes a client's NewSessionTicket of TLS 1.3, once Done.
func (m *Machine) TakeTicket(raw []byte) error {
	c, ok := m.player.(*client)
	if !ok {
		return alert.Fail(alert.UnexpectedMessage, "RFC 8446 §4.6.1", "a client sends no ticket")
	}
	return c.ticket13(raw, m)
}
