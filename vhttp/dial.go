package vhttp

import (
	"context"
	"net"

	"github.com/vitrine-tls/vitrine"
)

// dial returns a connection for the transport of a protocol: the parked one, or a new one. If the
// server chooses the other protocol the error is an *otherError.
func (t *Transport) dial(ctx context.Context, network string, at place) (net.Conn, error) {
	if c := t.claim(at); c != nil {
		return c, nil
	}
	raw, err := t.Dialer.DialContext(ctx, network, at.addr)
	if err != nil {
		return nil, err
	}
	config := t.config.Clone()
	if config.ServerName == "" {
		// the dialler has checked its form
		config.ServerName, _, _ = net.SplitHostPort(at.addr)
	}
	if ctx.Value(onlyHTTP1{}) != nil {
		config.NextProtos = []string{http1}
	}
	c := &stated{Conn: vitrine.Client(raw, config)}
	if at.protocol == http1 && ctx.Value(withEarly{}) != nil {
		if protocol, ok := c.EarlyProtocol(); ok && protocol != http2 {
			return newSender(c.Conn, t, at), nil
		}
	}
	if err := t.handshake(ctx, c); err != nil {
		c.Close()
		return nil, err
	}
	if c.http2() {
		c.ended = func(why error) { t.remember(at.addr, why) }
	}
	if c.http2() != (at.protocol == http2) {
		at.protocol = other(at.protocol)
		t.park(at, c)
		return nil, &otherError{at}
	}
	return c, nil
}
