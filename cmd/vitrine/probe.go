package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

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
	html       string
	compare    string
	state      string
	names      []string // of --sni
	each       bool     // every address of each name
	detail     bool
	trust      probe.Trust              // the roots of --ca
	earlier    map[string]*probe.Report // of --compare
	done       io.Writer                // of --state
}

func newProbe() *cobra.Command {
	var o probeOptions
	cmd := &cobra.Command{
		Use: "probe HOST[:PORT]... | FILE | -",
		Short: "Find out what a server supports, what is wrong with it, and how to configure it " +
			"better",
		Long: `Asks a TLS server, by many short connections, for its versions from SSL 2.0 to TLS
1.3, its cipher suites, groups, signature schemes and certificates, for resumption, extensions and
tolerance, and for known weaknesses. Nothing is exploited: no memory of the server is read.

Each answer is yes, no or "not told". A no was either seen, or follows from a refusal, together with
an answer to the same question without the tested feature. Weaknesses of the configuration are
listed with the reason and with the lines for nginx, Apache, HAProxy, Go and OpenSSL that fix them.

A FILE has one HOST[:PORT] in each line; "-" is standard input. Several servers are asked at the
same time, each by a few connections at once. With --state, a run that was interrupted continues
where it stopped. Some questions resemble an attack and may be logged as one; they come last.

` + exitLine(
			"probe",
		),
		Example: `  vitrine probe example.com
  vitrine probe mail.example.com:25 --starttls smtp
  vitrine probe example.com --policy mozilla-intermediate --fail-on warn
  vitrine probe hosts.txt --json > monday.json
  vitrine probe hosts.txt --compare monday.json --html report.html`,
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
	f.StringSliceVar(&o.names, "sni", nil,
		"name to send in server_name and to expect in the certificate; several names are probed "+
			"separately (default HOST)")
	f.BoolVar(
		&o.way.noSNI,
		"no-sni",
		false,
		"send no server_name; HOST is still expected in the certificate",
	)
	f.StringVar(&o.way.ca, "ca", "", "trust the roots in this file (PEM) instead of the system's")
	f.StringVar(&o.way.starttls, "starttls", "",
		"begin in the clear with this protocol: "+strings.Join(starttls.Names(), ", "))
	f.StringVar(&o.way.proxy, "proxy", "",
		"connect through http://[USER:PASSWORD@]HOST:PORT (CONNECT) or socks5://…")
	f.StringVar(&o.way.resolve, "resolve", "", "connect to this address instead of looking HOST up")
	f.BoolVarP(&o.way.four, "ipv4", "4", false, "use IPv4 only")
	f.BoolVarP(&o.way.six, "ipv6", "6", false, "use IPv6 only")
	f.BoolVar(&o.each, "each-address", false,
		"probe every address of a name separately, IPv4 and IPv6")
	f.DurationVar(&o.way.timeout, "timeout", 5*time.Second, "time limit of each connection")
	f.DurationVar(&o.deadline, "deadline", 5*time.Minute, "time limit of each server")
	f.IntVar(&o.parallel, "parallel", 8, "number of servers to ask at the same time")
	f.IntVar(&o.connection, "connections", 2,
		"maximum number of connections to one server at the same time")
	f.Float64Var(&o.rate, "rate", 0,
		"maximum number of connections a second to one server; 0 is no limit")
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
	f.StringVar(&o.html, "html", "", "write the reports to this file as a page")
	f.StringVar(&o.compare, "compare", "",
		"report what changed since the reports in this file, which --json or --state wrote")
	f.StringVar(&o.state, "state", "",
		"append each report to this file, and skip servers whose report is already there")
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
	known, err := o.known(cmd)
	if err != nil {
		return err
	}
	if o.state != "" {
		f, err := appendFile(o.state)
		if err != nil {
			return fmt.Errorf("--state: %w", err)
		}
		defer f.Close()
		o.done = f
	}
	return o.askAll(cmd, targets, known)
}

// check returns an error for combinations of flags that have no meaning.
func (o *probeOptions) check(cmd *cobra.Command) error {
	example := cmd.CommandPath()
	for _, arg := range cmd.Flags().Args() {
		example += " " + quoted(arg)
	}
	if err := checkNames("--sni", o.names, example+" --sni example.com"); err != nil {
		return err
	}
	switch {
	case o.failOn != "" && probe.Severity(o.failOn).Weight() < 0:
		return unknownValue("fail-on", o.failOn, "info", "warn", "high")
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
	case o.way.noSNI && len(o.names) > 0:
		return contradiction("--no-sni", "--sni "+o.names[0],
			"one asks for a name, the other for none", example)
	case o.each && (o.way.proxy != "" || o.way.resolve != ""):
		return &usageError{"--each-address looks the addresses up here, and --proxy and " +
			"--resolve go another way", example + " --each-address"}
	}
	return nil
}
