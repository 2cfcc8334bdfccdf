package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/gate"
	"github.com/vitrine-tls/vitrine/internal/live"
)

// liveFlags are the flags of the commands that show connections as they happen.
type liveFlags struct {
	ui      string
	names   []string
	history string
	limits  live.Limits
	size    int // of the history, in MiB
}

// uiAnywhere is where --ui listens if no address is given.
const uiAnywhere = "127.0.0.1:0"

func (o *liveFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(
		&o.ui,
		"ui",
		"",
		"show a page of the connections as they happen, to a browser on this "+
			"machine, at `ADDR` or any free port; the URL is printed",
	)
	f.Lookup("ui").NoOptDefVal = uiAnywhere
	f.StringSliceVar(&o.names, "ui-name", nil,
		"names by which a browser reaches --ui, besides its address")
	f.StringVar(
		&o.history,
		"history",
		"",
		"keep connections in this folder: the events of each in "+
			"a file for vitrine explain, and an index",
	)
	f.IntVar(&o.limits.Connections, "history-max", live.DefaultConnections,
		"maximum number of connections in --history; the oldest are deleted")
	f.DurationVar(&o.limits.Age, "history-age", live.DefaultAge,
		"how long connections stay in --history")
	f.IntVar(&o.size, "history-size", live.DefaultBytes>>20, "size of --history in MiB, compressed")
}

// on reports whether there is anything to record.
func (o *liveFlags) on() bool { return o.ui != "" || o.history != "" }

// args takes the ADDR of --ui where it stands apart, and else refuses args.
func (o *liveFlags) args(cmd *cobra.Command, args []string) error {
	return noArgs(cmd, o.address(args))
}

// address takes the ADDR of --ui where it stands apart, and returns the other args.
func (o *liveFlags) address(args []string) []string {
	if o.ui == uiAnywhere && len(args) == 1 {
		if _, _, err := net.SplitHostPort(args[0]); err == nil {
			o.ui = args[0]
			return nil
		}
	}
	return args
}

// liveView shows the connections of a command.
type liveView struct {
	hub     *live.Hub
	history *live.History // nil without --history
	command string
	where   string
	reveal  bool
	making  chan struct{} // has room for as many pages as are made at a time
	readers chan struct{} // and for as many as follow
	// patience is how long one who follows may not read.
	patience time.Duration
	gate     *gate.Gate
	addr     net.Addr
}

// maxReaders is how many pages may follow the connections at a time.
const maxReaders = 32

// open makes the view, or returns nil if it is not wanted.
func (o *liveFlags) open(cmd *cobra.Command, reveal bool) (*liveView, error) {
	for _, f := range []struct {
		name, try string
		value     int64
		got       any
	}{{"--history-max", "1000", int64(o.limits.Connections), o.limits.Connections},
		{"--history-age", "24h", int64(o.limits.Age), o.limits.Age},
		{"--history-size", "100", int64(o.size), o.size}} {
		if f.value <= 0 {
			return nil, &usageError{fmt.Sprintf("%s takes a value above 0, got %v", f.name, f.got),
				cmd.CommandPath() + " --history DIR " + f.name + " " + f.try}
		}
	}
	if o.ui == "" && len(o.names) > 0 {
		return nil, &usageError{"--ui-name is for --ui", cmd.CommandPath() + " --ui --ui-name " +
			quoted(o.names[0])}
	}
	if !o.on() {
		return nil, nil
	}
	v := &liveView{command: cmd.CommandPath(), reveal: reveal,
		making: make(chan struct{}, 2), readers: make(chan struct{}, maxReaders),
		patience: patienceUI}
	if o.history == "" {
		v.hub = live.New(live.Options{})
		return v, nil
	}
	var err error
	o.limits.Bytes = int64(o.size) << 20
	if v.history, err = live.OpenHistory(o.history, o.limits, reveal); err != nil {
		return nil, fmt.Errorf("--history %s: %w", o.history, plainer(err))
	}
	v.hub = live.New(live.Options{Keep: v.history.Keep})
	for _, r := range v.history.Rows(live.DefaultRows / 2) {
		v.hub.AddEarlier(r)
	}
	return v, nil
}

// close ends the history, and reports what was wrong with it.
func (v *liveView) close(stderr io.Writer) {
	if v == nil || v.history == nil {
		return
	}
	if err := v.history.Close(); err != nil {
		fmt.Fprintf(fit(stderr), "! --history: not all was written: %s\n",
			explain.Escape(err.Error()))
	}
}

// serve shows the page, if it is wanted, until stop is called. where is what the page shows.
func (v *liveView) serve(cmd *cobra.Command, o *liveFlags, where string) (
	stop func(), err error) {
	if v == nil {
		return func() {}, nil
	}
	v.where = where
	if o.ui == "" {
		return func() { v.close(cmd.ErrOrStderr()) }, nil
	}
	l, err := net.Listen("tcp", o.ui)
	if err != nil {
		v.close(cmd.ErrOrStderr())
		return nil, cannotListen("--ui", o.ui, err, cmd.CommandPath()+" --ui")
	}
	stderr := cmd.ErrOrStderr()
	v.addr, v.gate = l.Addr(), gate.New(l.Addr(), o.names...)
	v.gate.Used = func(url string) {
		fmt.Fprintf(fit(stderr), "! --ui: a browser was let in; for another one: %s\n", url)
	}
	s := &http.Server{Handler: v.gate.Wrap(v.routes()), WriteTimeout: pageTime}
	ctx, cancel := context.WithCancel(context.Background())
	s.BaseContext = func(net.Listener) context.Context { return ctx }
	go servePage(s, l, maxUIConns)
	return func() {
		cancel() // those who follow
		s.Close()
		v.close(stderr)
	}, nil
}

// announce prints where the page is.
func (v *liveView) announce(stderr io.Writer) {
	if v == nil || v.gate == nil {
		return
	}
	fmt.Fprintf(stderr, "  live view: %s\n", v.gate.URL())
	stderr = fit(stderr)
	if a, ok := v.addr.(*net.TCPAddr); ok && !a.IP.IsLoopback() {
		fmt.Fprintf(stderr, "! --ui: %s is no address of this machine alone: what the page shows, "+
			"and its cookie, cross the network in the clear.\n", explain.Escape(v.addr.String()))
	}
}
