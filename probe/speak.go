package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	_ "github.com/vitrine-tls/vitrine/compression" // brotli and zstd, for certificates
	"github.com/vitrine-tls/vitrine/diagnose"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/pki"
	"github.com/vitrine-tls/vitrine/suite"
	"github.com/vitrine-tls/vitrine/trace"
)

// Questions that need a whole handshake are asked with Vitrine's own client, which accepts any
// certificate here, since no data but the questions is ever sent.

// spoken is a connection of Vitrine's client.
type spoken struct {
	state    vitrine.ConnectionState
	messages []*trace.Message
	err      error
}

// message returns the last message of a type that the server sent, or nil.
func (sp *spoken) message(t iana.HandshakeType) (last *trace.Message) {
	for _, m := range sp.messages {
		if m.Type == t && m.From == iana.Server {
			last = m
		}
	}
	return last
}

// listener records the messages of a connection, and ends the wait when a ticket arrives.
type listener struct {
	raw      net.Conn
	messages []*trace.Message
}

// Put records an event.
func (l *listener) Put(e trace.Entry) {
	m, ok := e.Event.(*trace.Message)
	if !ok {
		return
	}
	l.messages = append(l.messages, m)
	if m.Type == iana.NewSessionTicket && m.From == iana.Server {
		l.raw.SetReadDeadline(time.Now().Add(ticketPause))
	}
}

const (
	ticketWait  = 300 * time.Millisecond // for the first ticket of TLS 1.3
	ticketPause = 10 * time.Millisecond  // for another one after it
)

// speak makes a handshake. wait makes it wait for messages after the handshake, such as tickets.
func (s *Server) speak(ctx context.Context, wait time.Duration,
	edit func(*vitrine.Config)) *spoken {
	var late error
	sp := s.talk(ctx, edit, func(conn *vitrine.Conn, raw net.Conn) {
		if wait == 0 || conn.ConnectionState().Version != vitrine.VersionTLS13 {
			return
		}
		raw.SetReadDeadline(time.Now().Add(wait))
		_, err := io.CopyN(io.Discard, conn, 1)
		if received, ok := errors.AsType[*alert.Received](err); ok {
			late = received
		}
		raw.SetDeadline(time.Now().Add(time.Second))
	})
	if sp.err == nil {
		sp.err = late
	}
	return sp
}

// talk makes a handshake and calls then if it succeeded.
func (s *Server) talk(ctx context.Context, edit func(*vitrine.Config),
	then func(conn *vitrine.Conn, raw net.Conn)) *spoken {
	config := &vitrine.Config{ServerName: s.Name, InsecureSkipVerify: true, Policy: vitrine.Legacy}
	edit(config)
	sp := &spoken{}
	raw, end, err := s.connect(ctx)
	if err != nil {
		sp.err = err
		return sp
	}
	defer end()
	log := &listener{raw: raw}
	config.Trace = log
	conn := vitrine.Client(raw, config)
	if sp.err = conn.HandshakeContext(ctx); sp.err == nil {
		sp.state = conn.ConnectionState()
		then(conn, raw)
		conn.Close()
	}
	sp.messages = log.messages
	return sp
}

// only makes a Config speak one version.
func only(v iana.Version) func(*vitrine.Config) {
	return func(c *vitrine.Config) { c.MinVersion, c.MaxVersion = uint16(v), uint16(v) }
}

// schemes13 finds the schemes that the server signs with in TLS 1.3, and its certificates: each
// handshake leaves out the scheme of the one before.
func (p *prober) schemes13(ctx context.Context) {
	left := pki.KnownSchemes()
	left = slices.DeleteFunc(slices.Clone(left), func(x iana.SignatureScheme) bool {
		return !slices.Contains(signing13, x)
	})
	for len(left) > 0 {
		sp := p.server.speak(ctx, 0, func(c *vitrine.Config) {
			only(iana.TLS13)(c)
			for _, x := range left {
				c.SignatureSchemes = append(c.SignatureSchemes, tls.SignatureScheme(x))
			}
		})
		verify := sp.message(iana.CertificateVerify)
		if verify == nil || len(verify.Raw) < 6 {
			if len(left) == len(signing13) && sp.err != nil {
				p.note("the certificates of TLS 1.3 were not told: " + alert.Escape(sp.err.Error()))
			}
			return
		}
		x := iana.SignatureScheme(uint16(verify.Raw[4])<<8 | uint16(verify.Raw[5]))
		if !slices.Contains(left, x) {
			return
		}
		p.scheme(x, iana.TLS13)
		p.take13(sp)
		left = slices.DeleteFunc(left, func(y iana.SignatureScheme) bool { return x == y })
	}
}

// signing13 are the schemes with which TLS 1.3 signs. See RFC 8446 §4.2.3.
var signing13 = []iana.SignatureScheme{iana.ECDSA_SECP256R1_SHA256, iana.ECDSA_SECP384R1_SHA384,
	iana.ECDSA_SECP521R1_SHA512, iana.ED25519, iana.ED448, iana.RSA_PSS_RSAE_SHA256,
	iana.RSA_PSS_RSAE_SHA384, iana.RSA_PSS_RSAE_SHA512, iana.RSA_PSS_PSS_SHA256,
	iana.RSA_PSS_PSS_SHA384, iana.RSA_PSS_PSS_SHA512}

// take13 takes the chain of a handshake of TLS 1.3, with what is stapled to it.
func (p *prober) take13(sp *spoken) {
	if c := sp.certificate(); c != nil {
		p.chain(c.Chain, c.Leaf().Has(iana.ExtStatusRequest), c.Leaf().Has(iana.ExtSCT))
	}
}

// answered returns the extensions with which the server answered those of the ClientHello, or nil.
func (sp *spoken) answered() message.Extensions {
	for _, m := range sp.messages {
		if m.From != iana.Server {
			continue
		}
		switch m.Type {
		case iana.EncryptedExtensions:
			if p, err := (message.Dialect{Version: iana.TLS13}).Parse(m.Raw); err == nil {
				return p.(*message.EncryptedExtensions).Extensions
			}
		case iana.ServerHello:
			p, err := (message.Dialect{Version: iana.TLS12}).Parse(m.Raw)
			if err == nil && negotiation.VersionOf(p.(*message.ServerHello)) != iana.TLS13 {
				return p.(*message.ServerHello).Extensions
			}
		}
	}
	return nil
}

// certificate returns the server's Certificate of a handshake of TLS 1.3, or nil.
func (sp *spoken) certificate() *message.Certificate {
	m := sp.message(iana.Certificate)
	if m == nil {
		return nil
	}
	parsed, err := message.Dialect{Version: iana.TLS13}.Parse(m.Raw)
	if err != nil {
		return nil
	}
	return parsed.(*message.Certificate)
}

// chain notes a chain that the server sent, once for each leaf.
func (p *prober) chain(raw [][]byte, stapled, scts bool) {
	if len(raw) == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.report.Chains {
		if old := &p.report.Chains[i]; string(old.raw[0]) == string(raw[0]) {
			old.Stapled = old.Stapled || stapled
			if scts {
				old.SCTs = Yes
			}
			return
		}
	}
	if len(p.report.Chains) == maxChains {
		return
	}
	p.report.Chains = append(p.report.Chains, p.judge(raw, stapled, scts))
}

const maxChains = 16 // of one server: a hostile one could send a different one in each answer

// judge describes a chain and checks it.
func (p *prober) judge(raw [][]byte, stapled, scts bool) Chain {
	c := Chain{raw: raw, Length: len(raw), Stapled: stapled, Trusted: NotTold, SCTs: NotTold,
		Names: []string{}}
	leaf, err := pki.ReadCertificate(raw[0])
	if err != nil {
		c.Trusted, c.Trust = No, "it cannot be read: "+alert.Escape(err.Error())
		return c
	}
	c.Subject, c.Issuer = bounded(leaf.Subject.String()), bounded(leaf.Issuer.String())
	c.NotBefore, c.NotAfter = leaf.NotBefore, leaf.NotAfter
	c.Signed, c.Key = leaf.SignatureAlgorithm.String(), keyOf(leaf)
	c.Must, c.Pin = pki.MustStaple(leaf), pki.PinText(leaf.RawSubjectPublicKeyInfo)
	for _, name := range diagnose.Names(leaf) {
		if len(c.Names) == 100 {
			break
		}
		c.Names = append(c.Names, bounded(name))
	}
	c.SCTs = No
	if scts || slices.ContainsFunc(leaf.Extensions, isSCTList) {
		c.SCTs = Yes
	}
	p.verify(&c, leaf)
	return c
}

// verify checks the chain against the roots, for the name that was asked for.
func (p *prober) verify(c *Chain, leaf *x509.Certificate) {
	chain, err := pki.ReadChain(c.raw)
	if err == nil {
		_, err = chain.Verify(iana.Server, pki.Trust{Roots: p.roots, Listed: p.listed,
			Name: p.name, Now: p.report.At})
	}
	if err == nil {
		c.Trusted = Yes
		return
	}
	c.Trusted = No
	var certs []*x509.Certificate
	if chain != nil {
		certs = chain.Certs
	}
	if cause, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		err = cause.Err
	}
	c.Trust = bounded(diagnose.Distrust(err, certs, p.report.At))
}

// bounded makes a text from a peer printable and cuts it to about three lines.
func bounded(s string) string {
	if r := []rune(s); len(r) > 300 {
		s = string(r[:300]) + "…"
	}
	return alert.Escape(s)
}

// exchanges returns the suites of a version whose answer shows a key that was made for it.
func ephemeral(v *Version, elliptic bool) (ids []iana.CipherSuite) {
	for _, x := range v.Suites {
		if r := suite.Readable(x.id); r != nil &&
			(elliptic && r.EllipticCurve() || !elliptic && r.FiniteField()) {
			ids = append(ids, x.id)
		}
	}
	return ids
}
