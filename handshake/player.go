package handshake

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/kex"
	"github.com/vitrine-tls/vitrine/keys"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/trace"
)

// live is what client and server have in common.
type live struct {
	*negotiation.Config
	peer   Peer // the proof, filled by the checks
	signed slow[[]byte]
	shared slow[*negotiation.PSK]

	accepted slow[struct{}]
	greased  negotiation.Greased
}

func (l *live) forget() {
	l.signed, l.shared, l.accepted = slow[[]byte]{}, slow[*negotiation.PSK]{}, slow[struct{}]{}
}

// accept calls the program's Accept hook, which decides last.
func (l *live) accept() error {
	if l.Accept == nil {
		return nil
	}
	ask := func(ctx context.Context) (struct{}, error) { return struct{}{}, l.Accept(ctx) }
	_, err := l.accepted.await("the program's last word", ask)
	return err
}

func (l *live) config() *negotiation.Config { return l.Config }
func (l *live) proved() *Peer               { return &l.peer }

// spares: a client or a server reads every message.
func (*live) spares(iana.HandshakeType, bool) bool { return false }

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

// verdict calls the program's VerifyPeer for a chain, which may be empty.
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

// verify returns the paths from a chain's leaf to a trusted root. With a trace it verifies the
// chain even if the verdict is kept, because the trace reports the verification.
func (l *live) verify(c *pki.Chain, from iana.Side) ([][]*x509.Certificate, error) {
	t := pki.Trust{Roots: l.Roots, Name: l.ServerName, Now: l.Now, Listed: l.LegacyRoots,
		Weak: l.Legacy}
	if l.EachChain || l.Log.On() {
		return c.Verify(from, t)
	}
	return c.VerifyOnce(from, t)
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
		return citing(err, ref)
	}
	l.peer.possessed, l.peer.Scheme = true, scheme
	l.Log.Verified(trace.Verified{What: "signature", From: from, Scheme: scheme, Signed: signed,
		Signature: signature}, ref)
	return nil
}

// citing returns the error of a signature that is wrong with the section of its message.
func citing(err error, ref string) error {
	e, ok := errors.AsType[*alert.Error](err)
	if !ok || e.Alert != alert.DecryptError {
		return err
	}
	cited := *e
	cited.Ref = ref
	return &cited
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

// ErrNoTransportParameters is returned by the Do of a Pending that waits for
// QUIC.TransportParameters.
var ErrNoTransportParameters = errors.New("handshake: no QUIC transport parameters yet")

// verified13 checks a CertificateVerify: the proof that the peer holds the key of its certificate.
// The transcript ends with the Certificate. See RFC 8446 §4.4.3.
func (l *live) verified13(from iana.Side, m *message.CertificateVerify, s *Score) error {
	const ref = "RFC 8446 §4.4.3"
	pub, err := l.peer.Chain.PublicKey()
	if err != nil {
		return err
	}
	if !slices.Contains(l.Schemes, m.Scheme) || !pki.Signs13(pub, m.Scheme) {
		return alert.KindScheme.Fail(alert.IllegalParameter, ref,
			"the %v signed with %v, which TLS 1.3, the certificate's key or our policy does not "+
				"allow", from,
			m.Scheme)
	}
	signed := pki.CertificateVerify13(from, s.transcript.sum())
	if err := pki.Verify(pub, m.Scheme, signed, m.Signature); err != nil {
		return citing(err, ref)
	}
	l.peer.possessed, l.peer.Scheme = true, m.Scheme
	l.Log.Verified(trace.Verified{What: "signature", From: from, Scheme: m.Scheme, Signed: signed,
		Signature: m.Signature}, ref)
	return nil
}

// sign13 returns our CertificateVerify.
func (l *live) sign13(me iana.Side, c pki.Choice, s *Score) (message.Message, error) {
	signature, err := l.sign(me, c, pki.CertificateVerify13(me, s.transcript.sum()),
		"RFC 8446 §4.4.3")
	return &message.CertificateVerify{Scheme: c.Scheme, Signature: signature}, err
}

// awaitParameters returns a Pending if this is QUIC and our transport parameters are not known.
func (l *live) awaitParameters() error {
	if l.QUIC == nil || l.QUIC.TransportParameters != nil {
		return nil
	}
	return &Pending{"QUIC's transport parameters",
		func(context.Context) error { return ErrNoTransportParameters }}
}

func (l *live) allowsLate() bool { return l.PostHandshakeAuth }

// proof is one thing that must be known of the peer before a handshake may end.
type proof struct {
	that  string
	known bool
}

// unproved returns an error for the first of the proofs that is missing. Every check before it must
// have refused the peer already, so it is our own mistake.
func unproved(whose iana.Side, proofs []proof) error {
	for _, p := range proofs {
		if !p.known {
			return alert.Fail(alert.InternalError, "",
				"the handshake ended without a proof of who the %v is: that %s", whose, p.that)
		}
	}
	return nil
}
