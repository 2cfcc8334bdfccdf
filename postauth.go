package vitrine

import (
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/handshake"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/pki"
)

// Authentication of a client after the handshake.

var (
	errAsksServers = errors.New("vitrine: only a server requests a certificate after the handshake")
	errAsksNothing = errors.New("vitrine: Config.ClientAuth is NoClientCert, with which no " +
		"certificate is requested")
)

// RequestClientCertificate asks a client of TLS 1.3 for a certificate, once the handshake is done;
// auth, which is not NoClientCert, says what the answer must prove. It needs
// Config.PostHandshakeAuth and a client that offers it, and is an error with HTTP/2, which forbids
// it, and as long as the client has not answered the request before. It does not wait for the
// answer: a Read receives it, see ClientAnswer. Then ConnectionState has the
// client's certificates, and VerifyPeerCertificate and VerifyConnection have accepted them, called
// by that Read. A refused answer ends the connection with the Read's error; a client that shows
// none, where auth allows it, changes nothing. See RFC 8446 §4.6.2.
func (c *Conn) RequestClientCertificate(auth tls.ClientAuthType) error {
	if c.me == iana.Client {
		return errAsksServers
	}
	if auth == tls.NoClientCert {
		return errAsksNothing
	}
	if !c.calls.begin() {
		return net.ErrClosed
	}
	defer c.calls.end()
	if err := c.Handshake(); err != nil {
		return err
	}
	if !c.established.Load().TLS13() {
		return ErrNotTLS13
	}
	return c.sending(func() error {
		if err := c.engine.RequestCertificate(clientAuth(auth)); err != nil {
			return err
		}
		c.late.ask()
		return c.send()
	})
}

// ClientAnswer returns a channel that is closed once a Read has received the client's answer to
// the last request of RequestClientCertificate, and it was accepted: with a certificate or, where
// that is allowed, without one. It returns nil if nothing was requested.
func (c *Conn) ClientAnswer() <-chan struct{} {
	c.late.mu.Lock()
	defer c.late.mu.Unlock()
	return c.late.last
}

// lateAuth is what was shown after the handshake.
type lateAuth struct {
	peer  atomic.Pointer[handshake.Peer]
	shown atomic.Pointer[pki.Credential]

	mu    sync.Mutex
	waits []chan struct{} // of requests that are not answered, in their order
	last  chan struct{}
}

// ask records that a request was sent.
func (l *lateAuth) ask() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = make(chan struct{})
	l.waits = append(l.waits, l.last)
}

// answered records that the answer to the oldest open request was accepted.
func (l *lateAuth) answered() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waits) > 0 {
		close(l.waits[0])
		l.waits = l.waits[1:]
	}
}

// amend adds the client's certificates from after the handshake to the state.
func amend(s *ConnectionState, p *handshake.Peer) {
	if p != nil {
		s.PeerCertificates, s.VerifiedChains = p.Chain.Certs, p.Verified
		s.PeerRawPublicKey = rawKeyOf(p.Chain)
		s.PeerCertificateFaults, s.PeerSignatureScheme = p.Chain.Faults(), SignatureScheme(p.Scheme)
	}
}

// shownBy returns the certificates that we have sent last.
func (l *lateAuth) shownBy(m *handshake.Machine) *pki.Credential {
	if shown := l.shown.Load(); shown != nil {
		return shown
	}
	return m.Shown()
}

// proved accepts the certificate that a client has proved after the handshake, unless the program
// refuses it. Until then it is not visible in ConnectionState.
func (c *Conn) proved(p *handshake.Peer) (err error) {
	defer func() {
		if err == nil {
			c.late.answered()
		}
	}()
	if p.Chain == nil {
		return nil
	}
	if verify := c.config.VerifyConnection; verify != nil {
		s := c.ConnectionState()
		amend(&s, p)
		if err := verify(s); err != nil {
			return alert.Refused(alert.BadCertificate, "the program refuses the connection", err)
		}
	}
	c.late.peer.Store(p)
	return nil
}
