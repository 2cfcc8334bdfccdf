// Package reach connects to a server in steps, so that each can be shown with its time and its
// error: the name, each address, a proxy, and the dialogue before STARTTLS.
package reach

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/internal/framing"
	"github.com/vitrine-tls/vitrine/internal/starttls"
)

// Way describes where to connect to, and how.
type Way struct {
	Host, Port string
	Network    string // "tcp", "tcp4" or "tcp6"
	Resolve    string // an address in the place of what the name resolves to, or empty
	Proxy      *url.URL
	StartTLS   *starttls.Protocol
	Timeout    time.Duration // of each step
}

// Phase is the result of one step.
type Phase struct {
	Name   string // "name", "tcp", "proxy", "starttls", "tls"
	Detail string
	Took   time.Duration
	Err    error
}

// Error is an error with the step that failed.
type Error struct {
	Phase string
	Err   error
}

func (e *Error) Error() string { return Words(e.Err) }

// Unwrap returns e.Err.
func (e *Error) Unwrap() error { return e.Err }

// Go makes the connection. It returns the steps that were tried, even on failure. The error is an
// *Error.
func (w *Way) Go(ctx context.Context) (*Conn, []Phase, error) {
	j := &journey{Way: w}
	host, port, resolve := w.Host, w.Port, w.Resolve
	if w.Proxy != nil {
		host, port, resolve = w.Proxy.Hostname(), proxyPort(w.Proxy), ""
	}
	addrs, err := j.lookup(ctx, host, resolve)
	if err != nil {
		return nil, j.phases, err
	}
	conn, err := j.connect(ctx, addrs, port)
	if err != nil {
		return nil, j.phases, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if w.Proxy != nil {
		err = j.step("proxy", w.Proxy.Redacted(),
			func() error { return w.throughProxy(conn) }, conn)
	}
	if p := w.StartTLS; err == nil && p != nil {
		err = j.step("starttls", p.Name+" ("+p.Ref+")",
			func() error { return p.Ask(conn, w.Host) }, conn)
		if err == nil && p.Framing != nil {
			conn.Conn = framing.New(conn.Conn, p.Framing)
		}
	}
	if err != nil {
		conn.Close()
		return nil, j.phases, err
	}
	conn.forget()
	return conn, j.phases, nil
}

// journey is a connection that is being made.
type journey struct {
	*Way
	phases []Phase
}

func (j *journey) done(p Phase, began time.Time) error {
	p.Took = time.Since(began)
	j.phases = append(j.phases, p)
	if p.Err == nil {
		return nil
	}
	return &Error{p.Name, p.Err}
}

func (j *journey) step(name, detail string, do func() error, conn net.Conn) error {
	began := time.Now()
	conn.SetDeadline(began.Add(j.Timeout))
	err := do()
	conn.SetDeadline(time.Time{})
	return j.done(Phase{Name: name, Detail: detail, Err: err}, began)
}

func (j *journey) lookup(ctx context.Context, host, resolve string) ([]netip.Addr, error) {
	if resolve != "" {
		host = resolve
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, j.Timeout)
	defer cancel()
	began := time.Now()
	network := "ip" + strings.TrimPrefix(j.Network, "tcp")
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, network, host)
	var words []string
	for _, a := range addrs {
		words = append(words, a.Unmap().String())
	}
	detail := host
	if len(words) > 0 {
		detail += " → " + strings.Join(words, ", ")
	}
	return addrs, j.done(Phase{Name: "name", Detail: detail, Err: err}, began)
}

// NoSuchName reports whether err says that the name does not exist, or has no address of the family
// that was asked for, rather than that the lookup failed.
func NoSuchName(err error) bool {
	e, ok := errors.AsType[*net.DNSError](err)
	_, family := errors.AsType[*net.AddrError](err) // it has addresses, of the other one
	return family || ok && e.IsNotFound
}
