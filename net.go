package vitrine

import (
	"context"
	"errors"
	"net"
	"slices"
	"time"
)

// errHTTP2 is returned by what can be used with http.Serve and http.Transport. These speak HTTP/2
// only over the connections of crypto/tls, so negotiating it here would leave a client with a
// connection on which nobody answers.
var errHTTP2 = errors.New(`vitrine: Config.NextProtos offers "h2", and net/http does not ` +
	`speak it over this connection: use package vhttp or, if the program itself speaks HTTP/2, ` +
	`Client, Dial or Server`)

func offersHTTP2(c *Config) bool { return c != nil && slices.Contains(c.NextProtos, "h2") }

// Dial connects to addr and performs the handshake as a client. If config.ServerName is empty, the
// host of addr is used. A nil config is equivalent to the zero Config.
func Dial(network, addr string, config *Config) (*Conn, error) {
	return (&Dialer{Config: config}).dial(context.Background(), network, addr)
}

// DialWithDialer is like Dial but connects with the given dialer, whose Timeout and Deadline apply
// to the connection and the handshake as a whole.
func DialWithDialer(dialer *net.Dialer, network, addr string, config *Config) (*Conn, error) {
	return (&Dialer{NetDialer: dialer, Config: config}).dial(context.Background(), network, addr)
}

// A Dialer makes client connections.
type Dialer struct {
	NetDialer *net.Dialer // nil means the zero Dialer; its timeouts include the handshake
	Config    *Config
}

// Dial is like DialContext with context.Background.
func (d *Dialer) Dial(network, addr string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, addr)
}

// DialContext connects to addr and performs the handshake, both under ctx. The returned connection
// is a *Conn. DialContext can be used as the DialTLSContext of an http.Transport, and therefore
// returns an error if Config offers "h2"; package vhttp supports HTTP/2.
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

// limited returns ctx with the Timeout and Deadline of d applied, so that they cover the handshake
// too.
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

// Listen listens on laddr and returns a listener whose connections are server-side Conns. The
// listener can be passed to http.Serve, and therefore Listen returns an error if config offers
// "h2"; package vhttp supports HTTP/2.
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

// NewListener returns a listener that wraps each connection accepted by inner with Server. The
// handshake is performed by the first Read or Write. If config offers "h2", Accept returns the same
// error as Listen.
func NewListener(inner net.Listener, config *Config) net.Listener {
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
