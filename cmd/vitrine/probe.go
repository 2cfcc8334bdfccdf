package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/reach"
	"github.com/vitrine-tls/vitrine/internal/starttls"
	"github.com/vitrine-tls/vitrine/probe"
)

// probeOptions are the flags of probe.
type probeOptions struct {
	way        connectOptions // how to reach the server: the flags that connect has too
	policy     string
	failOn     string
	parallel   int
	connection int
	rate       float64
	deadline   time.Duration
	json       bool
	sarif      string
	junit      string
	testssl    string
	detail     bool
	trust      probe.Trust // the roots of --ca
}

func newProbe() *cobra.Command {
	var o probeOptions
	cmd := &cobra.Command{
		Use:   "probe HOST[:PORT]... | FILE | -",
		Short: "Find out what a server can do, what is wrong with it, and which line mends it",
		Long: `Asks a TLS server, by many short connections, for its versions from SSL 2.0 to TLS 1.3, its
cipher suites, groups, signature schemes and certificates, for resumption, extensions and tolerance,
and for known weaknesses. Nothing is exploited: no memory of the server is read.

Each answer is yes, no or "not told"; a no was seen, or it follows from a refusal beside an answer
to the same question without the tested thing. What speaks against the server is listed with the
reason and with the lines of nginx, Apache, HAProxy, Go and OpenSSL that mend it.

A FILE has one HOST[:PORT] in each line; "-" is standard input. Several servers are asked at the
same time, each by few connections at once. Some questions resemble an attack, and may be logged as
one: they come last.

` + exitLine(
			"probe",
		),
		Example: `  vitrine probe example.com
  vitrine probe mail.example.com:25 --starttls smtp
  vitrine probe example.com --policy mozilla-intermediate --fail-on warn
  vitrine probe hosts.txt --json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &usageError{cmd.CommandPath() + " takes a HOST[:PORT], a file of them, or -",
					cmd.CommandPath() + " example.com"}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runProbe(cmd, args, &o) },
	}
	f := cmd.Flags()
	f.StringVar(
		&o.way.sni,
		"sni",
		"",
		"name to ask for and to expect in the certificate (default HOST)",
	)
	f.BoolVar(
		&o.way.noSNI,
		"no-sni",
		false,
		"ask for no name; HOST is still expected in the certificate",
	)
	f.StringVar(&o.way.ca, "ca", "", "trust the roots in this file (PEM) instead of the system's")
	f.StringVar(&o.way.starttls, "starttls", "",
		"begin in the clear with the protocol "+strings.Join(starttls.Names(), ", "))
	f.StringVar(&o.way.proxy, "proxy", "",
		"connect through http://[USER:PASSWORD@]HOST:PORT (CONNECT) or socks5://…")
	f.StringVar(&o.way.resolve, "resolve", "", "connect to this address instead of looking HOST up")
	f.BoolVarP(&o.way.four, "ipv4", "4", false, "use IPv4 only")
	f.BoolVarP(&o.way.six, "ipv6", "6", false, "use IPv6 only")
	f.DurationVar(&o.way.timeout, "timeout", 5*time.Second, "time limit of each connection")
	f.DurationVar(&o.deadline, "deadline", 5*time.Minute, "time limit of each server")
	f.IntVar(&o.parallel, "parallel", 8, "how many servers are asked at the same time")
	f.IntVar(&o.connection, "connections", 2, "how many connections to one server at the same time")
	f.Float64Var(&o.rate, "rate", 0, "connections a second to one server, at most (0: no limit)")
	f.StringVar(
		&o.policy,
		"policy",
		"",
		"compare with a policy: "+strings.Join(probe.PolicyNames(), ", "),
	)
	f.StringVar(
		&o.failOn,
		"fail-on",
		"",
		"exit with 1 if there is a finding of this severity or worse: info, warn, high",
	)
	f.BoolVar(&o.json, "json", false, "print one line of JSON for each server")
	f.StringVar(&o.sarif, "sarif", "", "write the findings to this file as SARIF 2.1.0")
	f.StringVar(&o.junit, "junit", "",
		"write the results to this file as JUnit XML; a failure is a finding of --fail-on, or warn")
	f.StringVar(&o.testssl, "testssl-json", "",
		"write the results to this file in the form of testssl.sh's --jsonfile")
	f.BoolVar(&o.detail, "detail", false, "show all answers, and each suite in each version")
	complete(cmd, "starttls", starttls.Names()...)
	complete(cmd, "policy", probe.PolicyNames()...)
	complete(cmd, "fail-on", "info", "warn", "high")
	return cmd
}

// runProbe asks all servers and prints the reports in the order of the arguments.
func runProbe(cmd *cobra.Command, args []string, o *probeOptions) error {
	if err := o.check(cmd); err != nil {
		return err
	}
	targets, err := o.targets(cmd, args)
	if err != nil {
		return err
	}
	if o.way.ca != "" {
		o.trust.Roots, o.trust.Listed, err = loadPool("--ca", o.way.ca,
			cmd.CommandPath()+" "+quoted(args[0]))
		if err != nil {
			return err
		}
	}
	results := make([]chan *probe.Report, len(targets))
	for i := range results {
		results[i] = make(chan *probe.Report, 1)
	}
	gate := make(chan struct{}, o.parallel)
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx := cmd.Context()
	go func() {
		for i, t := range targets {
			gate <- struct{}{}
			wg.Go(func() {
				defer func() { <-gate }()
				results[i] <- o.ask(ctx, cmd, t, len(targets) == 1)
			})
		}
	}()
	code := exitOK
	var reports []*probe.Report
	for i := range targets {
		r := <-results[i]
		if o.sarif+o.junit+o.testssl != "" {
			reports = append(reports, r)
		}
		if err := o.print(cmd, r, i > 0); err != nil {
			return err
		}
		code = max(code, o.exit(r))
	}
	if err := o.write(reports); err != nil {
		return err
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case code == exitUnreached:
		return &exitError{code, errors.New("a server was not reached, or does not speak TLS there")}
	case code != exitOK:
		return &exitError{code, fmt.Errorf("there are findings of severity %s or worse", o.failOn)}
	}
	return nil
}

// check refuses flags that cannot be meant.
func (o *probeOptions) check(cmd *cobra.Command) error {
	example := cmd.CommandPath() + " example.com"
	switch {
	case o.failOn != "" && probe.Severity(o.failOn).Weight() < 0:
		return &usageError{fmt.Sprintf("--fail-on takes info, warn or high, got %q", o.failOn),
			example + " --fail-on warn"}
	case o.parallel < 1, o.connection < 1:
		return &usageError{"--parallel and --connections take a number above 0", example}
	case o.rate < 0:
		return &usageError{
			fmt.Sprintf("--rate takes a number of connections a second, got %v", o.rate),
			example + " --rate 5",
		}
	case o.policy != "" && probe.PolicyByName(o.policy) == nil:
		return &usageError{fmt.Sprintf("--policy takes one of %s, got %q",
			strings.Join(probe.PolicyNames(), ", "), o.policy),
			example + " --policy " + nearest(o.policy, probe.PolicyNames())}
	case o.way.noSNI && o.way.sni != "":
		return contradiction(
			"--no-sni",
			"--sni "+o.way.sni,
			"one asks for a name, the other for none",
			example,
		)
	}
	return nil
}

// probed is a server to ask, with the way to it.
type probed struct {
	target target
	way    reach.Way
}

// maxHosts bounds how many servers one run takes.
const maxHosts = 100_000

// targets returns the servers that the arguments name; an argument that is a file is a list.
func (o *probeOptions) targets(cmd *cobra.Command, args []string) (all []probed, err error) {
	dialect, err := o.way.dialect(args[0])
	if err != nil {
		return nil, err
	}
	port := "443"
	if dialect != nil {
		port = dialect.Port
	}
	for _, arg := range args {
		names := []string{arg}
		if list, ok, err := o.list(cmd, arg); err != nil {
			return nil, err
		} else if ok {
			names = list
		}
		for _, name := range names {
			t, err := parseTarget(name, port)
			if err != nil {
				return nil, err
			}
			d := dialect
			if d == nil && t.starttls != "" {
				d, _ = starttls.ByName(t.starttls)
			}
			way := reach.Way{Host: t.host, Port: t.port, Network: "tcp", Resolve: o.way.resolve,
				StartTLS: d, Timeout: o.way.timeout}
			if err := o.way.route(&way, cmd.CommandPath()+" "+quoted(name)); err != nil {
				return nil, err
			}
			all = append(all, probed{t, way})
		}
	}
	if len(all) == 0 {
		return nil, &usageError{"the list names no server", cmd.CommandPath() + " example.com"}
	}
	return all, nil
}

// list reads a list of servers, if arg is "-" or a file.
func (o *probeOptions) list(cmd *cobra.Command, arg string) (names []string, ok bool, err error) {
	var in io.Reader
	if arg == "-" {
		in = cmd.InOrStdin()
	} else if info, err := os.Stat(arg); err != nil || !info.Mode().IsRegular() {
		return nil, false, nil
	} else {
		f, err := os.Open(arg)
		if err != nil {
			return nil, false, err
		}
		defer f.Close()
		in = f
	}
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		name, _, _ := strings.Cut(lines.Text(), "#")
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
		if len(names) > maxHosts {
			return nil, false, fmt.Errorf("%s names more than %d servers", arg, maxHosts)
		}
	}
	return names, true, lines.Err()
}

// asked returns the server at the end of a way, to be asked under a name. An address is no name: RFC
// 6066 §3.
func asked(way *reach.Way, name string, noSNI bool) *probe.Server {
	if _, err := netip.ParseAddr(name); err == nil || noSNI {
		name = ""
	}
	return &probe.Server{Name: name, Timeout: way.Timeout,
		Dial: func(ctx context.Context) (net.Conn, error) {
			conn, _, err := way.Go(ctx)
			if err != nil {
				return nil, err
			}
			return conn, nil
		}}
}

// ask asks one server.
func (o *probeOptions) ask(
	ctx context.Context,
	cmd *cobra.Command,
	t probed,
	alone bool,
) *probe.Report {
	ctx, cancel := context.WithTimeout(ctx, o.deadline)
	defer cancel()
	name := cmp.Or(o.way.sni, strings.TrimSuffix(t.target.host, "."))
	trust := o.trust
	trust.Name = name
	s := asked(&t.way, name, o.way.noSNI)
	s.Parallel = o.connection
	if o.rate > 0 {
		s.Interval = time.Duration(float64(time.Second) / o.rate)
	}
	if out := cmd.ErrOrStderr(); alone && columns(out) > 0 {
		s.Progress = func(what string) {
			fmt.Fprintf(out, "… %s\n", explain.Escape(what))
		}
	}
	r := s.Probe(ctx, trust)
	r.Target = t.target.String()
	if p := probe.PolicyByName(o.policy); p != nil && r.Reached {
		r.Judge(p)
	}
	return r
}

// write writes the files that were asked for.
func (o *probeOptions) write(reports []*probe.Report) error {
	threshold := probe.Severity(cmp.Or(o.failOn, string(probe.Warn)))
	for _, file := range []struct {
		flag, name string
		write      func(io.Writer) error
	}{
		{"--sarif", o.sarif, func(w io.Writer) error { return probe.WriteSARIF(w, reports) }},
		{"--junit", o.junit,
			func(w io.Writer) error { return probe.WriteJUnit(w, reports, threshold) }},
		{"--testssl-json", o.testssl,
			func(w io.Writer) error { return probe.WriteTestssl(w, reports) }},
	} {
		if file.name == "" {
			continue
		}
		if err := writeFile(file.name, file.write); err != nil {
			return fmt.Errorf("%s: %w", file.flag, err)
		}
	}
	return nil
}

// exit returns the exit code of one report.
func (o *probeOptions) exit(r *probe.Report) int {
	switch {
	case !r.Reached:
		return exitUnreached
	case o.failOn != "" && len(r.Findings) > 0 &&
		r.Worst().Weight() >= probe.Severity(o.failOn).Weight():
		return exitFailed
	}
	return exitOK
}
