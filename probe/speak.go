package probe

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/alert"
	_ "github.com/vitrine-tls/vitrine/compression" // brotli and zstd, for certificates
	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/message"
	"github.com/vitrine-tls/vitrine/negotiation"
	"github.com/vitrine-tls/vitrine/trace"
)

// Questions that need a whole handshake are asked with Vitrine's own client, which accepts any
// certificate here, since no data but the questions is ever sent.

// spoken is a connection of Vitrine's client.
type spoken struct {
	state    vitrine.ConnectionState
	messages []*trace.Message
	cut      bool // it ended without close_notify while it waited for tickets
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
	var cut bool
	sp := s.talk(ctx, edit, func(conn *vitrine.Conn, raw net.Conn) {
		if wait == 0 || conn.ConnectionState().Version != vitrine.VersionTLS13 {
			return
		}
		raw.SetReadDeadline(time.Now().Add(wait))
		_, err := io.CopyN(io.Discard, conn, 1)
		if received, ok := errors.AsType[*alert.Received](err); ok {
			late = received
		}
		_, cut = errors.AsType[*vitrine.TruncatedError](err)
		cut = cut || isReset(err)
		raw.SetDeadline(time.Now().Add(time.Second))
	})
	sp.cut = cut
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

// words says how a handshake failed, without what may be inferred from that.
func words(err error) string {
	if r, ok := errors.AsType[*alert.Received](err); ok {
		return "alert " + r.Description.String()
	}
	if failed, ok := errors.AsType[*vitrine.HandshakeError](err); ok {
		err = failed.Err
	}
	switch {
	case isReset(err):
		return string(Reset)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return string(Closed)
	}
	return bounded(err.Error())
}

// only makes a Config speak one version.
func only(v iana.Version) func(*vitrine.Config) {
	return func(c *vitrine.Config) { c.MinVersion, c.MaxVersion = uint16(v), uint16(v) }
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
