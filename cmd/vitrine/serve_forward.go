package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/diagnose"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/front"
	"github.com/vitrine-tls/vitrine/internal/live"
	"github.com/vitrine-tls/vitrine/trace"
)

// forwarding are the flags of --forward.
type forwarding struct {
	forward  string
	tls      bool
	ca, name string
	insecure bool
	out      string
}

func (o *forwarding) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(
		&o.forward,
		"forward",
		"",
		"pass the data on to a service at HOST:PORT, which speaks "+
			"no TLS unless --forward-tls says so",
	)
	f.BoolVar(&o.tls, "forward-tls", false, "speak TLS to the service of --forward, too, with the "+
		"application protocol that the client has")
	f.StringVar(&o.ca, "forward-ca", "",
		"verify the service of --forward with the CAs in this file (PEM) instead of the system's")
	f.StringVar(&o.name, "forward-sni", "",
		"name to send in server_name to the service of --forward, and to expect in its "+
			"certificate (default HOST)")
	f.BoolVar(&o.insecure, "forward-insecure", false,
		"do not verify the certificate of the service of --forward")
	f.StringVar(
		&o.out,
		"forward-out",
		"",
		"write what passes, decrypted, to files in this folder: "+
			"one for each leg of a connection, with what was received on it",
	)
}

// sane checks the flags together.
func (o *forwarding) sane(example string) error {
	way := example + " --forward 192.0.2.1:443 --forward-tls"
	host, _, err := net.SplitHostPort(o.forward)
	if o.forward != "" && (err != nil || host == "") {
		return &usageError{fmt.Sprintf("--forward takes HOST:PORT, got %q", o.forward),
			example + " --forward 127.0.0.1:8080"}
	}
	for _, f := range []struct {
		name  string
		given bool
		value string
	}{{"--forward-ca", o.ca != "", " " + quoted(o.ca)},
		{"--forward-sni", o.name != "", " " + quoted(o.name)},
		{"--forward-insecure", o.insecure, ""}} {
		if f.given && !o.tls {
			return &usageError{f.name + " is for --forward-tls", way + " " + f.name + f.value}
		}
	}
	switch {
	case o.forward == "" && (o.tls || o.out != ""):
		return &usageError{"--forward-tls and --forward-out need --forward", way}
	case o.ca != "" && o.insecure:
		return contradiction("--forward-ca", "--forward-insecure",
			"one trusts some, the other takes all", way)
	}
	return nil
}

// passOn returns what --forward does with a connection.
func (h *host) passOn(example string) (func(context.Context, *vitrine.Conn), error) {
	o := &h.forwarding
	var legs front.Legs
	if o.out != "" {
		if err := os.MkdirAll(o.out, 0o700); err != nil {
			return nil, fmt.Errorf("--forward-out: %w", plainer(err))
		}
		fmt.Fprintf(fit(h.cmd.ErrOrStderr()), "! --forward-out: what passes is written to %s.\n",
			explain.Escape(o.out))
		r := &legRecorder{dir: o.out, complain: h.complain}
		r.left.Store(maxPassed)
		legs = r.files
	}
	dialer := &net.Dialer{Timeout: h.timeout}
	if !o.tls {
		return front.ForwardTo(func(ctx context.Context, c *vitrine.Conn) (net.Conn, error) {
			raw, err := dialer.DialContext(ctx, "tcp", o.forward)
			if err != nil {
				return nil, h.unserved(c, "cannot be reached", err)
			}
			return raw, nil
		}, legs, h.complain), nil
	}
	config, err := h.serviceConfig(example)
	if err != nil {
		return nil, err
	}
	return front.ForwardTo(func(ctx context.Context, c *vitrine.Conn) (net.Conn, error) {
		raw, err := dialer.DialContext(ctx, "tcp", o.forward)
		if err != nil {
			return nil, h.unserved(c, "cannot be reached", err)
		}
		return h.secure(ctx, raw, c, config)
	}, legs, h.complain), nil
}

// serviceConfig returns the Config of the leg to the service.
func (h *host) serviceConfig(example string) (config *vitrine.Config, err error) {
	o := &h.forwarding
	config = &vitrine.Config{ServerName: o.name, InsecureSkipVerify: o.insecure,
		Policy: h.config.Policy, Time: time.Now, KeyLogWriter: h.config.KeyLogWriter}
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(o.forward)
	}
	if o.ca != "" {
		config.RootCAs, config.LegacyRoots, err = loadPool("--forward-ca", o.ca, example)
	}
	return config, err
}

// secure performs the handshake with the service. Its connection is the other leg of c's.
func (h *host) secure(ctx context.Context, raw net.Conn, c *vitrine.Conn,
	config *vitrine.Config) (net.Conn, error) {
	config = config.Clone()
	if p := c.ConnectionState().NegotiatedProtocol; p != "" {
		config.NextProtos = []string{p}
	}
	begun, end := time.Now(), func(error) {}
	if h.view != nil {
		leg := h.view.serviceLeg(raw, c)
		config.TraceFor = func(net.Conn) trace.Sink { return leg }
		end = func(err error) {
			leg.end(err, time.Since(begun))
		}
	}
	conn := vitrine.Client(raw, config)
	limited, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	err := conn.HandshakeContext(limited)
	if end(err); err != nil {
		conn.Close()
		return nil, h.unserved(c, "does not shake hands", err)
	}
	return conn, nil
}

// unserved returns the error of a client whose service failed, and marks its row. The client knows
// nothing of the service: it sees an end without an answer.
func (h *host) unserved(c *vitrine.Conn, what string, err error) error {
	problem := strings.TrimPrefix(err.Error(), "vitrine: ")
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		problem = errno.Error()
	} else if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		problem = op.Err.Error()
	}
	if f, ok := diagnose.Of(err); ok && f.Trust != nil {
		why := diagnose.Distrust(f.Trust.Err, f.Trust.UnverifiedCertificates, time.Now())
		what, problem = "is not trusted", why+"; try: --forward-ca FILE or --forward-insecure"
	}
	why := fmt.Sprintf("the service at %s %s: %s", h.forwarding.forward, what, problem)
	if v := visitorOf(c.NetConn()); v != nil && v.live != nil {
		v.live.unserved.Store(&why)
	}
	return fmt.Errorf("%v: %s", c.RemoteAddr(), why)
}

// serviceLeg is a connection to a service in the live view.
type serviceLeg struct{ *live.Conn }

// serviceLeg adds the connection to a service, which is the other leg of c's.
func (v *liveView) serviceLeg(raw net.Conn, c *vitrine.Conn) serviceLeg {
	about := live.Row{Start: time.Now(), Client: raw.LocalAddr().String(),
		Server: raw.RemoteAddr().String(), Leg: "service"}
	first := visitorOf(c.NetConn())
	if first != nil && first.live != nil {
		about.Other = first.live.ID()
	}
	leg := serviceLeg{v.hub.Open(about)}
	if first != nil && first.live != nil {
		first.live.Set(func(r *live.Row) { r.Leg, r.Other = "client", leg.ID() })
		first.live.legs(leg)
	}
	return leg
}

// end says how the handshake of the leg went.
func (l serviceLeg) end(err error, took time.Duration) {
	said := func(r *live.Row) { r.Handshake = float64(took.Microseconds()) / 1000 }
	if err == nil {
		l.Set(said)
		return
	}
	l.End(true, func(r *live.Row) { said(r); r.Why = err.Error() })
}

// maxPassed bounds what --forward-out writes, in bytes.
const maxPassed = 1 << 30

// legRecorder writes what is received on the legs of connections.
type legRecorder struct {
	dir      string
	complain func(error)
	left     atomic.Int64
	full     sync.Once
	made     atomic.Int64
}

// files returns the files of a connection.
func (r *legRecorder) files(*vitrine.Conn) (client, service io.Writer) {
	name := filepath.Join(r.dir, fmt.Sprintf("%s-%d-", started, r.made.Add(1)))
	return &legFile{r, &dataFile{name: name + "client.bin"}},
		&legFile{r, &dataFile{name: name + "service.bin"}}
}

// started names the files of this run.
var started = time.Now().UTC().Format("20060102T150405Z")

// legFile is the file of a leg.
type legFile struct {
	r *legRecorder
	f *dataFile
}

// Write writes b at once, as long as there is room for all connections together.
func (l *legFile) Write(b []byte) (int, error) {
	if l.r.left.Add(-int64(len(b))) < 0 {
		l.r.full.Do(func() {
			l.r.complain(fmt.Errorf("--forward-out has %d MiB: no more is written",
				maxPassed>>20))
		})
		return len(b), nil
	}
	if err := l.f.write(b); err != nil {
		return 0, err
	}
	return len(b), l.f.flush()
}
