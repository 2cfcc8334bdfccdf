package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/bug"
	"github.com/vitrine-tls/vitrine/probe"
	pages "github.com/vitrine-tls/vitrine/render/reports"
)

// known reads the reports of --state and --compare.
func (o *probeOptions) known(cmd *cobra.Command) (map[string]*probe.Report, error) {
	known := map[string]*probe.Report{}
	if o.state != "" {
		if err := readState(o.state, known); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, ofInput("--state "+o.state, err)
		}
	}
	if n := len(known); n > 0 && columns(cmd.ErrOrStderr()) > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "… %s in %s\n", explain.Count(n, "report"),
			explain.Escape(o.state))
	}
	if o.compare == "" {
		return known, nil
	}
	o.earlier = map[string]*probe.Report{}
	f, err := os.Open(o.compare)
	if err != nil {
		return nil, ofInput("--compare "+o.compare, err)
	}
	defer f.Close()
	all, err := probe.Read(bufio.NewReader(f))
	if err != nil {
		return nil, ofInput("--compare "+o.compare, notReport(err))
	}
	for _, r := range all { // the last of each server counts
		o.earlier[key(r)] = r
	}
	return known, nil
}

// readState reads the file of --state. A line that was being written when the run was killed is cut
// off.
func readState(name string, into map[string]*probe.Report) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	whole := bytes.LastIndexByte(text, '\n') + 1
	all, err := probe.Read(bytes.NewReader(text[:whole]))
	if err != nil {
		return notReport(err)
	}
	for _, r := range all {
		into[key(r)] = r
	}
	if whole < len(text) {
		return os.Truncate(name, int64(whole))
	}
	return nil
}

// notReport says what a file of reports is expected to have.
func notReport(err error) error {
	which, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "probe: "), ": ")
	return fmt.Errorf("it has no reports as vitrine probe --json writes them (%s)", which)
}

// key is under what a report is found again.
func key(r *probe.Report) string { return r.Target + " " + r.ServerName + " " + r.Via }

// askAll asks the servers of which no report is known, several at the same time, and prints the
// reports of all in their order.
func (o *probeOptions) askAll(cmd *cobra.Command, targets []probed,
	known map[string]*probe.Report) error {
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
			if r := known[t.key()]; r != nil {
				results[i] <- r
				continue
			}
			gate <- struct{}{}
			wg.Go(func() {
				defer func() { <-gate }()
				results[i] <- o.ask(ctx, cmd, t, len(targets) == 1)
			})
		}
	}()
	code, refused := exitOK, false
	var reports []*probe.Report
	for i := range targets {
		r := <-results[i]
		there := known[targets[i].key()] != nil
		if err := o.keep(ctx, r, there); err != nil {
			return err
		}
		o.judge(r)
		if o.sarif+o.junit+o.testssl+o.html != "" {
			reports = append(reports, r)
		}
		if err := o.print(cmd, r, i > 0, there); err != nil {
			return err
		}
		code = max(code, o.exit(r))
		refused = refused || r.Reached && !r.Answered()
	}
	if err := o.write(reports); err != nil {
		return err
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case code == exitUnreached:
		return &exitError{code, errors.New("a server was not reached, or does not speak TLS there")}
	case refused:
		return &exitError{code, errors.New("a server answered with no version: see its problem")}
	case code != exitOK:
		return &exitError{code, fmt.Errorf("there are findings of severity %s or worse", o.failOn)}
	}
	return nil
}

// keep appends a report to the file of --state, unless it came from there or was interrupted.
func (o *probeOptions) keep(ctx context.Context, r *probe.Report, there bool) error {
	if o.done == nil || there || ctx.Err() != nil {
		return nil
	}
	if err := writeJSON(o.done, r); err != nil {
		return fmt.Errorf("--state: %w", err)
	}
	return nil
}

// judge compares a report with the policy and with an earlier one.
func (o *probeOptions) judge(r *probe.Report) {
	if p := probe.PolicyByName(o.policy); p != nil && r.Reached {
		r.Judge(p)
	}
	if old := o.earlier[key(r)]; old != nil {
		r.Since(old)
	}
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
	trust := o.trust
	trust.Name = t.name
	s := asked(&t.way, t.name, o.way.noSNI)
	s.OtherNames = o.names
	s.Parallel = o.connection
	if o.rate > 0 {
		s.Interval = time.Duration(float64(time.Second) / o.rate)
	}
	out := cmd.ErrOrStderr()
	var p *progress
	if alone {
		p = newProgress(cmd)
	}
	defer p.stop()
	if p != nil {
		s.Progress = func(what string) { p.step("%s", explain.Escape(what)) }
	} else if alone && columns(out) > 0 {
		s.Progress = func(what string) {
			fmt.Fprintf(out, "… %s\n", explain.Escape(what))
		}
	}
	var r *probe.Report
	if err := bug.Survive(func() { r = s.Probe(ctx, trust) }); err != nil {
		r = t.unprobed(err)
		fmt.Fprintf(cmd.ErrOrStderr(), "! %s: %v\n", explain.Escape(t.target.String()), err)
	}
	r.Target, r.Via = t.target.String(), t.via
	return r
}

// unprobed returns the report of a server that made us panic: the others of the run do not end with
// it.
func (t *probed) unprobed(err error) *probe.Report {
	r := t.stub()
	r.At, r.Problem = time.Now(), bug.Prefix+bug.Text(err)
	r.Versions, r.Groups, r.Primes = []probe.Version{}, []probe.Group{}, []probe.Prime{}
	r.Schemes, r.Chains = []probe.Scheme{}, []probe.Chain{}
	r.Facts, r.Findings = []probe.Fact{}, []probe.Finding{}
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
		{"--html", o.html, func(w io.Writer) error { return pages.Write(w, reports) }},
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
	case !r.Answered():
		return exitFailed
	case o.failOn != "" && len(r.Findings) > 0 &&
		r.Worst().Weight() >= probe.Severity(o.failOn).Weight():
		return exitFailed
	}
	return exitOK
}
