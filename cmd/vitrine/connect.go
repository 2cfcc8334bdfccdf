package main

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/vitrine-tls/vitrine"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/reach"
	"github.com/vitrine-tls/vitrine/internal/starttls"
	screen "github.com/vitrine-tls/vitrine/render/term"
)

// connectOptions are the flags of connect.
type connectOptions struct {
	choices
	artefacts
	sni, ca, cert, key         string
	starttls, proxy, resolve   string
	four, six                  bool
	timeout                    time.Duration
	splitHello                 int
	insecure, noSNI, resume    bool
	rawKey                     bool
	sendAnyway, renegotiate    bool
	earlyData, keyUpdate       bool
	awaitServer, lateAuth      bool
	pins                       []string
	chainOut, get              string
	interactive, noRetry, json bool
	detail, color              string
	talks, gets                bool // set by purpose
}

func newConnect() *cobra.Command {
	var o connectOptions
	cmd := &cobra.Command{
		Use: "connect HOST[:PORT]",
		Short: "Connect to a server and report what was negotiated, or why it failed and what " +
			"would work",
		Long: `Connects to a TLS server and reports how it was reached, how long each step took,
what was negotiated, the server's certificates and whether they are trusted, what is deprecated
about the connection, and who closed it and how. The target is HOST, HOST:PORT, [IPv6]:PORT or a
URL. Without a port it is 443, or with --starttls the port of the protocol.

If the handshake fails, connect asks the server in about 13 new connections what it supports, tries
the smallest changes that may help, and prints the command line that works. If the certificate is
not trusted, it tries the changes that might make it trusted. --no-retry turns both off.

With -i, or if standard input is a pipe or a file, connect sends standard input to the server and
writes what the server sends to standard output; the report goes to standard error. After the end
of standard input it waits until the server has sent nothing for a second, sends close_notify, and
reads to the end of the server's data. With --get, --json, --resume or -i=false standard input is
not read.

` + exitLine(
			"connect",
		),
		Example: `  vitrine connect example.com
  vitrine connect https://example.com/ --get /
  vitrine connect mail.example.com:587 --starttls smtp
  vitrine connect printer.lan --policy legacy -k
  printf 'GET / HTTP/1.0\r\n\r\n' | vitrine connect example.com`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return &usageError{fmt.Sprintf("%s takes one HOST[:PORT], got %d",
					cmd.CommandPath(), len(args)), cmd.CommandPath() + " " +
					quoted(append(args, "example.com:443")[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return connect(cmd, args[0], &o) },
	}
	o.addTo(cmd)
	f := cmd.Flags()
	f.StringVar(&o.sni, "sni", "",
		"name to send in server_name and to expect in the certificate (default HOST)")
	f.BoolVar(&o.noSNI, "no-sni", false,
		"send no server_name; the name of --sni, or HOST, is still expected in the certificate")
	f.StringVar(&o.ca, "ca", "", "trust the roots in this file (PEM) instead of the system's")
	o.identityFlags(cmd)
	o.add13(cmd)
	f.StringVar(&o.starttls, "starttls", "",
		"begin in the clear with this protocol: "+strings.Join(starttls.Names(), ", "))
	f.StringVar(&o.proxy, "proxy", "",
		"connect through http://[USER:PASSWORD@]HOST:PORT (CONNECT) or socks5://…")
	f.StringVar(&o.resolve, "resolve", "", "connect to this address instead of looking HOST up")
	f.BoolVarP(&o.four, "ipv4", "4", false, "use IPv4 only")
	f.BoolVarP(&o.six, "ipv6", "6", false, "use IPv6 only")
	f.DurationVar(&o.timeout, "timeout", 10*time.Second,
		"time limit of each step, the handshake and the wait for an answer among them; finding "+
			"out why one failed takes four times as long at most, and no more than 15s")
	f.IntVar(&o.splitHello, "split-hello", 0,
		"put this many bytes of the ClientHello in a record, for servers that cannot read a long "+
			"one (default all of it)")
	f.BoolVarP(&o.insecure, "insecure", "k", false,
		"do not verify the server's certificate: anybody may be at the other end")
	f.StringSliceVar(&o.pins, "pin", nil,
		"require one of these public keys in the chain: SHA-256 as sha256/BASE64 or hex")
	f.BoolVar(&o.rawKey, "raw-public-key", false,
		"accept the raw public key of --pin instead of certificates (RFC 7250); --key without "+
			"--cert is sent as one")
	f.StringVar(&o.chainOut, "chain-out", "", "write the server's certificates to this file (PEM)")
	f.StringVar(&o.get, "get", "",
		"request this path with HTTP/1.1; the body goes to standard output")
	f.BoolVarP(&o.interactive, "interactive", "i", false,
		"send standard input to the server even if it is a terminal")
	f.BoolVar(&o.resume, "resume", false,
		"connect a second time and report whether the session was resumed")
	f.BoolVar(&o.noRetry, "no-retry", false, "after a failure, do not try changes that may help")
	f.BoolVar(&o.json, "json", false,
		"print the report as one line of JSON, and nothing else on standard output")
	f.BoolVar(&o.reveal, "reveal", false,
		"show secrets in --events, --markdown, --html and --detail")
	artefactFlags(cmd, &o.artefacts)
	detailFlag(cmd, &o.detail)
	colorFlag(cmd, &o.color)
	complete(cmd, "starttls", starttls.Names()...)
	return cmd
}

// connect runs the command with its flags.
func connect(cmd *cobra.Command, where string, o *connectOptions) error {
	style, err := styleOf(cmd.OutOrStdout(), o.color)
	if err != nil {
		return err
	}
	level, err := levelOf(o.detail)
	if err != nil {
		return err
	}
	c, err := o.caller(cmd, where)
	if err != nil {
		return err
	}
	c.progress = newProgress(cmd)
	stop := sync.OnceFunc(c.progress.stop)
	defer stop()
	c.progress.step("connecting to %s", explain.Escape(c.target.String()))
	a := c.attempt(cmd.Context(), c.config)
	r := newReport(c, a)
	if cmd.Context().Err() != nil {
		return cmd.Context().Err()
	}
	if a.err == nil {
		out := c.reportTo(cmd)
		if (c.talks || c.gets) && !c.json { // the report first: talking may take long
			r.writeHead(out)
		}
		if err := c.used(cmd, a, r); err != nil {
			return err
		}
	}
	if err := c.keep(cmd, a, r); err != nil {
		return err
	}
	if a.err != nil {
		c.explain(cmd.Context(), a, r)
		if cmd.Context().Err() != nil {
			return cmd.Context().Err()
		}
	}
	stop() // before the report
	r.summarize()
	if err := c.show(cmd, r); err != nil {
		return err
	}
	if o.detail != "" && len(a.events.entries()) > 0 && !o.json {
		if err := c.story(c.reportTo(cmd), a, level, style); err != nil {
			return err
		}
	}
	return r.verdict()
}

// caller has what an attempt to connect needs.
type caller struct {
	*connectOptions
	cmd    *cobra.Command
	target target
	way    reach.Way
	config *vitrine.Config

	progress *progress
}

func (o *connectOptions) caller(cmd *cobra.Command, where string) (*caller, error) {
	example := cmd.CommandPath() + " " + quoted(where)
	dialect, err := o.dialect("vitrine connect " + quoted(where))
	if err != nil {
		return nil, err
	}
	port := "443"
	if dialect != nil {
		port = dialect.Port
	}
	c := &caller{connectOptions: o, cmd: cmd}
	if c.target, err = parseTarget(where, port); err != nil {
		return nil, err
	}
	if dialect == nil && c.target.starttls != "" {
		dialect, _ = starttls.ByName(c.target.starttls)
	}
	c.way = reach.Way{Host: c.target.host, Port: c.target.port, Network: "tcp", Resolve: o.resolve,
		StartTLS: dialect, Timeout: o.timeout}
	if err := o.route(&c.way, example); err != nil {
		return nil, err
	}
	if c.config, err = o.config(example); err != nil {
		return nil, err
	}
	if err := o.split(c.config, example); err != nil {
		return nil, err
	}
	if err := o.identify(cmd, c.config, c.target, example); err != nil {
		return nil, err
	}
	if err := o.preShared(cmd, c.config, example); err != nil {
		return nil, err
	}
	o.purpose(cmd)
	if o.gets && slices.Contains(o.alpn, "h2") {
		return nil, contradiction("--get", "--alpn h2", "--get speaks HTTP/1.1",
			example+" --get "+quoted(o.get))
	}
	if o.interactive && (o.gets || o.json) {
		return nil, contradiction("-i", "--get or --json", "both want standard output",
			example+" -i")
	}
	if err := o.coherent13(c.config, example); err != nil {
		return nil, err
	}
	if o.interactive && o.resume {
		return nil, contradiction("-i", "--resume", "only one connection has standard input",
			example+" --resume")
	}
	return c, c.honourKeyLogFile()
}

// dialect returns the protocol that --starttls names, or nil.
func (o *connectOptions) dialect(example string) (*starttls.Protocol, error) {
	if o.starttls == "" {
		return nil, nil
	}
	p, ok := starttls.ByName(o.starttls)
	if !ok {
		return nil, &usageError{fmt.Sprintf("--starttls takes one of %s, got %q",
			strings.Join(starttls.Names(), ", "), o.starttls),
			example + " --starttls " + nearest(o.starttls, starttls.Names())}
	}
	return p, nil
}

// route reads the flags that say how to reach the server.
func (o *connectOptions) route(w *reach.Way, example string) (err error) {
	_, bad := netip.ParseAddr(o.resolve)
	switch {
	case o.resolve != "" && bad != nil:
		return &usageError{fmt.Sprintf("--resolve takes an address, got %q", o.resolve),
			example + " --resolve 192.0.2.1"}
	case o.four && o.six:
		return contradiction("-4", "-6", "each excludes the other", example+" -4")
	case o.four:
		w.Network = "tcp4"
	case o.six:
		w.Network = "tcp6"
	}
	if o.timeout <= 0 {
		return &usageError{fmt.Sprintf("--timeout takes a time above 0, got %v", o.timeout),
			example + " --timeout 10s"}
	}
	if o.proxy != "" {
		if w.Proxy, err = reach.ParseProxy(o.proxy); err != nil {
			return &usageError{"--proxy: " + err.Error(),
				example + " --proxy http://proxy.example:3128"}
		}
	}
	return nil
}

// purpose decides whether the connection is for --get or for talking.
func (o *connectOptions) purpose(cmd *cobra.Command) {
	o.gets = cmd.Flags().Changed("get")
	if o.talks = o.interactive; cmd.Flags().Changed("interactive") || o.gets || o.json || o.resume {
		return
	}
	f, ok := cmd.InOrStdin().(*os.File)
	if !ok {
		return
	}
	info, err := f.Stat()
	// not a terminal, not /dev/null
	o.talks = err == nil && info.Mode()&os.ModeCharDevice == 0 && !term.IsTerminal(int(f.Fd()))
}

// honourKeyLogFile opens the file that SSLKEYLOGFILE names for appending, and says so on standard
// error.
func (c *caller) honourKeyLogFile() error {
	name := os.Getenv("SSLKEYLOGFILE")
	if name == "" {
		return nil
	}
	f, err := appendFile(name)
	if err != nil {
		return fmt.Errorf("SSLKEYLOGFILE: %w", err)
	}
	fmt.Fprintf(fit(c.cmd.ErrOrStderr()),
		"! SSLKEYLOGFILE is set: the connection's secret goes to %s.\n", explain.Escape(name))
	c.config.KeyLogWriter = f
	return nil
}

// reportTo returns where the report goes: standard error if standard output is for data.
func (c *caller) reportTo(cmd *cobra.Command) io.Writer {
	if c.talks || c.gets {
		return fit(cmd.ErrOrStderr())
	}
	return fit(cmd.OutOrStdout())
}

// story writes the connection in the form of the other commands.
func (c *caller) story(w io.Writer, a *attempt, level explain.Level, style screen.Style) error {
	entries := a.events.entries()
	if !c.reveal {
		var err error
		if entries, err = redacted(entries); err != nil {
			return err
		}
	}
	fmt.Fprintln(w)
	return tellStory(w, explain.Tell(entries, c.about(a)), entries, level, style)
}

// about returns what the events do not show about an attempt.
func (c *caller) about(a *attempt) explain.Run {
	run := explain.Run{Command: c.cmd.CommandPath(), Flags: " " + quoted(c.target.String()),
		Handshake: a.took}
	if a.raw != nil {
		run.Client, run.Server = a.raw.LocalAddr().String(), a.raw.RemoteAddr().String()
	}
	return run
}

// keep writes the files that were asked for.
func (c *caller) keep(cmd *cobra.Command, a *attempt, r *report) error {
	if c.chainOut != "" && len(r.certs) > 0 {
		if err := writeCertificates(c.chainOut, r.certs); err != nil {
			return fmt.Errorf("--chain-out: %w", err)
		}
	}
	if len(a.events.entries()) == 0 {
		return nil
	}
	return c.artefacts.write(
		connection{entries: a.events.entries(), about: c.about(a)},
		cmd.ErrOrStderr(),
	)
}
