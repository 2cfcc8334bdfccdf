package vitrine

import (
	"context"
	"errors"
	"net"
	"slices"
	"time"
)

// errHTTP2: what fits into http.Serve and http.Transport must not agree to HTTP/2, which those two
// speak over crypto/tls's connections only: a client would be left with a connection on which
// nobody answers.
var errHTTP2 = errors.New(`vitrine: Config.NextProtos offers "h2", and net/http does not speak it over this connection: use package vhttp or, if the program itself speaks HTTP/2, Client, Dial or Server`)

func offersHTTP2(c *Config) bool { return c != nil && slices.Contains(c.NextProtos, "h2") }

// Dial connects to addr and performs the handshake as a client. If config names no server, the host
// of addr is the name.
func Dial(network, addr string, config *Config) (*Conn, error) {
	return (&Dialer{Config: config}).dial(context.Background(), network, addr)
}

// DialWithDialer is Dial with a dialer of the program's. Its Timeout and Deadline hold for the
// connection and the handshake together.
func DialWithDialer(dialer *net.Dialer, network, addr string, config *Config) (*Conn, error) {
	return (&Dialer{NetDialer: dialer, Config: config}).dial(context.Background(), network, addr)
}

// Dialer makes client connections.
type Dialer struct {
	NetDialer *net.Dialer // nil: a zero one; its times hold for the handshake too
	Config    *Config
}

// Dial is DialContext without a context.
func (d *Dialer) Dial(network, addr string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, addr)
}

// DialContext connects to addr and performs the handshake, both under ctx. The connection is a
// *Conn. It suits http.Transport's DialTLSContext, and therefore refuses to offer "h2": package
// vhttp does that.
func (d *Dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	if offersHTTP2(d.Config) {
		return nil, errHTTP2
	}
	c, err := d.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (d *Dialer) dial(ctx context.Context, network, addr string) (*Conn, error) {
	config := d.Config
	if config == nil {
		config = &Config{}
	}
	if config.ServerName == "" {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		config = config.Clone()
		config.ServerName = host
	}
	under := d.NetDialer
	if under == nil {
		under = &net.Dialer{}
	}
	ctx, cancel := limited(ctx, under)
	defer cancel()
	conn, err := under.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	c := Client(conn, config)
	if err := c.HandshakeContext(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// limited is ctx with a dialer's times, which hold for the handshake too.
func limited(ctx context.Context, d *net.Dialer) (context.Context, context.CancelFunc) {
	end := d.Deadline
	if d.Timeout > 0 {
		if t := time.Now().Add(d.Timeout); end.IsZero() || t.Before(end) {
			end = t
		}
	}
	if end.IsZero() {
		return ctx, func() {}
	}
	return context.WithDeadline(ctx, end)
}

// Listen listens on laddr and makes a server's Conn of every connection. It suits http.Serve, and
// therefore refuses to offer "h2": package vhttp does that.
func Listen(network, laddr string, config *Config) (net.Listener, error) {
	if offersHTTP2(config) {
		return nil, errHTTP2
	}
	l, err := net.Listen(network, laddr)
	if err != nil {
		return nil, err
	}
	return NewListener(l, config), nil
}

// NewListener makes a server's Conn of every connection that inner accepts. The handshake is up to
// the first Read or Write. If config offers "h2", Accept says what Listen says.
func NewListener(inner net.Listener,
	config *Config) net.Listener {
	return &listener{inner, config}
}

type listener struct {
	net.Listener
	config *Config
}

func (l *listener) Accept() (net.Conn, error) {
	if offersHTTP2(l.config) {
		return nil, errHTTP2
	}
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return Server(c, l.config), nil
}
