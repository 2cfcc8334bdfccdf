package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/vitrine-tls/vitrine/internal/reach"
	"github.com/vitrine-tls/vitrine/internal/starttls"
	"github.com/vitrine-tls/vitrine/probe"
)

// probed is a server to ask, with the way to it.
type probed struct {
	target target
	way    reach.Way
	name   string // to ask for, and to expect
	via    string // the address, with --each-address
}

func (t *probed) key() string { return key(t.stub()) }

// stub returns a report that says only of which server it is.
func (t *probed) stub() *probe.Report {
	return &probe.Report{Target: t.target.String(), ServerName: serverName(t.name, false),
		Via: t.via}
}

// maxHosts bounds how many servers one run takes.
const maxHosts = 100_000

// targets returns the servers that the arguments name; an argument that is a file is a list.
func (o *probeOptions) targets(cmd *cobra.Command, args []string) (all []probed, err error) {
	dialect, err := o.way.dialect(cmd.CommandPath() + " " + quoted(args[0]))
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
			more, err := o.variants(cmd.Context(), t, way)
			if err != nil {
				return nil, err
			}
			all = append(all, more...)
		}
	}
	if len(all) == 0 {
		return nil, &usageError{"the list names no server", "echo example.com | " +
			cmd.CommandPath() + " -"}
	}
	return all, nil
}

// variants returns a server under each of its names and at each of its addresses.
func (o *probeOptions) variants(ctx context.Context, t target, way reach.Way) ([]probed, error) {
	addresses := []string{""}
	if o.each {
		found, err := net.DefaultResolver.LookupNetIP(ctx,
			strings.Replace(way.Network, "tcp", "ip", 1), t.host)
		if err != nil {
			return nil, &exitError{exitUnreached, err}
		}
		addresses = nil
		for _, a := range found {
			addresses = append(addresses, a.Unmap().String())
		}
	}
	names := o.names
	if len(names) == 0 {
		names = []string{strings.TrimSuffix(t.host, ".")}
	}
	var all []probed
	for _, via := range addresses {
		for _, name := range names {
			p := probed{t, way, name, via}
			if via != "" {
				p.way.Resolve = via
			}
			all = append(all, p)
		}
	}
	return all, nil
}

// list reads a list of servers, if arg is "-" or a file.
func (o *probeOptions) list(cmd *cobra.Command, arg string) (names []string, ok bool, err error) {
	var in io.Reader
	if arg == "-" {
		in = cmd.InOrStdin()
	} else if file := strings.TrimPrefix(arg, "@"); file == arg && !isFile(arg) {
		return nil, false, lost(arg)
	} else {
		arg = file
		f, err := os.Open(arg)
		if err != nil {
			return nil, false, ofInput(arg, err)
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

// isFile reports whether name is a file.
func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// lost returns an error for the name of a list that does not exist and that cannot be a server.
func lost(name string) error {
	for _, end := range []string{".txt", ".csv", ".list", ".lst", ".json"} {
		if strings.HasSuffix(name, end) || strings.HasPrefix(name, ".") ||
			strings.HasPrefix(name, "/") {
			return &usageError{fmt.Sprintf("there is no file %q; a list of servers is a file with "+
				"a line for each, or - (standard input)", name), "vitrine probe @hosts.txt"}
		}
	}
	return nil
}

// asked returns the server at the end of a way, to be asked under a name. An address is no name:
// RFC 6066 §3.
func asked(way *reach.Way, name string, noSNI bool) *probe.Server {
	return &probe.Server{Name: serverName(name, noSNI), Timeout: way.Timeout,
		Dial: func(ctx context.Context) (net.Conn, error) {
			conn, _, err := way.Go(ctx)
			if err != nil {
				return nil, err
			}
			return conn, nil
		}}
}

// serverName returns what is sent as server_name.
func serverName(name string, noSNI bool) string {
	if _, err := netip.ParseAddr(name); err == nil || noSNI {
		return ""
	}
	return name
}
