package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	"github.com/vitrine-tls/vitrine/diagnose"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/reach"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/trace"
)

// attempt is one attempt to connect, and its result.
type attempt struct {
	phases []reach.Phase
	raw    *reach.Conn
	conn   *vitrine.Conn
	state  vitrine.ConnectionState
	took   time.Duration // of the TLS handshake
	events *recorder
	cut    bool // the stream ended while --get read, without close_notify: nothing protects its end
	left   bool // it ended with close_notify then
	err    error
}

// attempt makes a connection. If err of the result is nil, the caller closes conn.
func (c *caller) attempt(ctx context.Context, config *vitrine.Config) *attempt {
	return c.attemptBy(ctx, c.way, config)
}

func (c *caller) attemptBy(ctx context.Context, way reach.Way, config *vitrine.Config) *attempt {
	a := &attempt{events: &recorder{}}
	defer c.progress.during("waiting for " + explain.Escape(net.JoinHostPort(way.Host,
		way.Port)))()
	if a.raw, a.phases, a.err = way.Go(ctx); a.err != nil {
		return a
	}
	config = config.Clone()
	config.Trace = a.events
	a.conn = vitrine.Client(a.raw, config)
	began := time.Now()
	a.raw.SetDeadline(began.Add(way.Timeout))
	a.err = a.conn.HandshakeContext(ctx)
	a.took = time.Since(began)
	a.raw.SetDeadline(time.Time{})
	phase := reach.Phase{Name: "tls", Detail: "handshake", Took: a.took, Err: a.err}
	if a.err == nil {
		a.raw.HandshakeDone()
		a.state = a.conn.ConnectionState()
	} else {
		a.conn.Close()
		if failure, ok := errors.AsType[*vitrine.HandshakeError](a.err); ok {
			_, failure.First, _ = a.raw.Received()
		}
	}
	a.phases = append(a.phases, phase)
	return a
}

// try reports whether a connection with config succeeds, and closes it.
func (c *caller) try(ctx context.Context, config *vitrine.Config) (vitrine.ConnectionState, error) {
	config.KeyLogWriter, config.ClientSessionCache = nil, nil
	way := c.way
	way.Timeout = min(way.Timeout, retryTimeout)
	a := c.attemptBy(ctx, way, config)
	if a.err == nil {
		a.awaitVerdict(way.Timeout)
		a.conn.Close()
	}
	return a.state, a.err
}

// refused reports whether err says that the server refused our certificate, or that there was
// none, and makes it the failure of the handshake. In TLS 1.3 a server judges a client when the
// client's handshake is over. See RFC 8446 §4.4.2.4.
func (a *attempt) refused(err error) bool {
	received, ok := errors.AsType[*alert.Received](err)
	if !ok || a.state.Version != vitrine.VersionTLS13 || !a.asked() {
		return false
	}
	a.err = &vitrine.HandshakeError{Side: iana.Client, Err: received, Asked: true,
		Awaited: "its verdict on our certificate"}
	return true
}

// awaitVerdict waits for what a server that asked for a certificate says to ours.
func (a *attempt) awaitVerdict(timeout time.Duration) {
	if a.state.Version != vitrine.VersionTLS13 || !a.asked() || a.conn.CloseWrite() != nil {
		return
	}
	a.conn.SetReadDeadline(time.Now().Add(timeout))
	_, err := io.Copy(io.Discard, io.LimitReader(a.conn, 1<<20))
	a.refused(err)
}

// asked reports whether the server requested a certificate.
func (a *attempt) asked() bool {
	for _, e := range a.events.entries() {
		if m, ok := e.Event.(*trace.Message); ok && m.Type == iana.CertificateRequest {
			return true
		}
	}
	return false
}

// failure returns the failure of TLS, if that is why the attempt failed.
func (a *attempt) failure() (*diagnose.Failure, bool) {
	return diagnose.Of(a.err)
}

// unpinned returns the failure of --pin, if that is why the attempt failed, or nil.
func (a *attempt) unpinned() *pinError {
	err, _ := errors.AsType[*pinError](a.err)
	return err
}

// exit returns the exit code for the attempt's result.
func (a *attempt) exit() int {
	f, ok := a.failure()
	_, unreached := errors.AsType[*reach.Error](a.err)
	switch {
	case a.err == nil:
		return exitOK
	case unreached:
		return exitUnreached
	case !ok:
		return exitFailed
	case f.Trust != nil, a.unpinned() != nil:
		return exitUntrusted
	}
	if _, plain := diagnose.NotTLS(f.First); plain && f.Answered == nil ||
		f.Gone == diagnose.Silent {
		return exitUnreached
	}
	return exitFailed
}

// ms formats a time in milliseconds.
func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }

// chainOf returns the certificates that the server sent, trusted or not.
func chainOf(a *attempt) []*x509.Certificate {
	if a.err == nil {
		return a.state.PeerCertificates
	}
	if f, ok := diagnose.Of(a.err); ok && f.Trust != nil {
		return f.Trust.UnverifiedCertificates
	}
	return chainSent(a.events.entries())
}

// chainSent returns the certificates in the server's first Certificate among events, if all of them
// can be read.
func chainSent(entries []trace.Entry) (chain []*x509.Certificate) {
	var version iana.Version
	for _, e := range entries {
		m, ok := e.Event.(*trace.Message)
		switch {
		case !ok || m.From != iana.Server:
		case m.Type == iana.ServerHello:
			version = chosenVersion(m.Raw)
		case m.Type == iana.Certificate:
			parsed, err := message.Dialect{Version: version}.Parse(m.Raw)
			if err != nil {
				return nil
			}
			for _, der := range parsed.(*message.Certificate).Chain {
				cert, err := x509.ParseCertificate(der)
				if err != nil {
					return nil
				}
				chain = append(chain, cert)
			}
			return chain
		}
	}
	return nil
}
