package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/front"
	"github.com/vitrine-tls/vitrine/internal/reach"
	"github.com/vitrine-tls/vitrine/internal/throwaway"
	"github.com/vitrine-tls/vitrine/session"
)

// serveOptions are the flags of serve.
type serveOptions struct {
	choices
	listen             string
	certs, keys, names []string
	caOut              string
	dir                string
	forwarding
	echo, hello           bool
	clientAuth, clientCA  string
	clientAny             bool
	tickets, sessionIDs   bool
	lifetime              time.Duration // of sessions of TLS 1.3
	clientOrder           bool
	namesRefused          bool
	earlyData             bool
	lateAuth, cookie      bool
	rawKeys               bool
	clientPins            []string
	late                  tls.ClientAuthType // what --post-handshake-auth asks for
	ocsp                  string
	maxConns, perAddr     int
	timeout, idle, write  time.Duration
	json, reveal          bool
	showKeys              bool
	glass                 []string
	detail, color, keyLog string
	live                  liveFlags
}

func newServe() *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use: "serve",
		Short: "Serve TLS clients: a page about their own connection, files, an echo, or a " +
			"service without TLS",
		Long: `Listens for TLS clients. By default it shows a browser a page about its own
connection: the messages of both sides, the keys, and the record with the request, byte by byte.
Secrets are shown as fingerprints there, unless --show-keys is given; they are never shown for a
connection whose request says that it came through a proxy. curl and other clients get a short text,
or JSON if they accept application/json. Without --cert it makes a certificate for this run. At the
start it prints commands that connect to it.

One line is logged for each connection when its handshake has ended. --glass shows the handshakes
of connections that match: "all", "failed", an address or a server name, in which * stands for any
text.

Time limits keep clients from holding connections without using them: --timeout for the handshake,
--idle-timeout for a connection without data, --write-timeout for a client that does not read. One
address may have any number of connections until three quarters of --max-conns are open; then it
gets no more than --max-per-addr. Raise that limit behind a proxy, where all clients have the same
address.

SIGTERM and an interrupt end the server gracefully: it accepts no more connections, and waits five
seconds for those that are open. SIGHUP does not end it, not even when it comes from a closing
terminal: --cert, --key, --ocsp and --client-ca are read again for new connections, with new ticket
keys. If a file cannot be read, the server reports it and changes nothing.

With --early-data a client that returns may send a request before the handshake is done. An attacker
who recorded it can send it again: so methods other than GET, HEAD, OPTIONS and TRACE are answered
425 (Too Early, RFC 8470), a ticket can be used for early data once, and none is accepted in the ten
seconds after the first connection.

With --post-handshake-auth the client certificate is requested when the first request has arrived.
The request is answered after the client's answer; with --client-auth require, a client without a
certificate, or one that did not offer authentication after the handshake, gets 403.

` + exitLine(
			"serve",
		),
		Example: `  vitrine serve
  vitrine serve --listen :8443 --cert chain.pem --key key.pem --dir public
  vitrine serve --forward 127.0.0.1:8080
  vitrine serve --forward service.example:443 --forward-tls --ui --reveal
  vitrine serve --client-auth require --client-ca clients.pem --glass failed`,
		Args: o.live.args,
		RunE: func(cmd *cobra.Command, _ []string) error { return serve(cmd, &o) },
	}
	o.addTo(cmd)
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:8443",
		"address to listen on; :8443 is that port of every address, port 0 any free one")
	f.StringArrayVar(&o.certs, "cert", nil,
		"certificate with its chain (PEM, DER, PKCS #12); may be repeated, with one --key for "+
			"each or none at all")
	f.StringArrayVar(&o.keys, "key", nil,
		"private key of --cert (PEM, DER, PKCS #12); without it, the one in the file of --cert")
	f.StringSliceVar(&o.names, "name", nil,
		"names in the certificate that is made for this run (default localhost, 127.0.0.1, ::1)")
	f.StringVar(&o.caOut, "ca-out", "",
		"without --cert: write the CA that was made for this run to this file (PEM)")
	f.StringVar(&o.dir, "dir", "", "serve the files of this folder")
	f.BoolVar(&o.echo, "echo", false,
		"send every line back, one of up to 16 KiB in a record of its own")
	f.BoolVar(&o.hello, "hello", false,
		"answer HTTP clients with what they negotiated: browsers with a page, others with text "+
			"or JSON (the default)")
	f.BoolVar(&o.showKeys, "show-keys", false,
		"show a browser the secrets of its own connection, on the page about it")
	o.forwarding.add(cmd)
	f.StringVar(&o.clientAuth, "client-auth", "none",
		"client certificates: none, request or require")
	f.StringVar(&o.clientCA, "client-ca", "",
		"accept client certificates of the CAs in this file (PEM)")
	f.BoolVar(&o.clientAny, "client-any", false, "accept any client certificate, whoever signed it")
	f.StringArrayVar(&o.clientPins, "client-pin", nil,
		"accept the raw public key of a client (RFC 7250) with this SHA-256, as sha256/BASE64 or "+
			"hex; may be repeated")
	f.BoolVar(&o.tickets, "tickets", true, "issue session tickets (RFC 5077)")
	f.BoolVar(&o.sessionIDs, "session-ids", false,
		"keep up to 10000 sessions for clients without tickets")
	f.DurationVar(&o.lifetime, "session-lifetime", 0,
		"how long sessions and tickets of TLS 1.3 can be resumed, up to 168h (default 24h)")
	f.BoolVar(&o.clientOrder, "client-order", false,
		"choose suites and groups by the client's order of preference instead of the server's")
	f.BoolVar(&o.namesRefused, "refuse-unknown-names", false,
		"refuse clients that ask for a name which no certificate has (unrecognized_name)")
	f.BoolVar(&o.earlyData, "early-data", false,
		"accept up to 16 KiB of early data (0-RTT) with a TLS 1.3 ticket, once for each ticket; "+
			"needs --session-ids, and HTTP")
	f.BoolVar(&o.lateAuth, "post-handshake-auth", false,
		"ask for the client certificate of --client-auth after the handshake, before the first "+
			"request is answered; TLS 1.3 and HTTP/1.1 only")
	f.BoolVar(&o.cookie, "cookie", false,
		"answer each first ClientHello of TLS 1.3 with a HelloRetryRequest, whose cookie holds "+
			"the server's state")
	f.BoolVar(&o.rawKeys, "raw-public-key", false,
		"send the certificate's key as a raw public key (RFC 7250) to clients that accept "+
			"nothing else; with --client-any, accept any raw public key of a client: see "+
			"--client-pin")
	f.StringVar(&o.ocsp, "ocsp", "", "OCSP response to staple, in a file (DER)")
	f.IntVar(&o.maxConns, "max-conns", 4096,
		"maximum number of connections; at the limit, a new one closes the oldest whose "+
			"handshake is not done")
	f.IntVar(&o.perAddr, "max-per-addr", 0,
		"maximum for one address when three quarters of --max-conns are open; 0 is an eighth of "+
			"--max-conns, at least 8")
	f.DurationVar(&o.idle, "idle-timeout", 5*time.Minute,
		"time limit of a connection that neither sends nor receives; 0 is no limit")
	f.DurationVar(&o.write, "write-timeout", 30*time.Second,
		"time limit of sending up to two records; 0 is no limit")
	f.DurationVar(&o.timeout, "timeout", 10*time.Second,
		"time limit of a handshake, of reading a request's head, and of connecting to --forward")
	f.BoolVar(&o.json, "json", false, "log JSON lines on standard output, and nothing else there")
	f.StringSliceVar(&o.glass, "glass", nil, "show the handshakes of connections that match")
	f.BoolVar(&o.reveal, "reveal", false,
		"show secrets, and what was said inside, in the handshakes of --glass and the page of --ui")
	o.live.add(cmd)
	f.StringVar(&o.keyLog, "keylog-out", "",
		"append the connections' secrets to this file (RFC 9850)")
	detailFlag(cmd, &o.detail)
	colorFlag(cmd, &o.color)
	complete(cmd, "client-auth", "none", "request", "require")
	return cmd
}

// grace is how long open connections may continue when the server ends.
const grace = 5 * time.Second

func serve(cmd *cobra.Command, o *serveOptions) error {
	h := &host{serveOptions: o, cmd: cmd, out: cmd.OutOrStdout()}
	if err := h.prepare(); err != nil {
		return err
	}
	service, err := h.purpose()
	if err != nil {
		return err
	}
	if h.view, err = h.live.open(cmd, o.reveal); err != nil {
		return err
	}
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		h.view.close(cmd.ErrOrStderr())
		return h.cannotListen(err)
	}
	ctx, ignore := signal.NotifyContext(cmd.Context(), syscall.SIGTERM)
	defer ignore()
	stop, err := h.view.serve(cmd, &o.live, "serve at "+l.Addr().String())
	if err != nil {
		l.Close()
		return err
	}
	defer stop()
	use, end := h.begin(service, l.Addr())
	defer h.onHangup()()
	h.welcome(l.Addr())
	h.view.announce(cmd.ErrOrStderr())
	s := &front.Server{Config: h.configFor, Use: use, Report: h.report, Bug: h.bug,
		Early: o.earlyData,
		Limits: front.Limits{
			MaxConns: o.maxConns, PerAddr: o.perAddr, Handshake: o.timeout, Idle: o.idle,
			Write: o.write,
		}}
	if end != nil {
		context.AfterFunc(ctx, func() {
			late, cancel := context.WithTimeout(context.Background(), grace)
			defer cancel()
			end(late)
		})
	}
	if err := s.Serve(ctx, l, grace); err != nil {
		return err
	}
	return cmd.Context().Err()
}

// host holds the server and its state.
type host struct {
	*serveOptions
	cmd    *cobra.Command
	config *vitrine.Config // made at the start; SIGHUP does not change it
	own    *throwaway.CA

	current atomic.Pointer[vitrine.Config] // for new connections

	desk *desk     // nil if visitors get no page
	view *liveView // nil without --ui

	mu  sync.Mutex // guards out
	out io.Writer
}

func (h *host) cannotListen(err error) error {
	way := "vitrine serve --listen 127.0.0.1:0"
	if address, ok := errors.AsType[*net.AddrError](err); ok {
		if n, err := strconv.Atoi(address.Addr); err == nil && n >= 0 && n < 1<<16 {
			way = fmt.Sprintf("vitrine serve --listen :%d", n)
		}
	}
	return cannotListen("--listen", h.listen, err, way)
}

// cannotListen returns the error of a flag with an address where nothing can listen. way is a
// command line that works.
func cannotListen(flag, addr string, err error, way string) error {
	why := fmt.Sprintf("%s %s: %s", flag, addr, reach.CannotListen(err))
	if errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, os.ErrPermission) {
		return &exitError{exitFailed, fmt.Errorf("%s; try: %s", why, way)}
	}
	return &usageError{why, way}
}

// prepare makes the Config from the flags.
func (h *host) prepare() (err error) {
	example := h.cmd.CommandPath()
	if h.config, err = h.choices.config(example); err != nil {
		return err
	}
	if err := errors.Join(h.sane(example), h.forwarding.sane(example)); err != nil {
		return err
	}
	if err := checkNames("--name", h.names, example+" --name localhost"); err != nil {
		return err
	}
	if len(h.certs) > 0 && (h.names != nil || h.caOut != "") {
		return contradiction("--cert", "--name or --ca-out",
			"those are for the certificate that is made without --cert",
			example+" --name localhost --ca-out ca.pem")
	}
	if len(h.certs) == 0 && len(h.keys) == 0 {
		if err := h.makeCertificates(); err != nil {
			return err
		}
	}
	if err := h.preShared(h.cmd, h.config, example); err != nil {
		return err
	}
	if !h.tickets {
		h.config.SessionTicketsDisabled = true
	}
	h.config.SessionLifetime, h.config.ClientOrder = h.lifetime, h.clientOrder
	h.config.UnknownNamesRefused = h.namesRefused
	if err := h.read(h.config); err != nil {
		return err
	}
	return h.openKeyLog()
}

// sane checks the values of single flags.
func (h *host) sane(example string) error {
	switch {
	case h.maxConns < 1:
		return &usageError{fmt.Sprintf("--max-conns takes a number above 0, got %d", h.maxConns),
			example + " --max-conns 1000"}
	case h.perAddr < 0:
		return &usageError{fmt.Sprintf("--max-per-addr takes 0 or more, got %d", h.perAddr),
			example + " --max-per-addr 100"}
	case h.timeout <= 0:
		return &usageError{fmt.Sprintf("--timeout takes a time above 0, got %v", h.timeout),
			example + " --timeout 10s"}
	case h.lifetime < 0 || h.lifetime > session.MaxSessionAge13:
		return &usageError{fmt.Sprintf("--session-lifetime takes a time of up to %v, got %v",
			session.MaxSessionAge13, h.lifetime), example + " --session-lifetime 12h"}
	case h.idle < 0:
		return &usageError{fmt.Sprintf("--idle-timeout takes 0 or more, got %v", h.idle),
			example + " --idle-timeout 5m"}
	case h.write < 0:
		return &usageError{fmt.Sprintf("--write-timeout takes 0 or more, got %v", h.write),
			example + " --write-timeout 30s"}
	}
	if err := h.sane13(example); err != nil {
		return err
	}
	if _, err := styleOf(h.out, h.color); err != nil {
		return err
	}
	_, err := levelOf(h.detail)
	return err
}

// makeCertificates makes a CA and certificates with an ECDSA and an RSA key, so that every suite
// with a certificate can be negotiated.
func (h *host) makeCertificates() (err error) {
	if h.names == nil {
		h.names = []string{"localhost", "127.0.0.1", "::1"}
	}
	if h.own, err = throwaway.New(throwaway.Options{}); err != nil {
		return err
	}
	for _, kind := range []throwaway.Kind{throwaway.ECDSA, throwaway.RSA} {
		c, err := h.own.Issue(kind, h.names)
		if err != nil {
			return err
		}
		h.config.Certificates = append(h.config.Certificates, c)
	}
	if h.caOut == "" {
		return nil
	}
	if err := writeCertificates(h.caOut, []*x509.Certificate{h.own.Cert}); err != nil {
		return fmt.Errorf("--ca-out: %w", err)
	}
	return nil
}

// openKeyLog opens the files that --keylog-out and SSLKEYLOGFILE name.
func (h *host) openKeyLog() error {
	var logs []io.Writer
	for _, l := range []struct{ by, name string }{{"--keylog-out", h.keyLog},
		{"SSLKEYLOGFILE", os.Getenv("SSLKEYLOGFILE")}} {
		if l.name == "" {
			continue
		}
		f, err := appendFile(l.name)
		if err != nil {
			return fmt.Errorf("%s: %w", l.by, err)
		}
		fmt.Fprintf(fit(h.cmd.ErrOrStderr()), "! %s: the connections' secrets go to %s.\n", l.by,
			explain.Escape(l.name))
		logs = append(logs, f)
	}
	if logs != nil {
		h.config.KeyLogWriter = io.MultiWriter(logs...)
	}
	return nil
}
