package vitrine

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/engine"
	"github.com/vitrine-tls/vitrine/iana"
)

// Methods for connections of TLS 1.3 after the handshake.

// ErrNotTLS13 is returned by methods for which a connection of TLS 1.2 or earlier has no message.
var ErrNotTLS13 = errors.New("vitrine: the connection does not use TLS 1.3")

// KeyUpdate replaces the keys of what this side sends: what was sent before stays secret if the
// new keys are revealed. If request is true, the peer is asked to replace its keys, too, which it
// does before it next sends data; a request that the peer has not answered is not repeated. Without
// being asked, keys are replaced before they have protected as much as their cipher allows.
//
// KeyUpdate waits for a Write in flight. It returns ErrNotTLS13 in TLS 1.2 and earlier. Peers end
// connections with many KeyUpdates and no data between them; this implementation accepts 32. See
// RFC 8446 §4.6.3 and RFC 9846 §4.7.3.
func (c *Conn) KeyUpdate(request bool) error {
	if !c.calls.begin() {
		return net.ErrClosed
	}
	defer c.calls.end()
	if err := c.ready(); err != nil {
		return err
	}
	if !c.established.Load().TLS13() {
		return ErrNotTLS13
	}
	wish := iana.UpdateNotRequested
	if request {
		wish = iana.UpdateRequested
	}
	return c.sending(func() error {
		if err := c.engine.UpdateKeys(wish); err != nil {
			c.endWriting(err)
			return err
		}
		return c.send()
	})
}

// defers reports whether what the handshake has sealed can be sent together with the next data.
// That holds for the tickets of a TLS 1.3 server: the client waits for an answer and not for them.
// Read sends them before it waits.
func (c *Conn) defers() bool {
	m := c.engine.Machine()
	deferred := c.me == iana.Server && m.Done() && m.TLS13()
	c.deferred.Store(deferred && len(c.engine.Out.Sealed()) > 0)
	return deferred
}

// sendDeferred sends the deferred tickets. If a Write holds the lock it does nothing, since the
// Write sends them.
func (c *Conn) sendDeferred() {
	if c.deferred.Load() && c.out.TryLock() {
		c.answerLocked()
		c.answerFromRead()
	}
}

// confirm waits for the server's first record, if Config.AwaitServer says so. It needs both halves.
func (c *Conn) confirm() error {
	if c.engine.Machine().TLS13() {
		c.engine.Proved, c.engine.Shown = c.proved, c.late.shown.Store
	}
	if !c.config.AwaitServer || !c.judgedLate() {
		return nil
	}
	from, err := engine.Drive(context.Background(), confirmingTransport{(*shakingTransport)(c)},
		c.engine.Step)
	if err != nil {
		return c.lose(c.aboutClientCertificate(err), from != engine.OfPeer)
	}
	return nil
}

// judgedLate reports whether the server checks the client's certificate only after the client's
// handshake is done: in TLS 1.3, if it requested one.
func (c *Conn) judgedLate() bool {
	m := c.engine.Machine()
	return c.me == iana.Client && m.Done() && m.TLS13() && m.CertificateRequest != nil
}

// aboutClientCertificate wraps an alert about certificates that the server sends before any data:
// it is about the client's. It returns other errors unchanged.
func (c *Conn) aboutClientCertificate(err error) error {
	received, ok := errors.AsType[*alert.Received](err)
	if !ok || !c.judgedLate() || c.engine.DataReceived() {
		return err
	}
	switch received.Description {
	case alert.BadCertificate, alert.UnsupportedCertificate, alert.CertificateRevoked,
		alert.CertificateExpired, alert.CertificateUnknown, alert.UnknownCA, alert.AccessDenied,
		alert.CertificateRequired:
		if c.engine.Machine().Shown() == nil {
			return fmt.Errorf("the server refused a client without a certificate: %w", err)
		}
		return fmt.Errorf("the server refused the client's certificate: %w", err)
	}
	return err
}
